//! Slack's Web API (<https://docs.slack.dev/apis/web-api>): direct messages and channels.
//!
//! | module | purpose |
//! | --- | --- |
//! | `api` | one call, and the meaning of its answer |
//! | [`blocks`] | a message in Block Kit |
//! | `history` | finds a message that is there already: Slack knows no idempotency key |

mod api;
pub mod blocks;
mod history;

pub use api::{ANSWER_BYTES_MAX, RATE_LIMIT_DEFAULT};
pub use history::METADATA_TYPE;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::{Api, Arguments, CHANNEL_NOT_FOUND, unexpected};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Url;
use serde_json::{Value, json};

use crate::client::Transport;
use crate::outbound::Outbound;
use crate::send_error::SendError;

/// Slack's address, unless the deployment sets another one.
pub const BASE_URL_DEFAULT: &str = "https://slack.com/api/";
/// How long a person's conversation is remembered.
pub const CONVERSATION_TTL: TimeDelta = TimeDelta::hours(1);
/// People whose conversations are remembered.
pub const CONVERSATIONS_MAX: usize = 1000;

struct Conversation {
    channel: String,
    found_at: DateTime<Utc>,
}

/// A client of Slack's Web API.
pub struct Slack {
    api: Api,
    /// By email address.
    conversations: Mutex<HashMap<String, Conversation>>,
}

impl Slack {
    /// Builds a client without a token. The HTTP client of [`crate::client`] bounds each call by its time-out. The base
    /// URL ends in a slash, as [`BASE_URL_DEFAULT`] does.
    #[must_use]
    pub fn new(http: Arc<dyn Transport>, base_url: Url) -> Self {
        Self { api: Api::new(http, base_url), conversations: Mutex::default() }
    }

    /// Uses this token from now on, `None` when the deployment has no Slack. Another token may belong to another
    /// workspace, so every remembered conversation is forgotten.
    pub fn use_token(&self, token: Option<&str>) {
        if self.api.use_token(token) {
            self.conversations().clear();
        }
    }

    /// Makes one attempt to send a direct message to the person with this email address.
    ///
    /// # Errors
    /// [`SendError::UnknownRecipient`] when Slack does not know the address or the account is deactivated.
    pub async fn send_dm(
        &self,
        email: &str,
        outbound: &Outbound,
        now: DateTime<Utc>,
    ) -> Result<(), SendError> {
        if let Some(channel) = self.remembered(email, now) {
            match self.post(&channel, outbound, now).await {
                // The conversation no longer exists: look the person up again.
                Err(SendError::Permanent(code)) if code == CHANNEL_NOT_FOUND => {}
                Err(SendError::UnknownRecipient) => {
                    self.conversations().remove(email);
                    return Err(SendError::UnknownRecipient);
                }
                outcome => return outcome,
            }
        }
        let channel = self.open(email, now).await?;
        self.remember(email, &channel, now);
        self.post(&channel, outbound, now).await
    }

    /// Makes one attempt to post to a channel.
    ///
    /// # Errors
    /// [`SendError`]; a channel that does not exist, is archived or is closed to the bot is permanent.
    pub async fn send_to_channel(
        &self,
        channel: &str,
        outbound: &Outbound,
        now: DateTime<Utc>,
    ) -> Result<(), SendError> {
        self.post(channel, outbound, now).await
    }

    /// Whether a direct message has gone to this person since a time.
    ///
    /// # Errors
    /// [`SendError`] if Slack does not answer: ask again.
    pub async fn has_dm(
        &self,
        email: &str,
        outbound: &Outbound,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, SendError> {
        let channel = match self.remembered(email, now) {
            Some(channel) => channel,
            None => self.open(email, now).await?,
        };
        self.remember(email, &channel, now);
        history::has(&self.api, &channel, outbound, since, now).await
    }

    /// Whether a message is in a channel since a time.
    ///
    /// # Errors
    /// [`SendError`] if Slack does not answer: ask again.
    pub async fn has_in_channel(
        &self,
        channel: &str,
        outbound: &Outbound,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, SendError> {
        history::has_in_channel(&self.api, channel, outbound, since, now).await
    }

    async fn open(&self, email: &str, now: DateTime<Utc>) -> Result<String, SendError> {
        let found = self.api.call("users.lookupByEmail", Arguments::Form(&[("email", email)]), now).await?;
        let user = found.get("user").unwrap_or(&Value::Null);
        if user.get("deleted").and_then(Value::as_bool) == Some(true) {
            return Err(SendError::UnknownRecipient);
        }
        let id = user.get("id").and_then(Value::as_str).ok_or_else(unexpected)?;
        let arguments = Arguments::Json(json!({"users": id}));
        let opened = self.api.call("conversations.open", arguments, now).await?;
        let channel = opened.pointer("/channel/id").and_then(Value::as_str).ok_or_else(unexpected)?;
        Ok(channel.to_owned())
    }

    async fn post(&self, channel: &str, outbound: &Outbound, now: DateTime<Utc>) -> Result<(), SendError> {
        let arguments = json!({
            "channel": channel,
            "text": blocks::fallback(outbound),
            "blocks": blocks::blocks(outbound),
            "unfurl_links": false,
            "unfurl_media": false,
            "metadata": {
                "event_type": METADATA_TYPE,
                "event_payload": {"notification_id": outbound.id},
            },
        });
        self.api.call("chat.postMessage", Arguments::Json(arguments), now).await.map(|_| ())
    }

    fn conversations(&self) -> std::sync::MutexGuard<'_, HashMap<String, Conversation>> {
        self.conversations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, email: &str, now: DateTime<Utc>) -> Option<String> {
        let conversations = self.conversations();
        let conversation = conversations.get(email)?;
        let is_fresh = now - conversation.found_at < CONVERSATION_TTL;
        is_fresh.then(|| conversation.channel.clone())
    }

    fn remember(&self, email: &str, channel: &str, now: DateTime<Utc>) {
        let mut conversations = self.conversations();
        if conversations.len() >= CONVERSATIONS_MAX && !conversations.contains_key(email) {
            let oldest = conversations.iter().min_by_key(|(_, known)| known.found_at);
            if let Some(oldest) = oldest.map(|(email, _)| email.clone()) {
                conversations.remove(&oldest);
            }
        }
        let conversation = Conversation { channel: channel.to_owned(), found_at: now };
        conversations.insert(email.to_owned(), conversation);
    }
}

#[cfg(test)]
mod tests;
