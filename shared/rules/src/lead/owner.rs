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
    pub because: Gone,
    /// Until when they are away, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// Why an owner cannot work their leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gone {
    /// They are no rep of any team any more.
    Left,
    /// They are away.
    Absent,
}

/// What a publication made of a lead whose owner left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Orphaned {
    /// Who left.
    pub from: PersonId,
    /// Their name, as the directory before it said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who has it now; absent: nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PersonId>,
    /// Whether the owner who left still has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}
