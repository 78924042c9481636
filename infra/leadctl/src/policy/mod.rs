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

/// Reads a document; `-` is standard input.
fn read(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
