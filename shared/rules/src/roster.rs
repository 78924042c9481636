//! The load and availability of the reps of a team at one moment.

use chrono::{DateTime, Utc};
use policy::ids::PersonId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The load and availability of a rep.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// Their open leads.
    pub load: u32,
    /// When they last got a lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_assigned_at: Option<DateTime<Utc>>,
    /// Their availability, if it was ever set. Default: from the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// When it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<DateTime<Utc>>,
    /// Rises with every change. A commit that relies on it names it.
    pub version: u64,
    /// The rep's last audit entry.
    #[serde(default)]
    pub seq: u64,
    /// The rep's own last commit.
    #[serde(default)]
    pub commit: u64,
    /// Counts reasons to check them: they got room, left, or came back.
    #[serde(default)]
    pub looks: u64,
    /// What happened to their leads while they are away, as far as their manager has no message yet.
    #[serde(default, skip_serializing_if = "LeadsOfAbsent::is_empty")]
    pub untold: LeadsOfAbsent,
    /// The last absence that was reported to the manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_of: Option<ReportedAbsence>,
}

impl Standing {
    /// Whether they take leads at a time.
    pub fn is_available(&self, on_leave_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        match &self.availability {
            Some(said) if said.until.is_none_or(|until| now < until) => said.available,
            Some(_) => true,
            None => on_leave_until.is_none_or(|until| now >= until),
        }
    }
}

/// The availability of a rep, set by them or by operations.
// Members that a later version of the code adds are passed over: a team that nobody can read gets no leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// Whether they take leads.
    pub available: bool,
    /// Its end, after which they are available. Absent: until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// A team at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    /// Its reps. One who is missing here has no leads and never got one.
    pub standings: BTreeMap<PersonId, Standing>,
}

/// What happened to a lead whose owner is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbsentLead {
    /// It was reassigned to this rep.
    HandedOn(PersonId),
    /// It waits in the operations queue.
    Queued,
}

/// What happened to the leads of a rep who is away, as far as their manager has no message yet. Each lead is counted
/// in the commit that reassigned or queued it, so that no crash makes it count twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeadsOfAbsent {
    /// How many were reassigned, by new owner.
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

/// An absence that was reported to a manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedAbsence {
    /// Its announced end. Absent: until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}
