//! What a backtest found.

use super::spans::Span;
use crate::replay::Difference;
use chrono::{DateTime, Utc};
use policy::ids::{LeadId, MarketId, PersonId, TeamId};
use policy::{Message, WorkflowId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A number under the baseline and under the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pair {
    /// Under what the candidate is compared with.
    pub baseline: u64,
    /// Under the policy that is tried.
    pub candidate: u64,
}

impl Pair {
    /// How many more there are under the candidate.
    pub fn more(self) -> i64 {
        let signed = |n| i64::try_from(n).unwrap_or(i64::MAX);
        signed(self.candidate).saturating_sub(signed(self.baseline))
    }

    /// Adds another.
    pub fn add(&mut self, other: Self) {
        self.baseline = self.baseline.saturating_add(other.baseline);
        self.candidate = self.candidate.saturating_add(other.candidate);
    }
}

/// What the candidate is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Baseline {
    /// What was recorded, under the revisions that were in force then.
    History {
        /// These.
        revisions: Vec<u32>,
    },
    /// The policy that was published last, replayed over the same history.
    InForce {
        /// Its revision.
        revision: u32,
    },
    /// An earlier revision, replayed over the same history.
    Revision {
        /// Which.
        revision: u32,
    },
    /// Another policy, replayed over the same history.
    Policy {
        /// Its name.
        name: String,
    },
}

impl Baseline {
    /// In words, for the head of a column.
    pub fn spelled(&self) -> String {
        match self {
            Self::History { .. } => "history".to_owned(),
            Self::InForce { revision } => format!("in force ({revision})"),
            Self::Revision { revision } => format!("revision {revision}"),
            Self::Policy { name } => format!("“{name}”"),
        }
    }
}

/// What a backtest found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The name of the policy that was tried.
    pub policy: String,
    /// What it is compared with.
    pub against: Baseline,
    /// What is different between the two policies and their directories, in words. Against history:
    /// between the policy in force and the candidate.
    pub changes: Vec<String>,
    /// The workflows whose version rises with the candidate.
    pub versions_that_rise: Vec<WorkflowId>,
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
    /// The leads of which somebody would notice a difference.
    pub leads_different: u64,
    /// How long the spans are that things are counted by.
    pub span: Span,
    /// Messages, by recipient and span.
    pub messages: Vec<MessageRow>,
    /// What happened, by span.
    pub happenings: Vec<HappeningRow>,
    /// What happened, by workflow, market, team and rep.
    pub figures: Vec<FigureRow>,
    /// The queues at the end of each hour or day.
    pub queues: Vec<QueueRow>,
    /// Decisions of people that made no sense in a replay, by what was decided.
    pub not_applied: BTreeMap<String, Pair>,
    /// The first difference of each lead, the earliest first.
    pub first_differences: Vec<FirstDifference>,
    /// What people are called.
    pub people: BTreeMap<PersonId, String>,
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

/// Messages to somebody in a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// To whom: a person, `team/…`, or a desk.
    pub recipient: String,
    /// Where the span begins.
    pub from: DateTime<Utc>,
    /// What about.
    pub message: Message,
    /// How many.
    #[serde(flatten)]
    pub count: Pair,
}

/// What can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happening {
    /// Somebody was told something.
    Message,
    /// An SLA window was breached.
    Breach,
    /// A lead was taken from its owner and given to another rep.
    Reassignment,
    /// A lead was given to a rep.
    Assignment,
    /// A lead could not be given to any rep.
    ReassignmentImpossible,
    /// A lead came into the operations queue.
    QueuedForOperations,
    /// Compliance held a lead.
    Held,
    /// A lead became a high-value lead.
    HighValue,
    /// An account was tagged as at risk.
    ChurnRisk,
}

impl Happening {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Message,
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
            Self::Message => "messages",
            Self::Breach => "breaches",
            Self::Reassignment => "reassignments",
            Self::Assignment => "assignments",
            Self::ReassignmentImpossible => "impossible reassignments",
            Self::QueuedForOperations => "operations queue entries",
            Self::Held => "compliance holds",
            Self::HighValue => "high-value flags",
            Self::ChurnRisk => "accounts tagged as at risk",
        }
    }
}

/// How often something happened in a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HappeningRow {
    /// What.
    pub happening: Happening,
    /// Where the span begins.
    pub from: DateTime<Utc>,
    /// How often.
    #[serde(flatten)]
    pub count: Pair,
}

/// By what figures are grouped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Group {
    /// A workflow that brought it about.
    Workflow {
        /// Which.
        workflow: WorkflowId,
    },
    /// The market of the lead.
    Market {
        /// Which.
        market: MarketId,
    },
    /// A team: its reps' breaches, and what they and its channel are told.
    Team {
        /// Which.
        team: TeamId,
    },
    /// A rep: breaches as owner, messages, leads taken from them (reassignments) and leads given to
    /// them (assignments).
    Rep {
        /// The team they are in.
        team: TeamId,
        /// Which.
        rep: PersonId,
    },
}

/// How often something happened in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureRow {
    /// Which group.
    #[serde(flatten)]
    pub group: Group,
    /// What.
    pub happening: Happening,
    /// How often.
    #[serde(flatten)]
    pub count: Pair,
}

/// The queues at the end of an hour or a day, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    /// Where the hour or the day begins.
    pub from: DateTime<Utc>,
    /// Leads in the operations queue.
    pub operations: Pair,
    /// Open compliance reviews.
    pub reviews: Pair,
}

/// The first difference of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstDifference {
    /// Which lead.
    pub lead: LeadId,
    /// When.
    pub at: DateTime<Utc>,
    /// What happens then under the baseline, and not under the candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// What happens then under the candidate, and not under the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
}

impl Report {
    /// Messages of all kinds, by recipient and span.
    pub fn messages_per_span(&self) -> BTreeMap<(&str, DateTime<Utc>), Pair> {
        let mut sums: BTreeMap<(&str, DateTime<Utc>), Pair> = BTreeMap::new();
        for row in &self.messages {
            sums.entry((&row.recipient, row.from)).or_default().add(row.count);
        }
        sums
    }

    /// How often something happened in all.
    pub fn total(&self, happening: Happening) -> Pair {
        let mut sum = Pair::default();
        self.happenings.iter().filter(|row| row.happening == happening).for_each(|row| sum.add(row.count));
        sum
    }

    /// How often something happened in each span, those without any among them.
    pub fn per_span(&self, happening: Happening) -> BTreeMap<DateTime<Utc>, Pair> {
        let mut spans: BTreeMap<DateTime<Utc>, Pair> =
            self.spans().into_iter().map(|begin| (begin, Pair::default())).collect();
        let rows = self.happenings.iter().filter(|row| row.happening == happening);
        rows.for_each(|row| spans.entry(row.from).or_default().add(row.count));
        spans
    }

    /// The beginnings of the spans that are counted.
    pub fn spans(&self) -> Vec<DateTime<Utc>> {
        let (first, last) = (self.span.begin(self.since), self.until);
        std::iter::successors(Some(first), |begin| Some(self.span.next(*begin)))
            .take_while(|begin| *begin <= last)
            .collect()
    }

    /// The figures of each group that has any, by what happened.
    pub fn figures_by_group(&self) -> BTreeMap<&Group, BTreeMap<Happening, Pair>> {
        let mut groups: BTreeMap<&Group, BTreeMap<Happening, Pair>> = BTreeMap::new();
        for row in &self.figures {
            groups.entry(&row.group).or_default().entry(row.happening).or_default().add(row.count);
        }
        groups
    }

    /// A person as colleagues call them.
    pub fn person(&self, id: &PersonId) -> String {
        self.people.get(id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// A recipient as people call them.
    pub fn recipient(&self, of: &str) -> String {
        if let Some(team) = of.strip_prefix("team/") {
            return format!("{team} channel");
        }
        match of {
            "compliance-desk" => "compliance team".to_owned(),
            "operations-desk" => "operations team".to_owned(),
            person => self.person(&PersonId::from(person)),
        }
    }
}
