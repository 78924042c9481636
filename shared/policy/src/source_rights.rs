//! The fields and markets that a source may write. A source that the directory does not list may write
//! everything.

use crate::ids::MarketId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The fields that a source can be limited to.
pub const FIELDS: [&str; 18] = [
    "source",
    "market",
    "country",
    "company",
    "account_id",
    "account_tier",
    "score",
    "deal_size",
    "contact",
    "owner",
    "state",
    "hold_until",
    "waiting_on_customer",
    "account.name",
    "account.tier",
    "account.owner",
    "account.customer_success_owner",
    "account.signal",
];

/// What one source may write.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SourceRights {
    /// The markets whose leads it may write. Default: all. Accounts belong to no market, so a source with
    /// `markets` can write only those account fields that `fields` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markets: Option<BTreeSet<MarketId>>,
    /// The fields that it may write. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeSet<String>>,
}

impl SourceRights {
    /// Whether it may write leads of a market; `None` is a market that nobody knows.
    pub fn covers(&self, market: Option<&MarketId>) -> bool {
        self.markets.as_ref().is_none_or(|markets| market.is_some_and(|market| markets.contains(market)))
    }

    /// Whether it may write a field of a lead.
    pub fn may_write(&self, field: &str) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.contains(field))
    }

    /// Whether it may write a field of an account. Accounts belong to no market, so a source with markets
    /// needs the field by name.
    pub fn may_write_account(&self, field: &str) -> bool {
        match (&self.fields, &self.markets) {
            (Some(fields), _) => fields.contains(field),
            (None, markets) => markets.is_none(),
        }
    }
}
