//! What can happen to an account.

use crate::account::state::Signal;
use crate::account_view::{AccountView, Tier};
use crate::notification::NotificationFact;
use crate::patch::Patch;
use crate::unread::Unread;
use chrono::{DateTime, Utc};
use policy::ids::PersonId;
use serde::{Deserialize, Serialize};

/// Changes of an account: absent stays, `null` clears.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountChanges {
    /// Its name.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub name: Patch<String>,
    /// Its tier.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub tier: Patch<Tier>,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub owner: Patch<PersonId>,
    /// Who looks after its success.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub customer_success_owner: Patch<PersonId>,
}

/// A fact about an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum AccountFact {
    /// It was heard of for the first time.
    #[serde(rename = "account.created")]
    Created {},
    /// A source said what its fields are.
    #[serde(rename = "account.updated")]
    Updated {
        /// The fields that changed.
        #[serde(default)]
        changes: AccountChanges,
        /// The fields that were said to be as they are already known.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        confirmed: Vec<String>,
        /// When the source says so.
        occurred_at: DateTime<Utc>,
    },
    /// A source said something older than what was applied.
    #[serde(rename = "input.stale")]
    InputStale {
        /// The fields it said it of.
        fields: Vec<String>,
        /// When the source says so.
        occurred_at: DateTime<Utc>,
    },
    /// Something was asked for that makes no sense.
    #[serde(rename = "input.refused")]
    InputRefused {
        /// What.
        what: String,
        /// Why not.
        why: String,
    },
    /// An input had members that nobody here understands; the rest of it was taken.
    #[serde(rename = "input.not-understood")]
    InputNotUnderstood(Unread),
    /// A signal came in.
    #[serde(rename = "churn.signal-recorded")]
    SignalRecorded {
        /// Its identity.
        id: String,
        /// Which signal.
        signal: Signal,
        /// When it was so, by the source's time.
        occurred_at: DateTime<Utc>,
        /// What it rests on; a stakeholder can be named in it.
        personal: Evidence,
    },
    /// It was tagged as at risk.
    #[serde(rename = "churn.elevated")]
    Elevated {
        /// The tag.
        tag: String,
    },
    /// Somebody is to be in touch with it by then.
    #[serde(rename = "touchpoint.scheduled")]
    TouchpointScheduled {
        /// When.
        due: DateTime<Utc>,
    },
    /// It is time to be in touch with it.
    #[serde(rename = "touchpoint.due")]
    TouchpointDue {},
    /// New outreach on its leads is paused.
    #[serde(rename = "outreach.paused")]
    OutreachPaused {
        /// Until when at the latest.
        until: DateTime<Utc>,
    },
    /// New outreach goes on.
    #[serde(rename = "outreach.resumed")]
    OutreachResumed {
        /// Why.
        reason: String,
    },
    /// The retention motion was completed.
    #[serde(rename = "retention.completed")]
    RetentionCompleted {
        /// In words.
        note: String,
    },
    /// A signal was found to mean nothing.
    #[serde(rename = "churn.false-positive")]
    FalsePositive {
        /// Which signal.
        id: String,
        /// Of which type, for the precision per type.
        signal: Signal,
        /// In words.
        note: String,
    },
    /// The tag was taken off.
    #[serde(rename = "churn.cleared")]
    Cleared {
        /// Why.
        reason: String,
    },
    /// Its leads were told what concerns them.
    #[serde(rename = "leads.told")]
    LeadsTold {
        /// What they were told.
        view: AccountView,
        /// How many.
        leads: u32,
    },
    /// Somebody is to be told, or was, or was not.
    #[serde(untagged)]
    Notification(NotificationFact),
}

/// What a signal rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// As the source says it, a JSON text: any number is well there, and it is one string to seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}
