//! Queue messages: tagged and versioned, so that two versions of the code can share a queue.

use chrono::{DateTime, Utc};
use rules::ids::{NotificationId, Subject};
use serde::{Deserialize, Serialize};

/// A message of the due queue: this subject has something due at this instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "v")]
pub enum Due {
    /// The first version.
    #[serde(rename = "1")]
    V1 {
        /// Which lead or account.
        subject: Subject,
        /// When.
        due: DateTime<Utc>,
    },
}

/// A message of the notification queue: this notification is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "v")]
pub enum Notify {
    /// The first version. What to say is in the outbox, not here.
    #[serde(rename = "1")]
    V1 {
        /// Which.
        id: NotificationId,
    },
}
