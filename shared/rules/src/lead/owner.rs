//! An owner who left or is away.

use chrono::{DateTime, Utc};
use policy::ids::PersonId;
use serde::{Deserialize, Serialize};

/// An owner who cannot work their leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerGone {
    /// Who.
    pub owner: PersonId,
    /// Why.
    pub because: GoneReason,
    /// Until when they are away, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// Why an owner cannot work their leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoneReason {
    /// They are no longer a rep.
    Left,
    /// They are away.
    Absent,
}

/// What happened to a lead whose owner left with a publication.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Orphaned {
    /// Who left.
    pub from: PersonId,
    /// Their name in the directory before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new owner, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PersonId>,
    /// Whether the owner who left keeps it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}
