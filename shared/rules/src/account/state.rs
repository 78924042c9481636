//! An account as its history made it: the second aggregate, of the same shape as a lead. Churn
//! risk lives here.

use crate::account_view::{AccountView, Tier};
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, PersonId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
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
    pub said_at: BTreeMap<SmolStr, DateTime<Utc>>,
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
