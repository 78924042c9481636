//! A policy as people write it.

use super::owners::Owners;
use super::reasons::ReasonCode;
use crate::calendar::WorkingTime;
use crate::ids::{CalendarId, MarketId, Source, StateId};
use crate::measure::{Days, Money, Percent, TimeOfDay, Window};
use crate::vocabulary::{Message, StateKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A policy: states, workflows, and general rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// A title for people.
    pub name: String,
    /// The lifecycle states. The two compliance states are built in.
    pub states: Vec<StateRow>,
    /// The five workflows.
    pub workflows: Workflows,
    /// How to treat events that arrive late.
    #[serde(default)]
    pub intake: Intake,
    /// How long personal data is kept. Default: until someone requests its erasure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// When people get no direct messages. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// What happens to the leads of an owner who leaves or is away.
    #[serde(default, skip_serializing_if = "Owners::is_default")]
    pub owners: Owners,
}

/// How long personal data is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// How long after a lead was closed its personal data is erased. A lead that is reopened before then
    /// keeps it.
    pub personal_data: Days,
}

/// The hours in which a person gets no direct messages, in that person's own time zone. Their messages
/// wait until the hours end, and clocks keep running. Channels get messages at any hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// When they start, every day.
    pub from: TimeOfDay,
    /// When they end; a time earlier than `from` is on the next day.
    pub to: TimeOfDay,
    /// Messages that are sent at once even in quiet hours.
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
    /// Whether clocks run in it.
    pub kind: StateKind,
    /// Names that CRMs use for it. An event can send any of them as its state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StateId>,
}

/// How to treat events that arrive late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// An event older than this on arrival is history: Leadwatch records the thresholds that the lead passed
    /// before then, and notifies nobody. Counted around the clock.
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
    /// The owner does not work a lead within its SLA window.
    pub sla_breach: SlaBreach,
    /// A lead stays in a state too long.
    pub stuck_lead: StuckLead,
    /// A lead is especially valuable.
    pub high_value: HighValue,
    /// A lead must not be worked.
    pub compliance_flag: ComplianceFlag,
    /// A customer may leave.
    pub churn_risk: ChurnRisk,
}

/// A description of a workflow for readers.
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

/// A threshold of a clock, and the actions at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name in the audit.
    pub step: String,
    /// When, as a percentage of the window.
    pub at: Percent,
    /// The actions.
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
}

/// A market's own step: one with the name of a workflow step changes that step, any other name adds a
/// step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StepOverride {
    /// Its name in the audit.
    pub step: String,
    /// When, as a percentage of the window. Default: the workflow's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Percent>,
    /// The actions. Default: the workflow's.
    #[serde(default, rename = "do", skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<Action>>,
    /// Whether the step is off in this market.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
}

/// The texts of a message, with placeholders in braces (`{lead}`). A missing text is Leadwatch's own
/// wording.
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

/// The messages of a workflow that the policy words itself.
pub type Templates = BTreeMap<Message, Template>;

/// An action at a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Send the owner a direct message.
    TellOwner,
    /// Notify the manager on the team's channel.
    TellManager,
    /// Record a breach against the owner and the team.
    RecordBreach,
    /// Reassign the lead to the next available rep on the team.
    Reassign,
    /// Put the lead in the operations queue.
    QueueForOperations,
}

/// A row of the window table. The most specific row wins: market and source, then market, then source,
/// then neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WindowRow {
    /// Only for leads of this market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    /// Only for leads from this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The state the lead is in.
    pub state: StateId,
    /// How long the lead may stay in the state.
    pub window: Window,
    /// The calendar that counts. Default: the market's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
}

/// The SLA workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SlaBreach {
    /// A description for readers.
    pub about: About,
    /// The thresholds, from the lowest to the highest.
    pub steps: Vec<Step>,
    /// How many reassignments one state allows before the lead goes to the operations queue instead.
    pub max_reassignments: u32,
    /// The SLA windows by state, market, and source.
    pub windows: Vec<WindowRow>,
    /// Markets' own steps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub markets: BTreeMap<MarketId, Vec<StepOverride>>,
    /// Your own wording of its messages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: Templates,
}

/// The stuck-lead workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StuckLead {
    /// A description for readers.
    pub about: About,
    /// The thresholds, from the lowest to the highest.
    pub steps: Vec<Step>,
    /// Its own windows. Default: the SLA window of the state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowRow>,
    /// What to do about a lead that keeps coming back to a state. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<Returns>,
    /// Markets' own steps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub markets: BTreeMap<MarketId, Vec<StepOverride>>,
    /// Your own wording of its messages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: Templates,
}

/// A rule for a lead that keeps coming back to a state. Each visit restarts the clocks, so the window of the
/// state would never end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Returns {
    /// How many returns to one state fire the rule.
    pub times: u32,
    /// The period in which returns count.
    pub within: Days,
    /// The actions: `tell-owner`, `tell-manager`, `queue-for-operations`.
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
}

/// The high-value workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HighValue {
    /// A description for readers.
    pub about: About,
    /// The workflow fires at this score or higher.
    pub score: u16,
    /// How far the score must fall below the threshold before the workflow can fire again.
    pub score_margin: u16,
    /// Whether the workflow fires for strategic accounts.
    pub strategic_accounts: bool,
    /// The workflow fires for a deal larger than any of these, one per currency.
    #[serde(deserialize_with = "crate::measure::written_amounts")]
    pub deal_size_over: Vec<Money>,
    /// The length of the windows of later states, as a percentage of the usual ones.
    pub later_windows: Percent,
    /// Whether a junior's high-value lead is reassigned to an available senior on the team.
    pub reassign_juniors: bool,
    /// Your own wording of its messages.
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
    /// A description for readers.
    pub about: About,
    /// How many different officers must agree on a decision: 1 or 2.
    pub officers: u8,
    /// When the compliance team is reminded of an undecided review.
    pub reminders: Vec<Reminder>,
    /// The reason codes for decisions, each for one verdict.
    pub reason_codes: BTreeMap<String, ReasonCode>,
    /// How much the compliance channel shows of a review: `full`, or `short` if the channel is not
    /// private.
    #[serde(default, skip_serializing_if = "ComplianceChannel::is_default")]
    pub channel: ComplianceChannel,
    /// Your own wording of its messages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: Templates,
}

/// How much the compliance channel shows of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ComplianceChannel {
    /// Everything but personal details: criteria, company, market, owner, and who flagged the lead.
    #[default]
    Full,
    /// The kinds of criteria and the link to the review.
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

/// A reminder of an undecided review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reminder {
    /// Its name in the audit.
    pub step: String,
    /// How long the review has been open, on the compliance desk's calendar.
    pub after: Window,
}

/// The churn workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChurnRisk {
    /// A description for readers.
    pub about: About,
    /// When the retention touchpoint is due, counted on `calendar`.
    pub touchpoint_after: Window,
    /// The calendar of the touchpoint and of the pause. Default: around the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
    /// How long new outreach on the account's leads is paused at most. Default: it is not paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_outreach_for: Option<Window>,
    /// Your own wording of its messages.
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
