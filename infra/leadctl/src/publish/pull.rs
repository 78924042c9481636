//! `leadctl policy pull` and `leadctl directory pull`: writes a revision to a file, with its number, so that it can be
//! changed and published against that revision.

use super::document::Content;
use super::{revisions, yaml};
use crate::api;
use crate::api::Api;
use crate::output::{print_text, say};
use anyhow::Context as _;
use policy::ids::PublicationKind;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Options of `pull`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// The revision [default: the one in force]
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    #[command(flatten)]
    api: api::Caller,
}

/// Writes the revision. Returns false if there is no such revision, or the file exists.
///
/// # Errors
/// When no stack runs, or the file cannot be written.
pub async fn run(root: &Path, kind: PublicationKind, arguments: &Arguments) -> anyhow::Result<bool> {
    let name = kind.as_str();
    let api = Api::new(root, &arguments.api).await?;
    let which = arguments.revision.map_or_else(|| "current".to_owned(), |number| number.to_string());
    let Some(revision) = revisions::revision(&api, kind, &which).await? else {
        say(&match arguments.revision {
            Some(number) => format!("There is no revision {number} of the {name}."),
            None => format!("No {name} is published yet."),
        });
        return Ok(false);
    };
    let why = revisions::why(&api, kind, revision.number).await?;
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
                "{shown} exists and may have changes of yours. Name another file, or add `--overwrite`."
            ));
            return Ok(false);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot write {shown}")),
    }
    say(&format!("Wrote revision {} of the {name} to {shown}.", revision.number));
    Ok(true)
}

/// The text of the file.
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
         # `leadctl {name} publish` refuses if another revision is in force by then. Comments are not published.\n\
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
    fn a_pulled_document_has_the_same_content_and_its_revision() {
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
