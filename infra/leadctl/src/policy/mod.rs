//! `leadctl policy`: everything a person does with a policy.

mod diff;
mod docs;
mod migrate;
mod schema;
mod validate;

use policy::ids::PublicationKind;
use std::path::PathBuf;

/// The commands about policies.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List every mistake in a policy, with its line and the correction
    Validate(validate::Arguments),
    /// Describe the differences between two policies or two directories
    Diff(diff::Arguments),
    /// Describe a policy in Markdown
    Docs(docs::Arguments),
    /// Rewrite a policy of an earlier version for this version, with its comments
    Migrate(migrate::Arguments),
    /// Print the JSON Schema of policies or directories, for editors
    Schema(schema::Arguments),
    /// Write the document in force to a file, with its revision
    Pull(crate::publish::pull::Arguments),
    /// Show what publishing does, ask, and put the document in force; or roll back
    Publish(crate::publish::Arguments),
    /// Replay recorded history under a policy and compare it with the policy in force
    Backtest(crate::backtest::Arguments),
    /// Report for each threshold whether people act on it
    Suggest(crate::suggest::Arguments),
}

/// Runs a command. Returns false when the answer is no.
///
/// # Errors
/// Those of the command, such as a file that cannot be read.
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
