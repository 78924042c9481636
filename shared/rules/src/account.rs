//! An account as its history made it: the second aggregate, of the same shape as a lead. Churn
//! risk lives here.

use crate::entry::Entry;
use crate::evolve::FoldError;
use crate::lead::{AccountView, Tier};
use crate::notification::NotificationFact;
use crate::patch::Patch;
use crate::unread::Unread;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, PersonId, Subject};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The CRM's identifier.
    pub id: AccountId,
    /// The last entry that is folded in.
    pub seq: u64,
    /// The last commit that is folded in.
    pub commit: u64,
    /// When the last entry took effect.
    pub changed_at: DateTime<Utc>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// Who looks after its success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_success_owner: Option<PersonId>,
    /// When each field was last said to be as it is, by the source's time.
    pub said_at: BTreeMap<String, DateTime<Utc>>,
    /// The churn risk that stands; the account is tagged for as long as it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn_risk: Option<ChurnRiskElevated>,
    /// What its leads were last told.
    pub leads_told: AccountView,
    /// The entry that last changed what its leads are to know.
    #[serde(default)]
    pub news_seq: u64,
    /// When that took effect. What is written meanwhile moves no due key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news_at: Option<DateTime<Utc>>,
}

/// How many signals of a risk an account carries; all of them are in its record.
const SIGNALS_MAX: usize = 200;

/// The tag of an account at risk.
pub const CHURN_RISK_TAG: &str = "churn-risk-elevated";

/// A churn risk that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChurnRiskElevated {
    /// Since when.
    pub since: DateTime<Utc>,
    /// The signals, the oldest first.
    pub signals: Vec<SignalRecord>,
    /// When somebody is to be in touch with the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touchpoint_due: Option<DateTime<Utc>>,
    /// Until when new outreach is paused at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outreach_paused_until: Option<DateTime<Utc>>,
}

/// A signal that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalRecord {
    /// Its identity: the event's id.
    pub id: String,
    /// Which signal.
    pub signal: Signal,
    /// Whether somebody found it to mean nothing.
    #[serde(default)]
    pub false_positive: bool,
}

/// The signals of churn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The product is used less.
    UsageDown,
    /// Support tickets pile up.
    TicketSpike,
    /// A contact or stakeholder left.
    StakeholderLeft,
}

impl Signal {
    /// In words, for a message.
    pub fn spelled(self) -> &'static str {
        match self {
            Self::UsageDown => "product usage is down",
            Self::TicketSpike => "support tickets spiked",
            Self::StakeholderLeft => "a stakeholder left",
        }
    }
}

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

impl Account {
    /// What its leads are to know of it now.
    pub fn view(&self) -> AccountView {
        AccountView {
            tier: self.tier,
            outreach_paused: self
                .churn_risk
                .as_ref()
                .is_some_and(|risk| risk.outreach_paused_until.is_some()),
            as_of: self.seq,
        }
    }

    /// Whether its leads know something else.
    pub fn has_news_for_leads(&self) -> bool {
        self.news_seq > self.leads_told.as_of
    }

    /// When it has to be looked at again.
    pub fn wake_at(&self) -> Option<DateTime<Utc>> {
        let news = self.has_news_for_leads().then_some(self.news_at.unwrap_or(self.changed_at));
        news.into_iter().chain(self.next_timer()).min()
    }

    /// When its churn risk is next due for something.
    pub fn next_timer(&self) -> Option<DateTime<Utc>> {
        let risk = self.churn_risk.as_ref()?;
        [risk.touchpoint_due, risk.outreach_paused_until].into_iter().flatten().min()
    }
}

/// Folds a whole history.
pub fn fold<'a>(
    entries: impl IntoIterator<Item = &'a Entry<AccountFact>>,
) -> Result<Option<Account>, FoldError> {
    entries.into_iter().try_fold(None, |account, entry| evolve(account, entry).map(Some))
}

/// What one entry makes of an account.
pub fn evolve(account: Option<Account>, entry: &Entry<AccountFact>) -> Result<Account, FoldError> {
    let after = account.as_ref().map_or(0, |a| a.seq);
    if entry.seq != after.saturating_add(1) {
        return Err(FoldError::Gap { subject: entry.subject.clone(), seq: entry.seq, after });
    }
    let mut account = match (account, &entry.fact, &entry.subject) {
        (None, AccountFact::Created {}, Subject::Account(id)) => Account {
            id: id.clone(),
            seq: 0,
            commit: 0,
            changed_at: entry.at,
            name: None,
            tier: None,
            owner: None,
            customer_success_owner: None,
            said_at: BTreeMap::new(),
            churn_risk: None,
            leads_told: AccountView::default(),
            news_seq: 0,
            news_at: None,
        },
        (Some(account), fact, Subject::Account(_)) if !matches!(fact, AccountFact::Created {}) => account,
        _ => {
            return Err(FoldError::Beginning { subject: entry.subject.clone(), seq: entry.seq });
        }
    };
    account.seq = entry.seq;
    account.commit = entry.commit;
    account.changed_at = entry.at;
    let before = account.view();
    apply(&mut account, entry);
    let after = account.view();
    // What came and went meanwhile is news all the same: some leads may have heard of it.
    if (before.tier, before.outreach_paused) != (after.tier, after.outreach_paused) {
        (account.news_seq, account.news_at) = (entry.seq, Some(entry.at));
    }
    Ok(account)
}

fn apply(account: &mut Account, entry: &Entry<AccountFact>) {
    match &entry.fact {
        AccountFact::Updated { changes, confirmed, occurred_at } => {
            let said_at = &mut account.said_at;
            macro_rules! apply {
                ($($field:ident),*) => {$(
                    if !changes.$field.is_keep() {
                        changes.$field.apply_to(&mut account.$field);
                        said_at.insert(stringify!($field).to_owned(), *occurred_at);
                    }
                )*};
            }
            apply!(name, tier, owner, customer_success_owner);
            for field in confirmed {
                said_at.insert(field.clone(), *occurred_at);
            }
        }
        AccountFact::Elevated { .. } => {
            account.churn_risk = Some(ChurnRiskElevated {
                since: entry.at,
                signals: Vec::new(),
                touchpoint_due: None,
                outreach_paused_until: None,
            });
        }
        AccountFact::SignalRecorded { id, signal, .. } => {
            if let Some(risk) = &mut account.churn_risk {
                if risk.signals.len() >= SIGNALS_MAX {
                    risk.signals.remove(0);
                }
                risk.signals.push(SignalRecord { id: id.clone(), signal: *signal, false_positive: false });
            }
        }
        AccountFact::TouchpointScheduled { due } => {
            if let Some(risk) = &mut account.churn_risk {
                risk.touchpoint_due = Some(*due);
            }
        }
        AccountFact::TouchpointDue {} => {
            if let Some(risk) = &mut account.churn_risk {
                risk.touchpoint_due = None;
            }
        }
        AccountFact::OutreachPaused { until } => {
            if let Some(risk) = &mut account.churn_risk {
                risk.outreach_paused_until = Some(*until);
            }
        }
        AccountFact::OutreachResumed { .. } => {
            if let Some(risk) = &mut account.churn_risk {
                risk.outreach_paused_until = None;
            }
        }
        AccountFact::FalsePositive { id, .. } => {
            for record in account.churn_risk.iter_mut().flat_map(|risk| &mut risk.signals) {
                record.false_positive |= record.id == *id;
            }
        }
        AccountFact::Cleared { .. } => account.churn_risk = None,
        AccountFact::LeadsTold { view, .. } => account.leads_told = view.clone(),
        AccountFact::Created {}
        | AccountFact::InputStale { .. }
        | AccountFact::InputRefused { .. }
        | AccountFact::InputNotUnderstood(_)
        | AccountFact::RetentionCompleted { .. }
        | AccountFact::Notification(_) => {}
    }
}
