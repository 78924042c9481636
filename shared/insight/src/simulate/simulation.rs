//! The state of a simulated deployment, and what callers can read of it.

use super::deferred::DeferredNotifications;
use super::entry::AnyEntry;
use chrono::{DateTime, Utc};
use policy::PublishedPolicy;
use policy::directory::Directory;
use policy::ids::{AccountId, LeadId, Subject, TeamId};
use rules::account::Account;
use rules::lead::{Lead, wake_at};
use rules::record::CommitRecord;
use rules::roster::Roster;
use rules::world::{Past, World};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A deployment in memory.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// What decisions can see: the documents, the teams, and the accounts that the last decision asked for.
    pub(super) world: World,
    pub(super) leads: BTreeMap<LeadId, Lead>,
    pub(super) accounts: BTreeMap<AccountId, Account>,
    pub(super) due: BTreeSet<(DateTime<Utc>, Subject)>,
    pub(super) wakes: BTreeMap<Subject, DateTime<Utc>>,
    /// Notifications that wait for the end of quiet hours. The simulation delivers all others at once, without
    /// a record.
    pub(super) deferred: DeferredNotifications,
    /// The time of the latest decision. Timers never run at an earlier time, although an input can cause one
    /// that was due before the input arrived.
    pub(super) latest_at: DateTime<Utc>,
    pub(super) history: Vec<AnyEntry>,
    pub(super) records: Option<Vec<Result<CommitRecord, Arc<serde_json::Error>>>>,
}

impl Simulation {
    /// A deployment with these rules and nothing else.
    pub(super) fn empty(world: World) -> Self {
        Self {
            world,
            leads: BTreeMap::new(),
            accounts: BTreeMap::new(),
            due: BTreeSet::new(),
            wakes: BTreeMap::new(),
            deferred: DeferredNotifications::default(),
            latest_at: DateTime::<Utc>::MIN_UTC,
            history: Vec::new(),
            records: None,
        }
    }

    /// The leads.
    pub fn leads(&self) -> &BTreeMap<LeadId, Lead> {
        &self.leads
    }

    /// The accounts.
    pub fn accounts(&self) -> &BTreeMap<AccountId, Account> {
        &self.accounts
    }

    /// What decisions can see.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The teams.
    pub fn rosters(&self) -> &BTreeMap<TeamId, Roster> {
        &self.world.rosters
    }

    /// The policy in force.
    pub fn policy(&self) -> &PublishedPolicy {
        self.world.rules.published()
    }

    /// The directory in force.
    pub fn directory(&self) -> &Directory {
        self.world.rules.directory()
    }

    /// The revisions that were in force earlier.
    pub fn past(&self) -> &Past {
        &self.world.past
    }

    /// All revisions that are or were in force.
    pub fn revisions(&self) -> Past {
        let mut all = Past::clone(&self.world.past);
        all.add_policy(Arc::clone(self.world.rules.published()));
        all.add_directory(Arc::clone(self.world.rules.shared_directory()));
        all.keep(Arc::clone(&self.world.rules));
        all
    }

    /// When a lead is due, according to the schedule.
    pub fn next_wake(&self, lead: &LeadId) -> Option<DateTime<Utc>> {
        self.wakes.get(&Subject::Lead(lead.clone())).copied()
    }

    /// When a lead is due, computed from its current state.
    pub fn wake_of(&self, lead: &LeadId) -> Option<DateTime<Utc>> {
        wake_at(self.leads.get(lead)?, &self.world.rules)
    }

    pub(super) fn set_wake(&mut self, subject: Subject, at: Option<DateTime<Utc>>) {
        if let Some(old) = self.wakes.remove(&subject) {
            self.due.remove(&(old, subject.clone()));
        }
        if let Some(at) = at {
            self.due.insert((at, subject.clone()));
            self.wakes.insert(subject, at);
        }
    }
}
