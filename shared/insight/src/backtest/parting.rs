//! Where the two sides of a comparison part for a lead: what people would notice on each, in order,
//! held against the other.

use super::report::FirstDifference;
use super::tally::{Side, recipient};
use chrono::{DateTime, Utc};
use policy::ids::LeadId;
use rules::entry::Entry;
use rules::lead::LeadFact;
use rules::notification::NotificationFact;
use std::collections::VecDeque;

/// What people would notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Noticed {
    at: DateTime<Utc>,
    what: String,
}

/// What one side has and the other does not have yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Parting {
    baseline: VecDeque<Noticed>,
    candidate: VecDeque<Noticed>,
    /// They parted, and it was told.
    is_told: bool,
}

impl Parting {
    /// Notes what a commit has for people to notice.
    pub fn note(&mut self, side: Side, since: DateTime<Utc>, entries: &[Entry<LeadFact>]) {
        if self.is_told {
            return;
        }
        let queue = match side {
            Side::Baseline => &mut self.baseline,
            Side::Candidate => &mut self.candidate,
        };
        let noticed = entries.iter().filter(|entry| entry.at >= since);
        queue.extend(noticed.filter_map(|e| Some(Noticed { at: e.at, what: describe(&e.fact)? })));
    }

    /// Where they part, once both are complete up to now; told once.
    pub fn check(&mut self, lead: &LeadId) -> Option<FirstDifference> {
        while !self.is_told {
            match (self.baseline.front(), self.candidate.front()) {
                (None, None) => return None,
                (Some(a), Some(b)) if a == b => {
                    self.baseline.pop_front();
                    self.candidate.pop_front();
                }
                (a, b) => {
                    let at = a.into_iter().chain(b).map(|noticed| noticed.at).min()?;
                    let then = |noticed: Option<&Noticed>| {
                        noticed.filter(|noticed| noticed.at == at).map(|noticed| noticed.what.clone())
                    };
                    let (baseline, candidate) = (then(a), then(b));
                    let first = FirstDifference { lead: lead.clone(), at, baseline, candidate };
                    *self = Self { is_told: true, ..Self::default() };
                    return Some(first);
                }
            }
        }
        None
    }
}

/// What there is to notice of a fact, in words; facts that nobody would notice are passed over.
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
        LeadFact::OwnerSet { to: None, .. } => "owner taken away".to_owned(),
        LeadFact::ReassignmentImpossible { .. } => "could not be given to anybody".to_owned(),
        LeadFact::OperationsQueued { .. } => "into the operations queue".to_owned(),
        LeadFact::ComplianceHeld { .. } => "held by compliance".to_owned(),
        LeadFact::HighValueFlagged { .. } => "flagged as high-value".to_owned(),
        LeadFact::StateChanged { to, .. } => format!("to {to}"),
        _ => return None,
    })
}
