//! The points at which something can go wrong: each request of each function, by operation and kind
//! of item; and what can go wrong there.

use crate::grants::Use;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Harm {
    /// The function dies before it is done.
    CrashBefore,
    /// It is done, and the function dies before it knows.
    CrashAfter,
    /// Too many requests; it is not done.
    Throttle,
    /// An error of the service; it is not done.
    Fault,
    /// An error of the service; it is done all the same.
    DoneAndFault,
    /// It is not done, and nobody answers.
    Lost,
    /// It is done, and nobody answers.
    AnswerLost,
    /// It is done, and the connection breaks.
    Cut,
    /// It is done so long after it was asked for.
    Slow {
        /// Seconds.
        s: u64,
    },
    /// Somebody else is at the same items.
    Conflict,
    /// A batch comes back with some of its keys left over, or all.
    LeftOver,
    /// A page of a list has one item, and says where to go on.
    Short,
    /// Some entries of a batch are not taken.
    Partial,
    /// The channel asks to wait so long.
    RateLimited {
        /// Seconds.
        s: u64,
    },
    /// The channel takes no such message, now or ever.
    Refused,
    /// An index answers as of some time ago.
    Stale,
    /// A message or a tick comes twice.
    Twice,
    /// A tick does not come.
    Missed,
}

impl Harm {
    /// Its name, as it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::CrashBefore => "crash before",
            Self::CrashAfter => "crash after",
            Self::Throttle => "throttled",
            Self::Fault => "error, not done",
            Self::DoneAndFault => "error, done",
            Self::Lost => "time-out, not done",
            Self::AnswerLost => "time-out, done",
            Self::Cut => "connection cut, done",
            Self::Slow { .. } => "done late",
            Self::Conflict => "transaction conflict",
            Self::LeftOver => "keys left over",
            Self::Short => "short page",
            Self::Partial => "batch taken in part",
            Self::RateLimited { .. } => "rate limit",
            Self::Refused => "refused for good",
            Self::Stale => "stale index read",
            Self::Twice => "delivered twice",
            Self::Missed => "tick missed",
        }
    }
}

const EVERYWHERE: [Harm; 5] = [Harm::Fault, Harm::Lost, Harm::AnswerLost, Harm::Cut, Harm::Slow { s: 7 }];

/// What can go wrong at a point.
pub fn fitting(at: &str) -> Vec<Harm> {
    let mut words = at.split(' ');
    let (function, operation) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if function == "message" {
        return vec![Harm::Twice];
    }
    if function == "tick" {
        return vec![Harm::Twice, Harm::Missed];
    }
    let more: &[Harm] = match operation {
        "TransactWriteItems" => &[
            Harm::Conflict,
            Harm::Throttle,
            Harm::DoneAndFault,
            Harm::AnswerLost,
            Harm::Cut,
            Harm::Slow { s: 20 },
        ],
        "BatchGetItem" => &[Harm::LeftOver, Harm::Throttle],
        "Query" => &[Harm::Stale, Harm::Stale, Harm::Stale, Harm::Short, Harm::Short, Harm::Throttle],
        "GetItem" | "UpdateItem" => &[Harm::Throttle, Harm::DoneAndFault],
        "SendMessageBatch" | "PutEvents" => &[Harm::Partial, Harm::Throttle, Harm::DoneAndFault],
        "chat.postMessage" => &[Harm::RateLimited { s: 2 }, Harm::RateLimited { s: 60 }, Harm::Refused],
        _ => &[],
    };
    let crashes = [Harm::CrashBefore, Harm::CrashAfter];
    let others: Vec<Harm> = EVERYWHERE.iter().chain(more).copied().collect();
    // As often a crash as anything else.
    crashes.into_iter().cycle().take(others.len()).chain(others).collect()
}

/// How often a point was come to, and how often a function died there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    pub reached: u64,
    pub crashed_before: u64,
    pub crashed_after: u64,
}

/// What was come to and what went wrong, in one run or in many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub points: BTreeMap<String, Hits>,
    pub harms: BTreeMap<&'static str, u64>,
    /// What was answered well, and how often.
    pub routes: BTreeMap<&'static str, u64>,
    /// What was asked of AWS.
    pub uses: BTreeSet<Use>,
}

impl Tally {
    /// Counts one thing that went wrong.
    pub fn harmed(&mut self, name: &'static str) {
        *self.harms.entry(name).or_default() += 1;
    }

    /// Adds what another run came to.
    pub fn add(&mut self, other: &Self) {
        for (point, hits) in &other.points {
            let sum = self.points.entry(point.clone()).or_default();
            sum.reached += hits.reached;
            sum.crashed_before += hits.crashed_before;
            sum.crashed_after += hits.crashed_after;
        }
        self.uses.extend(other.uses.iter().cloned());
        for (route, times) in &other.routes {
            *self.routes.entry(route).or_default() += times;
        }
        for (name, times) in &other.harms {
            *self.harms.entry(name).or_default() += times;
        }
    }
}

/// What is sent from outside; a thousand seeds have each of these answered well.
pub const ROUTES: &[&str] = &[
    "GET /v1/compliance/reviews/{lead_id}",
    "GET /v1/directories/{revision}",
    "GET /v1/policies/{revision}",
    "POST /v1/accounts/{id}/retention",
    "POST /v1/compliance/reviews/{lead_id}/decision",
    "POST /v1/compliance/reviews/{lead_id}/reopening",
    "POST /v1/directories",
    "POST /v1/hooks/{source}",
    "POST /v1/leads/{id}/erasure",
    "POST /v1/operations/reviews/{lead_id}/resolution",
    "POST /v1/policies",
    "PUT /v1/reps/{id}/availability",
];

/// The points that plans strike. What runs come to beside these is struck in a second pass.
pub const KNOWN: &[&str] = &[
    "compliance BatchGetItem lead",
    "compliance BatchGetItem rep",
    "compliance Decrypt -",
    "compliance GetItem directory",
    "compliance GetItem key",
    "compliance GetItem lead",
    "compliance GetItem policy",
    "compliance SendMessageBatch notifications",
    "compliance TransactWriteItems lead",
    "escalate BatchGetItem account",
    "escalate BatchGetItem lead",
    "escalate BatchGetItem publication",
    "escalate BatchGetItem rep",
    "escalate GetItem account",
    "escalate GetItem directory",
    "escalate GetItem policy",
    "escalate GetItem publication",
    "escalate GetItem lead",
    "escalate GetItem rep",
    "escalate Query by-account",
    "escalate Query by-owner",
    "escalate Query by-state",
    "escalate Query compliance-reviews",
    "escalate Query operations-reviews",
    "escalate SendMessageBatch due",
    "escalate SendMessageBatch notifications",
    "escalate TransactWriteItems account",
    "escalate TransactWriteItems lead",
    "escalate TransactWriteItems publication",
    "escalate UpdateItem lead",
    "escalate UpdateItem publication",
    "escalate UpdateItem rep",
    "ingest BatchGetItem account",
    "ingest BatchGetItem lead",
    "ingest BatchGetItem rep",
    "ingest Decrypt -",
    "ingest GenerateDataKey -",
    "ingest GetItem directory",
    "ingest GetItem policy",
    "ingest GetSecretValue hooks",
    "ingest SendMessageBatch due",
    "ingest SendMessageBatch notifications",
    "ingest TransactWriteItems account",
    "ingest TransactWriteItems lead",
    "message due",
    "message notifications",
    "notify BatchGetItem account",
    "notify BatchGetItem lead",
    "notify BatchGetItem publication",
    "notify BatchGetItem rep",
    "notify ChangeMessageVisibility notifications",
    "notify GetItem account",
    "notify GetItem directory",
    "notify GetItem lead",
    "notify GetItem outbox",
    "notify GetItem policy",
    "notify GetSecretValue slack",
    "notify SendMessageBatch due",
    "notify SendMessageBatch notifications",
    "notify TransactWriteItems account",
    "notify TransactWriteItems lead",
    "notify TransactWriteItems publication",
    "notify UpdateItem outbox",
    "notify chat.postMessage -",
    "notify conversations.history -",
    "notify conversations.list -",
    "notify conversations.open -",
    "notify users.lookupByEmail -",
    "operations BatchGetItem account",
    "operations BatchGetItem directory",
    "operations BatchGetItem lead",
    "operations BatchGetItem policy",
    "operations BatchGetItem rep",
    "operations GetItem account",
    "operations GetItem directory",
    "operations GetItem lead",
    "operations GetItem policy",
    "operations GetItem publication",
    "operations SendMessageBatch due",
    "operations SendMessageBatch notifications",
    "operations TransactWriteItems account",
    "operations TransactWriteItems directory",
    "operations TransactWriteItems lead",
    "operations TransactWriteItems policy",
    "operations TransactWriteItems rep",
    "publish PutEvents -",
    "sweep GetItem sweep",
    "sweep GetQueueAttributes -",
    "sweep Query due",
    "sweep SendMessageBatch due",
    "sweep SendMessageBatch notifications",
    "sweep UpdateItem account",
    "sweep UpdateItem lead",
    "sweep UpdateItem outbox",
    "sweep UpdateItem publication",
    "sweep UpdateItem rep",
    "sweep UpdateItem sweep",
    "tick sweep",
];
