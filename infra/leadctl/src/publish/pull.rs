//! `leadctl policy pull` and `leadctl directory pull`: a revision as a document, with its number in it,
//! to be changed and published against that revision.

use super::document::Content;
use super::{published, yaml};
use crate::api;
use crate::api::Api;
use crate::output::{print_text, say};
use anyhow::Context as _;
use policy::ids::PublicationKind;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// What is pulled, and where to.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where to write it; default: standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Which revision; default: the one in force
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    #[command(flatten)]
    api: api::Caller,
}

/// Writes it; false when there is no such revision, or a file is in the way.
///
/// # Errors
/// When nothing runs here, or the file cannot be written.
pub async fn run(root: &Path, kind: PublicationKind, arguments: &Arguments) -> anyhow::Result<bool> {
    let name = kind.as_str();
    let api = Api::new(root, &arguments.api).await?;
    let which = arguments.revision.map_or_else(|| "current".to_owned(), |number| number.to_string());
    let Some(revision) = published::revision(&api, kind, &which).await? else {
        say(&match arguments.revision {
            Some(number) => format!("There is no revision {number} of the {name}."),
            None => format!("No {name} is in force here."),
        });
        return Ok(false);
    };
    let why = published::why(&api, kind, revision.number).await?;
    let text = written(kind, revision.number, &revision.published_at, &why, &revision.content)?;
    let Some(file) = &arguments.out else {
        print_text(&text);
        return Ok(true);
    };
    let shown = file.display();
    let mut options = OpenOptions::new();
    options.write(true);
    if arguments.overwrite {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    match options.open(file) {
        Ok(mut to) => to.write_all(text.as_bytes()).with_context(|| format!("cannot write {shown}"))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            say(&format!(
                "{shown} is there already and may hold changes of yours. Name another file, or add `--overwrite`."
            ));
            return Ok(false);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot write {shown}")),
    }
    say(&format!("Wrote revision {} of the {name} to {shown}.", revision.number));
    Ok(true)
}

/// The document as it is written to a file.
fn written(
    kind: PublicationKind,
    number: u32,
    published_at: &str,
    why: &str,
    content: &Content,
) -> anyhow::Result<String> {
    let name = kind.as_str();
    let day = published_at.get(..10).unwrap_or(published_at);
    // A line break would end the comment.
    let why: String = why.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let body = yaml::written(&content.to_json()?)?;
    Ok(format!(
        "# Revision {number} of the {name}, published {day}: {why}\n\
         # `leadctl {name} publish` is refused if another revision than this is in force by then. Comments are not \
         published.\n\
         revision: {number}\n{body}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::document::Draft;

    const POLICY: &str = include_str!("../../../policies/default.yaml");
    const DIRECTORY: &str = include_str!("../../../policies/directory.yaml");

    #[test]
    fn what_is_pulled_says_the_same_and_which_revision_it_is() {
        for (kind, text) in [(PublicationKind::Policy, POLICY), (PublicationKind::Directory, DIRECTORY)] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let before = Draft::read(kind, file.path()).unwrap().unwrap();
            assert_eq!(before.revision, None);
            let why = "why: [not] a\nline of its own";
            let pulled = written(kind, 13, "2026-11-27T10:00:00Z", why, &before.content).unwrap();
            std::fs::write(file.path(), &pulled).unwrap();
            let after = Draft::read(kind, file.path()).unwrap().unwrap_or_else(|e| panic!("{e}\n{pulled}"));
            assert_eq!((after.revision, &after.content), (Some(13), &before.content), "{pulled}");
        }
    }

    #[test]
    fn a_row_of_short_values_stays_on_one_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), POLICY).unwrap();
        let content = Draft::read(PublicationKind::Policy, file.path()).unwrap().unwrap().content;
        let pulled = written(PublicationKind::Policy, 2, "2026-11-27T10:00:00Z", "x", &content).unwrap();
        assert!(pulled.contains("- {state: NEW, kind: working}\n"), "{pulled}");
        assert!(pulled.lines().nth(2) == Some("revision: 2"), "{pulled}");
        let place = |text: &str| pulled.find(text).unwrap();
        assert!(place("name: ") < place("states:") && place("states:") < place("workflows:"), "{pulled}");
    }
}
