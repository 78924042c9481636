//! The steps of a command that takes its time: one line each, with its duration.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::say;

/// How often the time of a running step is redrawn.
const REDRAW: Duration = Duration::from_millis(200);

/// The audience of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A person at a terminal: the running step with its time, which its outcome replaces.
    Terminal,
    /// A file or a pipe: one line per finished step.
    Lines,
    /// Nobody, as in a test.
    Silent,
}

impl Progress {
    /// Detects what standard error is.
    #[must_use]
    pub fn detect() -> Self {
        if std::io::stderr().is_terminal() { Self::Terminal } else { Self::Lines }
    }

    /// Runs one step.
    pub(crate) async fn step<T>(
        self,
        name: &str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        let mut work = std::pin::pin!(work);
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                () = tokio::time::sleep(REDRAW), if self == Self::Terminal => {
                    draw(&line("…", name, start.elapsed()));
                }
            }
        };
        self.outcome(name, start.elapsed(), result.is_ok());
        result
    }

    /// Runs one step that writes to the terminal itself.
    pub(crate) async fn loud_step<T>(
        self,
        name: &str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        if self != Self::Silent {
            say(&format!("  … {name}"));
        }
        let result = work.await;
        self.outcome(name, start.elapsed(), result.is_ok());
        result
    }

    /// Shows a step that was done before.
    pub(crate) fn done(self, name: &str, took: Duration) {
        self.outcome(name, took, true);
    }

    fn outcome(self, name: &str, took: Duration, is_good: bool) {
        let line = line(if is_good { "✓" } else { "✗" }, name, took);
        match self {
            Self::Terminal => say(&format!("{CLEAR}{line}")),
            Self::Lines => say(&line),
            Self::Silent => {}
        }
    }

    /// Shows something worth knowing between two steps.
    pub(crate) fn note(self, text: &str) {
        if self != Self::Silent {
            say(&format!("    {text}"));
        }
    }
}

/// Returns to the beginning of a terminal's line and empties it.
const CLEAR: &str = "\r\x1b[K";

fn line(mark: &str, name: &str, took: Duration) -> String {
    format!("  {mark} {name:<32}{:>7.1} s", took.as_secs_f64())
}

fn draw(line: &str) {
    let mut to = std::io::stderr().lock();
    let _ = write!(to, "{CLEAR}{line}");
    let _ = to.flush();
}

/// A progress bar of this length on a terminal; nothing anywhere else.
pub(crate) fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

/// A counter without a known end on a terminal; nothing anywhere else.
pub(crate) fn counter(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::no_length().with_style(style)
}
