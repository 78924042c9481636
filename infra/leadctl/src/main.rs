//! The command line: what may be asked, and the exit status of the answer.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use policy::ids::PublicationKind;

/// Watches over a sales organisation's leads; this is its tool.
#[derive(Parser)]
#[command(name = "leadctl", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole bundle on this machine, until Ctrl-C
    Up(leadctl::up::Arguments),
    /// End what `up` runs, from another terminal
    Down,
    /// Print a token to call the API with as one of the local staff
    Token(leadctl::token::Arguments),
    /// Post signed events to a hook of what `up` runs
    Send(leadctl::send::Arguments),
    /// Play the whole story against the running stack, in about a minute
    Demo(leadctl::demo::Arguments),
    /// Play events in virtual time: audit entries as JSON lines on standard output
    Simulate(leadctl::simulate::Arguments),
    /// Say why a lead's workflows did, do or do not do what they do, now or at any instant
    Explain(leadctl::explain::Arguments),
    /// Check, compare and describe policies
    #[command(subcommand)]
    Policy(leadctl::policy::Command),
    /// Fetch a directory, and put one in force
    #[command(subcommand)]
    Directory(Directory),
    /// Take the audit out
    #[command(subcommand)]
    Audit(Audit),
}

#[derive(Subcommand)]
enum Audit {
    /// Write every commit with what it answered, and every policy and directory, one JSON object a line
    Export(leadctl::audit::export::Arguments),
    /// Say whether an export is the record as it was written, all of it; without it being asked anywhere
    Verify(leadctl::audit::verify::Arguments),
    /// Write a proof that one entry is in the record, for somebody who sees nothing else of it
    Prove(leadctl::audit::prove::Arguments),
    /// Check such a proof, with nothing but it and the public key
    VerifyProof(leadctl::audit::prove::Check),
    /// Print the history of one subject, each entry with its hash
    Show(leadctl::audit::show::Arguments),
    /// Make a checkpoint of the live tables now, signed by a key in a file
    Checkpoint(leadctl::audit::checkpoint::Arguments),
    /// Say of a report that the audit was changed that it was looked at, so that checkpoints go on
    Acknowledge(leadctl::audit::acknowledge::Arguments),
    /// Fetch the deployment's checkpoints and the key that signs them, to verify by
    Checkpoints(leadctl::audit::checkpoints::Arguments),
    /// Make up a record under the default policy, to measure with
    #[command(hide = true)]
    Generate(leadctl::audit::generate::Arguments),
}

#[derive(Subcommand)]
enum Directory {
    /// Write the directory in force as a document that says which revision it is, to be changed and published
    Pull(leadctl::publish::pull::Arguments),
    /// Put a directory in force, with who, when and why, after showing what that does; or an earlier revision again
    Publish(leadctl::publish::Arguments),
}

/// What became of a command that could be run. One that could not is an error.
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
        Audit::VerifyProof(arguments) => leadctl::audit::prove::check(&arguments),
        Audit::Show(arguments) => leadctl::audit::show::run(root, &arguments).await,
        Audit::Checkpoint(arguments) => leadctl::audit::checkpoint::run(root, &arguments).await,
        Audit::Checkpoints(arguments) => leadctl::audit::checkpoints::run(root, &arguments).await.map(done),
        Audit::Acknowledge(arguments) => leadctl::audit::acknowledge::run(root, &arguments).await,
        Audit::Generate(arguments) => {
            leadctl::audit::generate::run(&arguments, &leadctl::seed::default_policy(&root()?)?).map(done)
        }
    }
}

/// A command that asks nothing.
fn done((): ()) -> bool {
    true
}

/// The nearest directory upwards that holds the template.
fn project_root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("cannot tell the current directory")?;
    here.ancestors()
        .find(|directory| directory.join("template.yaml").is_file() && directory.join("infra/local").is_dir())
        .map(PathBuf::from)
        .with_context(|| {
            format!("`{}` is not inside the project: no template.yaml upwards of it", here.display())
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

    /// Each line of the README that calls this tool is one that it understands.
    #[test]
    fn what_the_readme_types_is_understood() {
        let readme = include_str!("../../../README.md");
        let lines = readme.replace("\\\n", " ");
        let calls: Vec<&str> = lines.lines().filter(|line| line.starts_with("cargo leadctl ")).collect();
        assert!(calls.len() > 10, "{calls:?}");
        for call in calls {
            let words = call.split(" # ").next().unwrap_or(call).replace('"', "\u{0}");
            // What stands in quotes is one word.
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
