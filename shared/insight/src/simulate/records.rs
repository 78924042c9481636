//! What a simulation records: the entries, and on request the record of each commit.

use super::entry::AnyEntry;
use super::simulation::Simulation;
use chrono::{DateTime, Utc};
use rules::aggregate::Consulted;
use rules::entry::{Actor, Entry};
use rules::record::{CommitRecord, Recorded};
use rules::recordable::Recordable;
use serde::Serialize;
use std::sync::Arc;

/// What a commit was decided on.
pub(super) struct CommitInput<'a, I> {
    pub actor: &'a Actor,
    pub input: &'a I,
    pub consulted: &'a Consulted,
    pub now: DateTime<Utc>,
}

impl Simulation {
    /// Keeps a record of each commit from now on, for [`Self::take_records`].
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.records.get_or_insert_default();
        self
    }

    /// Takes the records of the commits so far.
    ///
    /// # Errors
    /// None in practice: every input and every fact can be written as JSON.
    pub fn take_records(&mut self) -> Result<Vec<CommitRecord>, Arc<serde_json::Error>> {
        self.records.as_mut().map(std::mem::take).into_iter().flatten().collect()
    }

    /// Takes the entries so far.
    pub fn take_history(&mut self) -> Vec<AnyEntry> {
        std::mem::take(&mut self.history)
    }

    /// Records a commit, if the input changed anything.
    pub(super) fn record<I: Recordable, F: Serialize>(
        &mut self,
        input: CommitInput<'_, I>,
        entries: &[Entry<F>],
    ) {
        let CommitInput { actor, input, consulted, now } = input;
        if self.records.is_none() {
            return;
        }
        let record = Recorded::of(actor, input, consulted, &self.world)
            .and_then(|recorded| CommitRecord::of(entries, recorded, now));
        if let (Some(records), Some(record)) = (&mut self.records, record.transpose()) {
            records.push(record.map_err(Arc::new));
        }
    }
}
