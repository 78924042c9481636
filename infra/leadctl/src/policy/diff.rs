//! `leadctl policy diff`: describes the differences between two policies or two directories.

use crate::document_file::{DocumentFile, directory_of, invalid, policy_of, read};
use crate::output::print_text;
use anyhow::bail;
use policy::diff::Change;
use policy::directory::Directory;
use policy::document::Document;
use policy::{Policy, WorkflowId, diff};
use serde_json::json;
use std::path::PathBuf;

/// Options of `leadctl policy diff`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The old policy or directory (YAML); `-` reads standard input
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The new one
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Exit with status 1 if there is a difference
    #[arg(long)]
    exit_code: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the differences. Returns false if there is one and `--exit-code` asks for it.
///
/// # Errors
/// When a file cannot be read or is not valid.
pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let (old, new) = (read(&arguments.old)?, read(&arguments.new)?);
    let (changes, rising) = match (kind_of(&old)?, kind_of(&new)?) {
        (Kind::Policy(old), Kind::Policy(new)) => {
            (diff::policies(&old, &new), diff::versions_that_rise(&old, &new))
        }
        (Kind::Directory(old), Kind::Directory(new)) => {
            (diff::directories(old.document(), new.document()), Vec::new())
        }
        _ => bail!("{} and {} are a policy and a directory; compare two of one kind", old.name, new.name),
    };
    if arguments.json {
        let with_words = changes.iter().map(|change| json!({"text": change.to_string(), "change": change}));
        let changes: Vec<_> = with_words.collect();
        print_text(&format!("{:#}\n", json!({"changes": changes, "versions_that_rise": rising})));
    } else {
        print_text(&text(&changes, &rising));
    }
    Ok(changes.is_empty() || !arguments.exit_code)
}

fn text(changes: &[Change], rising: &[WorkflowId]) -> String {
    if changes.is_empty() {
        return "No differences\n".to_owned();
    }
    let mut text: String = changes.iter().map(|change| format!("{change}\n")).collect();
    if !rising.is_empty() {
        let names: Vec<String> = rising.iter().map(ToString::to_string).collect();
        text.push_str(&format!("New versions: {}\n", names.join(", ")));
    }
    text
}

enum Kind {
    Policy(Box<Policy>),
    Directory(Box<Directory>),
}

/// Reads a document and tells which kind it is: a directory has calendars and no workflows.
fn kind_of(source: &DocumentFile) -> anyhow::Result<Kind> {
    let document = Document::read(&source.text).map_err(|error| invalid(source, &error))?;
    if document.has("calendars") && !document.has("workflows") {
        return Ok(Kind::Directory(Box::new(directory_of(source)?)));
    }
    Ok(Kind::Policy(Box::new(policy_of(source, None)?)))
}
