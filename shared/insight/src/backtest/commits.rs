//! Recorded commits, and what a replay makes of them.

use crate::replay::Replayed;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{AccountId, LeadId};
use rules::account::{Account, AccountCommand, AccountFact};
use rules::entry::Entry;
use rules::lead::{Command, Lead, LeadFact};
use rules::record::{CommitRecord, Saw};
use rules::rep::LoadChange;

/// A recorded commit of a lead.
pub(super) struct LeadCommit<'c> {
    pub id: &'c LeadId,
    pub record: &'c CommitRecord,
    /// What the recorded decision saw of teams and accounts.
    pub saw: &'c Saw,
    pub command: Option<&'c Command>,
    pub before: Option<&'c Lead>,
    pub wake_before: Option<DateTime<Utc>>,
    /// The lead after the commit, with the recorded entries.
    pub recorded: &'c Replayed<Lead, LeadFact>,
    /// The directory of the recorded decision.
    pub directory: Option<&'c Directory>,
    pub load_changes: &'c [LoadChange],
}

/// What a replay made of a lead.
pub(super) struct LeadChange {
    pub before: Option<Lead>,
    pub after: Option<Lead>,
    pub entries: Vec<Entry<LeadFact>>,
}

/// A recorded commit of an account.
pub(super) struct AccountCommit<'c> {
    pub id: &'c AccountId,
    pub record: &'c CommitRecord,
    pub command: Option<&'c AccountCommand>,
    pub before: Option<&'c Account>,
    pub wake_before: Option<DateTime<Utc>>,
    /// The account after the commit, with the recorded entries.
    pub recorded: &'c Replayed<Account, AccountFact>,
}

/// What a replay made of an account and of its leads.
#[derive(Default)]
pub(super) struct AccountChange {
    pub entries: Vec<Entry<AccountFact>>,
    pub leads: Vec<(LeadId, LeadChange)>,
}
