//! What a backtest found.

use crate::ids::LeadId;
use crate::notification::Message;
use crate::replay::Difference;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A number by the record and in the replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pair {
    /// As it was.
    pub recorded: u64,
    /// As it would have been.
    pub replayed: u64,
}

impl Pair {
    /// How many more there would have been.
    pub fn more(self) -> i64 {
        let signed = |n| i64::try_from(n).unwrap_or(i64::MAX);
        signed(self.replayed).saturating_sub(signed(self.recorded))
    }

    /// Adds another.
    pub fn add(&mut self, other: Self) {
        self.recorded = self.recorded.saturating_add(other.recorded);
        self.replayed = self.replayed.saturating_add(other.replayed);
    }
}

/// What a backtest found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The name of the policy that was tried.
    pub policy: String,
    /// The revisions of the policy that were in force in the record.
    pub recorded_policies: Vec<u32>,
    /// What is counted begins here.
    pub since: DateTime<Utc>,
    /// And ends here.
    pub until: DateTime<Utc>,
    /// Whether the record can be reproduced: the proof of the rest.
    pub identity: Identity,
    /// The leads that were replayed.
    pub leads: u64,
    /// The leads of which somebody would have noticed a difference.
    pub leads_different: u64,
    /// Messages, by recipient and week.
    pub messages: Vec<MessageRow>,
    /// What else happened, by week.
    pub happenings: Vec<HappeningRow>,
    /// The queues at the end of each day.
    pub queues: Vec<QueueDay>,
    /// Decisions of people that made no sense in the replay, by what was decided.
    pub not_applied: BTreeMap<String, u64>,
    /// Where histories part first, the earliest first.
    pub first_differences: Vec<FirstDifference>,
}

/// Whether taking the recorded decisions again comes to what is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// The commits that were decided again.
    pub commits: u64,
    /// Those whose input was not recorded yet; they were taken as they are.
    pub without_input: u64,
    /// Those that came out otherwise.
    pub differences: u64,
    /// The first of them.
    pub first: Vec<Difference>,
}

impl Identity {
    /// Whether the record was reproduced.
    pub fn holds(&self) -> bool {
        self.differences == 0
    }
}

/// Messages to somebody in a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// To whom: a person, `team/…`, or a desk.
    pub recipient: String,
    /// The Monday of the week, UTC.
    pub week: NaiveDate,
    /// What about.
    pub message: Message,
    /// How many.
    #[serde(flatten)]
    pub count: Pair,
}

/// What can be counted beside messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happening {
    /// An SLA was breached.
    Breach,
    /// A lead was taken from its owner and given to somebody else.
    Reassignment,
    /// A lead was given to a rep.
    Assignment,
    /// A lead could not be given to anybody.
    ReassignmentImpossible,
    /// A lead came into the operations queue.
    QueuedForOperations,
    /// A lead was held by compliance.
    Held,
    /// A lead became a high-value lead.
    HighValue,
    /// An account was tagged as at risk.
    ChurnRisk,
}

impl Happening {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Breach,
        Self::Reassignment,
        Self::Assignment,
        Self::ReassignmentImpossible,
        Self::QueuedForOperations,
        Self::Held,
        Self::HighValue,
        Self::ChurnRisk,
    ];

    /// In words, for people.
    pub fn spelled(self) -> &'static str {
        match self {
            Self::Breach => "breaches",
            Self::Reassignment => "reassignments",
            Self::Assignment => "assignments",
            Self::ReassignmentImpossible => "reassignments that were impossible",
            Self::QueuedForOperations => "reasons to be in the operations queue",
            Self::Held => "compliance holds",
            Self::HighValue => "high-value flags",
            Self::ChurnRisk => "accounts tagged as at risk",
        }
    }
}

/// How often something happened in a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HappeningRow {
    /// What.
    pub happening: Happening,
    /// The Monday of the week, UTC.
    pub week: NaiveDate,
    /// How often.
    #[serde(flatten)]
    pub count: Pair,
}

/// The queues at the end of a day, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDay {
    /// Which day.
    pub day: NaiveDate,
    /// Leads in the operations queue.
    pub operations: Pair,
    /// Open compliance reviews.
    pub reviews: Pair,
}

/// Where the histories of a lead part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstDifference {
    /// Which lead.
    pub lead: LeadId,
    /// When.
    pub at: DateTime<Utc>,
    /// What is in the record and does not happen in the replay then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<String>,
    /// What happens in the replay then and is not in the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<String>,
}

impl Report {
    /// Messages of all kinds, by recipient and week.
    pub fn messages_per_week(&self) -> BTreeMap<(&str, NaiveDate), Pair> {
        let mut sums: BTreeMap<(&str, NaiveDate), Pair> = BTreeMap::new();
        for row in &self.messages {
            sums.entry((&row.recipient, row.week)).or_default().add(row.count);
        }
        sums
    }

    /// How often something happened in all.
    pub fn total(&self, happening: Happening) -> Pair {
        let mut sum = Pair::default();
        self.happenings.iter().filter(|row| row.happening == happening).for_each(|row| sum.add(row.count));
        sum
    }
}
