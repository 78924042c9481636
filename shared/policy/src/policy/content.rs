//! A policy as it is written: its types, and what can be looked up in it at once.

use super::owners::Owners;
use super::reasons::ReasonCode;
use crate::calendar::WorkingTime;
use crate::ids::{CalendarId, MarketId, Source, StateId};
use crate::measure::{Days, Money, Percent, TimeOfDay, Window};
use crate::vocabulary::{Message, StateKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A policy as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// A title for people.
    pub name: String,
    /// The lifecycle. The two compliance states are there without being written.
    pub states: Vec<StateRow>,
    /// The five workflows.
    pub workflows: Workflows,
    /// What to do with what arrives late.
    #[serde(default)]
    pub intake: Intake,
    /// For how long personal data is kept; absent: until somebody asks for its erasure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// When people are not told directly; absent: at any hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// What becomes of the leads of an owner who leaves, or is away.
    #[serde(default, skip_serializing_if = "Owners::is_default")]
    pub owners: Owners,
}

/// For how long personal data is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// So long after a lead was closed, its personal data is erased. A lead that is opened again
    /// keeps it.
    pub personal_data: Days,
}

/// The hours in which a person is not told directly, in that person's own time zone. What is for
/// them then waits until the hours end; clocks go on. Channels are told at any hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// When they begin, every day.
    pub from: TimeOfDay,
    /// When they end; earlier than `from`: on the next day.
    pub to: TimeOfDay,
    /// Messages that do not wait.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<Message>,
}

/// A lifecycle state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StateRow {
    /// Its name.
    pub state: StateId,
    /// What kind it is.
    pub kind: StateKind,
    /// What CRMs call it: an event may name any of these stages for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StateId>,
}

/// What to do with what arrives late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// An event older than this on arrival is history: thresholds that it passed before it came
    /// are recorded, and nobody is told. Elapsed time by the clock on the wall.
    pub history_after: Window,
}

impl Default for Intake {
    fn default() -> Self {
        Self { history_after: Window::Working(WorkingTime::from_secs(3600)) }
    }
}

/// The five workflows of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workflows {
    /// A lead is not worked within its window.
    pub sla_breach: SlaBreach,
    /// A lead stays in a state too long.
    pub stuck_lead: StuckLead,
    /// A lead is worth more than most.
    pub high_value: HighValue,
    /// A lead must not be worked.
    pub compliance_flag: ComplianceFlag,
    /// An account may leave.
    pub churn_risk: ChurnRisk,
}

/// What a workflow is, for people; shown as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct About {
    /// What it does.
    pub what: String,
    /// When it fires.
    pub when: String,
    /// Why it exists.
    pub why: String,
}

/// A threshold of a clock and what is done at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name in the audit.
    pub step: String,
    /// At which share of the window.
    pub at: Percent,
    /// What is done.
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
}

/// What a market does differently at thresholds: a step that is named like one of the workflow's
/// changes it, any other is one more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StepOverride {
    /// Its name in the audit.
    pub step: String,
    /// At which share of the window; absent: as the workflow says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Percent>,
    /// What is done; absent: as the workflow says.
    #[serde(default, rename = "do", skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<Action>>,
    /// Switched off in this market.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
}

/// The texts of a message, with placeholders in braces (`{lead}`). What is absent is the product's
/// own wording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The messages of a workflow that are worded by the policy.
pub type Templates = BTreeMap<Message, Template>;

/// What can be done at a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Tell the owner directly.
    TellOwner,
    /// Tell the owner's manager on the team's channel.
    TellManager,
    /// Record a breach against the owner and the team.
    RecordBreach,
    /// Give the lead to the next available rep of the team.
    Reassign,
    /// Put it in the operations queue.
    QueueForOperations,
}

/// A row of the window matrix. The most specific row wins: market and source, then market,
/// then source, then neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WindowRow {
    /// Only this market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    /// Only this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The state the lead is in.
    pub state: StateId,
    /// How long.
    pub window: Window,
    /// On which calendar; default: the market's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
}

/// The SLA workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlaBreach {
    /// For people.
    pub about: About,
    /// Its thresholds, rising.
    pub steps: Vec<Step>,
    /// Reassignments per state before the lead goes to operations instead.
    pub max_reassignments: u32,
    /// The matrix.
    pub windows: Vec<WindowRow>,
    /// What markets do differently at thresholds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub markets: BTreeMap<MarketId, Vec<StepOverride>>,
    /// Its messages in the policy's own words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: Templates,
}

/// The stuck-lead workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StuckLead {
    /// For people.
    pub about: About,
    /// Its thresholds, rising.
    pub steps: Vec<Step>,
    /// Windows of its own; where there is none, the SLA window of the state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowRow>,
    /// What is done about a lead that keeps coming back to a state. Absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<Returns>,
    /// What markets do differently at thresholds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub markets: BTreeMap<MarketId, Vec<StepOverride>>,
    /// Its messages in the policy's own words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: Templates,
}

/// A lead that keeps coming back to a state: each visit begins its clocks anew, so that no window of
/// the state ever ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Returns {
    /// At so many returns to one state.
    pub times: u32,
    /// Within so long.
    pub within: Days,
    /// What is done: `tell-owner`, `tell-manager`, `queue-for-operations`.
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
}

/// The high-value workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HighValue {
    /// For people.
    pub about: About,
    /// A score at or over this fires.
    pub score: u16,
    /// Having fired, it is armed again only when the score is under the threshold by at least this.
    pub score_margin: u16,
    /// A strategic account fires.
    pub strategic_accounts: bool,
    /// A deal over any of these fires, each in its own currency.
    #[serde(deserialize_with = "crate::measure::written_amounts")]
    pub deal_size_over: Vec<Money>,
    /// The windows of later states are this share of the policy's.
    pub later_windows: Percent,
    /// A junior's high-value lead goes to an available senior of the team.
    pub reassign_juniors: bool,
    /// Its messages in the policy's own words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: Templates,
}

impl HighValue {
    /// Whether two policies make the same leads high-value.
    pub fn has_same_criteria(&self, other: &Self) -> bool {
        let of = |policy: &Self| {
            let Self { score, score_margin, strategic_accounts, deal_size_over, .. } = policy.clone();
            (score, score_margin, strategic_accounts, deal_size_over)
        };
        of(self) == of(other)
    }
}

/// The compliance workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ComplianceFlag {
    /// For people.
    pub about: About,
    /// How many different officers must agree on a decision.
    pub officers: u8,
    /// When an undecided review is surfaced to the compliance team.
    pub reminders: Vec<Reminder>,
    /// The reason codes a decision may name, each for one verdict.
    pub reason_codes: BTreeMap<String, ReasonCode>,
    /// What the compliance team's channel is told of a review: `full`, or `short` where the channel is
    /// not private.
    #[serde(default, skip_serializing_if = "ComplianceChannel::is_default")]
    pub channel: ComplianceChannel,
    /// Its messages in the policy's own words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: Templates,
}

/// What the compliance team's channel is told of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ComplianceChannel {
    /// The whole context: criteria, company, market, owner and flagger. Personal details stay behind
    /// sign-in.
    #[default]
    Full,
    /// The kinds of criteria, and the link to the review.
    Short,
}

impl ComplianceChannel {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Short => "short",
        }
    }
}

/// A rung of the ladder of ageing reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reminder {
    /// Its name in the audit.
    pub step: String,
    /// After so long in review, on the compliance desk's calendar.
    pub after: Window,
}

/// The churn workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChurnRisk {
    /// For people.
    pub about: About,
    /// When the retention touchpoint is due, on the calendar named next to it.
    pub touchpoint_after: Window,
    /// The calendar of the touchpoint and of the pause; default: round the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// Pauses new outreach on the account's leads so long at most; absent: outreach goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_outreach_for: Option<Window>,
    /// Its messages in the policy's own words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: Templates,
}

impl Policy {
    /// What kind a state is; `None` if the policy does not have it.
    pub fn kind_of(&self, state: &StateId) -> Option<StateKind> {
        match state.as_str() {
            StateId::COMPLIANCE_HOLD => Some(StateKind::Hold),
            StateId::DISQUALIFIED_COMPLIANCE => Some(StateKind::Terminal),
            _ => self.states.iter().find(|row| row.state == *state).map(|row| row.kind),
        }
    }

    /// The state that a source means: by its own name, or as a stage of a CRM.
    pub fn state_named<'a>(&'a self, said: &'a StateId) -> Option<&'a StateId> {
        if self.kind_of(said).is_some() {
            return Some(said);
        }
        self.states.iter().find(|row| row.stages.contains(said)).map(|row| &row.state)
    }

    /// The state a lead without one begins in: the first working state.
    pub fn first_state(&self) -> Option<&StateId> {
        self.states.iter().find(|row| row.kind == StateKind::Working).map(|row| &row.state)
    }
}

/// The row that applies: the most specific one that matches.
pub fn most_specific<'a>(
    rows: &'a [WindowRow],
    market: &MarketId,
    source: &Source,
    state: &StateId,
) -> Option<&'a WindowRow> {
    rows.iter()
        .filter(|row| {
            row.state == *state
                && row.market.as_ref().is_none_or(|m| m == market)
                && row.source.as_ref().is_none_or(|s| s == source)
        })
        .max_by_key(|row| (row.market.is_some(), row.source.is_some()))
}
