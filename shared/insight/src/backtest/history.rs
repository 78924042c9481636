//! The recorded state of leads and accounts.

use super::lead_store::{LeadStore, Pack, StoredLead, unreadable_lead};
use crate::replay::ReplayError;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, LeadId};
use rules::account::Account;
use rules::lead::Lead;
use std::collections::HashMap;

/// The leads and accounts as recorded so far.
#[derive(Debug, Default)]
pub(super) struct History {
    pub leads: LeadStore<RecordedLead>,
    pub accounts: HashMap<AccountId, RecordedAccount>,
}

/// A lead as recorded.
#[derive(Debug, Default)]
pub(super) struct RecordedLead {
    lead: StoredLead,
    /// When the lead is due.
    pub wake_at: Option<DateTime<Utc>>,
}

/// An account as recorded.
#[derive(Debug)]
pub(super) struct RecordedAccount {
    pub account: Account,
    /// When the account is due.
    pub wake_at: Option<DateTime<Utc>>,
}

impl History {
    /// A lead as recorded.
    ///
    /// # Errors
    /// None in practice: this module wrote the lead.
    pub fn lead(&self, id: &LeadId) -> Result<Option<Lead>, ReplayError> {
        let lead = self.leads.get(id).map_or(Ok(None), |recorded| recorded.lead.lead());
        lead.map_err(|source| unreadable_lead(id, source))
    }

    /// Stores a lead after a commit.
    ///
    /// # Errors
    /// None in practice: every lead can be written as JSON.
    pub fn put_lead(
        &mut self,
        id: &LeadId,
        lead: Lead,
        wake_at: Option<DateTime<Utc>>,
    ) -> Result<(), ReplayError> {
        self.leads.put(id, RecordedLead { lead: StoredLead::of(Some(lead)), wake_at })
    }

    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id).map(|recorded| &recorded.account)
    }
}

impl Pack for RecordedLead {
    fn pack(&mut self) -> Result<(), serde_json::Error> {
        self.lead.pack()
    }
}
