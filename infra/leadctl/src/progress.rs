//! What a person at the terminal sees while steps run: a line each, with its time.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use crate::output::say;

/// How often the time of a running step is drawn anew.
const REDRAW: Duration = Duration::from_millis(200);

/// Who is told about steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A person: the running step is shown, and replaced by its outcome.
    Terminal,
    /// A file or a pipe: one line for each step that is done.
    Lines,
    /// Nobody, as in a test.
    Silent,
}

impl Progress {
    /// As standard error is.
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
                    draw(&format!("\r\x1b[K  … {name:<28}{:>7.1} s", start.elapsed().as_secs_f64()));
                }
            }
        };
        self.outcome(name, start, result.is_ok());
        result
    }

    /// Runs one step that writes to the terminal itself.
    pub(crate) async fn loud_step<T>(
        self,
        name: &str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        if self == Self::Terminal {
            say(&format!("  … {name}"));
        }
        let result = work.await;
        self.outcome(name, start, result.is_ok());
        result
    }

    fn outcome(self, name: &str, start: Instant, good: bool) {
        let (mark, took) = (if good { "✓" } else { "✗" }, start.elapsed().as_secs_f64());
        match self {
            Self::Terminal => say(&format!("\r\x1b[K  {mark} {name:<28}{took:>7.1} s")),
            Self::Lines => say(&format!("  {mark} {name:<28}{took:>7.1} s")),
            Self::Silent => {}
        }
    }

    /// Something worth knowing between two steps.
    pub(crate) fn note(self, text: &str) {
        if self != Self::Silent {
            say(&format!("    {text}"));
        }
    }
}

fn draw(text: &str) {
    let mut to = std::io::stderr().lock();
    let _ = write!(to, "{text}");
    let _ = to.flush();
}
