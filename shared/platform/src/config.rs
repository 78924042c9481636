//! Configuration: the environment, read once at start and typed from then on.
//!
//! A missing or malformed variable is an error that names the variable and says what it should hold, never its value.
//! The endpoint of AWS services is not read here: `AWS_ENDPOINT_URL` is the SDK's own, so nothing in this code knows
//! whether it runs locally.

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
    #[error("environment variable {name} is not set: it must hold {expected}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it should hold.
        expected: String,
    },
    /// The variable is set to something else than it should hold. The value is left out: it may be a secret.
    #[error("environment variable {name} is not usable: it must hold {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it should hold.
        expected: String,
    },
}

/// A snapshot of the environment.
#[derive(Clone)]
pub struct Env {
    values: BTreeMap<String, String>,
}

impl Env {
    /// The environment of this process. Only a `main.rs` calls this. Variables that are not Unicode are left out.
    #[must_use]
    pub fn from_process() -> Self {
        let values = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { values }
    }

    /// The value of a variable; a blank one counts as absent, as templates leave what is optional empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The value of a variable that must be there.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] when it is not set or blank.
    pub fn require(&self, name: &'static str) -> Result<String, ConfigError> {
        let missing = || ConfigError::Missing { name, expected: "a value".to_owned() };
        self.optional(name).map(str::to_owned).ok_or_else(missing)
    }

    /// Whether something is switched on; off when the variable is not set.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] when it is neither `true` nor `false`: a switch that is misspelt must not be taken
    /// for one of them.
    pub fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.optional(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ConfigError::Invalid { name, expected: "`true` or `false`".to_owned() }),
        }
    }

    /// A number within bounds, or the default when the variable is not set.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] when it is set and not a number within the bounds.
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

/// An environment from pairs, for tests and for tools that compose one.
impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self { values: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

/// The names only: a value may be a secret.
impl std::fmt::Debug for Env {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.values.keys()).finish()
    }
}

/// The SDK's configuration: a dated behaviour, short time-outs, standard retries. Region, credentials and endpoint come
/// from where the SDK looks for them.
///
/// The operation's time-out is the one that binds: it ends a call in the middle of an attempt if need be.
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
        assert_eq!(error.to_string(), "environment variable TABLE is not set: it must hold a value");
    }

    #[test]
    fn a_number_out_of_bounds_is_refused_without_repeating_it() {
        let env = Env::from_iter([("SHARDS", "4096"), ("HORIZON_S", "12x"), ("BATCH", "10")]);
        let error = env.number("SHARDS", 8_u16, 1..=64).unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variable SHARDS is not usable: it must hold a number from 1 to 64"
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
