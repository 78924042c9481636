//! The explanation of a lead: what callers get, and what goes over the wire.

use super::action::WorkflowAction;
use chrono::{DateTime, Utc};
use policy::WorkflowId;
use policy::ids::{LeadId, MarketId, PersonId, StateId, Subject};
use rules::lead::OperationsReason;
use serde::{Deserialize, Serialize};

/// What a lead's workflows did, and what they wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The lead.
    pub lead: LeadId,
    /// The explained time. Nothing that took effect later counts.
    pub at: DateTime<Utc>,
    /// The requested time, if it is in the future. The armed steps are what will happen by then if nothing
    /// else does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead_to: Option<DateTime<Utc>>,
    /// The policy revision in force.
    pub policy_revision: u32,
    /// The directory revision in force.
    pub directory_revision: u32,
    /// The last entry of the lead's history that counts.
    pub seq: u64,
    /// The state of the lead.
    pub state: StateId,
    /// When the lead entered the state.
    pub entered_at: DateTime<Utc>,
    /// The market of the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    /// The time zone of the market's calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// When the hold ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ends_at: Option<DateTime<Utc>>,
    /// When the retention period ends and Leadwatch erases the personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_ends_at: Option<DateTime<Utc>>,
    /// When Leadwatch erased the personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<DateTime<Utc>>,
    /// When the next timer is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<DateTime<Utc>>,
    /// Why the lead is in the operations queue, oldest reason first. Empty if it is not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<QueueReason>,
    /// Reasons that operations dismissed although they still hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<Dismissed>,
    /// The five workflows.
    pub workflows: Vec<WorkflowExplanation>,
    /// Entries that took effect by the explained time but were recorded later, where that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded_later: Vec<RecordedLater>,
}

/// A reason for being in the operations queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueReason {
    /// The reason.
    pub reason: OperationsReason,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The condition in words.
    pub text: String,
    /// What removes the lead from the queue.
    pub ends_when: String,
}

/// Reasons that operations dismissed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissed {
    /// When operations dismissed them.
    pub since: DateTime<Utc>,
    /// Why, in the words of operations.
    pub note: String,
    /// The reasons that still hold.
    pub reasons: Vec<QueueReason>,
}

/// The explanation of one workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowExplanation {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version of the workflow in the policy in force.
    pub version: u32,
    /// The status.
    pub status: Status,
    /// The reasons for the status.
    pub because: Vec<Reason>,
    /// The clock, if the workflow has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockState>,
    /// What the workflow did since the lead entered its state, or since the flag, the review or the risk began.
    pub fired: Vec<FiredEntry>,
    /// The steps that are still to come, in order of time.
    pub steps: Vec<PlannedStep>,
}

/// The status of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A step is due at a known time, or with the lead's next input.
    Armed,
    /// The clock is paused.
    Paused,
    /// The workflow fired and waits for nothing.
    Fired,
    /// A condition is not met.
    #[serde(rename = "not")]
    Inactive,
}

/// A reason for a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The condition.
    pub condition: Condition,
    /// The condition in words, with its numbers.
    pub text: String,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Until when, if nothing else happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// A condition that a workflow depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The lead is closed.
    Closed,
    /// The market is unknown, so the lead is in quarantine.
    MarketUnknown,
    /// The policy has no window for the state.
    NoWindow,
    /// The policy has no steps for the market.
    NoSteps,
    /// How often the lead returned to its state, and at how many returns the workflow acts.
    Returns,
    /// The clock passed all its steps.
    AllPassed,
    /// The calendar does not have that much working time.
    TooFar,
    /// No clock was started.
    NotBegun,
    /// Compliance holds the lead.
    ComplianceHold,
    /// The lead is on hold.
    OnHold,
    /// The customer must act next.
    WaitingOnCustomer,
    /// Outreach to the account is paused.
    OutreachPaused,
    /// A criterion is met.
    CriterionMet,
    /// A criterion is not met.
    CriterionNotMet,
    /// When the workflow can fire again.
    Rearms,
    /// A compliance match is open.
    MatchOpen,
    /// No compliance match is open.
    NoMatchOpen,
    /// Compliance cleared matches.
    MatchesCleared,
    /// Whether the market is licensed for the lead's jurisdiction.
    Jurisdiction,
    /// The lead belongs to no account.
    NoAccount,
    /// The account has no risk signal.
    NoSignal,
    /// The account has a risk signal.
    SignalStands,
}

/// The state of a clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// Counts the clocks of the workflow on the lead, from 1.
    pub number: u32,
    /// Whether the clock runs.
    pub runs: bool,
    /// Since when the clock is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_since: Option<DateTime<Utc>>,
    /// Elapsed working time, in seconds.
    pub elapsed_s: i64,
    /// The window, in seconds of working time. Absent if each step has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<i64>,
    /// This window as a percentage of the policy's window.
    pub window_percent: u16,
    /// The calendar that the clock runs on.
    pub calendar: String,
    /// Steps that the clock passed before this time are history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_until: Option<DateTime<Utc>>,
}

/// An audit entry that a workflow caused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiredEntry {
    /// The lead or the account that the entry belongs to.
    pub subject: Subject,
    /// The place of the entry in that history.
    pub seq: u64,
    /// When the entry took effect.
    pub at: DateTime<Utc>,
    /// When it was due, if a timer caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// The step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The version of the workflow that fired.
    pub version: u32,
    /// The number of the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<u32>,
    /// The type of the fact, as in the audit.
    pub fact: String,
    /// The action, if the fact records one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub does: Option<WorkflowAction>,
}

/// A step to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The name of the step. Absent if the workflow has no steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The share of the window, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u16>,
    /// The working time up to the step, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_s: Option<i64>,
    /// Whether and how the step will come.
    pub readiness: Readiness,
    /// For an armed step, when it is due. For a paused step, when it will be due after the hold ends by
    /// itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// What the step will do, given what is known now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub does: Vec<WorkflowAction>,
}

/// Whether and how a step will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// The step is due at a known time.
    Armed,
    /// Something earlier ends the clock before the step is due.
    Preempted,
    /// The clock is paused.
    Resting,
    /// The step comes with the lead's next input.
    WithNextInput,
    /// The calendar does not have that much working time.
    TooFar,
}

/// An entry that took effect before the explained time but was recorded after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedLater {
    /// The place of the entry in the lead's history.
    pub seq: u64,
    /// When the entry took effect.
    pub at: DateTime<Utc>,
    /// When the entry was recorded.
    pub recorded_at: DateTime<Utc>,
}

impl Explanation {
    /// The explanation of one workflow.
    pub fn workflow(&self, id: WorkflowId) -> Option<&WorkflowExplanation> {
        self.workflows.iter().find(|workflow| workflow.workflow == id)
    }
}

impl Reason {
    pub(super) fn new(condition: Condition, text: impl Into<String>) -> Self {
        Self { condition, text: text.into(), since: None, until: None }
    }

    pub(super) fn since(self, since: Option<DateTime<Utc>>) -> Self {
        Self { since, ..self }
    }
}
