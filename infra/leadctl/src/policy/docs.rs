//! `leadctl policy docs`: describes a policy in Markdown.

use crate::document_file::{directory_of, policy_of, read};
use crate::output::print_text;
use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use insight::documentation::DocumentedPolicy;
use policy::directory::Directory;
use policy::document::Document;
use policy::{Policy, PublishedPolicy};
use std::path::{Path, PathBuf};

/// Options of `leadctl policy docs`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The policy (YAML); `-` reads standard input
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The directory (YAML) of the policy, to describe its markets and calendars too
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// Earlier policies, to list what changed when: policies in the order of their file names, or published revisions
    /// from `GET /v1/policies/{revision}`
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
}

/// Prints Markdown.
///
/// # Errors
/// When a file cannot be read or is not valid.
pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let directory = arguments.directory.as_deref().map(|path| directory_of(&read(path)?)).transpose()?;
    let policy = policy_of(&read(&arguments.policy)?, directory.as_ref())?;
    let earlier = arguments.history.as_deref().map_or_else(|| Ok(Vec::new()), history)?;
    print_text(&markdown(policy, earlier, directory.as_ref()));
    Ok(true)
}

fn markdown(policy: Policy, mut earlier: Vec<PublishedPolicy>, directory: Option<&Directory>) -> String {
    // The last published policy is the described one, unless it has other content.
    let is_last = earlier.last().is_some_and(|last| last.policy == policy);
    let last = if is_last { earlier.pop() } else { None };
    let is_dated = last.as_ref().is_some_and(|last| last.published_at != UNPUBLISHED);
    let published = last.unwrap_or_else(|| PublishedPolicy::next(earlier.last(), policy, "", UNPUBLISHED));
    let earlier: Vec<&PublishedPolicy> = earlier.iter().collect();
    DocumentedPolicy { published: &published, earlier: &earlier, directory, is_dated }.markdown()
}

/// Stands for the publication time of a policy that was never published.
const UNPUBLISHED: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// Reads the policies in a directory as revisions.
fn history(directory: &Path) -> anyhow::Result<Vec<PublishedPolicy>> {
    let cannot_read = || format!("cannot read {}", directory.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(cannot_read)? {
        let path = entry.with_context(cannot_read)?.path();
        if path.extension().is_some_and(|kind| ["yaml", "yml", "json"].iter().any(|known| kind == *known)) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut revisions: Vec<PublishedPolicy> = Vec::new();
    let mut are_published = Vec::new();
    for path in &paths {
        let source = read(path)?;
        let is_published = Document::read(&source.text).is_ok_and(|document| document.has("versions"));
        are_published.push(is_published);
        revisions.push(if is_published {
            serde_json::from_str(&source.text)
                .with_context(|| format!("{} is not a published policy", source.name))?
        } else {
            PublishedPolicy::next(revisions.last(), policy_of(&source, None)?, "", UNPUBLISHED)
        });
    }
    if are_published.contains(&true) && are_published.contains(&false) {
        bail!("{} has published revisions and policies; keep one kind", directory.display());
    }
    revisions.sort_by_key(|published| published.revision);
    Ok(revisions)
}
