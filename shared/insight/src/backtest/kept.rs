//! What is kept of leads and accounts between their commits: what history made of them, and of a
//! replay only what is not as in history.

use super::shelf::{Form, Pack, Shelf, unkept};
use crate::replay::ReplayError;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, LeadId, NotificationId};
use policy::{InForce, Message};
use rules::account::Account;
use rules::lead::Lead;
use rules::notification::Recipient;
use std::collections::HashMap;

/// Requests of a lead that went its own way are remembered for their deliveries, so many at most.
const ASKED_MAX: usize = 32;

/// Leads and accounts as history has them.
#[derive(Debug, Default)]
pub(super) struct History {
    pub leads: Shelf<HistoryLead>,
    pub accounts: HashMap<AccountId, HistoryAccount>,
}

/// A lead as history has it.
#[derive(Debug, Default)]
pub(super) struct HistoryLead {
    lead: Form,
    /// When history has to look at it again.
    pub wake: Option<DateTime<Utc>>,
}

/// An account as history has it.
#[derive(Debug)]
pub(super) struct HistoryAccount {
    pub account: Account,
    /// When history has to look at it again.
    pub wake: Option<DateTime<Utc>>,
}

impl History {
    /// A lead as history has it.
    ///
    /// # Errors
    /// None in practice: it was written here.
    pub fn lead(&self, id: &LeadId) -> Result<Option<Lead>, ReplayError> {
        let kept = self.leads.get(id).map_or(Ok(None), |kept| kept.lead.lead());
        kept.map_err(|source| unkept(id, source))
    }

    /// Keeps what a commit made of a lead.
    ///
    /// # Errors
    /// None in practice: every lead can be written as JSON.
    pub fn keep_lead(
        &mut self,
        id: &LeadId,
        lead: Lead,
        wake: Option<DateTime<Utc>>,
    ) -> Result<(), ReplayError> {
        self.leads.put(id, HistoryLead { lead: Form::of(Some(lead)), wake })
    }

    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id).map(|kept| &kept.account)
    }
}

impl Pack for HistoryLead {
    fn pack(&mut self) -> Result<(), serde_json::Error> {
        self.lead.pack()
    }
}

/// A lead in a replay, as far as it is not as in history.
#[derive(Debug)]
pub(super) struct LeadInPlay {
    /// The replay waits for the same instant as history, so that the recorded wake stands for both.
    pub follows: bool,
    /// When the replay looks at it by itself.
    pub armed: Option<DateTime<Utc>>,
    /// A timer of its own came due while that of history was late: it runs when history says that
    /// timers run again.
    pub is_waiting: bool,
    /// What is kept once it is not as in history.
    pub apart: Option<Box<Apart>>,
}

/// What is kept of a lead that went its own way.
#[derive(Debug, Default)]
pub(super) struct Apart {
    lead: Form,
    /// What was asked to be told since then, in history and in the replay.
    in_history: Vec<Asked>,
    in_play: Vec<Asked>,
}

/// A request to tell somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub id: NotificationId,
    pub message: Message,
    pub to: Recipient,
}

impl Default for LeadInPlay {
    /// As in history.
    fn default() -> Self {
        Self { follows: true, armed: None, is_waiting: false, apart: None }
    }
}

impl LeadInPlay {
    /// As the replay has it; `None` if that is as in history.
    pub fn own(&self, id: &LeadId) -> Result<Option<Option<Lead>>, ReplayError> {
        let own = self.apart.as_ref().map(|apart| apart.lead.lead()).transpose();
        own.map_err(|source| unkept(id, source))
    }

    /// Keeps what the replay made of it.
    pub fn keep(&mut self, lead: Option<Lead>) {
        self.apart.get_or_insert_default().lead = Form::of(lead);
    }

    /// Whether there is nothing to keep.
    pub fn is_as_in_history(&self) -> bool {
        self.follows && self.armed.is_none() && !self.is_waiting && self.apart.is_none()
    }
}

impl Pack for LeadInPlay {
    fn pack(&mut self) -> Result<(), serde_json::Error> {
        self.apart.as_mut().map_or(Ok(()), |apart| apart.lead.pack())
    }
}

impl Apart {
    /// Remembers requests of history.
    pub fn asked_in_history(&mut self, asked: impl Iterator<Item = Asked>) {
        remember(&mut self.in_history, asked);
    }

    /// Remembers requests of the replay.
    pub fn asked_in_play(&mut self, asked: impl Iterator<Item = Asked>) {
        remember(&mut self.in_play, asked);
    }

    /// The request of the replay that a recorded delivery speaks of. One that was made before it
    /// went its own way has the same id in both; one that the replay did not make has none.
    pub fn delivered(&mut self, id: &NotificationId) -> Option<NotificationId> {
        let Some(place) = self.in_history.iter().position(|asked| asked.id == *id) else {
            return Some(id.clone());
        };
        let recorded = self.in_history.remove(place);
        let same = |asked: &Asked| asked.message == recorded.message && asked.to == recorded.to;
        let place = self.in_play.iter().position(same)?;
        Some(self.in_play.remove(place).id)
    }
}

fn remember(all: &mut Vec<Asked>, asked: impl Iterator<Item = Asked>) {
    all.extend(asked);
    let too_many = all.len().saturating_sub(ASKED_MAX);
    all.drain(..too_many);
}

/// Whether two leads are the same but for the revisions that they were decided under.
pub(super) fn is_same(recorded: &Lead, replayed: &Lead) -> bool {
    let in_force = recorded.in_force;
    // Most differ in their number of entries, if at all.
    recorded.seq == replayed.seq && *recorded == under(replayed.clone(), in_force)
}

/// A lead as if it had been decided under these revisions.
pub(super) fn under(mut lead: Lead, in_force: InForce) -> Lead {
    lead.in_force = in_force;
    lead
}
