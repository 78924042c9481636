//! `leadctl policy`: what is done with policies and directories before they are in force.

mod diff;
mod docs;
mod migrate;
mod schema;
mod validate;

use anyhow::Context as _;
use policy::Policy;
use policy::directory::Directory;
use policy::document::{Document, DocumentError, DocumentProblem};
use policy::ids::PublicationKind;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What can be asked about policies.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say everything that is wrong with a policy, each with its line and what would be right
    Validate(validate::Arguments),
    /// Say in words what is different between two policies, or two directories
    Diff(diff::Arguments),
    /// Describe a policy in Markdown, for people who never saw it
    Docs(docs::Arguments),
    /// Write a policy of an earlier version as one of this version, comments and all
    Migrate(migrate::Arguments),
    /// Print the JSON Schema of policies or directories, for editors
    Schema(schema::Arguments),
    /// Write the policy in force as a document that says which revision it is, to be changed and published
    Pull(crate::publish::pull::Arguments),
    /// Put a policy in force, with who, when and why, after showing what that does; or an earlier revision again
    Publish(crate::publish::Arguments),
    /// Replay what really happened under a policy, and say what is different from the policy in force
    Backtest(crate::backtest::Arguments),
    /// Say of each threshold whether anybody acts on it, by the record
    Suggest(crate::suggest::Arguments),
}

/// Runs it; false when the answer is no.
///
/// # Errors
/// What could not be run: a file that cannot be read.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, command: &Command) -> anyhow::Result<bool> {
    match command {
        Command::Validate(arguments) => validate::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Docs(arguments) => docs::run(arguments),
        Command::Migrate(arguments) => migrate::run(arguments),
        Command::Schema(arguments) => {
            schema::run(arguments);
            Ok(true)
        }
        Command::Pull(arguments) => {
            crate::publish::pull::run(&root()?, PublicationKind::Policy, arguments).await
        }
        Command::Publish(arguments) => {
            crate::publish::run(&root()?, PublicationKind::Policy, arguments).await
        }
        Command::Backtest(arguments) => crate::backtest::run(root, arguments).await,
        Command::Suggest(arguments) => crate::suggest::run(root, arguments).await.map(|()| true),
    }
}

/// A document as it was handed in.
pub(crate) struct Source {
    /// What to call it.
    name: String,
    /// What it says.
    pub(crate) text: String,
}

/// Reads a document; `-` is standard input.
pub(crate) fn read(path: &Path) -> anyhow::Result<Source> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(Source { name: "-".to_owned(), text });
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Source { name: path.display().to_string(), text })
}

/// A problem as compilers write it, so that editors jump there.
fn line_of(file: &str, kind: &str, problem: &DocumentProblem) -> String {
    let place = problem.place.map(|place| format!(":{}:{}", place.line, place.column)).unwrap_or_default();
    format!("{file}{place}: {kind}{}: {}", problem.path, problem.problem)
}

/// An unsound document as an error, with a line for each problem.
fn unsound(source: &Source, error: &DocumentError) -> anyhow::Error {
    let lines: Vec<String> = error.0.iter().map(|problem| line_of(&source.name, "", problem)).collect();
    anyhow::anyhow!("{} is not valid\n{}", source.name, lines.join("\n"))
}

/// A policy that is sound by itself, and for a directory if there is one.
fn policy_of(source: &Source, directory: Option<&Directory>) -> anyhow::Result<Policy> {
    let read = Document::read(&source.text).and_then(|document| Policy::examine(&document, directory));
    read.map_err(|error| unsound(source, &error))
}

/// A directory that is sound.
fn directory_of(source: &Source) -> anyhow::Result<Directory> {
    Directory::parse(&source.text).map_err(|error| unsound(source, &error))
}
