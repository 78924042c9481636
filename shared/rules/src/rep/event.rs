//! What can happen to a rep.

use crate::notification::NotificationFact;
use crate::roster::{Availability, LeadsOfAbsent};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A fact about a rep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum RepFact {
    /// Somebody said whether they take leads.
    #[serde(rename = "rep.availability-set")]
    AvailabilitySet(Availability),
    /// They are away, and their leads were looked after.
    #[serde(rename = "rep.absence-followed")]
    AbsenceFollowed(AbsenceDigest),
    /// Somebody is to be told, or was, or was not.
    #[serde(untagged)]
    Notification(NotificationFact),
}

/// What a manager is told of the leads of a rep who is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsenceDigest {
    /// Until when the rep is away; absent: until they say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Whether the absence is over by now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
    /// What became of leads since the digest before it.
    #[serde(flatten)]
    pub leads: LeadsOfAbsent,
    /// How many open leads stay with them and wait for nobody else.
    pub kept: u32,
}
