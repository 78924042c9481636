//! Queue messages: tagged and versioned, so that two versions of the code can share a queue.

use chrono::{DateTime, Utc};
use policy::ids::{NotificationId, Subject};
use serde::{Deserialize, Serialize};

/// A message of the due queue: a subject has something due at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "v")]
pub enum Due {
    /// The first version.
    #[serde(rename = "1")]
    V1 {
        /// The lead, account, rep or publication.
        subject: Subject,
        /// When it is due.
        due: DateTime<Utc>,
        /// The change of the subject that the indexes must show by now: the message was delayed for that. The
        /// queue measures the delay, because the clocks of two functions differ.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        indexed: Option<u64>,
        /// Whether the message was delayed for the longest lag of an index, and not only the usual one: then
        /// the indexes show the whole change.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        last: bool,
    },
}

/// A message of the notification queue: a notification to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "v")]
pub enum Notify {
    /// The first version. The outbox has the content.
    #[serde(rename = "1")]
    V1 {
        /// The notification.
        id: NotificationId,
    },
}
