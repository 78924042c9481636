//! What a lead knows of its account.

use serde::{Deserialize, Serialize};

/// An account's tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Tier {
    Standard,
    Strategic,
}

/// What a lead needs to know of its account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountView {
    /// The account's tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Whether new outreach is paused for a retention motion.
    #[serde(default)]
    pub outreach_paused: bool,
    /// The account's entry that this is as of.
    #[serde(default)]
    pub as_of: u64,
}
