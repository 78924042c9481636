//! Backtest: what a candidate policy does, compared with the policy in force, both replayed over what
//! really happened.
//!
//! Records come in the order of time. First the **proof**: every commit is decided again under the
//! revisions it was decided under, which has to come to the recorded entries ([`Identity`]). Then the
//! **replays**, one under the policy in force and one under the candidate: what came from outside
//! (events, decisions of people, availability) is decided on under that policy at its own instant,
//! while timers run at theirs. As long as a lead waits for the same instant in a replay and in history,
//! the recorded wake stands for both; so a policy that changes nothing of a lead comes to exactly its
//! record, late sweeps included. History itself can be the baseline, too.
//!
//! What the world would have done differently nobody can tell: people and CRMs do in a replay what
//! they did. An owner that the CRM merely repeats after us is repeated after the replay.

mod accounts;
mod kept;
mod leads;
mod parting;
mod play;
mod report;
mod shelf;
mod spans;
mod standings;
mod tally;

pub use report::{
    Baseline, FigureRow, FirstDifference, Group, Happening, HappeningRow, Identity, MessageRow, Pair,
    QueueRow, Report,
};
pub use spans::Span;

use crate::replay::{Difference, Replay, ReplayError};
use accounts::{AccountCommit, AccountMade};
use chrono::{DateTime, Utc};
use kept::{History, HistoryAccount};
use parting::Parting;
use play::{LeadCommit, Made, Play};
use policy::directory::Directory;
use policy::ids::{AccountId, LeadId, PersonId, Subject};
use policy::{Policy, PublishedPolicy, diff};
use rules::entry::Entry;
use rules::lead::LeadFact;
use rules::record::{CommitRecord, Saw};
use rules::rep::load_changes;
use rules::roster::Standing;
use rules::world::Past;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tally::{Counts, Side, Tally};

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
    /// What it is compared with.
    pub against: Against,
}

/// What a candidate is to be compared with.
#[derive(Debug, Clone)]
pub enum Against {
    /// What was recorded.
    History,
    /// The policy that was published last.
    InForce,
    /// A revision that was published.
    Revision(u32),
    /// Another policy.
    Policy(Box<Policy>),
}

impl Against {
    /// The policy to replay; `None` against history. A revision that was never published is an error.
    fn policy(self, revisions: &Past) -> Result<Option<(Policy, Baseline)>, u32> {
        let published = |revision: u32| {
            revisions.policies.get(&revision).map(|published| published.policy.clone()).ok_or(revision)
        };
        Ok(match self {
            Self::History => None,
            Self::InForce => {
                let revision = revisions.policies.keys().next_back().copied().unwrap_or(0);
                Some((published(revision)?, Baseline::InForce { revision }))
            }
            Self::Revision(revision) => Some((published(revision)?, Baseline::Revision { revision })),
            Self::Policy(policy) => {
                let name = policy.name.clone();
                Some((*policy, Baseline::Policy { name }))
            }
        })
    }
}

/// A backtest cannot begin: the record lacks the revision to compare with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy revision {revision} is not in the record, which holds {known}")]
pub struct UnknownBaseline {
    /// The revision.
    pub revision: u32,
    /// Those there are, in words.
    pub known: String,
}

/// A backtest in the making.
pub struct Backtest {
    replay: Replay,
    revisions: Arc<Past>,
    history: History,
    /// Histories of reps, each by itself.
    reps: BTreeMap<PersonId, Standing>,
    /// The replay of the baseline; `None`: history is the baseline.
    baseline: Option<Play>,
    candidate: Play,
    partings: HashMap<LeadId, Parting>,
    tally: Tally,
    identity: Identity,
    against: Option<Baseline>,
    changes: Vec<String>,
    versions_that_rise: Vec<policy::WorkflowId>,
    since: DateTime<Utc>,
    first_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    recorded_policies: BTreeSet<u32>,
    current_directory: u32,
    leads_different: u64,
    first_differences: BTreeMap<(DateTime<Utc>, LeadId), FirstDifference>,
}

impl Backtest {
    /// Begins with nothing replayed.
    ///
    /// # Errors
    /// If the revision to compare with is not in the record.
    pub fn new(revisions: Arc<Past>, trial: Trial) -> Result<Self, UnknownBaseline> {
        let Trial { policy, directory, since, against } = trial;
        let last = revisions.policies.values().next_back();
        let published_at = last.map_or(DateTime::UNIX_EPOCH, |last| last.published_at);
        let next = |policy| PublishedPolicy::next(last.map(|last| &**last), policy, "backtest", published_at);
        let baseline = against.policy(&revisions).map_err(|revision| {
            let known: Vec<String> = revisions.policies.keys().map(ToString::to_string).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            UnknownBaseline { revision, known }
        })?;
        let before = baseline.as_ref().map(|(policy, _)| policy).or(last.map(|last| &last.policy));
        let mut changes = before.map_or_else(Vec::new, |before| diff::policies(before, &policy));
        let versions_that_rise =
            before.map_or_else(Vec::new, |before| diff::versions_that_rise(before, &policy));
        if let (Some(before), Some(after)) = (revisions.directories.values().next_back(), &directory) {
            changes.extend(diff::directories(before.document(), after.document()));
        }
        let changes = diff::in_words(&changes);
        let revision = revisions.directories.keys().next_back().map_or(1, |last| last.saturating_add(1));
        let directory = directory.map(|d| Arc::new(d.published(revision, published_at)));
        let (baseline, against) = baseline.unzip();
        let since = since.unwrap_or(DateTime::<Utc>::MIN_UTC);
        Ok(Self {
            replay: Replay::new(Arc::clone(&revisions)),
            history: History::default(),
            reps: BTreeMap::new(),
            baseline: baseline.map(|policy| Play::new(Arc::clone(&revisions), next(policy), None)),
            candidate: Play::new(Arc::clone(&revisions), next(policy), directory),
            revisions,
            partings: HashMap::new(),
            tally: Tally::new(since),
            identity: Identity::default(),
            against,
            changes,
            versions_that_rise,
            since,
            first_at: None,
            now: DateTime::<Utc>::MIN_UTC,
            recorded_policies: BTreeSet::new(),
            current_directory: 0,
            leads_different: 0,
            first_differences: BTreeMap::new(),
        })
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
        for play in self.baseline.iter_mut().chain([&mut self.candidate]) {
            play.current_directory = self.current_directory;
        }
        self.run_until(record.recorded_at, record)?;
        self.pass(record.recorded_at);
        match &record.subject {
            Subject::Lead(id) => self.follow_lead(id, record),
            Subject::Account(id) => self.follow_account(id, record),
            Subject::Rep(rep) => self.follow_rep(rep, record),
            // A publication decides nothing about leads by itself; what it did is in their records.
            Subject::Publication(_) => Ok(()),
        }
    }

    fn follow_lead(&mut self, id: &LeadId, record: &CommitRecord) -> Result<(), ReplayError> {
        let was = self.history.lead(id)?;
        let was_wake = self.history.leads.get(id).and_then(|kept| kept.wake);
        let nothing_seen = Saw::default();
        let saw = record.recorded.as_ref().map_or(&nothing_seen, |recorded| &recorded.saw);
        let command = Replay::command(record)?;
        let is = self.replay.lead(was.as_ref(), record, command.as_ref())?;
        self.note_identity(is.outcome.is_some(), is.difference.clone());
        let directory = self.directory_of(record);
        let load_changes = load_changes(was.as_ref(), &is.after, &is.entries);
        let commit = LeadCommit {
            id,
            record,
            saw,
            command: command.as_ref(),
            was: was.as_ref(),
            was_wake,
            is: &is,
            directory: directory.as_deref(),
            load_changes: &load_changes,
        };
        let baseline = match &mut self.baseline {
            Some(play) => play.follow_lead(&commit, &self.history)?,
            None => Made::AsInHistory,
        };
        let candidate = self.candidate.follow_lead(&commit, &self.history)?;
        let is_apart =
            self.candidate.is_apart(id) || self.baseline.as_ref().is_some_and(|play| play.is_apart(id));
        for (side, made) in [(Side::Baseline, &baseline), (Side::Candidate, &candidate)] {
            let (before, after, entries) = match made {
                Made::AsInHistory => (was.as_ref(), Some(&is.after), &is.entries),
                Made::Own { was, is, entries } => (was.as_ref(), is.as_ref(), entries),
            };
            let directory = match (side, &self.baseline) {
                (Side::Baseline, None) => directory.clone(),
                (Side::Baseline, Some(play)) => play.directory(),
                (Side::Candidate, _) => self.candidate.directory(),
            };
            if let Some(after) = after {
                self.tally.lead(side, before, after, entries, directory.as_deref());
            }
            self.note(side, id, is_apart, entries);
        }
        if let Some(first) = self.partings.get_mut(id).and_then(|parting| parting.check(id)) {
            self.note_difference(first);
        }
        self.history.keep_lead(id, is.after, is.wake_at)
    }

    fn follow_account(&mut self, id: &AccountId, record: &CommitRecord) -> Result<(), ReplayError> {
        let kept = self.history.accounts.remove(id);
        let (was, was_wake) = kept.map_or((None, None), |kept| (Some(kept.account), kept.wake));
        let command = Replay::account_command(record)?;
        let is = self.replay.account(was.as_ref(), record, command.as_ref())?;
        self.note_identity(is.outcome.is_some(), is.difference.clone());
        let kept = HistoryAccount { account: is.after.clone(), wake: is.wake_at };
        self.history.accounts.insert(id.clone(), kept);
        let (was, command) = (was.as_ref(), command.as_ref());
        let commit = AccountCommit { id, record, command, was, was_wake, is: &is };
        match &mut self.baseline {
            Some(play) => {
                let made = play.follow_account(&commit, &self.history)?;
                self.note_account(Side::Baseline, made);
            }
            None => {
                let directory = self.directory_of(record);
                self.tally.account(Side::Baseline, &is.entries, directory.as_deref());
            }
        }
        let made = self.candidate.follow_account(&commit, &self.history)?;
        self.note_account(Side::Candidate, made);
        Ok(())
    }

    fn follow_rep(&mut self, rep: &PersonId, record: &CommitRecord) -> Result<(), ReplayError> {
        let before = self.reps.get(rep).cloned().unwrap_or_default();
        let replayed = self.replay.rep(rep, &before, record)?;
        self.note_identity(replayed.outcome.is_some(), replayed.difference);
        if let Some(directory) = self.directory_of(record) {
            for play in self.baseline.iter_mut().chain([&mut self.candidate]) {
                play.standings.set_availability(&directory, rep, &replayed.after);
            }
        }
        self.reps.insert(rep.clone(), replayed.after);
        Ok(())
    }

    /// Ends it: timers of the replays run up to an instant, by default that of the last record.
    ///
    /// # Errors
    /// None in practice; what was kept can be read.
    pub fn finish(mut self, until: Option<DateTime<Utc>>) -> Result<Report, ReplayError> {
        let until = until.unwrap_or(self.now).max(self.now);
        while let Some((side, due, subject)) = self.next_due().filter(|(_, due, _)| *due <= until) {
            self.run(side, due, &subject)?;
        }
        if self.first_at.is_some() {
            self.pass(until);
        }
        let mut rest: Vec<LeadId> = self.partings.keys().cloned().collect();
        rest.sort_unstable();
        for id in rest {
            if let Some(first) = self.partings.get_mut(&id).and_then(|parting| parting.check(&id)) {
                self.note_difference(first);
            }
        }
        let Counts { span, messages, happenings, figures, queues } = self.tally.finish();
        let first_at = self.first_at.unwrap_or(until);
        let mut not_applied: BTreeMap<String, Pair> = BTreeMap::new();
        for (what, n) in self.baseline.as_ref().map(|play| &play.not_applied).into_iter().flatten() {
            not_applied.entry(what.clone()).or_default().baseline = *n;
        }
        for (what, n) in &self.candidate.not_applied {
            not_applied.entry(what.clone()).or_default().candidate = *n;
        }
        let directories = self.revisions.directories.values().cloned().chain(self.candidate.directory());
        let named = directories.flat_map(|directory| {
            let people = &directory.document().people;
            people.iter().map(|(id, person)| (id.clone(), person.name.clone())).collect::<Vec<_>>()
        });
        let recorded_policies: Vec<u32> = self.recorded_policies.into_iter().collect();
        Ok(Report {
            policy: self.candidate.policy.policy.name.clone(),
            against: self
                .against
                .unwrap_or_else(|| Baseline::History { revisions: recorded_policies.clone() }),
            changes: self.changes,
            versions_that_rise: self.versions_that_rise,
            recorded_policies,
            since: self.since.max(first_at),
            until,
            identity: self.identity,
            leads: self.history.leads.len(),
            leads_different: self.leads_different,
            span,
            messages,
            happenings,
            figures,
            queues,
            not_applied,
            first_differences: self.first_differences.into_values().collect(),
            people: named.collect(),
        })
    }

    /// What a replay looks at by itself next: the earliest of both.
    fn next_due(&self) -> Option<(Side, DateTime<Utc>, Subject)> {
        let of = |side, play: &Play| play.next_due().map(|(due, subject)| (side, *due, subject.clone()));
        let baseline = self.baseline.as_ref().and_then(|play| of(Side::Baseline, play));
        let candidate = of(Side::Candidate, &self.candidate);
        baseline.into_iter().chain(candidate).min_by(|a, b| (a.1, &a.2).cmp(&(b.1, &b.2)))
    }

    /// Runs the replays' own timers up to an instant. Those of the subject that a record at that
    /// instant is about are settled with its input.
    fn run_until(&mut self, until: DateTime<Utc>, record: &CommitRecord) -> Result<(), ReplayError> {
        let mut later = Vec::new();
        while let Some((side, due, subject)) = self.next_due().filter(|(_, due, _)| *due <= until) {
            // At the very instant of its own record a timer is settled with the input.
            if due == until && subject == record.subject {
                self.disarm(side, due, &subject);
                later.push((side, due, subject));
                continue;
            }
            self.run(side, due, &subject)?;
        }
        for (side, due, subject) in later {
            if let Some(play) = self.play(side) {
                play.due.insert((due, subject));
            }
        }
        Ok(())
    }

    fn play(&mut self, side: Side) -> Option<&mut Play> {
        match side {
            Side::Baseline => self.baseline.as_mut(),
            Side::Candidate => Some(&mut self.candidate),
        }
    }

    fn disarm(&mut self, side: Side, due: DateTime<Utc>, subject: &Subject) {
        if let Some(play) = self.play(side) {
            play.due.remove(&(due, subject.clone()));
        }
    }

    fn run(&mut self, side: Side, due: DateTime<Utc>, subject: &Subject) -> Result<(), ReplayError> {
        self.disarm(side, due, subject);
        self.pass(due);
        let play = match side {
            Side::Baseline => self.baseline.as_mut(),
            Side::Candidate => Some(&mut self.candidate),
        };
        let Some(play) = play else { return Ok(()) };
        match subject {
            Subject::Lead(id) => {
                if let Some(made) = play.wake_lead(id, due, &self.history)? {
                    self.note_alone(side, id, &made);
                }
            }
            Subject::Account(id) => {
                let made = play.wake_account(id, due, &self.history)?;
                self.note_account(side, made);
            }
            Subject::Rep(_) | Subject::Publication(_) => {}
        }
        Ok(())
    }

    /// Notes what happened to a lead in one replay alone.
    fn note_alone(&mut self, side: Side, id: &LeadId, made: &Made) {
        let Made::Own { was, is, entries } = made else { return };
        let Some(play) = self.play(side) else { return };
        let (is_apart, directory) = (play.is_apart(id), play.directory());
        if let Some(is) = is {
            self.tally.lead(side, was.as_ref(), is, entries, directory.as_deref());
        }
        self.note(side, id, is_apart, entries);
    }

    fn note_account(&mut self, side: Side, made: AccountMade) {
        let directory = self.play(side).and_then(|play| play.directory());
        self.tally.account(side, &made.entries, directory.as_deref());
        for (id, made) in &made.leads {
            self.note_alone(side, id, made);
        }
    }

    /// Notes what people notice of a lead, once one replay went another way than history: until then
    /// both sides are the same.
    fn note(&mut self, side: Side, id: &LeadId, is_apart: bool, entries: &[Entry<LeadFact>]) {
        let since = self.since;
        match self.partings.get_mut(id) {
            Some(parting) => parting.note(side, since, entries),
            None if is_apart => {
                self.partings.entry(id.clone()).or_default().note(side, since, entries);
            }
            None => {}
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

    /// The directory that a record was decided under.
    fn directory_of(&self, record: &CommitRecord) -> Option<Arc<Directory>> {
        let revision = record.recorded.as_ref().map_or(self.current_directory, |r| r.directory_revision);
        self.revisions.directories.get(&revision).cloned()
    }
}
