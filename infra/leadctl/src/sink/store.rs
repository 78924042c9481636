//! The newest messages, in memory.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;

/// How many messages are kept; older ones are dropped.
const MESSAGES_MAX: usize = 1_000;
/// How many people are kept: more than a local directory has.
const PEOPLE_MAX: usize = 10_000;

/// The result of checking a webhook's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// The stack's key signed these bytes.
    Valid,
    /// The signature does not fit.
    Invalid,
    /// There is no signature.
    Missing,
}

/// A received message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Its number, from one.
    pub seq: u64,
    /// When it was received, RFC 3339.
    pub at: String,
    /// `chat.postMessage`, `webhook`, `teams` or `email`.
    pub method: String,
    /// The Slack channel as the sender named it, the name of the webhook or Teams workflow, or an email's sender.
    pub channel: String,
    /// The recipient's address, for a direct message or an email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The text; for a webhook the body; for an email the subject, an empty line and the body.
    pub text: String,
    /// Slack's layout blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Value>,
    /// A Slack message's metadata for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// A webhook's headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The check of a webhook's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

impl Message {
    /// The recipient, for a person: an address, a channel or a webhook.
    #[must_use]
    pub fn to(&self) -> &str {
        self.recipient.as_deref().unwrap_or(&self.channel)
    }
}

/// Everything that the sink keeps. All of it is bounded.
#[derive(Debug)]
pub(super) struct Store {
    inner: Mutex<Inner>,
    news: broadcast::Sender<Message>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    messages: VecDeque<Message>,
    /// The addresses behind Slack's ids.
    people: HashMap<String, String>,
    /// Channels that got a 429 already.
    slowed: HashSet<String>,
}

impl Default for Store {
    fn default() -> Self {
        Self { inner: Mutex::default(), news: broadcast::channel(MESSAGES_MAX).0 }
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message and sets its number and time. Returns the number.
    pub(super) fn add(&self, mut message: Message) -> u64 {
        let mut inner = self.lock();
        inner.last += 1;
        message.seq = inner.last;
        message.at = DateTime::<Utc>::from(SystemTime::now()).to_rfc3339_opts(SecondsFormat::Millis, true);
        if inner.messages.len() == MESSAGES_MAX {
            inner.messages.pop_front();
        }
        inner.messages.push_back(message.clone());
        let seq = inner.last;
        drop(inner);
        // Sending fails if there is no receiver, which is fine.
        let _ = self.news.send(message);
        seq
    }

    pub(super) fn after(&self, after: u64) -> Vec<Message> {
        self.lock().messages.iter().filter(|message| message.seq > after).cloned().collect()
    }

    pub(super) fn last(&self) -> u64 {
        self.lock().last
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.news.subscribe()
    }

    /// Keeps the address behind an id.
    pub(super) fn keep_address(&self, id: String, email: String) {
        let mut inner = self.lock();
        if inner.people.len() < PEOPLE_MAX {
            inner.people.insert(id, email);
        }
    }

    pub(super) fn email_of(&self, id: &str) -> Option<String> {
        self.lock().people.get(id).cloned()
    }

    /// Returns true once per channel.
    pub(super) fn slow_down_once(&self, channel: &str) -> bool {
        let mut inner = self.lock();
        inner.slowed.len() < PEOPLE_MAX && inner.slowed.insert(channel.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message {
            seq: 0,
            at: String::new(),
            method: "chat.postMessage".into(),
            channel: "#sales".into(),
            recipient: None,
            text: text.into(),
            blocks: None,
            metadata: None,
            headers: BTreeMap::new(),
            signature: None,
        }
    }

    #[test]
    fn the_oldest_messages_are_dropped() {
        let store = Store::default();
        for number in 0..=MESSAGES_MAX {
            store.add(message(&number.to_string()));
        }
        let kept = store.after(0);
        assert_eq!(kept.len(), MESSAGES_MAX);
        assert_eq!((kept[0].seq, kept[0].text.as_str()), (2, "1"));
        assert_eq!(store.last(), MESSAGES_MAX as u64 + 1);
        assert_eq!(store.after(store.last()).len(), 0);
    }
}
