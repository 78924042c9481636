//! Output of commands: results on standard output, everything else on standard error.

use std::io::{ErrorKind, Write as _};
use std::sync::OnceLock;

/// Writes a line on standard error. A terminal that is gone is no reason to stop.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Why a result could not be printed.
static UNPRINTED: OnceLock<std::io::Error> = OnceLock::new();

/// Writes a line on standard output.
pub(crate) fn print(line: &str) {
    print_text(&format!("{line}\n"));
}

/// Writes text on standard output. A reader who has seen enough is no reason to stop; any other failure, such as a
/// full disk, is reported by [`printed`].
pub(crate) fn print_text(text: &str) {
    if let Err(error) = std::io::stdout().lock().write_all(text.as_bytes())
        && error.kind() != ErrorKind::BrokenPipe
    {
        _ = UNPRINTED.set(error);
    }
}

/// Reports whether all results were printed.
///
/// # Errors
/// When standard output could not be written.
pub fn printed() -> anyhow::Result<()> {
    match UNPRINTED.get() {
        Some(error) => anyhow::bail!("standard output could not be written: {error}"),
        None => Ok(()),
    }
}
