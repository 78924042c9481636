//! What can be asked of an account.

use crate::account::event::AccountChanges;
use crate::account::state::Signal;
use crate::account_view::AccountView;
use crate::entry::Actor;
use crate::notification::Delivery;
use crate::recordable::{PersonalInput, Recordable};
use crate::unread::Unread;
use chrono::{DateTime, Utc};
use policy::ids::AccountId;
use serde::{Deserialize, Serialize};

/// An input to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountCommand {
    /// The account.
    pub account: AccountId,
    /// Who brings it.
    pub actor: Actor,
    /// Its identity: the same input has the same, however often it comes.
    pub cause: String,
    /// What it is.
    pub input: AccountInput,
}

/// What can be asked of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountInput {
    /// A source says what its fields are.
    Update {
        /// When it was so, by the source's time.
        occurred_at: DateTime<Utc>,
        /// What changed.
        changes: AccountChanges,
        /// What nobody here understood of it.
        #[serde(default, skip_serializing_if = "Unread::is_empty")]
        unread: Unread,
    },
    /// A signal of churn.
    Signal {
        /// When it was so, by the source's time.
        occurred_at: DateTime<Utc>,
        /// Which.
        signal: Signal,
        /// What it rests on, a JSON text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<String>,
        /// What nobody here understood of it.
        #[serde(default, skip_serializing_if = "Unread::is_empty")]
        unread: Unread,
    },
    /// A source said something that is no event; the refusal belongs into the record.
    RefusedAtDoor {
        /// The field.
        field: String,
        /// What stands there and what would be right.
        why: String,
    },
    /// The retention motion was completed.
    RetentionCompleted {
        /// In words.
        note: String,
    },
    /// A signal meant nothing.
    FalsePositive {
        /// Which.
        signal_id: String,
        /// In words.
        note: String,
    },
    /// Something may be due.
    Wake,
    /// All its leads were told.
    LeadsTold {
        /// What they were told.
        view: AccountView,
        /// How many.
        leads: u32,
    },
    /// A notification reached its recipient, or did not.
    Delivery(Delivery),
}

impl Recordable for AccountInput {
    fn set_apart(&mut self) -> PersonalInput {
        // The fact has the evidence. It can be large, and no decision looks at it: once is enough.
        self.forget();
        PersonalInput::default()
    }

    fn put_back(&mut self, _: PersonalInput) {}

    fn is_personal(&self) -> bool {
        matches!(self, Self::Signal { evidence: Some(_), .. })
    }

    fn personal_texts(&mut self) -> Vec<&mut String> {
        if let Self::Signal { evidence, .. } = self { evidence.iter_mut().collect() } else { Vec::new() }
    }

    fn forget(&mut self) {
        if let Self::Signal { evidence, .. } = self {
            *evidence = None;
        }
    }
}
