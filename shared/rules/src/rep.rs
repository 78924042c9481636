//! A rep's availability: the third, small aggregate. What a rep carries follows from the leads;
//! whether they take any more is said by them or for them, and recorded.

use crate::directory::Directory;
use crate::entry::{Actor, Entry};
use crate::ids::{PersonId, Subject};
use crate::input::InForce;
use crate::policy::Policy;
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

/// Whether what is said is over already: nobody means that.
pub fn is_over(availability: &Availability, now: DateTime<Utc>) -> bool {
    availability.until.is_some_and(|until| until <= now)
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

/// An absence of a rep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// Since when, as far as it is known.
    pub since: DateTime<Utc>,
    /// Until when; `None`: until they say otherwise.
    pub until: Option<DateTime<Utc>>,
}

/// The absence of a rep at an instant, by what they said or by the directory; `None`: they are there.
pub fn absence(
    directory: &Directory,
    rep: &PersonId,
    standing: &Standing,
    now: DateTime<Utc>,
) -> Option<Absence> {
    let on_leave_until = directory.rep(rep)?.on_leave_until;
    if standing.is_available(on_leave_until, now) {
        return None;
    }
    Some(match &standing.availability {
        Some(said) => Absence { since: standing.said_at.unwrap_or(now), until: said.until },
        None => Absence { since: directory.published_at(), until: on_leave_until },
    })
}

impl Absence {
    /// When it counts as one whose leads are to be looked after; `None` if it ends before that.
    pub fn counts_at(&self, policy: &Policy) -> Option<DateTime<Utc>> {
        let after = policy.owners.absent_after();
        match self.until {
            Some(until) if until - self.since > after => Some(self.since),
            Some(_) => None,
            None => self.since.checked_add_signed(after),
        }
    }

    /// Whether it counts at an instant.
    pub fn counts(&self, policy: &Policy, now: DateTime<Utc>) -> bool {
        self.counts_at(policy).is_some_and(|at| at <= now)
    }
}

/// When a rep has to be looked at next: an absence begins to count, or ends.
pub fn next_look(
    directory: &Directory,
    policy: &Policy,
    rep: &PersonId,
    standing: &Standing,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let absence = absence(directory, rep, standing, now)?;
    let looks = [absence.counts_at(policy), absence.until];
    looks.into_iter().flatten().filter(|at| *at > now).min()
}

/// What an entry makes of a standing.
pub fn evolve(standing: &mut Standing, entry: &Entry<RepFact>) {
    let RepFact::AvailabilitySet(availability) = &entry.fact;
    standing.availability = Some(availability.clone());
    standing.said_at = Some(entry.at);
    standing.seq = entry.seq;
    standing.version = standing.version.saturating_add(1);
}
