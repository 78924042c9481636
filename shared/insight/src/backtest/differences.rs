//! The first difference of each lead between the two sides of a backtest. It compares what people would
//! notice, in order.

use super::report::FirstDifference;
use super::tally::{Side, recipient};
use chrono::{DateTime, Utc};
use policy::ids::LeadId;
use rules::entry::Entry;
use rules::lead::LeadFact;
use rules::notification::NotificationFact;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How many differences a report shows.
pub(super) const SHOWN_MAX: usize = 50;

/// The differences found so far.
#[derive(Debug)]
pub(super) struct Differences {
    since: DateTime<Utc>,
    comparisons: HashMap<LeadId, LeadComparison>,
    leads: u64,
    /// The earliest ones.
    first: BTreeMap<(DateTime<Utc>, LeadId), FirstDifference>,
}

impl Differences {
    pub fn new(since: DateTime<Utc>) -> Self {
        Self { since, comparisons: HashMap::new(), leads: 0, first: BTreeMap::new() }
    }

    /// Adds what people notice in a commit. The comparison begins when a replay diverges from history:
    /// until then both sides are equal.
    pub fn add(&mut self, side: Side, id: &LeadId, has_diverged: bool, entries: &[Entry<LeadFact>]) {
        let since = self.since;
        match self.comparisons.get_mut(id) {
            Some(comparison) => comparison.add(side, since, entries),
            None if has_diverged => {
                self.comparisons.entry(id.clone()).or_default().add(side, since, entries);
            }
            None => {}
        }
    }

    /// Compares the two sides of a lead, once both are complete up to now.
    pub fn compare(&mut self, id: &LeadId) {
        let Some(first) = self.comparisons.get_mut(id).and_then(|comparison| comparison.compare(id)) else {
            return;
        };
        self.leads += 1;
        self.first.insert((first.at, first.lead.clone()), first);
        while self.first.len() > SHOWN_MAX {
            self.first.pop_last();
        }
    }

    /// Compares the remaining leads. Returns the number of different leads, and the earliest differences.
    pub fn finish(mut self) -> (u64, Vec<FirstDifference>) {
        let mut leads: Vec<LeadId> = self.comparisons.keys().cloned().collect();
        leads.sort_unstable();
        for id in leads {
            self.compare(&id);
        }
        (self.leads, self.first.into_values().collect())
    }
}

/// Something that people would notice.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Observation {
    at: DateTime<Utc>,
    text: String,
}

/// The observations on each side that the other side does not have yet.
#[derive(Debug, Clone, Default)]
struct LeadComparison {
    baseline: VecDeque<Observation>,
    candidate: VecDeque<Observation>,
    /// The first difference was found, and nothing more is compared.
    is_done: bool,
}

impl LeadComparison {
    fn add(&mut self, side: Side, since: DateTime<Utc>, entries: &[Entry<LeadFact>]) {
        if self.is_done {
            return;
        }
        let queue = match side {
            Side::Baseline => &mut self.baseline,
            Side::Candidate => &mut self.candidate,
        };
        let counted = entries.iter().filter(|entry| entry.at >= since);
        queue.extend(counted.filter_map(|e| Some(Observation { at: e.at, text: describe(&e.fact)? })));
    }

    /// The first difference, once.
    fn compare(&mut self, lead: &LeadId) -> Option<FirstDifference> {
        while !self.is_done {
            match (self.baseline.front(), self.candidate.front()) {
                (None, None) => return None,
                (Some(a), Some(b)) if a == b => {
                    self.baseline.pop_front();
                    self.candidate.pop_front();
                }
                (a, b) => {
                    let at = a.into_iter().chain(b).map(|observation| observation.at).min()?;
                    let text = |observation: Option<&Observation>| {
                        observation.filter(|o| o.at == at).map(|o| o.text.clone())
                    };
                    let (baseline, candidate) = (text(a), text(b));
                    let first = FirstDifference { lead: lead.clone(), at, baseline, candidate };
                    *self = Self { is_done: true, ..Self::default() };
                    return Some(first);
                }
            }
        }
        None
    }
}

/// A fact in words. `None` for facts that people would not notice.
fn describe(fact: &LeadFact) -> Option<String> {
    Some(match fact {
        LeadFact::Notification(NotificationFact::Requested(notification)) => {
            let message = serde_json::to_value(notification.message).ok()?;
            let step =
                notification.particulars.step.as_deref().map(|s| format!(" ({s})")).unwrap_or_default();
            format!("{}{step} to {}", message.as_str()?, recipient(&notification.to))
        }
        LeadFact::BreachRecorded { .. } => "breach recorded".to_owned(),
        LeadFact::Reassigned { to, .. } => format!("reassigned to {to}"),
        LeadFact::Assigned { to, .. } => format!("assigned to {to}"),
        LeadFact::OwnerSet { to: Some(to), .. } => format!("owner set to {to}"),
        LeadFact::OwnerSet { to: None, .. } => "owner removed".to_owned(),
        LeadFact::ReassignmentImpossible { .. } => "reassignment impossible".to_owned(),
        LeadFact::OperationsQueued { .. } => "queued for operations".to_owned(),
        LeadFact::ComplianceHeld { .. } => "held by compliance".to_owned(),
        LeadFact::HighValueFlagged { .. } => "flagged as high-value".to_owned(),
        LeadFact::StateChanged { to, .. } => format!("moved to {to}"),
        _ => return None,
    })
}
