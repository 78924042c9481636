//! Looks for a message in its conversation before it is sent again. A function that crashed between the post and the
//! record may have sent it; so may a function whose call got no answer. Slack lists the messages since then
//! (<https://docs.slack.dev/reference/methods/conversations.history>), and each message of Leadwatch carries its
//! notification's id as metadata.
//!
//! The bot needs the scopes `im:history`, `channels:history` and `groups:history`, and `channels:read` and
//! `groups:read` for channels that the directory knows by name. Without them the message is sent again, and the log
//! says why.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::api::{Api, Arguments, CHANNEL_NOT_FOUND};
use crate::outbound::Outbound;
use crate::send_error::SendError;

/// The kind of the metadata that a message carries.
pub const METADATA_TYPE: &str = "leadwatch_notification";

/// Clocks differ: the search begins this long before the first attempt.
const MARGIN: TimeDelta = TimeDelta::seconds(60);
/// Messages of one page; Slack gives up to 999.
const PAGE: &str = "100";
/// Pages of a conversation that are read at most.
const PAGES_MAX: usize = 5;
/// Pages of a thousand channels each in which a name is searched.
const CHANNEL_PAGES_MAX: usize = 5;
/// Error codes for a token that may not read: the deployment lacks a scope, or the bot is not in the channel.
const CLOSED: [&str; 7] = [
    "missing_scope",
    "not_in_channel",
    "channel_not_found",
    "not_allowed_token_type",
    "no_permission",
    "access_denied",
    "method_not_supported_for_channel_type",
];

/// Whether a message is in a channel, given by id or as `#name`, since a time.
///
/// # Errors
/// [`SendError`] if Slack does not answer: ask again.
pub async fn has_in_channel(
    api: &Api,
    channel: &str,
    outbound: &Outbound,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, SendError> {
    let id = match channel.strip_prefix('#') {
        Some(name) => channel_id(api, name, now).await,
        None => Ok(Some(channel.to_owned())),
    };
    match id {
        Ok(Some(id)) => has(api, &id, outbound, since, now).await,
        Ok(None) => Ok(cannot_look(outbound, CHANNEL_NOT_FOUND)),
        Err(error) => unless_closed(outbound, error),
    }
}

/// Whether a message is in a conversation, given by id, since a time.
///
/// # Errors
/// [`SendError`] if Slack does not answer: ask again.
pub async fn has(
    api: &Api,
    channel: &str,
    outbound: &Outbound,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, SendError> {
    let oldest = (since - MARGIN).timestamp().to_string();
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
        let page = match api.call("conversations.history", Arguments::Form(&fields), now).await {
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

async fn channel_id(api: &Api, name: &str, now: DateTime<Utc>) -> Result<Option<String>, SendError> {
    let mut cursor = String::new();
    for _ in 0..CHANNEL_PAGES_MAX {
        let fields = [
            ("types", "public_channel,private_channel"),
            ("exclude_archived", "true"),
            ("limit", "1000"),
            ("cursor", &cursor),
        ];
        let fields: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let page = api.call("conversations.list", Arguments::Form(&fields), now).await?;
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

fn is_ours(message: &Value, id: &str) -> bool {
    let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
    text("/metadata/event_type") == Some(METADATA_TYPE)
        && text("/metadata/event_payload/notification_id") == Some(id)
}

fn next(page: &Value) -> Option<String> {
    let cursor = page.pointer("/response_metadata/next_cursor").and_then(Value::as_str);
    cursor.filter(|cursor| !cursor.is_empty()).map(str::to_owned)
}

/// A token without permission to read must not delay the message.
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

/// Says that the message was not found: two copies are better than none.
fn cannot_look(outbound: &Outbound, why: &str) -> bool {
    tracing::warn!(
        notification = outbound.id,
        reason = why,
        "cannot see whether Slack has the message already; sending it again"
    );
    false
}
