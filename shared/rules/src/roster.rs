//! How the reps of a team stand at one moment.

use chrono::{DateTime, Utc};
use policy::ids::PersonId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a rep stands at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// Open leads that they carry.
    pub load: u32,
    /// When they were last given a lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_assigned_at: Option<DateTime<Utc>>,
    /// What they said of their availability, if they ever did; else the directory says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// Since when that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<DateTime<Utc>>,
    /// Rises with every change; a commit that relied on it names it.
    pub version: u64,
    /// The rep's last audit entry.
    #[serde(default)]
    pub seq: u64,
    /// The rep's last commit of their own.
    #[serde(default)]
    pub commit: u64,
    /// Counts what they have to be looked at for: a place became free, they come or go.
    #[serde(default)]
    pub looks: u64,
    /// What became of their leads while they are away, and their manager was not told yet.
    #[serde(default, skip_serializing_if = "LeadsOfAbsent::is_empty")]
    pub untold: LeadsOfAbsent,
    /// The absence that the manager was told of last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_of: Option<ReportedAbsence>,
}

impl Standing {
    /// Whether they take leads at an instant.
    pub fn is_available(&self, on_leave_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        match &self.availability {
            Some(said) if said.until.is_none_or(|until| now < until) => said.available,
            Some(_) => true,
            None => on_leave_until.is_none_or(|until| now >= until),
        }
    }
}

/// What a rep, or operations for them, said of their availability.
// Members that a later version of the code adds are passed over: a team that nobody can read gets no leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// Whether they take leads.
    pub available: bool,
    /// Until when that holds; absent: until they say otherwise. After it they are available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// A team as it stood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    /// How its reps stand; one who is not here carries nothing and was never given a lead.
    pub standings: BTreeMap<PersonId, Standing>,
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
pub struct ReportedAbsence {
    /// Until when it was to last; absent: until the rep says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}
