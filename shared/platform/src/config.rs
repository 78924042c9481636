//! Configuration: the environment, read once at start-up, with typed values.
//!
//! The error for a missing or malformed variable names the variable and what it must hold, never its value.
//! The SDK itself reads `AWS_ENDPOINT_URL`, so nothing in this code knows whether it runs locally.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// Longest wait for a connection to an AWS service.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for one attempt of a call to an AWS service.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a call to an AWS service with all its attempts.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);
/// Attempts of one call to an AWS service, the first one included.
pub const ATTEMPTS_MAX: u32 = 3;

/// Why the configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set, or is empty.
    #[error("environment variable {name} is not set; it must hold {expected}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// The expected value.
        expected: String,
    },
    /// The variable has an invalid value, which the error omits: it may be a secret.
    #[error("environment variable {name} is invalid; it must hold {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// The expected value.
        expected: String,
    },
}

/// A snapshot of the environment.
#[derive(Clone)]
pub struct Env {
    values: BTreeMap<String, String>,
}

impl Env {
    /// Reads the environment of this process. Only a `main.rs` calls this. Variables that are not Unicode are
    /// ignored.
    #[must_use]
    pub fn from_process() -> Self {
        let values = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { values }
    }

    /// The value of a variable. A blank one counts as absent, because templates leave optional variables
    /// empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The value of a required variable.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] if it is not set or blank.
    pub fn require(&self, name: &'static str) -> Result<String, ConfigError> {
        let missing = || ConfigError::Missing { name, expected: "a value".to_owned() };
        self.optional(name).map(str::to_owned).ok_or_else(missing)
    }

    /// Reads a switch, which is off if the variable is not set.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it is neither `true` nor `false`: a misspelled switch must not have an
    /// effect.
    pub fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.optional(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ConfigError::Invalid { name, expected: "`true` or `false`".to_owned() }),
        }
    }

    /// Reads a number within bounds; the default if the variable is not set.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if it is not a number within the bounds.
    pub fn number<T>(
        &self,
        name: &'static str,
        default: T,
        bounds: RangeInclusive<T>,
    ) -> Result<T, ConfigError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.optional(name) else {
            return Ok(default);
        };
        let expected = || format!("a number from {} to {}", bounds.start(), bounds.end());
        match text.parse::<T>() {
            Ok(number) if bounds.contains(&number) => Ok(number),
            _ => Err(ConfigError::Invalid { name, expected: expected() }),
        }
    }
}

/// Builds an environment from pairs, for tests and tools.
impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self { values: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

/// Shows only the names: a value may be a secret.
impl std::fmt::Debug for Env {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.values.keys()).finish()
    }
}

/// Loads the SDK's configuration: a dated behavior version, short time-outs, standard retries. The SDK finds
/// region, credentials and endpoint by itself.
///
/// The time-out of the operation takes precedence: it can end a call during an attempt.
pub async fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
        .load()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_variable_counts_as_absent() {
        let env = Env::from_iter([("TABLE", "  "), ("QUEUE", " q ")]);
        assert_eq!(env.optional("TABLE"), None);
        assert_eq!(env.require("QUEUE").unwrap(), "q");
        let error = env.require("TABLE").unwrap_err();
        assert_eq!(error.to_string(), "environment variable TABLE is not set; it must hold a value");
    }

    #[test]
    fn a_number_out_of_bounds_is_refused_without_repeating_it() {
        let env = Env::from_iter([("SHARDS", "4096"), ("HORIZON_S", "12x"), ("BATCH", "10")]);
        let error = env.number("SHARDS", 8_u16, 1..=64).unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variable SHARDS is invalid; it must hold a number from 1 to 64"
        );
        assert!(env.number("HORIZON_S", 120_u32, 1..=900).is_err());
        assert_eq!(env.number("BATCH", 1_u8, 1..=10), Ok(10));
        assert_eq!(env.number("UNSET", 7_i64, 0..=9), Ok(7));
    }

    #[test]
    fn a_switch_is_off_unless_it_says_true() {
        let env = Env::from_iter([("ON", "true"), ("OFF", "false"), ("BLANK", ""), ("ODD", "yes")]);
        assert_eq!((env.flag("ON"), env.flag("OFF")), (Ok(true), Ok(false)));
        assert_eq!((env.flag("BLANK"), env.flag("UNSET")), (Ok(false), Ok(false)));
        assert!(env.flag("ODD").is_err());
    }

    #[test]
    fn values_stay_out_of_debug_output() {
        let env = Env::from_iter([("SLACK_TOKEN", "xoxb-1")]);
        assert_eq!(format!("{env:?}"), r#"{"SLACK_TOKEN"}"#);
    }
}
