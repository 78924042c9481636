//! What a lead keeps of one visit of a state, and of the states that it left.

use crate::clock::Clock;
use crate::lead::queue::OperationsReason;
use chrono::{DateTime, Utc};
use policy::StateKind;
use policy::ids::{PersonId, StateId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the workflows keep for as long as the lead is in one state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StateVisit {
    /// The SLA clock; `None` in states without work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla: Option<Clock>,
    /// The stuck clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<Clock>,
    /// How often the SLA workflow reassigned it.
    #[serde(default)]
    pub reassignments: u32,
    /// The owners who lost it; they do not get it back in this state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_from: Vec<PersonId>,
    /// Reasons for the operations queue that last as long as it stays in this state.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub for_operations: BTreeSet<OperationsReason>,
}

impl StateVisit {
    /// Whether a clock of it has passed a step.
    pub fn has_passed_a_step(&self) -> bool {
        [&self.sla, &self.stuck].into_iter().flatten().any(|clock| !clock.passed.is_empty())
    }
}

/// A state that was left for a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Which.
    pub state: StateId,
    /// What the workflows kept of it, clocks paused.
    pub visit: StateVisit,
}

/// A hold that ended at its set time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldEnded {
    /// The state that the lead was on hold in.
    pub state: StateId,
    /// When the hold ended, as its source had said.
    pub at: DateTime<Utc>,
}

/// The state compliance took a lead from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldFrom {
    /// Which.
    pub state: StateId,
    /// Its kind.
    pub kind: StateKind,
    /// Since when it was in it.
    pub entered_at: DateTime<Utc>,
}

/// How many returns a lead keeps. All of its moves are in its record.
pub(crate) const RETURNS_MAX: usize = 64;

/// A return to a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// To which.
    pub state: StateId,
    /// When.
    pub at: DateTime<Utc>,
}

/// Why a sales clock is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseReason {
    /// Compliance holds the lead.
    ComplianceHold,
    /// It is on hold.
    OnHold,
    /// The customer must act next.
    WaitingOnCustomer,
    /// New outreach to its account is paused.
    OutreachPaused,
}

impl PauseReason {
    /// Whether it is a state of the lead, which pauses the stuck clock too.
    pub fn is_hold(self) -> bool {
        matches!(self, Self::ComplianceHold | Self::OnHold)
    }
}

impl StateVisit {
    /// Keeps a reason for as long as the lead stays in its state.
    pub(crate) fn keep_for_operations(&mut self, reason: OperationsReason, is_owned: bool) {
        if reason.is_of_visit() || (reason == OperationsReason::NoRepAvailable && is_owned) {
            self.for_operations.insert(reason);
        }
    }
}
