//! Shared secrets from AWS Secrets Manager, cached.
//!
//! Three outcomes have different answers: the secret does not exist (an unknown source), it is temporarily
//! unavailable (503), or it was read. A failure to read is never an authentication failure: senders give up
//! on a 401, and try again after a 503.
//!
//! During an outage of the store, a cached value is used for up to [`STALE_MAX`], so that webhooks continue.
//! The price: a secret that is revoked during the outage stays valid for that long. If the store answers that
//! a secret does not exist, the cached value ends at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::standard_webhooks::SigningKey;
use crate::strict_json;

/// How long a value is used without asking again, unless the deployment sets another time.
pub const TTL_DEFAULT: TimeDelta = TimeDelta::minutes(5);
/// How long a fetched value is used during an outage of the store.
pub const STALE_MAX: TimeDelta = TimeDelta::hours(1);
/// How long a missing secret is remembered.
pub const ABSENT_TTL: TimeDelta = TimeDelta::minutes(1);
/// The pause after a failed call, while there is a cached value.
pub const RETRY_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// Longest wait for the store: the shortest deadline of a CRM is five seconds.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// Most secrets in the cache, present and missing ones together.
pub const ENTRIES_MAX: usize = 256;
/// Most active secrets of one webhook source.
pub const ACTIVE_MAX: usize = 2;

/// Why a secret is unavailable. Shows its name, never its value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The secret does not exist, or is scheduled for deletion.
    #[error("the secret `{id}` does not exist")]
    NotFound {
        /// The name of the secret.
        id: String,
    },
    /// The store did not answer, or refused, and no recent value is cached.
    #[error("the secret `{id}` is temporarily unavailable")]
    Unreachable {
        /// The name of the secret.
        id: String,
        /// The SDK's error; `None` for a time-out.
        #[source]
        cause: Option<Box<SdkError<GetSecretValueError>>>,
    },
    /// The secret has the wrong content. An operator has to correct it.
    #[error("the secret `{id}` must hold {expected}")]
    Malformed {
        /// The name of the secret.
        id: String,
        /// The expected content.
        expected: &'static str,
    },
}

/// Answers 404 for a missing secret, and 503 otherwise, so that senders return after the repair.
impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::NotFound { .. } => Self::not_found("the source does not exist"),
            SecretError::Unreachable { .. } | SecretError::Malformed { .. } => {
                Self::unavailable(30, "the source's secret is temporarily unavailable; send again later")
            }
        }
    }
}

/// The value of a secret. Debug output hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Arc<str>);

impl SecretText {
    /// The value.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self(Arc::from(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretText(…)")
    }
}

struct Entry {
    /// `None` if the secret does not exist.
    value: Option<SecretText>,
    fetched_at: DateTime<Utc>,
    /// When to ask the store again.
    ask_at: DateTime<Utc>,
}

/// Reads secrets and caches them.
pub struct Secrets {
    client: Client,
    ttl: TimeDelta,
    entries: Mutex<HashMap<String, Entry>>,
}

impl Secrets {
    /// A reader with an empty cache.
    #[must_use]
    pub fn new(client: Client, ttl: TimeDelta) -> Self {
        Self { client, ttl, entries: Mutex::default() }
    }

    /// The text of a secret.
    ///
    /// # Errors
    /// [`SecretError::NotFound`], [`SecretError::Unreachable`].
    pub async fn text(&self, id: &str, now: DateTime<Utc>) -> Result<SecretText, SecretError> {
        if let Some(known) = self.known(id, now) {
            return known.ok_or_else(|| SecretError::NotFound { id: id.to_owned() });
        }
        match self.fetch(id).await {
            Ok(value) => {
                self.remember(id, Some(value.clone()), now, self.ttl);
                Ok(value)
            }
            Err(error @ SecretError::NotFound { .. }) => {
                self.remember(id, None, now, ABSENT_TTL);
                Err(error)
            }
            Err(error) => self.stale(id, now).ok_or(error),
        }
    }

    /// A secret that holds JSON.
    ///
    /// # Errors
    /// As for [`Self::text`], and [`SecretError::Malformed`].
    pub async fn json<T: DeserializeOwned>(
        &self,
        id: &str,
        expected: &'static str,
        now: DateTime<Utc>,
    ) -> Result<T, SecretError> {
        let text = self.text(id, now).await?;
        let document = strict_json::parse(text.expose().as_bytes()).ok();
        let value = document.and_then(|document| serde_json::from_value(document).ok());
        value.ok_or_else(|| SecretError::Malformed { id: id.to_owned(), expected })
    }

    /// The signing keys of a source: `{"active": ["whsec_…", "whsec_…"]}`, one or two.
    ///
    /// # Errors
    /// As for [`Self::json`].
    pub async fn signing_keys(&self, id: &str, now: DateTime<Utc>) -> Result<Vec<SigningKey>, SecretError> {
        const EXPECTED: &str = r#"{"active": [one or two secrets that begin with whsec_]}"#;
        #[derive(Deserialize)]
        struct Hook {
            active: Vec<String>,
        }
        let hook: Hook = self.json(id, EXPECTED, now).await?;
        let keys = hook.active.iter().map(|secret| SigningKey::parse(secret)).collect::<Result<Vec<_>, _>>();
        let keys = keys.ok().filter(|keys| (1..=ACTIVE_MAX).contains(&keys.len()));
        keys.ok_or_else(|| SecretError::Malformed { id: id.to_owned(), expected: EXPECTED })
    }

    /// The cached state: `None` if the store has to be asked.
    fn known(&self, id: &str, now: DateTime<Utc>) -> Option<Option<SecretText>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(id).filter(|entry| now < entry.ask_at)?;
        Some(entry.value.clone())
    }

    /// The cached value to use during an outage; the next call to the store waits.
    fn stale(&self, id: &str, now: DateTime<Utc>) -> Option<SecretText> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get_mut(id).filter(|entry| now - entry.fetched_at <= STALE_MAX)?;
        let value = entry.value.clone()?;
        entry.ask_at = (now + RETRY_PAUSE).min(entry.fetched_at + STALE_MAX);
        tracing::warn!(secret = id, "the secret store did not answer; using the cached value");
        Some(value)
    }

    fn remember(&self, id: &str, value: Option<SecretText>, now: DateTime<Utc>, ttl: TimeDelta) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES_MAX && !entries.contains_key(id) {
            // Missing ones go first: anyone can request a name that does not exist.
            let oldest = entries.iter().min_by_key(|(_, entry)| (entry.value.is_some(), entry.fetched_at));
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                entries.remove(&oldest);
            }
        }
        entries.insert(id.to_owned(), Entry { value, fetched_at: now, ask_at: now + ttl });
    }

    async fn fetch(&self, id: &str) -> Result<SecretText, SecretError> {
        let unreachable = |cause| SecretError::Unreachable { id: id.to_owned(), cause };
        let call = self.client.get_secret_value().secret_id(id).send();
        let answer = tokio::time::timeout(FETCH_TIMEOUT, call).await.map_err(|_| unreachable(None))?;
        match answer {
            Ok(output) => match output.secret_string {
                Some(text) => Ok(SecretText(text.into())),
                None => Err(SecretError::Malformed { id: id.to_owned(), expected: "text, not binary" }),
            },
            // Secrets Manager answers "invalid request" for a secret that is scheduled for deletion.
            Err(SdkError::ServiceError(refusal))
                if refusal.err().is_resource_not_found_exception()
                    || refusal.err().is_invalid_request_exception() =>
            {
                Err(SecretError::NotFound { id: id.to_owned() })
            }
            Err(error) => Err(unreachable(Some(Box::new(error)))),
        }
    }
}

#[cfg(test)]
mod tests;
