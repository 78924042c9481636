//! A rep's availability: the third, small aggregate. What a rep carries follows from the leads;
//! whether they take any more is said by them or for them, and recorded.

use crate::entry::{Actor, Entry};
use crate::ids::{PersonId, Subject};
use crate::input::InForce;
use crate::routing::{Availability, Standing};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A fact about a rep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum RepFact {
    /// Somebody said whether they take leads.
    #[serde(rename = "rep.availability-set")]
    AvailabilitySet(Availability),
}

/// What saying so brings about; `None` if it is so already.
pub fn set_availability(
    rep: &PersonId,
    standing: &Standing,
    availability: &Availability,
    actor: &Actor,
    cause: &str,
    in_force: InForce,
    now: DateTime<Utc>,
) -> Option<Entry<RepFact>> {
    let seq = standing.seq.saturating_add(1);
    (standing.availability.as_ref() != Some(availability)).then(|| Entry {
        subject: Subject::Rep(rep.clone()),
        seq,
        commit: seq,
        at: now,
        due_at: None,
        actor: actor.clone(),
        cause: cause.to_owned(),
        workflow: None,
        policy_revision: in_force.policy,
        directory_revision: in_force.directory,
        fact: RepFact::AvailabilitySet(availability.clone()),
    })
}

/// What an entry makes of a standing.
pub fn evolve(standing: &mut Standing, entry: &Entry<RepFact>) {
    let RepFact::AvailabilitySet(availability) = &entry.fact;
    standing.availability = Some(availability.clone());
    standing.seq = entry.seq;
    standing.version = standing.version.saturating_add(1);
}
