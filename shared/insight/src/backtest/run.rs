//! Runs a backtest: follows the records, drives both replays, and counts what happens.

use super::commits::{AccountChange, AccountCommit, LeadChange, LeadCommit};
use super::differences::{Differences, SHOWN_MAX};
use super::history::{History, RecordedAccount};
use super::policy_replay::PolicyReplay;
use super::report::{Baseline, Pair, ReplayCheck, Report};
use super::tally::{Counts, Side, Tally};
use super::trial::{Trial, UnknownBaseline};
use crate::replay::{Difference, Replay, ReplayError};
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{AccountId, LeadId, PersonId, Subject};
use policy::{PublishedPolicy, diff};
use rules::record::{CommitRecord, Saw};
use rules::rep::load_changes;
use rules::roster::Standing;
use rules::world::Past;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A running backtest.
pub struct Backtest {
    replay: Replay,
    revisions: Arc<Past>,
    history: History,
    /// The reps as recorded so far.
    reps: BTreeMap<PersonId, Standing>,
    /// The replay of the baseline. `None` if the recorded history is the baseline.
    baseline: Option<PolicyReplay>,
    candidate: PolicyReplay,
    differences: Differences,
    tally: Tally,
    replay_check: ReplayCheck,
    against: Option<Baseline>,
    changes: Vec<String>,
    versions_that_rise: Vec<policy::WorkflowId>,
    since: DateTime<Utc>,
    first_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    recorded_policies: BTreeSet<u32>,
    current_directory: u32,
}

impl Backtest {
    /// A backtest without any records yet.
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
            baseline: baseline.map(|policy| PolicyReplay::new(Arc::clone(&revisions), next(policy), None)),
            candidate: PolicyReplay::new(Arc::clone(&revisions), next(policy), directory),
            revisions,
            differences: Differences::new(since),
            tally: Tally::new(since),
            replay_check: ReplayCheck::default(),
            against,
            changes,
            versions_that_rise,
            since,
            first_at: None,
            now: DateTime::<Utc>::MIN_UTC,
            recorded_policies: BTreeSet::new(),
            current_directory: 0,
        })
    }

    /// Takes the next record. Records come in the order of `recorded_at`, and those of a subject in the order of
    /// its commits.
    ///
    /// # Errors
    /// A record that cannot be replayed.
    pub fn follow(&mut self, record: &CommitRecord) -> Result<(), ReplayError> {
        self.first_at.get_or_insert(record.recorded_at);
        if let Some(recorded) = &record.recorded {
            self.recorded_policies.insert(recorded.policy_revision);
            self.current_directory = self.current_directory.max(recorded.directory_revision);
        }
        for replay in self.baseline.iter_mut().chain([&mut self.candidate]) {
            replay.current_directory = self.current_directory;
        }
        self.run_until(record.recorded_at, record)?;
        self.advance(record.recorded_at);
        match &record.subject {
            Subject::Lead(id) => self.follow_lead(id, record),
            Subject::Account(id) => self.follow_account(id, record),
            Subject::Rep(rep) => self.follow_rep(rep, record),
            // A publication itself decides nothing about leads; their own records have its effects.
            Subject::Publication(_) => Ok(()),
        }
    }

    fn follow_lead(&mut self, id: &LeadId, record: &CommitRecord) -> Result<(), ReplayError> {
        let before = self.history.lead(id)?;
        let wake_before = self.history.leads.get(id).and_then(|lead| lead.wake_at);
        let saw_nothing = Saw::default();
        let saw = record.recorded.as_ref().map_or(&saw_nothing, |recorded| &recorded.saw);
        let command = Replay::command(record)?;
        let recorded = self.replay.lead(before.as_ref(), record, command.as_ref())?;
        self.count_replayed(recorded.outcome.is_some(), recorded.difference.clone());
        let directory = self.directory_of(record);
        let load_changes = load_changes(before.as_ref(), &recorded.after, &recorded.entries);
        let commit = LeadCommit {
            id,
            record,
            saw,
            command: command.as_ref(),
            before: before.as_ref(),
            wake_before,
            recorded: &recorded,
            directory: directory.as_deref(),
            load_changes: &load_changes,
        };
        let baseline = match &mut self.baseline {
            Some(replay) => Some(replay.follow_lead(&commit, &self.history)?),
            None => None,
        };
        let candidate = self.candidate.follow_lead(&commit, &self.history)?;
        let has_diverged = self.candidate.has_diverged(id)
            || self.baseline.as_ref().is_some_and(|replay| replay.has_diverged(id));
        for (side, change) in [(Side::Baseline, baseline.as_ref()), (Side::Candidate, Some(&candidate))] {
            // Against history, the baseline is the record.
            let (before, after, entries) = match change {
                Some(LeadChange { before, after, entries }) => (before.as_ref(), after.as_ref(), entries),
                None => (before.as_ref(), Some(&recorded.after), &recorded.entries),
            };
            let directory = match (side, &self.baseline) {
                (Side::Baseline, None) => directory.clone(),
                (Side::Baseline, Some(replay)) => replay.directory(),
                (Side::Candidate, _) => self.candidate.directory(),
            };
            if let Some(after) = after {
                self.tally.lead(side, before, after, entries, directory.as_deref());
            }
            self.differences.add(side, id, has_diverged, entries);
        }
        self.differences.compare(id);
        self.history.put_lead(id, recorded.after, recorded.wake_at)
    }

    fn follow_account(&mut self, id: &AccountId, record: &CommitRecord) -> Result<(), ReplayError> {
        let last = self.history.accounts.remove(id);
        let (before, wake_before) = last.map_or((None, None), |last| (Some(last.account), last.wake_at));
        let command = Replay::account_command(record)?;
        let recorded = self.replay.account(before.as_ref(), record, command.as_ref())?;
        self.count_replayed(recorded.outcome.is_some(), recorded.difference.clone());
        let account = RecordedAccount { account: recorded.after.clone(), wake_at: recorded.wake_at };
        self.history.accounts.insert(id.clone(), account);
        let (before, command) = (before.as_ref(), command.as_ref());
        let commit = AccountCommit { id, record, command, before, wake_before, recorded: &recorded };
        match &mut self.baseline {
            Some(replay) => {
                let change = replay.follow_account(&commit, &self.history)?;
                self.count_account(Side::Baseline, change);
            }
            None => {
                let directory = self.directory_of(record);
                self.tally.account(Side::Baseline, &recorded.entries, directory.as_deref());
            }
        }
        let change = self.candidate.follow_account(&commit, &self.history)?;
        self.count_account(Side::Candidate, change);
        Ok(())
    }

    fn follow_rep(&mut self, rep: &PersonId, record: &CommitRecord) -> Result<(), ReplayError> {
        let before = self.reps.get(rep).cloned().unwrap_or_default();
        let replayed = self.replay.rep(rep, &before, record)?;
        self.count_replayed(replayed.outcome.is_some(), replayed.difference);
        if let Some(directory) = self.directory_of(record) {
            for replay in self.baseline.iter_mut().chain([&mut self.candidate]) {
                replay.standings.set_availability(&directory, rep, &replayed.after);
            }
        }
        self.reps.insert(rep.clone(), replayed.after);
        Ok(())
    }

    /// Ends the backtest. The timers of the replays run up to `until`, by default the time of the last record.
    ///
    /// # Errors
    /// None in practice: the backtest can read what it stored.
    pub fn finish(mut self, until: Option<DateTime<Utc>>) -> Result<Report, ReplayError> {
        let until = until.unwrap_or(self.now).max(self.now);
        while let Some((side, due, subject)) = self.next_due().filter(|(_, due, _)| *due <= until) {
            self.run_timer(side, due, &subject)?;
        }
        if self.first_at.is_some() {
            self.advance(until);
        }
        let (leads_different, first_differences) = self.differences.finish();
        let Counts { span, messages, metrics, figures, queues } = self.tally.finish();
        let first_at = self.first_at.unwrap_or(until);
        let mut not_applied: BTreeMap<String, Pair> = BTreeMap::new();
        for (what, n) in self.baseline.as_ref().map(|replay| &replay.not_applied).into_iter().flatten() {
            not_applied.entry(what.clone()).or_default().baseline = *n;
        }
        for (what, n) in &self.candidate.not_applied {
            not_applied.entry(what.clone()).or_default().candidate = *n;
        }
        let directories = self.revisions.directories.values().cloned().chain(self.candidate.directory());
        let names = directories.flat_map(|directory| {
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
            replay_check: self.replay_check,
            leads: self.history.leads.len(),
            leads_different,
            span,
            messages,
            metrics,
            figures,
            queues,
            not_applied,
            first_differences,
            people: names.collect(),
        })
    }

    /// The next timer of the replays.
    fn next_due(&self) -> Option<(Side, DateTime<Utc>, Subject)> {
        let of = |side, replay: &PolicyReplay| {
            replay.next_due().map(|(due, subject)| (side, *due, subject.clone()))
        };
        let baseline = self.baseline.as_ref().and_then(|replay| of(Side::Baseline, replay));
        let candidate = of(Side::Candidate, &self.candidate);
        baseline.into_iter().chain(candidate).min_by(|a, b| (a.1, &a.2).cmp(&(b.1, &b.2)))
    }

    /// Runs the replays' own timers up to the time of a record. A timer of the record's subject at that very
    /// time waits for the record's input.
    fn run_until(&mut self, until: DateTime<Utc>, record: &CommitRecord) -> Result<(), ReplayError> {
        let mut later = Vec::new();
        while let Some((side, due, subject)) = self.next_due().filter(|(_, due, _)| *due <= until) {
            // The record's input takes care of this timer.
            if due == until && subject == record.subject {
                self.remove_timer(side, due, &subject);
                later.push((side, due, subject));
                continue;
            }
            self.run_timer(side, due, &subject)?;
        }
        for (side, due, subject) in later {
            if let Some(replay) = self.replay_of(side) {
                replay.due.insert((due, subject));
            }
        }
        Ok(())
    }

    fn replay_of(&mut self, side: Side) -> Option<&mut PolicyReplay> {
        match side {
            Side::Baseline => self.baseline.as_mut(),
            Side::Candidate => Some(&mut self.candidate),
        }
    }

    fn remove_timer(&mut self, side: Side, due: DateTime<Utc>, subject: &Subject) {
        if let Some(replay) = self.replay_of(side) {
            replay.due.remove(&(due, subject.clone()));
        }
    }

    fn run_timer(&mut self, side: Side, due: DateTime<Utc>, subject: &Subject) -> Result<(), ReplayError> {
        self.remove_timer(side, due, subject);
        self.advance(due);
        let replay = match side {
            Side::Baseline => self.baseline.as_mut(),
            Side::Candidate => Some(&mut self.candidate),
        };
        let Some(replay) = replay else { return Ok(()) };
        match subject {
            Subject::Lead(id) => {
                if let Some(change) = replay.wake_lead(id, due, &self.history)? {
                    self.count_replay_only(side, id, &change);
                }
            }
            Subject::Account(id) => {
                let change = replay.wake_account(id, due, &self.history)?;
                self.count_account(side, change);
            }
            Subject::Rep(_) | Subject::Publication(_) => {}
        }
        Ok(())
    }

    /// Counts a change of a lead that only one replay has.
    fn count_replay_only(&mut self, side: Side, id: &LeadId, change: &LeadChange) {
        let LeadChange { before, after, entries } = change;
        let Some(replay) = self.replay_of(side) else { return };
        let (has_diverged, directory) = (replay.has_diverged(id), replay.directory());
        if let Some(after) = after {
            self.tally.lead(side, before.as_ref(), after, entries, directory.as_deref());
        }
        self.differences.add(side, id, has_diverged, entries);
    }

    fn count_account(&mut self, side: Side, change: AccountChange) {
        let directory = self.replay_of(side).and_then(|replay| replay.directory());
        self.tally.account(side, &change.entries, directory.as_deref());
        for (id, change) in &change.leads {
            self.count_replay_only(side, id, change);
        }
    }

    fn advance(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
        self.tally.pass(self.now);
    }

    fn count_replayed(&mut self, had_input: bool, difference: Option<Difference>) {
        if had_input {
            self.replay_check.commits += 1;
        } else {
            self.replay_check.without_input += 1;
        }
        if let Some(difference) = difference {
            self.replay_check.differences += 1;
            if self.replay_check.first.len() < SHOWN_MAX {
                self.replay_check.first.push(difference);
            }
        }
    }

    /// The directory of a recorded decision.
    fn directory_of(&self, record: &CommitRecord) -> Option<Arc<Directory>> {
        let revision = record.recorded.as_ref().map_or(self.current_directory, |r| r.directory_revision);
        self.revisions.directories.get(&revision).cloned()
    }
}
