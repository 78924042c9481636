//! The command line: the commands, and the exit status of each answer.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use policy::ids::PublicationKind;

/// Command-line tool for Leadwatch
#[derive(Parser)]
#[command(
    name = "leadctl",
    version,
    propagate_version = true,
    after_help = "Exit status: 0 done, or the answer is yes; 1 the answer is no; 2 the command could not run."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine, until Ctrl-C
    Up(leadctl::up::Arguments),
    /// Stop what `up` started, from another terminal
    Down,
    /// Play the whole story against the running stack, in about a minute
    Demo(leadctl::demo::Arguments),
    /// Post events to the running stack, signed as a CRM signs them
    Send(leadctl::send::Arguments),
    /// Print a token to call the API as a member of the local staff
    Token(leadctl::token::Arguments),
    /// Explain why each workflow fired, waits, or is paused, now or at any time
    Explain(leadctl::explain::Arguments),
    /// Play an events file in virtual time and print the audit entries as JSON lines
    Simulate(leadctl::simulate::Arguments),
    /// Check, compare, describe, replay and publish policies
    #[command(subcommand)]
    Policy(leadctl::policy::Command),
    /// Fetch and publish directories
    #[command(subcommand)]
    Directory(Directory),
    /// Export, verify and prove the audit
    #[command(subcommand)]
    Audit(Audit),
}

#[derive(Subcommand)]
enum Directory {
    /// Write the document in force to a file, with its revision
    Pull(leadctl::publish::pull::Arguments),
    /// Show what publishing does, ask, and put the document in force; or roll back
    Publish(leadctl::publish::Arguments),
}

#[derive(Subcommand)]
enum Audit {
    /// Write the complete audit and every revision, one JSON object per line
    Export(leadctl::audit::export::Arguments),
    /// Fetch the deployment's checkpoints and public key
    Checkpoints(leadctl::audit::checkpoints::Arguments),
    /// Check offline that an export is complete and unchanged
    Verify(leadctl::audit::verify::Arguments),
    /// Write a proof of one entry for someone who sees nothing else
    Prove(leadctl::audit::prove::Arguments),
    /// Check a proof with the public key alone
    CheckProof(leadctl::audit::prove::CheckArguments),
    /// Print the history of one lead, account, rep or publication, each entry with its hash
    Show(leadctl::audit::show::Arguments),
    /// Make a checkpoint of the live tables now, signed with a key of your own
    Checkpoint(leadctl::audit::checkpoint::Arguments),
    /// Record that you examined a tampering report, so that checkpoints resume
    Acknowledge(leadctl::audit::acknowledge::Arguments),
}

/// The answer of a command that could run. One that could not is an error.
enum Answer {
    Done,
    /// The answer is no.
    No,
}

fn main() -> ExitCode {
    let answer = run(Arguments::parse());
    match answer.and_then(|answer| leadctl::output::printed().map(|()| answer)) {
        Ok(Answer::Done) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) => {
            leadctl::output::say(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> anyhow::Result<Answer> {
    let root = project_root;
    let yes = match arguments.command {
        Command::Up(arguments) => leadctl::up::run(&root()?, arguments).await.map(done)?,
        Command::Down => leadctl::down::run(&root()?).await.map(done)?,
        Command::Token(arguments) => leadctl::token::run(&root()?, &arguments).await.map(done)?,
        Command::Send(arguments) => leadctl::send::run(&root()?, &arguments).await?,
        Command::Demo(arguments) => leadctl::demo::run(&root()?, &arguments).await.map(done)?,
        Command::Simulate(arguments) => leadctl::simulate::run(&arguments).map(done)?,
        Command::Explain(arguments) => leadctl::explain::run(&root()?, &arguments).await?,
        Command::Policy(command) => leadctl::policy::run(root, &command).await?,
        Command::Directory(Directory::Pull(arguments)) => {
            leadctl::publish::pull::run(&root()?, PublicationKind::Directory, &arguments).await?
        }
        Command::Directory(Directory::Publish(arguments)) => {
            leadctl::publish::run(&root()?, PublicationKind::Directory, &arguments).await?
        }
        Command::Audit(command) => audit(command).await?,
    };
    Ok(if yes { Answer::Done } else { Answer::No })
}

async fn audit(command: Audit) -> anyhow::Result<bool> {
    let root = project_root;
    match command {
        Audit::Export(arguments) => leadctl::audit::export::run(root, &arguments).await.map(done),
        Audit::Verify(arguments) => leadctl::audit::verify::run(root, &arguments).await,
        Audit::Prove(arguments) => leadctl::audit::prove::run(&arguments),
        Audit::CheckProof(arguments) => leadctl::audit::prove::check(&arguments),
        Audit::Show(arguments) => leadctl::audit::show::run(root, &arguments).await,
        Audit::Checkpoint(arguments) => leadctl::audit::checkpoint::run(root, &arguments).await,
        Audit::Checkpoints(arguments) => leadctl::audit::checkpoints::run(root, &arguments).await.map(done),
        Audit::Acknowledge(arguments) => leadctl::audit::acknowledge::run(root, &arguments).await,
    }
}

/// The answer of a command that is not a question.
fn done((): ()) -> bool {
    true
}

/// The project's root: the nearest parent directory with the template.
fn project_root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("cannot find the current directory")?;
    here.ancestors()
        .find(|directory| directory.join("template.yaml").is_file() && directory.join("infra/local").is_dir())
        .map(PathBuf::from)
        .with_context(|| {
            format!(
                "`{}` is not inside the project: change into the directory of template.yaml",
                here.display()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    /// The command line understands every call in the README.
    #[test]
    fn the_calls_in_the_readme_are_valid() {
        let readme = include_str!("../../../README.md");
        let lines = readme.replace("\\\n", " ");
        let calls: Vec<&str> = lines.lines().filter(|line| line.starts_with("cargo leadctl ")).collect();
        assert!(calls.len() > 10, "{calls:?}");
        for call in calls {
            let words = call.split(" # ").next().unwrap_or(call).replace('"', "\u{0}");
            // Quoted text is one word.
            let parts = words.split('\u{0}').enumerate().flat_map(|(n, part)| match n % 2 {
                0 => part.split_whitespace().collect(),
                _ => vec![part],
            });
            if let Err(error) = Arguments::try_parse_from(parts.skip(1)) {
                panic!("{call}: {error}");
            }
        }
    }
}
