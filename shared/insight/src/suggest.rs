//! What the record says of thresholds: whether action followed a notice before the next threshold,
//! and whether it would have come without the notice. It says only what the figures support, and only
//! of thresholds as they are in force: what was noticed at another share of the window says nothing of
//! this one. So a suggestion can be tried by a backtest against the policy in force.

mod figures;
mod watch;

pub use figures::{Advice, Figures, StepFigures};

use crate::replay::{ReplayError, gap, unreadable};
use figures::Counts;
use policy::InForce;
use policy::ids::Subject;
use rules::aggregate::Aggregate as _;
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact};
use rules::record::CommitRecord;
use rules::world::Past;
use std::collections::BTreeMap;
use watch::{Policies, Watch};

/// Figures in the making. The commits of a lead come together, in their order.
pub struct Suggest<'a> {
    revisions: &'a Past,
    counts: BTreeMap<figures::Key, Counts>,
    current: Option<(Subject, Option<Lead>, Watch)>,
}

impl<'a> Suggest<'a> {
    /// Begins with nothing counted.
    pub fn new(revisions: &'a Past) -> Self {
        Self { revisions, counts: BTreeMap::new(), current: None }
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// A record that cannot be read, or does not follow the one before it.
    pub fn follow(&mut self, record: &CommitRecord) -> Result<(), ReplayError> {
        let Subject::Lead(_) = &record.subject else { return Ok(()) };
        let same = self.current.take().filter(|(subject, ..)| *subject == record.subject);
        let (subject, mut lead, mut watch) =
            same.unwrap_or_else(|| (record.subject.clone(), None, Watch::default()));
        let entries: Vec<Entry<LeadFact>> = record.entries().map_err(|e| unreadable(record, e))?;
        for entry in &entries {
            if let Some(before) = &lead
                && let Some(then) = self.revisions.policies.get(&entry.policy_revision)
                && let Some(in_force) = self.revisions.policies.values().next_back()
                && let Some(rules) = self
                    .revisions
                    .rules_of(InForce { policy: entry.policy_revision, directory: entry.directory_revision })
            {
                watch.see(before, entry, Policies { then, in_force }, &rules, &mut self.counts);
            }
            let after = lead.as_ref().map_or(0, |lead| lead.commit);
            lead = Some(Lead::evolve(lead, entry).map_err(|_| gap(after, record))?);
        }
        self.current = Some((subject, lead, watch));
        Ok(())
    }

    /// The figures of each step in each market, with what they advise.
    pub fn finish(self) -> Vec<StepFigures> {
        self.counts.into_iter().map(|(key, counts)| counts.finish(key)).collect()
    }
}
