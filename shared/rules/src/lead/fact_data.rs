//! The data that facts about a lead carry: thresholds, reasons, evidence.

use crate::patch::Patch;
use crate::personal::Contact;
use chrono::{DateTime, Utc};
use policy::ids::{MarketId, PersonId, StateId};
use serde::{Deserialize, Serialize};

/// The ground of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureBasis {
    /// The person, or someone for them, requested it.
    Request,
    /// The retention period of a closed lead ended.
    Retention,
}

/// Changes of the contact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PersonalChanges {
    /// The contact.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub contact: Patch<Contact>,
}

impl PersonalChanges {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.contact.is_keep()
    }
}

/// Late evidence about the time before a breach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateEvidence {
    /// What had happened.
    pub what: EvidenceKind,
    /// The state that the lead had moved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateId>,
    /// When, by the source's clock.
    pub occurred_at: DateTime<Utc>,
    /// How late the event came, in seconds.
    pub late_s: i64,
}

/// What shows that a lead was worked in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// It had moved to another state.
    StateChanged,
    /// It had been put on hold, so its clock was paused.
    PutOnHold,
    /// The customer had to act next, so its clock was paused.
    WaitingOnCustomer,
    /// Its owner had not been notified of it.
    OwnerNotTold,
}

/// Why a lead was assigned to a rep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssignmentReason {
    /// It arrived without an owner.
    Arrival,
    /// It had no owner for a while: its market was unknown, nobody could take it, or the source removed its
    /// owner.
    Unowned,
    /// Compliance cleared it.
    Cleared,
    /// Operations decided so.
    Operations,
    /// Its owner is no longer a rep.
    OwnerLeft,
    /// Its owner is away, and the lead cannot wait.
    OwnerAbsent,
}

/// A threshold of a clock, with the circumstances in which it was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// Which clock of the workflow.
    pub clock: u32,
    /// The percentage of the window; 100 for a reminder, whose time is its window.
    pub percent: u16,
    /// Business hours elapsed, in seconds.
    pub elapsed_s: i64,
    /// The window, in seconds of business hours.
    pub window_s: i64,
    /// The state.
    pub state: StateId,
    /// The market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    /// The owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
}
