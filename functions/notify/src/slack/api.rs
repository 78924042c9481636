//! One call of Slack's Web API, and the meaning of its answer.
//!
//! Slack reports errors as `ok: false` inside an answer of 200. It limits rates by method and workspace, with
//! 429 and `Retry-After`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use platform::secrets::SecretText;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, StatusCode, Url};
use serde_json::Value;

use crate::client::Transport;
use crate::send_error::{SendError, retry_after};

/// Wait after a rate limit that does not say how long: a channel takes about one message a second.
pub const RATE_LIMIT_DEFAULT: Duration = Duration::from_secs(1);
/// Largest answer that is read, in bytes: a page of a conversation holds some hundred messages.
pub const ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The error code for a conversation that does not exist.
pub const CHANNEL_NOT_FOUND: &str = "channel_not_found";
/// Error codes for a person whom Slack cannot reach.
const UNKNOWN_RECIPIENT: [&str; 5] =
    ["users_not_found", "user_not_found", "user_disabled", "user_not_visible", "cannot_dm_bot"];
/// Error codes for a fault on Slack's side.
const TRANSIENT: [&str; 5] =
    ["internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"];
/// Error codes for a token or an application that may not do this.
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

/// The deployment's access to Slack.
#[derive(Clone, Default, PartialEq, Eq)]
enum Access {
    /// The deployment has no Slack.
    #[default]
    None,
    /// The secret for the bot's token exists, and an operator has yet to fill it in.
    NotYet,
    /// The bot's token.
    Token(SecretText),
}

/// Calls Slack's Web API with the bot's token.
pub struct Api {
    http: Arc<dyn Transport>,
    /// Ends in a slash.
    base_url: Url,
    access: Mutex<Access>,
}

impl Api {
    /// Builds a client without a token. The base URL ends in a slash.
    pub fn new(http: Arc<dyn Transport>, base_url: Url) -> Self {
        Self { http, base_url, access: Mutex::default() }
    }

    /// Uses this token from now on, `None` when the deployment has no Slack. Returns whether it is another
    /// one than before.
    pub fn use_token(&self, token: Option<&str>) -> bool {
        let access = match token {
            None => Access::None,
            Some("") => Access::NotYet,
            Some(token) => Access::Token(token.into()),
        };
        let mut current = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = *current != access;
        *current = access;
        is_other
    }

    /// Calls a method once.
    ///
    /// # Errors
    /// [`SendError`], by Slack's error code or by the status of the answer.
    pub async fn call(
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
}

/// The arguments of a method. Methods that read take a form, which goes in the body: an address in a URL
/// would end up in logs.
pub enum Arguments<'a> {
    /// Fields of a form.
    Form(&'a [(&'static str, &'a str)]),
    /// A JSON document.
    Json(Value),
}

impl Arguments<'_> {
    fn encode(self) -> (&'static str, String) {
        match self {
            Self::Form(fields) => {
                // The URL parser encodes forms as well.
                let form = Url::parse_with_params("http://form/", fields);
                let query = form.ok().and_then(|url| url.query().map(str::to_owned));
                ("application/x-www-form-urlencoded", query.unwrap_or_default())
            }
            Self::Json(value) => ("application/json; charset=utf-8", value.to_string()),
        }
    }
}

/// The meaning of an error code of Slack for the message.
fn refusal(code: &str, wait: Option<Duration>) -> SendError {
    // Codes are words such as `invalid_auth`: any other text stays out of the log.
    let is_code = !code.is_empty() && code.len() <= 64;
    let is_code = is_code && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    match code {
        "ratelimited" | "rate_limited" => rate_limited(wait),
        _ if UNKNOWN_RECIPIENT.contains(&code) => SendError::UnknownRecipient,
        _ if TRANSIENT.contains(&code) => SendError::Transient { reason: code.to_owned(), retry_after: wait },
        _ if DEPLOYMENT_FAULT.contains(&code) => SendError::deployment_fault(code),
        _ if is_code => SendError::Permanent(code.to_owned()),
        _ => SendError::Permanent("unknown error".to_owned()),
    }
}

fn rate_limited(wait: Option<Duration>) -> SendError {
    SendError::RateLimited { retry_after: wait.unwrap_or(RATE_LIMIT_DEFAULT) }
}

/// The error for an answer that is not Slack's, such as a proxy's page.
pub fn unexpected() -> SendError {
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
