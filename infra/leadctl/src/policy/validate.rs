//! `leadctl policy validate`: everything that is wrong with a policy, at once.

use rules::directory::Directory;
use rules::document::DocumentError;
use rules::policy::Policy;
use std::path::{Path, PathBuf};

/// What `validate` is given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The policy (YAML); `-` reads standard input
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// The directory (YAML) that the policy is for
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
}

/// Runs it; false when a document is not valid.
///
/// # Errors
/// A file that cannot be read.
pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let yaml = super::read(&arguments.policy)?;
    let directory =
        arguments.directory.as_deref().map(|path| Ok::<_, anyhow::Error>((path, super::read(path)?)));
    let directory = directory.transpose()?;
    let policy = Policy::parse(&yaml).map_err(|error| say(&arguments.policy, &error)).ok();
    let directory = match &directory {
        Some((path, yaml)) => match Directory::parse(yaml) {
            Ok(directory) => Some(directory),
            Err(error) => {
                say(path, &error);
                return Ok(false);
            }
        },
        None => None,
    };
    let Some(policy) = policy else { return Ok(false) };
    match directory.map(|directory| policy.check_against(&directory)) {
        Some(Err(error)) => {
            say(&arguments.policy, &error);
            Ok(false)
        }
        _ => Ok(true),
    }
}

fn say(path: &Path, error: &DocumentError) {
    for problem in &error.0 {
        eprintln!("{}: {problem}", path.display());
    }
}
