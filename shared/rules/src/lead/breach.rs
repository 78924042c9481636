//! A breach of the SLA that a lead remembers.

use crate::lead::visit::HoldEnded;
use chrono::{DateTime, Utc};
use policy::ids::{PersonId, StateId};
use serde::{Deserialize, Serialize};

/// How many breaches a lead remembers for late evidence: those of one visit, with as many
/// reassignments as a policy sensibly allows, and of the visits right before it. All of them are in
/// its record.
pub(crate) const BREACHES_MAX: usize = 8;

/// A breach of the SLA that was recorded, with what its source had said of the time before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// The entry that recorded it.
    pub seq: u64,
    /// The step that recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// When the step was due.
    pub due_at: DateTime<Utc>,
    /// The state that the lead was in.
    pub state: StateId,
    /// The stuck clock of that time in the state: it tells one visit from another.
    pub visit: u32,
    /// Whom it counts against; absent where the owner had not been told that the lead is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// The last time before the breach of which the source said that the lead was in that state.
    pub in_state_at: DateTime<Utc>,
    /// The last time before the breach of which it said that nothing was waited for.
    pub in_work_at: DateTime<Utc>,
    /// The hold that had ended by itself before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ended: Option<HoldEnded>,
}
