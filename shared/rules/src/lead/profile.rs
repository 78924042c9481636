//! What the CRM says of a lead, none of it personal.

use crate::account_view::Tier;
use crate::patch::Patch;
use policy::ids::{AccountId, Country, MarketId, Source};
use policy::measure::Money;
use serde::{Deserialize, Serialize};

/// What the CRM says of a lead, none of it personal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of `ProfileChanges`")]
pub struct Profile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_tier: Option<Tier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal_size: Option<Money>,
}

/// Changes of a lead's profile: absent stays, `null` clears.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProfileChanges {
    /// Where the lead came from.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub source: Patch<Source>,
    /// The market it belongs to; one that the directory lacks quarantines it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub market: Patch<MarketId>,
    /// Its jurisdiction.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub country: Patch<Country>,
    /// The company's name.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub company: Patch<String>,
    /// The account it belongs to.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub account_id: Patch<AccountId>,
    /// The account's tier, as the lead's record says.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub account_tier: Patch<Tier>,
    /// 0–1000.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub score: Patch<u16>,
    /// The estimated deal size.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub deal_size: Patch<Money>,
}

impl ProfileChanges {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How urgent a lead is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Priority {
    #[default]
    Normal,
    High,
}
