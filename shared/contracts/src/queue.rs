//! Queue messages: tagged and versioned, so that two versions of the code can share a queue.

use chrono::{DateTime, Utc};
use policy::ids::{NotificationId, Subject};
use serde::{Deserialize, Serialize};

/// A message of the due queue: this subject has something due at this instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "v")]
pub enum Due {
    /// The first version.
    #[serde(rename = "1")]
    V1 {
        /// What is to be looked at.
        subject: Subject,
        /// When.
        due: DateTime<Utc>,
        /// The change of the subject that indexes are to show by now: the message was held back for that.
        /// The queue measures that time, since the clocks of two functions differ.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        indexed: Option<u64>,
        /// Whether it was held back for as long as any index may be behind, and not as long as they are as
        /// a rule: then nothing of that change is left to be seen.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        last: bool,
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
