//! Backtest: what another policy would have made of what really happened.
//!
//! Records come in the order of time, and each lead is followed twice. By the **record**: every
//! commit is decided again under the revisions it was decided under, which has to come to the
//! recorded entries ([`Identity`]). In the **replay**: what came from outside (events, decisions of
//! people, availability) is decided on under the new policy at its own instant, while timers run at
//! theirs. As long as a lead waits for the same instant in both, the recorded wake stands for both;
//! so a policy that changes nothing of a lead comes to exactly its record, late sweeps included.
//!
//! What the world would have done differently nobody can tell: people and CRMs do in the replay
//! what they did. An owner that the CRM merely repeats after us is repeated after the replay.

mod accounts;
mod kept;
mod leads;
mod parting;
mod report;
mod standings;
mod tally;

pub use report::{FirstDifference, Happening, HappeningRow, Identity, MessageRow, Pair, QueueDay, Report};

use crate::directory::Directory;
use crate::ids::{AccountId, LeadId, Subject};
use crate::input::{InForce, Past};
use crate::policy::{Policy, PublishedPolicy};
use crate::record::CommitRecord;
use crate::replay::{Difference, Replay, ReplayError};
use accounts::KeptAccount;
use chrono::{DateTime, Utc};
use kept::Kept;
use standings::Standings;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use tally::Tally;

/// So many differences are shown, the first.
const SHOWN_MAX: usize = 50;

/// What is to be tried.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The policy, in force from the first record on.
    pub policy: Policy,
    /// The directory; absent: as they were published.
    pub directory: Option<Directory>,
    /// What is counted begins here; absent: with the first record.
    pub since: Option<DateTime<Utc>>,
}

/// A backtest in the making.
pub struct Backtest<'a> {
    replay: Replay<'a>,
    revisions: &'a Past,
    policy: Arc<PublishedPolicy>,
    directory: Option<Arc<Directory>>,
    leads: HashMap<LeadId, Kept>,
    /// The leads that were touched last, with the count of the touch.
    recent: VecDeque<(u64, LeadId)>,
    touches: u64,
    accounts: HashMap<AccountId, KeptAccount>,
    /// The leads of accounts, in the replay.
    leads_of: BTreeMap<AccountId, BTreeSet<LeadId>>,
    standings: Standings,
    /// What the replay looks at by itself.
    due: BTreeSet<(DateTime<Utc>, Subject)>,
    tally: Tally,
    identity: Identity,
    since: DateTime<Utc>,
    first_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    recorded_policies: BTreeSet<u32>,
    current_directory: u32,
    not_applied: BTreeMap<String, u64>,
    leads_different: u64,
    first_differences: BTreeMap<(DateTime<Utc>, LeadId), FirstDifference>,
}

impl<'a> Backtest<'a> {
    /// Begins with nothing replayed.
    pub fn new(revisions: &'a Past, trial: Trial) -> Self {
        let last = revisions.policies.values().next_back();
        let published_at = last.map_or(DateTime::UNIX_EPOCH, |last| last.published_at);
        let policy = PublishedPolicy::next(last.map(|last| &**last), trial.policy, "backtest", published_at);
        let next = revisions.directories.keys().next_back().map_or(1, |last| last.saturating_add(1));
        let directory = trial.directory.map(|d| Arc::new(d.published(next, published_at)));
        let since = trial.since.unwrap_or(DateTime::<Utc>::MIN_UTC);
        Self {
            replay: Replay::new(revisions),
            revisions,
            policy: Arc::new(policy),
            directory,
            leads: HashMap::new(),
            recent: VecDeque::new(),
            touches: 0,
            accounts: HashMap::new(),
            leads_of: BTreeMap::new(),
            standings: Standings::default(),
            due: BTreeSet::new(),
            tally: Tally::new(since),
            identity: Identity::default(),
            since,
            first_at: None,
            now: DateTime::<Utc>::MIN_UTC,
            recorded_policies: BTreeSet::new(),
            current_directory: 0,
            not_applied: BTreeMap::new(),
            leads_different: 0,
            first_differences: BTreeMap::new(),
        }
    }

    /// Takes the next record; they come in the order of `recorded_at`, and those of a subject in
    /// the order of its commits.
    ///
    /// # Errors
    /// A record that cannot be replayed.
    pub fn follow(&mut self, record: &CommitRecord) -> Result<(), ReplayError> {
        self.first_at.get_or_insert(record.recorded_at);
        if let Some(recorded) = &record.recorded {
            self.recorded_policies.insert(recorded.policy_revision);
            self.current_directory = self.current_directory.max(recorded.directory_revision);
        }
        self.run_until(record.recorded_at, record)?;
        self.pass(record.recorded_at);
        match &record.subject {
            Subject::Lead(id) => self.follow_lead(id, record),
            Subject::Account(id) => self.follow_account(id, record),
            Subject::Rep(rep) => {
                let replayed = self.replay.rep(rep, &self.standings.rep(rep), record)?;
                self.note_identity(replayed.outcome.is_some(), replayed.difference);
                if let Some(directory) = self.directory_of(record) {
                    self.standings.set_availability(&directory, rep, replayed.after);
                }
                Ok(())
            }
            // A publication decides nothing about leads by itself; what it did is in their records.
            Subject::Publication(_) => Ok(()),
        }
    }

    /// Ends it: timers of the replay run up to an instant, by default that of the last record.
    ///
    /// # Errors
    /// None in practice; what was kept can be read.
    pub fn finish(mut self, until: Option<DateTime<Utc>>) -> Result<Report, ReplayError> {
        let until = until.unwrap_or(self.now).max(self.now);
        while let Some((due, subject)) = self.due.first().cloned().filter(|(due, _)| *due <= until) {
            self.run(due, &subject)?;
        }
        if self.first_at.is_some() {
            self.pass(until);
        }
        let mut rest: Vec<LeadId> =
            self.leads.iter().filter(|(_, kept)| kept.apart.is_some()).map(|(id, _)| id.clone()).collect();
        rest.sort_unstable();
        for id in rest {
            let apart = self.leads.get_mut(&id).and_then(|kept| kept.apart.as_mut());
            if let Some(first) = apart.and_then(|apart| apart.parting.check(&id)) {
                self.note_difference(first);
            }
        }
        let (messages, happenings, queues) = self.tally.finish();
        let first_at = self.first_at.unwrap_or(until);
        Ok(Report {
            policy: self.policy.policy.name.clone(),
            recorded_policies: self.recorded_policies.into_iter().collect(),
            since: self.since.max(first_at),
            until,
            identity: self.identity,
            leads: self.leads.len() as u64,
            leads_different: self.leads_different,
            messages,
            happenings,
            queues,
            not_applied: self.not_applied,
            first_differences: self.first_differences.into_values().collect(),
        })
    }

    /// Runs the replay's own timers up to an instant. Those of the subject that a record at that
    /// instant is about are settled with its input.
    fn run_until(&mut self, until: DateTime<Utc>, record: &CommitRecord) -> Result<(), ReplayError> {
        let mut later = Vec::new();
        while let Some(next) = self.due.pop_first() {
            if next.0 > until {
                self.due.insert(next);
                break;
            }
            // At the very instant of its own record a timer is settled with the input.
            if next.0 == until && next.1 == record.subject {
                later.push(next);
                continue;
            }
            let (due, subject) = next;
            self.run(due, &subject)?;
        }
        self.due.extend(later);
        Ok(())
    }

    fn run(&mut self, due: DateTime<Utc>, subject: &Subject) -> Result<(), ReplayError> {
        self.due.remove(&(due, subject.clone()));
        self.pass(due);
        match subject {
            Subject::Lead(id) => self.wake_lead(id, due),
            Subject::Account(id) => self.wake_account(id, due),
            Subject::Rep(_) | Subject::Publication(_) => Ok(()),
        }
    }

    fn pass(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
        self.tally.pass(self.now);
    }

    fn note_identity(&mut self, had_input: bool, difference: Option<Difference>) {
        if had_input {
            self.identity.commits += 1;
        } else {
            self.identity.without_input += 1;
        }
        if let Some(difference) = difference {
            self.identity.differences += 1;
            if self.identity.first.len() < SHOWN_MAX {
                self.identity.first.push(difference);
            }
        }
    }

    fn note_difference(&mut self, first: FirstDifference) {
        self.leads_different += 1;
        self.first_differences.insert((first.at, first.lead.clone()), first);
        while self.first_differences.len() > SHOWN_MAX {
            self.first_differences.pop_last();
        }
    }

    fn could_not_apply(&mut self, what: &str) {
        *self.not_applied.entry(what.to_owned()).or_default() += 1;
    }

    /// The directory that a record was decided under.
    fn directory_of(&self, record: &CommitRecord) -> Option<Arc<Directory>> {
        let revision = record.recorded.as_ref().map_or(self.current_directory, |r| r.directory_revision);
        self.revisions.directories.get(&revision).cloned()
    }

    /// The directory of the replay as it is now.
    fn replayed_directory(&self) -> Option<Arc<Directory>> {
        let published = || self.revisions.directories.get(&self.current_directory);
        self.directory.as_ref().or_else(published).cloned()
    }

    /// The revisions of the replay for a lead that was decided on under these of the record.
    fn replayed_in_force(&self, recorded: InForce) -> InForce {
        let directory = self.directory.as_ref().map_or(recorded.directory, |d| d.revision());
        InForce { policy: self.policy.revision, directory }
    }

    fn arm(&mut self, subject: Subject, was: Option<DateTime<Utc>>, is: Option<DateTime<Utc>>) {
        if was == is {
            if let Some(is) = is {
                self.due.insert((is, subject));
            }
            return;
        }
        if let Some(was) = was {
            self.due.remove(&(was, subject.clone()));
        }
        if let Some(is) = is {
            self.due.insert((is, subject));
        }
    }
}
