//! Logs: one JSON object a line, ids only, and a whole chain of causes where something failed.

use std::error::Error;
use std::fmt;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The variable that sets the level, as in `info` or `info,store=debug`.
pub const LOG_LEVEL: &str = "LOG_LEVEL";

/// Starts logging to standard output. The level comes from [`LOG_LEVEL`] through the caller; what cannot be read as a
/// level falls back to `info`, as a typing error there must not stop a function.
///
/// There is no time stamp: CloudWatch puts one on each line. A second call does nothing.
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

/// Shows an error with all its causes on one line, outermost first. The one adapter through which errors are logged.
///
/// Error messages in this code base carry ids and kinds, never a person's data; this adapter adds nothing to them.
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
