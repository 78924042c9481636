//! A rep who is away: when that counts, when to look again, and what their manager is told.

use crate::roster::{ReportedAbsence, Standing};
use chrono::{DateTime, Utc};
use policy::Policy;
use policy::directory::Directory;
use policy::ids::PersonId;

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

impl ReportedAbsence {
    /// Whether it is the absence of now. What a rep says later about its end makes no other one of it.
    pub fn is(self, absence: Absence, standing: &Standing) -> bool {
        standing.availability.is_some() || self.until == absence.until
    }
}
