//! Shared secrets from AWS Secrets Manager, cached.
//!
//! Three outcomes are kept apart, because they are answered differently: there is no such secret (the source is not
//! known), the secret cannot be had for now (try again, 503), and it was had. A failure to fetch is never an
//! authentication failure: senders give up on a 401, and come back after a 503.
//!
//! When the store cannot be reached, a value that was fetched before goes on being served for up to [`STALE_MAX`], so
//! that an outage there does not stop webhooks here; the price is that a secret revoked during the outage is accepted
//! for that long. When the store answers that the secret is gone, it is gone at once.

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

/// How long a value is served without asking again, unless the deployment says otherwise.
pub const TTL_DEFAULT: TimeDelta = TimeDelta::minutes(5);
/// How long a value is served after it was fetched when the store cannot be reached.
pub const STALE_MAX: TimeDelta = TimeDelta::hours(1);
/// How long it is remembered that there is no such secret.
pub const ABSENT_TTL: TimeDelta = TimeDelta::minutes(1);
/// How long the store is left alone after it could not be reached, while there is a value to serve.
pub const RETRY_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// Longest wait for the store: the shortest deadline of a CRM is five seconds.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// Secrets that are remembered, present and absent ones together.
pub const ENTRIES_MAX: usize = 256;
/// Secrets of one webhook source that may be active at once.
pub const ACTIVE_MAX: usize = 2;

/// Why there is no secret to use. Shows the secret's name, never its value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is no such secret, or it is about to be deleted.
    #[error("there is no secret `{id}`")]
    NotFound {
        /// The name of the secret.
        id: String,
    },
    /// The store did not answer, or refused to, and nothing recent enough is cached.
    #[error("the secret `{id}` cannot be read for now")]
    Unreachable {
        /// The name of the secret.
        id: String,
        /// What the SDK says; none when the time ran out.
        #[source]
        cause: Option<Box<SdkError<GetSecretValueError>>>,
    },
    /// The secret is there and not what it should be. The operator has to correct it.
    #[error("the secret `{id}` must hold {expected}")]
    Malformed {
        /// The name of the secret.
        id: String,
        /// What it should hold.
        expected: &'static str,
    },
}

/// Not found is 404, all else 503: who sends comes back when it is repaired.
impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::NotFound { .. } => Self::not_found("there is no such source"),
            SecretError::Unreachable { .. } | SecretError::Malformed { .. } => {
                Self::unavailable(30, "the source's secret cannot be read for now; send again later")
            }
        }
    }
}

/// The value of a secret. Shows itself as dots.
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
    /// `None`: there is no such secret.
    value: Option<SecretText>,
    fetched_at: DateTime<Utc>,
    /// Not before this is the store asked again.
    ask_at: DateTime<Utc>,
}

/// Reads secrets and remembers them.
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
    /// As of [`Self::text`], and [`SecretError::Malformed`].
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

    /// The keys with which a source may sign: `{"active": ["whsec_…", "whsec_…"]}`, one or two of them.
    ///
    /// # Errors
    /// As of [`Self::json`].
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

    /// What the cache says: `None` when the store has to be asked.
    fn known(&self, id: &str, now: DateTime<Utc>) -> Option<Option<SecretText>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(id).filter(|entry| now < entry.ask_at)?;
        Some(entry.value.clone())
    }

    /// The value to go on with when the store cannot be reached, which is then left alone for a while.
    fn stale(&self, id: &str, now: DateTime<Utc>) -> Option<SecretText> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get_mut(id).filter(|entry| now - entry.fetched_at <= STALE_MAX)?;
        let value = entry.value.clone()?;
        entry.ask_at = (now + RETRY_PAUSE).min(entry.fetched_at + STALE_MAX);
        tracing::warn!(secret = id, "the secret store cannot be reached, an earlier value is served");
        Some(value)
    }

    fn remember(&self, id: &str, value: Option<SecretText>, now: DateTime<Utc>, ttl: TimeDelta) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES_MAX && !entries.contains_key(id) {
            // Absent ones go first: anyone can ask for a name that does not exist.
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
