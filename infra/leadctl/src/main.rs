//! Runs each command; the exit status is its answer.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use leadctl::arguments::{Arguments, Audit, Command, Directory};
use policy::ids::PublicationKind;

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
