//! Compares an export with checkpoints: every commit in a checkpoint must be in the export unchanged, and every commit
//! must be of a time that the checkpoints permit.

use audit::Hash;
use chrono::{DateTime, TimeDelta, Utc};

use super::finding::{Place, Problem};
use super::history::{Checked, History};
use super::series::{Claim, Series};

/// The largest age of the newest checkpoint: one is made every hour, also when nothing happens.
const STALE_AFTER: TimeDelta = TimeDelta::hours(2);
/// The longest time from a decision to its commit: no function runs longer, and clocks differ by less.
pub(super) const WRITTEN_WITHIN: TimeDelta = TimeDelta::minutes(15);

/// Receives problems.
pub type Problems<'a> = &'a mut dyn FnMut(Place, Problem);

/// The checkpoints, which the export is compared with in the same order.
#[derive(Debug)]
pub struct Coverage {
    /// The checkpoints.
    pub series: Series,
    /// The key that verified them.
    pub key_id: Hash,
    /// The number of commits in no checkpoint yet.
    pub uncovered: u64,
    /// The number of heads in checkpoints that are newer than the export.
    pub newer: u64,
    exported_at: DateTime<Utc>,
}

impl Coverage {
    /// Begins a comparison.
    pub fn new(series: Series, key_id: Hash, exported_at: DateTime<Utc>) -> Self {
        Self { series, key_id, uncovered: 0, newer: 0, exported_at }
    }

    /// Whether the series begins with checkpoint 1, so that it shows for each commit the first checkpoint with it.
    pub fn is_whole(&self) -> bool {
        self.series.leaves.is_some()
    }

    /// The problem that the newest checkpoint is too old, if it is.
    pub fn stale(&self) -> Option<Problem> {
        let last = &self.series.last.checkpoint;
        (self.exported_at - last.at > STALE_AFTER).then_some(Problem::Stale {
            number: last.number,
            at: last.at,
            exported_at: self.exported_at,
        })
    }

    /// Skips to a subject, or to the end. Every skipped subject is missing in the export.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn pass(&mut self, subject: Option<&str>, problems: Problems<'_>) -> anyhow::Result<()> {
        while let Some(next) = self.series.claims.peek()
            && subject.is_none_or(|subject| next.subject.as_bytes() < subject.as_bytes())
        {
            let missing = next.subject.clone();
            if let Some(Claim { checkpoint, commit, .. }) = self.last_of(&missing)? {
                let place = Place { subject: missing.parse().ok(), seq: Some(1), ..Place::default() };
                problems(place, Problem::MissingSubject { checkpoint, commit });
            }
        }
        Ok(())
    }

    /// Removes the remaining claims of a subject. Returns the last one from before the export.
    fn last_of(&mut self, subject: &str) -> anyhow::Result<Option<Claim>> {
        let mut last = None;
        while let Some(next) = self.series.claims.peek()
            && next.subject == subject
        {
            let claim = self.series.claims.take()?;
            let known = claim
                .as_ref()
                .and_then(|claim| self.series.known.get(&claim.checkpoint))
                .map(|known| known.at);
            if known.is_some_and(|at| at <= self.exported_at) {
                last = claim;
            } else {
                self.newer += u64::from(claim.is_some());
            }
        }
        Ok(last)
    }

    /// Compares a commit with the checkpoints.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn check(
        &mut self,
        history: &mut History,
        line: u64,
        commit: &Checked,
        problems: Problems<'_>,
    ) -> anyhow::Result<()> {
        let subject = history.subject.to_string();
        let place = history.place(line, commit);
        let covering = self.series.claims.peek().filter(|claim| claim.subject == subject).cloned();
        self.uncovered += u64::from(covering.is_none());
        if let Some(problem) = self.back_dated(commit, covering.as_ref()) {
            problems(place.clone(), problem);
            history.broken = true;
        }
        while let Some(claim) = self.series.claims.peek()
            && claim.subject == subject
            && claim.commit <= commit.commit
        {
            if claim.commit == commit.commit && claim.head != commit.head && !history.broken {
                let Claim { checkpoint, head, .. } = *claim;
                problems(
                    place.clone(),
                    Problem::Rewritten { commit: commit.commit, found: commit.head, checkpoint, head },
                );
                history.broken = true;
            }
            self.series.claims.take()?;
        }
        Ok(())
    }

    /// A commit belongs between the last checkpoint without it and the first one with it.
    fn back_dated(&self, commit: &Checked, covering: Option<&Claim>) -> Option<Problem> {
        if !self.is_whole() {
            return None;
        }
        let last = self.series.last.checkpoint.number;
        let before = covering.map_or(last, |claim| claim.checkpoint - 1);
        let at = |number: u64| self.series.known.get(&number).map(|known| (number, known.at));
        let recorded_at = commit.recorded_at;
        let problem = |(checkpoint, at), has| Some(Problem::BackDated { recorded_at, checkpoint, at, has });
        if let Some(before) = at(before).filter(|(_, at)| *at - recorded_at > WRITTEN_WITHIN) {
            return problem(before, "does not have it");
        }
        let covering = at(covering?.checkpoint).filter(|(_, at)| recorded_at - *at > WRITTEN_WITHIN)?;
        problem(covering, "has it already")
    }

    /// Ends a history: the checkpoints must not have more of it.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn end(&mut self, history: &History, problems: Problems<'_>) -> anyhow::Result<()> {
        let more = self.last_of(&history.subject.to_string())?;
        if let Some(Claim { checkpoint, commit, .. }) = more.filter(|_| !history.broken) {
            let place = Place {
                subject: Some(history.subject.clone()),
                seq: Some(history.seq + 1),
                ..Place::default()
            };
            problems(place, Problem::CutTail { last: history.commits, checkpoint, commit });
        }
        Ok(())
    }
}
