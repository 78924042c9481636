//! The report of a backtest.

use super::spans::Span;
use crate::replay::Difference;
use chrono::{DateTime, Utc};
use policy::ids::{LeadId, MarketId, PersonId, TeamId};
use policy::{Message, WorkflowId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A count under the baseline and under the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pair {
    /// The count under the baseline.
    pub baseline: u64,
    /// The count under the candidate.
    pub candidate: u64,
}

impl Pair {
    /// The candidate minus the baseline.
    pub fn more(self) -> i64 {
        let signed = |n| i64::try_from(n).unwrap_or(i64::MAX);
        signed(self.candidate).saturating_sub(signed(self.baseline))
    }

    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.baseline = self.baseline.saturating_add(other.baseline);
        self.candidate = self.candidate.saturating_add(other.candidate);
    }
}

/// The baseline of the comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Baseline {
    /// The recorded history, under the revisions in force at the time.
    History {
        /// Those revisions.
        revisions: Vec<u32>,
    },
    /// The latest published policy, replayed over the same history.
    InForce {
        /// The revision.
        revision: u32,
    },
    /// An earlier revision, replayed over the same history.
    Revision {
        /// Its id.
        revision: u32,
    },
    /// Another policy, replayed over the same history.
    Policy {
        /// The name of the policy.
        name: String,
    },
}

impl Baseline {
    /// The baseline in words, for a column header.
    pub fn spelled(&self) -> String {
        match self {
            Self::History { .. } => "history".to_owned(),
            Self::InForce { revision } => format!("in force ({revision})"),
            Self::Revision { revision } => format!("revision {revision}"),
            Self::Policy { name } => format!("“{name}”"),
        }
    }
}

/// The report of a backtest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The name of the candidate policy.
    pub policy: String,
    /// The baseline.
    pub against: Baseline,
    /// The differences between the two policies and their directories, in words. Against history, these are the
    /// differences between the policy in force and the candidate.
    pub changes: Vec<String>,
    /// The workflows whose version rises with the candidate.
    pub versions_that_rise: Vec<WorkflowId>,
    /// The policy revisions in force in the record.
    pub recorded_policies: Vec<u32>,
    /// When counting begins.
    pub since: DateTime<Utc>,
    /// When counting ends.
    pub until: DateTime<Utc>,
    /// The check that replaying reproduces the record. The rest of the report rests on it.
    #[serde(rename = "identity")]
    pub replay_check: ReplayCheck,
    /// The number of replayed leads.
    pub leads: u64,
    /// The number of leads with a difference that somebody would notice.
    pub leads_different: u64,
    /// The length of the spans.
    pub span: Span,
    /// Messages by recipient and span.
    pub messages: Vec<MessageRow>,
    /// Metrics by span.
    #[serde(rename = "happenings")]
    pub metrics: Vec<MetricRow>,
    /// Metrics by workflow, market, team and rep.
    pub figures: Vec<FigureRow>,
    /// Queue sizes at the end of each hour or day.
    pub queues: Vec<QueueRow>,
    /// Decisions of people that did not apply in a replay, by kind.
    pub not_applied: BTreeMap<String, Pair>,
    /// The first difference of each lead, earliest first.
    pub first_differences: Vec<FirstDifference>,
    /// The names of people.
    pub people: BTreeMap<PersonId, String>,
}

/// Whether replaying the recorded decisions reproduces the record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReplayCheck {
    /// The number of replayed commits.
    pub commits: u64,
    /// The number of commits without a recorded input. The backtest takes their recorded result.
    pub without_input: u64,
    /// The number of commits with another result.
    pub differences: u64,
    /// The first differences.
    pub first: Vec<Difference>,
}

impl ReplayCheck {
    /// Whether the replay reproduced the record.
    pub fn holds(&self) -> bool {
        self.differences == 0
    }
}

/// The number of messages to a recipient in a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// The recipient: a person, `team/…`, or a desk.
    pub recipient: String,
    /// The start of the span.
    pub from: DateTime<Utc>,
    /// The message.
    pub message: Message,
    /// The count.
    #[serde(flatten)]
    pub count: Pair,
}

/// What a report counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Somebody got a message.
    Message,
    /// An SLA window was breached.
    Breach,
    /// A lead went from its owner to another rep.
    Reassignment,
    /// A lead went to a rep.
    Assignment,
    /// No rep could take a lead.
    ReassignmentImpossible,
    /// A lead entered the operations queue.
    QueuedForOperations,
    /// Compliance held a lead.
    Held,
    /// A lead became a high-value lead.
    HighValue,
    /// An account was tagged as at risk.
    ChurnRisk,
}

impl Metric {
    /// All metrics, in the order of reports.
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

    /// The metric in words.
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

/// A metric in a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricRow {
    /// The metric.
    #[serde(rename = "happening")]
    pub metric: Metric,
    /// The start of the span.
    pub from: DateTime<Utc>,
    /// The count.
    #[serde(flatten)]
    pub count: Pair,
}

/// What figures are grouped by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Group {
    /// The workflow that caused it.
    Workflow {
        /// Its id.
        workflow: WorkflowId,
    },
    /// The market of the lead.
    Market {
        /// Its id.
        market: MarketId,
    },
    /// A team: breaches of its reps, and messages to them and to its channel.
    Team {
        /// Its id.
        team: TeamId,
    },
    /// A rep: breaches as owner, messages, lost leads (reassignments) and received leads (assignments).
    Rep {
        /// The team of the rep.
        team: TeamId,
        /// Its id.
        rep: PersonId,
    },
}

/// A metric in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureRow {
    /// The group.
    #[serde(flatten)]
    pub group: Group,
    /// The metric.
    #[serde(rename = "happening")]
    pub metric: Metric,
    /// The count.
    #[serde(flatten)]
    pub count: Pair,
}

/// Queue sizes at the end of an hour or a day, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    /// The start of the hour or day.
    pub from: DateTime<Utc>,
    /// Leads in the operations queue.
    pub operations: Pair,
    /// Open compliance reviews.
    pub reviews: Pair,
}

/// The first difference of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstDifference {
    /// The lead.
    pub lead: LeadId,
    /// When it happens.
    pub at: DateTime<Utc>,
    /// What happens then under the baseline, but not under the candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// What happens then under the candidate, but not under the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
}

impl Report {
    /// All messages by recipient and span.
    pub fn messages_per_span(&self) -> BTreeMap<(&str, DateTime<Utc>), Pair> {
        let mut sums: BTreeMap<(&str, DateTime<Utc>), Pair> = BTreeMap::new();
        for row in &self.messages {
            sums.entry((&row.recipient, row.from)).or_default().add(row.count);
        }
        sums
    }

    /// The total of a metric.
    pub fn total(&self, metric: Metric) -> Pair {
        let mut sum = Pair::default();
        self.metrics.iter().filter(|row| row.metric == metric).for_each(|row| sum.add(row.count));
        sum
    }

    /// A metric in each span, including empty spans.
    pub fn per_span(&self, metric: Metric) -> BTreeMap<DateTime<Utc>, Pair> {
        let mut spans: BTreeMap<DateTime<Utc>, Pair> =
            self.spans().into_iter().map(|begin| (begin, Pair::default())).collect();
        let rows = self.metrics.iter().filter(|row| row.metric == metric);
        rows.for_each(|row| spans.entry(row.from).or_default().add(row.count));
        spans
    }

    /// The starts of all counted spans.
    pub fn spans(&self) -> Vec<DateTime<Utc>> {
        let (first, last) = (self.span.begin(self.since), self.until);
        std::iter::successors(Some(first), |begin| Some(self.span.next(*begin)))
            .take_while(|begin| *begin <= last)
            .collect()
    }

    /// The figures of each group, by metric.
    pub fn figures_by_group(&self) -> BTreeMap<&Group, BTreeMap<Metric, Pair>> {
        let mut groups: BTreeMap<&Group, BTreeMap<Metric, Pair>> = BTreeMap::new();
        for row in &self.figures {
            groups.entry(&row.group).or_default().entry(row.metric).or_default().add(row.count);
        }
        groups
    }

    /// The name of a person.
    pub fn person(&self, id: &PersonId) -> String {
        self.people.get(id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// The name of a recipient.
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
