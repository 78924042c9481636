//! Logs: one JSON object a line, with ids only, and with the whole chain of causes of an error.

use std::error::Error;
use std::fmt;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The variable that sets the level, as in `info` or `info,store=debug`.
pub const LOG_LEVEL: &str = "LOG_LEVEL";

/// Starts logging to standard output. The caller reads the level from [`LOG_LEVEL`]. An unreadable level
/// falls back to `info`, because a typo there must not stop a function.
///
/// Lines have no time stamp, because CloudWatch adds one. A second call does nothing.
pub fn start(level: Option<&str>) {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse_lossy(level.unwrap_or(""));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .without_time()
        .with_env_filter(filter)
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was started already");
    }
}

/// Shows an error with all its causes on one line, outermost first. Every error is logged through this
/// adapter.
///
/// Error messages carry ids and kinds, never personal data; this adapter adds nothing.
pub struct ErrorChain<'a>(pub &'a dyn Error);

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not commit lead/L-1")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("the table is throttled")]
    struct Inner;

    #[test]
    fn a_chain_shows_every_cause() {
        assert_eq!(
            ErrorChain(&Outer(Inner)).to_string(),
            "could not commit lead/L-1: the table is throttled"
        );
    }

    #[test]
    fn starting_twice_is_harmless_and_a_bad_level_is_survived() {
        start(Some("not a level!!"));
        start(None);
    }
}
