//! Signs and verifies webhooks as in Standard Webhooks 1.0 (<https://www.standardwebhooks.com>).
//!
//! The signature is HMAC-SHA256 over `id.timestamp.body`, with the raw bytes of the body. Verification takes
//! the time as an argument and compares in constant time. The `standardwebhooks` crate is not used because
//! its `verify` reads the system clock, and its `sign` takes text only.
//!
//! ```
//! use platform::standard_webhooks::SigningKey;
//!
//! let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let signature = key.sign("msg_1", 1_614_265_330, b"{}");
//! assert!(signature.starts_with("v1,"));
//! # Ok::<(), platform::standard_webhooks::SecretFormatError>(())
//! ```

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::problem::{Challenge, Problem};

/// Header with the message's id.
pub const ID_HEADER: &str = "webhook-id";
/// Header with the time of sending, in seconds since the epoch.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// Header with the signatures, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";
/// The largest difference between the time of sending and now.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// The prefix of a secret.
pub const SECRET_PREFIX: &str = "whsec_";
/// The length of a key in bytes, by the specification.
pub const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Most signatures that are checked in one header: more than a rotation needs.
pub const SIGNATURES_MAX: usize = 8;
/// Longest message id, in bytes.
pub const ID_BYTES_MAX: usize = 256;

/// The text is not a secret of this scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret must be `whsec_` followed by 24 to 64 bytes in base64")]
pub struct SecretFormatError;

/// A key to sign and verify with. Its bytes never leave it.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// Reads a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.
    ///
    /// # Errors
    /// [`SecretFormatError`] when it is anything else.
    pub fn parse(secret: &str) -> Result<Self, SecretFormatError> {
        let encoded = secret.trim().strip_prefix(SECRET_PREFIX).ok_or(SecretFormatError)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SecretFormatError)?;
        if !KEY_BYTES.contains(&bytes.len()) {
            return Err(SecretFormatError);
        }
        Hmac::new_from_slice(&bytes).map(Self).map_err(|_| SecretFormatError)
    }

    /// A stand-in key, to spend the same work where there is no key. Its signatures must not be accepted.
    #[must_use]
    pub fn stand_in() -> Option<Self> {
        Hmac::new_from_slice(&[0; *KEY_BYTES.start()]).ok().map(Self)
    }

    /// The signature of a message, as it goes into the header. Times are in seconds since the epoch.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let mac = self.mac(id, &timestamp_s.to_string(), body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// The three headers of a message.
    #[must_use]
    pub fn headers(&self, id: &str, sent_at: DateTime<Utc>, body: &[u8]) -> [(&'static str, String); 3] {
        let timestamp_s = sent_at.timestamp();
        [
            (ID_HEADER, id.to_owned()),
            (TIMESTAMP_HEADER, timestamp_s.to_string()),
            (SIGNATURE_HEADER, self.sign(id, timestamp_s, body)),
        ]
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

/// The headers of an incoming message; `None` if one is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SignedHeaders<'a> {
    /// [`ID_HEADER`].
    pub id: Option<&'a str>,
    /// [`TIMESTAMP_HEADER`].
    pub timestamp: Option<&'a str>,
    /// [`SIGNATURE_HEADER`].
    pub signature: Option<&'a str>,
}

/// A message with a valid signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'a> {
    /// The sender's id of the message; the same when it is sent again.
    pub id: &'a str,
    /// When this attempt was sent.
    pub sent_at: DateTime<Utc>,
}

/// Why a message is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing or empty.
    #[error("the header `{0}` is missing")]
    MissingHeader(&'static str),
    /// The id is longer than [`ID_BYTES_MAX`].
    #[error("the header `webhook-id` is too long")]
    IdTooLong,
    /// The timestamp is not a whole number of seconds.
    #[error("the header `webhook-timestamp` must hold seconds since 1970-01-01T00:00:00Z")]
    BadTimestamp,
    /// The message was sent too long ago or in the future.
    #[error("the timestamp is more than 5 minutes away from now")]
    Stale,
    /// No signature was made with an active secret.
    #[error("no signature matches; check the secret, and sign the body exactly as sent")]
    NoMatch,
}

/// Every error answers 401: the caller learns which check failed, and nothing about the secret.
impl From<SignatureError> for Problem {
    fn from(error: SignatureError) -> Self {
        Self::unauthorized(Challenge::StandardWebhooks, error.to_string()).of_kind("webhook-signature")
    }
}

/// Checks a message against every active key. Two keys are active during a rotation.
///
/// # Errors
/// [`SignatureError`]; without a key it is [`SignatureError::NoMatch`].
pub fn verify<'a>(
    keys: &[SigningKey],
    headers: SignedHeaders<'a>,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Verified<'a>, SignatureError> {
    let required = |value: Option<&'a str>, name| {
        value.map(str::trim).filter(|text| !text.is_empty()).ok_or(SignatureError::MissingHeader(name))
    };
    let id = required(headers.id, ID_HEADER)?;
    let timestamp = required(headers.timestamp, TIMESTAMP_HEADER)?;
    let signatures = required(headers.signature, SIGNATURE_HEADER)?;
    if id.len() > ID_BYTES_MAX {
        return Err(SignatureError::IdTooLong);
    }
    let seconds: i64 = timestamp.parse().map_err(|_| SignatureError::BadTimestamp)?;
    let sent_at = DateTime::from_timestamp(seconds, 0).ok_or(SignatureError::BadTimestamp)?;
    if (now - sent_at).abs() > TOLERANCE {
        return Err(SignatureError::Stale);
    }
    let candidates: Vec<Vec<u8>> = signatures
        .split_ascii_whitespace()
        .take(SIGNATURES_MAX)
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .collect();
    let holds = keys.iter().any(|key| {
        let mac = key.mac(id, timestamp, body);
        // `verify_slice` compares in constant time, and refuses any other length.
        candidates.iter().any(|candidate| mac.clone().verify_slice(candidate).is_ok())
    });
    if holds { Ok(Verified { id, sent_at }) } else { Err(SignatureError::NoMatch) }
}

#[cfg(test)]
mod tests;
