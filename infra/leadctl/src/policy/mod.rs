//! `leadctl policy`: what is done with policies and directories before they are in force.

mod validate;

use anyhow::Context as _;
use std::io::Read as _;
use std::path::Path;

/// What can be asked about policies.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say everything that is wrong with a policy, each with its line and what would be right
    Validate(validate::Arguments),
}

/// Runs it; false when the answer is no.
///
/// # Errors
/// What could not be run: a file that cannot be read.
pub fn run(command: &Command) -> anyhow::Result<bool> {
    match command {
        Command::Validate(arguments) => validate::run(arguments),
    }
}

/// A document as it was handed in.
struct Source {
    /// What to call it.
    name: String,
    text: String,
}

/// Reads a document; `-` is standard input.
fn read(path: &Path) -> anyhow::Result<Source> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(Source { name: "-".to_owned(), text });
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Source { name: path.display().to_string(), text })
}
