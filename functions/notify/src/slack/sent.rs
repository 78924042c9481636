//! Whether a message is in its conversation already. A function that crashed between the post and the record may have
//! sent it; so may one whose call got no answer. Slack is asked for what was said since
//! (<https://docs.slack.dev/reference/methods/conversations.history>), and each message of ours has its notification's
//! id in its metadata.
//!
//! It takes the scopes `im:history`, `channels:history` and `groups:history`, and for channels that the directory
//! knows by name `channels:read` and `groups:read`. Without them the message is sent again, and the log says why.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Arguments, GONE, METADATA_TYPE, Slack};
use crate::channel::Outbound;
use crate::send_error::SendError;

/// Clocks differ: so much before the first attempt is looked at too.
const BEFORE: TimeDelta = TimeDelta::seconds(60);
/// Messages of one page; Slack gives up to 999.
const PAGE: &str = "100";
/// Pages of a conversation that are looked at: a channel is not read to its end.
const PAGES_MAX: usize = 5;
/// Pages of channels in which a name is looked for, of a thousand each.
const CHANNEL_PAGES_MAX: usize = 5;
/// Slack refuses to let this token look: the deployment lacks a scope, or the bot is not in the channel.
const CLOSED: [&str; 7] = [
    "missing_scope",
    "not_in_channel",
    "channel_not_found",
    "not_allowed_token_type",
    "no_permission",
    "access_denied",
    "method_not_supported_for_channel_type",
];

impl Slack {
    /// Whether a person was told since an instant.
    ///
    /// # Errors
    /// [`SendError`] where Slack does not answer; it has to be asked again.
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
        self.has(&channel, outbound, since, now).await
    }

    /// Whether a message is in a channel since an instant.
    ///
    /// # Errors
    /// [`SendError`] where Slack does not answer; it has to be asked again.
    pub async fn has_in_channel(
        &self,
        channel: &str,
        outbound: &Outbound,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, SendError> {
        let id = match channel.strip_prefix('#') {
            Some(name) => self.channel_id(name, now).await,
            None => Ok(Some(channel.to_owned())),
        };
        match id {
            Ok(Some(id)) => self.has(&id, outbound, since, now).await,
            Ok(None) => Ok(cannot_look(outbound, GONE)),
            Err(error) => unless_closed(outbound, error),
        }
    }

    async fn has(
        &self,
        channel: &str,
        outbound: &Outbound,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, SendError> {
        let oldest = (since - BEFORE).timestamp().to_string();
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let fields = [
                ("channel", channel),
                ("oldest", &oldest),
                ("limit", PAGE),
                ("include_all_metadata", "true"),
                ("cursor", &cursor),
            ];
            let fields: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            let page = match self.call("conversations.history", Arguments::Form(&fields), now).await {
                Ok(page) => page,
                Err(error) => return unless_closed(outbound, error),
            };
            let messages = page.get("messages").and_then(Value::as_array).into_iter().flatten();
            if messages.into_iter().any(|message| is_ours(message, &outbound.id)) {
                return Ok(true);
            }
            match next(&page) {
                Some(next) => cursor = next,
                None => return Ok(false),
            }
        }
        Ok(cannot_look(outbound, "too many messages since"))
    }

    async fn channel_id(&self, name: &str, now: DateTime<Utc>) -> Result<Option<String>, SendError> {
        let mut cursor = String::new();
        for _ in 0..CHANNEL_PAGES_MAX {
            let fields = [
                ("types", "public_channel,private_channel"),
                ("exclude_archived", "true"),
                ("limit", "1000"),
                ("cursor", &cursor),
            ];
            let fields: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            let page = self.call("conversations.list", Arguments::Form(&fields), now).await?;
            let text = |channel: &Value, field: &str| {
                channel.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let mut channels = page.get("channels").and_then(Value::as_array).into_iter().flatten();
            if let Some(found) = channels.find(|channel| text(channel, "name") == name) {
                return Ok(Some(text(found, "id")));
            }
            match next(&page) {
                Some(next) => cursor = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }
}

fn is_ours(message: &Value, id: &str) -> bool {
    let said = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
    said("/metadata/event_type") == Some(METADATA_TYPE)
        && said("/metadata/event_payload/notification_id") == Some(id)
}

fn next(page: &Value) -> Option<String> {
    let cursor = page.pointer("/response_metadata/next_cursor").and_then(Value::as_str);
    cursor.filter(|cursor| !cursor.is_empty()).map(str::to_owned)
}

/// A refusal to let us look is no reason to hold the message back.
fn unless_closed(outbound: &Outbound, error: SendError) -> Result<bool, SendError> {
    match &error {
        SendError::Permanent(code) | SendError::Transient { reason: code, .. }
            if CLOSED.contains(&code.as_str()) =>
        {
            Ok(cannot_look(outbound, code))
        }
        _ => Err(error),
    }
}

/// Better twice than never.
fn cannot_look(outbound: &Outbound, why: &str) -> bool {
    tracing::warn!(
        notification = outbound.id,
        reason = why,
        "Slack does not show whether the message is there already; it is sent again"
    );
    false
}
