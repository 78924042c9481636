//! The export against the checkpoints: each commit that a checkpoint knows has to be there, the very
//! same, and each has to have been decided when the checkpoints say it can have been.

use audit::Hash;
use chrono::{DateTime, TimeDelta, Utc};

use super::finding::{Place, Wrong};
use super::history::{Checked, History};
use super::series::{Claim, Series};

/// A checkpoint is made every hour, also when nothing happens; so late nobody's clock is.
const STALE_AFTER: TimeDelta = TimeDelta::hours(2);
/// A commit is written that long after it was decided at most: no function runs longer. Clocks
/// differ by less.
pub(super) const WRITTEN_WITHIN: TimeDelta = TimeDelta::minutes(15);

/// Takes what is wrong.
pub type Wrongs<'a> = &'a mut dyn FnMut(Place, Wrong);

/// The checkpoints, while the export is gone through in the same order.
#[derive(Debug)]
pub struct Against {
    /// The checkpoints.
    pub series: Series,
    /// The key that they were checked with.
    pub key_id: Hash,
    /// Commits that no checkpoint knows yet.
    pub uncovered: u64,
    /// What checkpoints that are newer than the export know more.
    pub newer: u64,
    exported_at: DateTime<Utc>,
}

impl Against {
    /// Begins.
    pub fn new(series: Series, key_id: Hash, exported_at: DateTime<Utc>) -> Self {
        Self { series, key_id, uncovered: 0, newer: 0, exported_at }
    }

    /// Whether the series begins with the first checkpoint: then it tells of every commit which
    /// checkpoint was the first to know it.
    pub fn is_whole(&self) -> bool {
        self.series.leaves.is_some()
    }

    /// That the newest checkpoint is too old, if it is.
    pub fn stale(&self) -> Option<Wrong> {
        let last = &self.series.last.checkpoint;
        (self.exported_at - last.at > STALE_AFTER).then_some(Wrong::Stale {
            number: last.number,
            at: last.at,
            exported_at: self.exported_at,
        })
    }

    /// Goes past all that checkpoints say of subjects before this one, or of all that are left: none
    /// of those is in the export.
    ///
    /// # Errors
    /// A disk that cannot be read.
    pub fn pass(&mut self, subject: Option<&str>, wrongs: Wrongs<'_>) -> anyhow::Result<()> {
        while let Some(next) = self.series.claims.peek()
            && subject.is_none_or(|subject| next.subject.as_bytes() < subject.as_bytes())
        {
            let missing = next.subject.clone();
            if let Some(Claim { checkpoint, commit, .. }) = self.last_of(&missing)? {
                let place = Place { subject: missing.parse().ok(), seq: Some(1), ..Place::default() };
                wrongs(place, Wrong::MissingSubject { checkpoint, commit });
            }
        }
        Ok(())
    }

    /// Takes out what is left of a subject; the last that was known when the export was taken.
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

    /// Holds a commit against what checkpoints say of it.
    ///
    /// # Errors
    /// A disk that cannot be read.
    pub fn hold(
        &mut self,
        history: &mut History,
        line: u64,
        commit: &Checked,
        wrongs: Wrongs<'_>,
    ) -> anyhow::Result<()> {
        let subject = history.subject.to_string();
        let place = history.place(line, commit);
        let covering = self.series.claims.peek().filter(|claim| claim.subject == subject).cloned();
        self.uncovered += u64::from(covering.is_none());
        if let Some(wrong) = self.back_dated(commit, covering.as_ref()) {
            wrongs(place.clone(), wrong);
            history.broken = true;
        }
        while let Some(claim) = self.series.claims.peek()
            && claim.subject == subject
            && claim.commit <= commit.commit
        {
            if claim.commit == commit.commit && claim.head != commit.head && !history.broken {
                let Claim { checkpoint, head, .. } = *claim;
                wrongs(
                    place.clone(),
                    Wrong::Rewritten { commit: commit.commit, found: commit.head, checkpoint, head },
                );
                history.broken = true;
            }
            self.series.claims.take()?;
        }
        Ok(())
    }

    /// The checkpoint before the first that knows it was made before it was decided, and that one
    /// after.
    fn back_dated(&self, commit: &Checked, covering: Option<&Claim>) -> Option<Wrong> {
        if !self.is_whole() {
            return None;
        }
        let last = self.series.last.checkpoint.number;
        let before = covering.map_or(last, |claim| claim.checkpoint - 1);
        let at = |number: u64| self.series.known.get(&number).map(|known| (number, known.at));
        let recorded_at = commit.recorded_at;
        let wrong = |(checkpoint, at), knows| Some(Wrong::BackDated { recorded_at, checkpoint, at, knows });
        if let Some(before) = at(before).filter(|(_, at)| *at - recorded_at > WRITTEN_WITHIN) {
            return wrong(before, "does not know it");
        }
        let covering = at(covering?.checkpoint).filter(|(_, at)| recorded_at - *at > WRITTEN_WITHIN)?;
        wrong(covering, "knows it already")
    }

    /// The export has no more of this history.
    ///
    /// # Errors
    /// A disk that cannot be read.
    pub fn end(&mut self, history: &History, wrongs: Wrongs<'_>) -> anyhow::Result<()> {
        let more = self.last_of(&history.subject.to_string())?;
        if let Some(Claim { checkpoint, commit, .. }) = more.filter(|_| !history.broken) {
            let place = Place {
                subject: Some(history.subject.clone()),
                seq: Some(history.seq + 1),
                ..Place::default()
            };
            wrongs(place, Wrong::CutTail { last: history.commits, checkpoint, commit });
        }
        Ok(())
    }
}
