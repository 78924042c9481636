//! Where the two histories of a lead part: what people would notice of each, in order, held
//! against the other.

use super::report::FirstDifference;
use super::tally::{Side, recipient};
use crate::entry::Entry;
use crate::ids::LeadId;
use crate::lead_fact::LeadFact;
use crate::notification::NotificationFact;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What people would notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Noticed {
    at: DateTime<Utc>,
    what: String,
}

/// What one history has and the other does not have yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Parting {
    recorded: VecDeque<Noticed>,
    replayed: VecDeque<Noticed>,
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
            Side::Recorded => &mut self.recorded,
            Side::Replayed => &mut self.replayed,
        };
        let noticed = entries.iter().filter(|entry| entry.at >= since);
        queue.extend(noticed.filter_map(|e| Some(Noticed { at: e.at, what: describe(&e.fact)? })));
    }

    /// Where they part, once both are complete up to now; told once.
    pub fn check(&mut self, lead: &LeadId) -> Option<FirstDifference> {
        while !self.is_told {
            match (self.recorded.front(), self.replayed.front()) {
                (None, None) => return None,
                (Some(a), Some(b)) if a == b => {
                    self.recorded.pop_front();
                    self.replayed.pop_front();
                }
                (a, b) => {
                    let at = a.into_iter().chain(b).map(|noticed| noticed.at).min()?;
                    let then = |noticed: Option<&Noticed>| {
                        noticed.filter(|noticed| noticed.at == at).map(|noticed| noticed.what.clone())
                    };
                    let (recorded, replayed) = (then(a), then(b));
                    let first = FirstDifference { lead: lead.clone(), at, recorded, replayed };
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
