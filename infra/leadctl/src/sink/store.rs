//! The messages that were taken in, as many as fit.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;

/// How many messages are kept; older ones go.
const MESSAGES_MAX: usize = 1_000;
/// How many people are known at once. More than a local directory will have.
const PEOPLE_MAX: usize = 10_000;

/// What became of checking a webhook's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// It was made with our key over these bytes.
    Valid,
    /// It was not.
    Invalid,
    /// There was none.
    Missing,
}

/// One message as it came in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Counts from one.
    pub seq: u64,
    /// When it came in; RFC 3339.
    pub at: String,
    /// `chat.postMessage`, `webhook`, `teams` or `email`.
    pub method: String,
    /// The Slack channel as named by the sender, the webhook's name, Teams' name, or the address that an e-mail is from.
    pub channel: String,
    /// For a direct message or an e-mail, the address of who gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The text; of a webhook, its body; of an e-mail, its subject and, after an empty line, its body.
    pub text: String,
    /// Layout blocks as Slack has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Value>,
    /// What a Slack message carries for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// A webhook's headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Whether a webhook's signature is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

impl Message {
    /// Where it went, for a person: an address, a channel or a webhook.
    #[must_use]
    pub fn to(&self) -> &str {
        self.recipient.as_deref().unwrap_or(&self.channel)
    }
}

/// Everything that the sink remembers. Bounded.
#[derive(Debug)]
pub(super) struct Store {
    inner: Mutex<Inner>,
    news: broadcast::Sender<Message>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    messages: VecDeque<Message>,
    /// Slack's user ids and the addresses they were given out for.
    people: HashMap<String, String>,
    /// Channels that have been told to slow down, once each.
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

    /// Takes a message in; its number and time are set here. Returns its number.
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
        // Nobody listening is fine.
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

    /// Remembers whose id that is.
    pub(super) fn meet(&self, id: String, email: String) {
        let mut inner = self.lock();
        if inner.people.len() < PEOPLE_MAX {
            inner.people.insert(id, email);
        }
    }

    pub(super) fn email_of(&self, id: &str) -> Option<String> {
        self.lock().people.get(id).cloned()
    }

    /// Whether this is the first time for the channel.
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
    fn the_oldest_go_when_there_are_too_many() {
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
