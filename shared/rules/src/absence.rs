//! A rep who is away: when that counts, when to look again, and what their manager is told.

use crate::routing::Standing;
use chrono::{DateTime, Utc};
use policy::Policy;
use policy::directory::Directory;
use policy::ids::PersonId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// What became of a lead whose owner is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbsentLead {
    /// Somebody else has it now.
    HandedOn(PersonId),
    /// It waits for operations.
    Queued,
}

/// What became of the leads of a rep who is away, as far as their manager was not told yet. Each lead is
/// counted in the commit that handed it on or queued it, so that no crash makes it count twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeadsOfAbsent {
    /// How many were handed on, by who has them now.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub handed_on: BTreeMap<PersonId, u32>,
    /// How many were queued for operations.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub queued: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl LeadsOfAbsent {
    /// Counts one more.
    pub fn count(&mut self, lead: &AbsentLead) {
        let n = match lead {
            AbsentLead::HandedOn(to) => self.handed_on.entry(to.clone()).or_default(),
            AbsentLead::Queued => &mut self.queued,
        };
        *n = n.saturating_add(1);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The absence of which a manager was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldOf {
    /// Until when it was to last; absent: until the rep says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl ToldOf {
    /// Whether it is the absence of now. What a rep says later about its end makes no other one of it.
    fn is(self, absence: Absence, standing: &Standing) -> bool {
        standing.availability.is_some() || self.until == absence.until
    }
}

/// What a manager is told of the leads of a rep who is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsenceDigest {
    /// Until when the rep is away; absent: until they say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Whether the absence is over by now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
    /// What became of leads since the digest before it.
    #[serde(flatten)]
    pub leads: LeadsOfAbsent,
    /// How many open leads stay with them and wait for nobody else.
    pub kept: u32,
}

impl AbsenceDigest {
    /// What there is to tell, `kept` open leads being theirs; `None`: nothing new. That leads stay with
    /// them is told once an absence.
    pub(crate) fn of(
        directory: &Directory,
        policy: &Policy,
        rep: &PersonId,
        standing: &Standing,
        (untold, kept): (&LeadsOfAbsent, u32),
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let Some(absence) = absence(directory, rep, standing, now) else {
            // They are back, or no rep any more: whose leads the others are is said elsewhere.
            let leads = untold.clone();
            return (!untold.is_empty()).then_some(Self { until: None, is_over: true, leads, kept: 0 });
        };
        let is_first = absence.counts(policy, now)
            && !standing.told_of.is_some_and(|told_of| told_of.is(absence, standing));
        let is_news = !untold.is_empty() || (is_first && kept > 0);
        is_news.then(|| Self { until: absence.until, is_over: false, leads: untold.clone(), kept })
    }

    /// Its lines, each about some of the leads.
    pub(crate) fn lines(&self, directory: &Directory) -> Vec<String> {
        let name_of = |person| directory.person(person).map(|person| person.name.clone());
        let mut lines: Vec<String> = Vec::new();
        for (to, n) in &self.leads.handed_on {
            let to = name_of(to).unwrap_or_else(|| "another rep".to_owned());
            lines.push(format!("{} went to {to}", leads(*n)));
        }
        if self.leads.queued > 0 {
            lines.push(format!("{} went into the operations queue", leads(self.leads.queued)));
        }
        if self.kept > 0 {
            let stay = if self.kept == 1 { "stays" } else { "stay" };
            lines.push(format!("{} {stay} with them", leads(self.kept)));
        }
        lines
    }
}

fn leads(n: u32) -> String {
    if n == 1 { "1 lead".to_owned() } else { format!("{n} leads") }
}
