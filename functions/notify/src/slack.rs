//! Slack's Web API (<https://docs.slack.dev/apis/web-api>): direct messages and channels.
//!
//! Slack reports errors as `ok: false` inside an answer of 200, and limits rates with 429 and `Retry-After`, by method
//! and workspace. It knows no idempotency key: a message carries the notification's id as metadata, by which [`sent`]
//! finds it before it would be sent a second time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use platform::secrets::SecretText;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, StatusCode, Url};
use serde_json::{Value, json};

use crate::channel::Outbound;
use crate::client::Transport;
use crate::render;
use crate::send_error::{SendError, retry_after};

/// Where Slack is, unless the deployment says otherwise.
pub const BASE_URL_DEFAULT: &str = "https://slack.com/api/";
/// How long it is remembered which conversation leads to a person.
pub const CONVERSATION_TTL: TimeDelta = TimeDelta::hours(1);
/// People that are remembered.
pub const CONVERSATIONS_MAX: usize = 1000;
/// Wait after a rate limit that does not say how long: about one message a second goes to a channel.
pub const RATE_LIMIT_DEFAULT: Duration = Duration::from_secs(1);
/// Largest answer that is read, in bytes: a page of a conversation holds some hundred messages.
pub const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The kind of the metadata that a message carries.
pub const METADATA_TYPE: &str = "leadwatch_notification";

/// There is no such conversation.
const GONE: &str = "channel_not_found";
/// The person cannot be reached in Slack.
const UNKNOWN_RECIPIENT: [&str; 5] =
    ["users_not_found", "user_not_found", "user_disabled", "user_not_visible", "cannot_dm_bot"];
/// A fault on Slack's side.
const TRANSIENT: [&str; 5] =
    ["internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"];
/// The deployment's token or application is not, or no longer, good for this.
const DEPLOYMENT_FAULT: [&str; 9] = [
    "not_authed",
    "invalid_auth",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "not_allowed_token_type",
    "no_permission",
    "access_denied",
];

/// How to get in.
#[derive(Clone, Default, PartialEq, Eq)]
enum Access {
    /// The deployment has no Slack.
    #[default]
    None,
    /// There is a place for the bot's token, and an operator has yet to put it there.
    NotYet,
    /// The bot's token.
    Token(SecretText),
}

struct Conversation {
    channel: String,
    found_at: DateTime<Utc>,
}

/// A client of Slack's Web API.
pub struct Slack {
    http: Arc<dyn Transport>,
    /// Ends in a slash. See [`BASE_URL_DEFAULT`].
    base_url: Url,
    access: Mutex<Access>,
    /// By e-mail address.
    conversations: Mutex<HashMap<String, Conversation>>,
}

impl Slack {
    /// With the client of [`crate::client`], whose time-out bounds each call, and without a token. The base URL ends in
    /// a slash.
    #[must_use]
    pub fn new(http: Arc<dyn Transport>, base_url: Url) -> Self {
        Self { http, base_url, access: Mutex::default(), conversations: Mutex::default() }
    }

    /// The bot's token from now on; `None` when the deployment has no Slack. Another token may be another workspace's,
    /// where no conversation is known.
    pub fn use_token(&self, token: Option<&str>) {
        let access = match token {
            None => Access::None,
            Some("") => Access::NotYet,
            Some(token) => Access::Token(token.into()),
        };
        let mut current = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != access {
            *current = access;
            self.conversations().clear();
        }
    }

    /// Makes one attempt to tell a person, found by e-mail address.
    ///
    /// # Errors
    /// [`SendError::UnknownRecipient`] when Slack does not know the address or the account is switched off.
    pub async fn send_dm(
        &self,
        email: &str,
        outbound: &Outbound,
        now: DateTime<Utc>,
    ) -> Result<(), SendError> {
        if let Some(channel) = self.remembered(email, now) {
            match self.post(&channel, outbound, now).await {
                // The conversation is gone: look the person up again.
                Err(SendError::Permanent(code)) if code == GONE => {}
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

    async fn open(&self, email: &str, now: DateTime<Utc>) -> Result<String, SendError> {
        let found = self.call("users.lookupByEmail", Arguments::Form(&[("email", email)]), now).await?;
        let user = found.get("user").unwrap_or(&Value::Null);
        if user.get("deleted").and_then(Value::as_bool) == Some(true) {
            return Err(SendError::UnknownRecipient);
        }
        let id = user.get("id").and_then(Value::as_str).ok_or_else(unexpected)?;
        let arguments = Arguments::Json(json!({"users": id}));
        let opened = self.call("conversations.open", arguments, now).await?;
        let channel = opened.pointer("/channel/id").and_then(Value::as_str).ok_or_else(unexpected)?;
        Ok(channel.to_owned())
    }

    async fn post(&self, channel: &str, outbound: &Outbound, now: DateTime<Utc>) -> Result<(), SendError> {
        let arguments = json!({
            "channel": channel,
            "text": render::fallback(outbound),
            "blocks": render::blocks(outbound),
            "unfurl_links": false,
            "unfurl_media": false,
            "metadata": {
                "event_type": METADATA_TYPE,
                "event_payload": {"notification_id": outbound.id},
            },
        });
        self.call("chat.postMessage", Arguments::Json(arguments), now).await.map(|_| ())
    }

    async fn call(
        &self,
        method: &str,
        arguments: Arguments<'_>,
        now: DateTime<Utc>,
    ) -> Result<Value, SendError> {
        let access = self.access.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let token = match &access {
            Access::None => return Err(SendError::NotConfigured),
            Access::NotYet => return Err(SendError::deployment_fault("no token is set")),
            Access::Token(token) => token.expose(),
        };
        let url = self.base_url.join(method);
        let url = url.map_err(|_| SendError::Permanent("the base URL is not usable".to_owned()))?;
        let (media_type, body) = arguments.encode();
        let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| SendError::deployment_fault("the token is not usable"))?;
        bearer.set_sensitive(true);
        let mut request = Request::new(Method::POST, url);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        *request.body_mut() = Some(body.into());
        let answer = self.http.call(request).await?;
        let status = answer.status();
        let wait = retry_after(answer.headers(), now);
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(rate_limited(wait));
        }
        if status.is_server_error() {
            let reason = format!("HTTP {}", status.as_u16());
            return Err(SendError::Transient { reason, retry_after: wait });
        }
        if !status.is_success() {
            return Err(SendError::Permanent(format!("HTTP {}", status.as_u16())));
        }
        let bytes = read_bounded(answer).await?;
        let document: Value = serde_json::from_slice(&bytes).map_err(|_| unexpected())?;
        match document.get("ok").and_then(Value::as_bool) {
            Some(true) => Ok(document),
            Some(false) => {
                let code = document.get("error").and_then(Value::as_str).unwrap_or_default();
                Err(refusal(code, wait))
            }
            None => Err(unexpected()),
        }
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

/// Methods that read take a form. In the body, as an address in a URL would end up in logs.
enum Arguments<'a> {
    Form(&'a [(&'static str, &'a str)]),
    Json(Value),
}

impl Arguments<'_> {
    fn encode(self) -> (&'static str, String) {
        match self {
            Self::Form(fields) => {
                // The URL parser brings the encoding of forms along.
                let form = Url::parse_with_params("http://form/", fields);
                let query = form.ok().and_then(|url| url.query().map(str::to_owned));
                ("application/x-www-form-urlencoded", query.unwrap_or_default())
            }
            Self::Json(value) => ("application/json; charset=utf-8", value.to_string()),
        }
    }
}

/// What an error code of Slack means for the message.
fn refusal(code: &str, wait: Option<Duration>) -> SendError {
    // Codes are words such as `invalid_auth`: anything else does not get into a log.
    let is_code = !code.is_empty() && code.len() <= 64;
    let is_code = is_code && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    match code {
        "ratelimited" | "rate_limited" => rate_limited(wait),
        _ if UNKNOWN_RECIPIENT.contains(&code) => SendError::UnknownRecipient,
        _ if TRANSIENT.contains(&code) => SendError::Transient { reason: code.to_owned(), retry_after: wait },
        _ if DEPLOYMENT_FAULT.contains(&code) => SendError::deployment_fault(code),
        _ if is_code => SendError::Permanent(code.to_owned()),
        _ => SendError::Permanent("unnamed error".to_owned()),
    }
}

fn rate_limited(wait: Option<Duration>) -> SendError {
    SendError::RateLimited { retry_after: wait.unwrap_or(RATE_LIMIT_DEFAULT) }
}

/// Something between us and Slack answered, such as a proxy's page.
fn unexpected() -> SendError {
    SendError::transient("unexpected answer")
}

async fn read_bounded(mut answer: reqwest::Response) -> Result<Vec<u8>, SendError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(unexpected());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

mod sent;

#[cfg(test)]
mod tests;
