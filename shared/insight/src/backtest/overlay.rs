//! What a replay stores of leads and accounts: only what differs from history.

use super::lead_store::{Pack, StoredLead, unreadable_lead};
use crate::replay::ReplayError;
use chrono::{DateTime, Utc};
use policy::ids::{LeadId, NotificationId};
use policy::{InForce, Message};
use rules::account::Account;
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact};
use rules::notification::{NotificationFact, Recipient};

/// How many requests of a diverged lead a replay remembers for their deliveries.
const REQUESTS_MAX: usize = 32;

/// A lead in a replay, as far as it differs from history.
#[derive(Debug)]
pub(super) struct LeadOverlay {
    /// The replay waits for the same time as history, so the recorded timer counts for both.
    pub shares_timer: bool,
    /// The replay's own timer.
    pub wake_at: Option<DateTime<Utc>>,
    /// The replay's own timer came due during a recorded outage. It runs when the record shows that timers
    /// run again.
    pub is_delayed: bool,
    /// The lead, once it has diverged from history.
    pub diverged: Option<Box<DivergedLead>>,
}

/// A lead that has diverged from history.
#[derive(Debug, Default)]
pub(super) struct DivergedLead {
    lead: StoredLead,
    /// The notification requests since then, in history and in the replay.
    recorded: Vec<NotificationRequest>,
    replayed: Vec<NotificationRequest>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NotificationRequest {
    id: NotificationId,
    message: Message,
    to: Recipient,
}

/// An account in a replay, as far as it differs from history.
#[derive(Debug)]
pub(super) struct AccountOverlay {
    /// The account, once it has diverged from history.
    pub diverged: Option<Option<Account>>,
    /// The recorded timer counts for the replay, too.
    pub shares_timer: bool,
    /// The replay's own timer.
    pub wake_at: Option<DateTime<Utc>>,
}

impl Default for LeadOverlay {
    /// No difference.
    fn default() -> Self {
        Self { shares_timer: true, wake_at: None, is_delayed: false, diverged: None }
    }
}

impl LeadOverlay {
    /// The diverged lead. `None` if the lead has not diverged.
    pub fn lead(&self, id: &LeadId) -> Result<Option<Option<Lead>>, ReplayError> {
        let lead = self.diverged.as_ref().map(|diverged| diverged.lead.lead()).transpose();
        lead.map_err(|source| unreadable_lead(id, source))
    }

    /// Stores the lead as diverged.
    pub fn diverge(&mut self, lead: Option<Lead>) {
        self.diverged.get_or_insert_default().lead = StoredLead::of(lead);
    }

    /// Whether the replay has the lead as history has it.
    pub fn is_empty(&self) -> bool {
        self.shares_timer && self.wake_at.is_none() && !self.is_delayed && self.diverged.is_none()
    }
}

impl Pack for LeadOverlay {
    fn pack(&mut self) -> Result<(), serde_json::Error> {
        self.diverged.as_mut().map_or(Ok(()), |diverged| diverged.lead.pack())
    }
}

impl DivergedLead {
    /// Remembers the notification requests in recorded and in replayed entries.
    pub fn remember_requests(&mut self, recorded: &[Entry<LeadFact>], replayed: &[Entry<LeadFact>]) {
        remember(&mut self.recorded, requests(recorded));
        remember(&mut self.replayed, requests(replayed));
    }

    /// The replay's request that corresponds to a recorded delivery. A request from before the divergence
    /// has the same id in both. A request that the replay did not make has no counterpart.
    pub fn counterpart(&mut self, id: &NotificationId) -> Option<NotificationId> {
        let Some(place) = self.recorded.iter().position(|request| request.id == *id) else {
            return Some(id.clone());
        };
        let recorded = self.recorded.remove(place);
        let is_same =
            |request: &NotificationRequest| request.message == recorded.message && request.to == recorded.to;
        let place = self.replayed.iter().position(is_same)?;
        Some(self.replayed.remove(place).id)
    }
}

fn requests(entries: &[Entry<LeadFact>]) -> impl Iterator<Item = NotificationRequest> {
    entries.iter().filter_map(|entry| match &entry.fact {
        LeadFact::Notification(NotificationFact::Requested(n)) => {
            Some(NotificationRequest { id: n.id.clone(), message: n.message, to: n.to.clone() })
        }
        _ => None,
    })
}

fn remember(all: &mut Vec<NotificationRequest>, requests: impl Iterator<Item = NotificationRequest>) {
    all.extend(requests);
    let too_many = all.len().saturating_sub(REQUESTS_MAX);
    all.drain(..too_many);
}

impl Default for AccountOverlay {
    /// No difference.
    fn default() -> Self {
        Self { diverged: None, shares_timer: true, wake_at: None }
    }
}

impl AccountOverlay {
    /// Whether the replay has the account as history has it.
    pub fn is_empty(&self) -> bool {
        self.diverged.is_none() && self.shares_timer && self.wake_at.is_none()
    }
}

/// Whether two leads are equal except for the revisions of their latest decision.
pub(super) fn is_same(recorded: &Lead, replayed: &Lead) -> bool {
    let in_force = recorded.in_force;
    // Most that differ have another number of entries, so compare that first.
    recorded.seq == replayed.seq && *recorded == under(replayed.clone(), in_force)
}

/// A lead as if its latest decision had been under these revisions.
pub(super) fn under(mut lead: Lead, in_force: InForce) -> Lead {
    lead.in_force = in_force;
    lead
}
