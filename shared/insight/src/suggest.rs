//! Judges thresholds by the record: whether people acted on a notice before the next threshold, and whether
//! they would have acted without it. It says only what the figures support, and only about thresholds as
//! they are in force, because notices at another share of the window say nothing about this one. So a
//! backtest against the policy in force can try each suggestion.

mod figures;
mod notices;

pub use figures::{Advice, Figures, StepFigures};

use crate::replay::{ReplayError, gap, unreadable};
use figures::Counts;
use notices::{OpenNotices, Policies};
use policy::InForce;
use policy::ids::Subject;
use rules::aggregate::Aggregate as _;
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact};
use rules::record::CommitRecord;
use rules::world::Past;
use std::collections::BTreeMap;

/// Collects the figures. The commits of a lead must come together and in order.
pub struct Suggest<'a> {
    revisions: &'a Past,
    counts: BTreeMap<figures::StepKey, Counts>,
    current: Option<(Subject, Option<Lead>, OpenNotices)>,
}

impl<'a> Suggest<'a> {
    /// Starts without figures.
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
        let (subject, mut lead, mut notices) =
            same.unwrap_or_else(|| (record.subject.clone(), None, OpenNotices::default()));
        let entries: Vec<Entry<LeadFact>> = record.entries().map_err(|e| unreadable(record, e))?;
        for entry in &entries {
            if let Some(before) = &lead
                && let Some(then) = self.revisions.policies.get(&entry.policy_revision)
                && let Some(in_force) = self.revisions.policies.values().next_back()
                && let Some(rules) = self
                    .revisions
                    .rules_of(InForce { policy: entry.policy_revision, directory: entry.directory_revision })
            {
                notices.follow(before, entry, Policies { then, in_force }, &rules, &mut self.counts);
            }
            let after = lead.as_ref().map_or(0, |lead| lead.commit);
            lead = Some(Lead::evolve(lead, entry).map_err(|_| gap(after, record))?);
        }
        self.current = Some((subject, lead, notices));
        Ok(())
    }

    /// The figures of each step in each market, with advice.
    pub fn finish(self) -> Vec<StepFigures> {
        self.counts.into_iter().map(|(key, counts)| counts.finish(key)).collect()
    }
}
