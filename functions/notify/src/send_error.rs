//! Why a message was not delivered, and whether to try again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::reach::NotPublic;

/// The reason for refusing an address on a private network.
pub const PRIVATE_ADDRESS: &str = "the address is on a private network";

/// The longest wait that a receiver can ask for: SQS hides a message for twelve hours at most.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// The wait after a channel refuses the whole deployment (token revoked, sender not verified). An operator
/// has to act: an immediate attempt cannot help, and giving up would lose every message until then.
pub const DEPLOYMENT_FAULT_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Why a message was not delivered. Reasons are the channel's codes, never free text of the channel or the
/// message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// A later attempt may succeed. The message may have been delivered already.
    #[error("temporarily not delivered ({reason})")]
    Transient {
        /// The channel's code.
        reason: String,
        /// When to try again, if known.
        retry_after: Option<Duration>,
    },
    /// The channel limits the rate. Waiting longer than it asks is a fault too.
    #[error("the channel asks to wait {} s", .retry_after.as_secs())]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The channel does not know the recipient, or has deactivated them: another person gets the message.
    #[error("the channel does not know the recipient")]
    UnknownRecipient,
    /// No attempt can succeed.
    #[error("the channel refused the message ({0})")]
    Permanent(String),
    /// The deployment has not set up this channel.
    #[error("the channel is not configured")]
    NotConfigured,
}

impl SendError {
    /// Builds the error for a failure that a later attempt may overcome.
    pub fn transient(reason: impl Into<String>) -> Self {
        Self::Transient { reason: reason.into(), retry_after: None }
    }

    /// Builds the error for a failure that lasts until an operator repairs the deployment.
    pub fn deployment_fault(reason: impl Into<String>) -> Self {
        Self::Transient { reason: reason.into(), retry_after: Some(DEPLOYMENT_FAULT_PAUSE) }
    }

    /// Whether another attempt can help.
    #[must_use]
    pub fn is_worth_retrying(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::RateLimited { .. })
    }

    /// Whether the message may have arrived: no answer came, or an unclear one.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        // A fault of the deployment is a refusal, although a later attempt may succeed.
        matches!(self, Self::Transient { retry_after, .. } if *retry_after != Some(DEPLOYMENT_FAULT_PAUSE))
    }

    /// When to try again, if the channel says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { retry_after, .. } => *retry_after,
            Self::RateLimited { retry_after } => Some(*retry_after),
            Self::UnknownRecipient | Self::Permanent(_) | Self::NotConfigured => None,
        }
    }
}

/// Converts a failed HTTP call, without its URL: it may carry a secret.
impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        if leads_nowhere_public(&error) {
            return Self::Permanent(PRIVATE_ADDRESS.to_owned());
        }
        let reason = if error.is_timeout() {
            "time-out"
        } else if error.is_connect() {
            "no connection"
        } else if error.is_builder() {
            return Self::Permanent("the request cannot be built".to_owned());
        } else {
            "the connection broke"
        };
        Self::transient(reason)
    }
}

/// Whether a call failed because a name resolves to a private network.
fn leads_nowhere_public(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<NotPublic>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110 §10.2.3). Bounded by [`RETRY_AFTER_MAX`].
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc);
            (at - now).to_std().unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_comes_as_seconds_or_as_a_date() {
        let now = DateTime::from_timestamp(1_445_412_480, 0).unwrap();
        let wait = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("30"), Some(30));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:07 GMT"), Some(7));
        assert_eq!(wait("Wed, 21 Oct 2015 07:27:00 GMT"), Some(0));
        assert_eq!(wait("999999999"), Some(43_200));
        assert_eq!(wait("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
