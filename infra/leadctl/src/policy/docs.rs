//! `leadctl policy docs`: a policy in Markdown, for people who never saw it.

use super::{directory_of, policy_of, read};
use crate::output::print_text;
use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use insight::documentation::Edition;
use policy::directory::Directory;
use policy::document::Document;
use policy::{Policy, PublishedPolicy};
use std::path::{Path, PathBuf};

/// What `docs` is given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The policy (YAML); `-` reads standard input
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The directory (YAML) that the policy is for: its markets and calendars are described too
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// Earlier policies, to tell what changed when: policies in the order of their files' names, or published
    /// revisions as `GET /v1/policies/{revision}` gives them
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
}

/// Runs it: Markdown on standard output.
///
/// # Errors
/// A file that cannot be read, or is no sound document.
pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let directory = arguments.directory.as_deref().map(|path| directory_of(&read(path)?)).transpose()?;
    let policy = policy_of(&read(&arguments.policy)?, directory.as_ref())?;
    let earlier = arguments.history.as_deref().map_or_else(|| Ok(Vec::new()), history)?;
    print_text(&markdown(policy, earlier, directory.as_ref()));
    Ok(true)
}

fn markdown(policy: Policy, mut earlier: Vec<PublishedPolicy>, directory: Option<&Directory>) -> String {
    // What was published last is what is described, unless it says something else.
    let is_last = earlier.last().is_some_and(|last| last.policy == policy);
    let last = if is_last { earlier.pop() } else { None };
    let is_dated = last.as_ref().is_some_and(|last| last.published_at != UNPUBLISHED);
    let published = last.unwrap_or_else(|| PublishedPolicy::next(earlier.last(), policy, "", UNPUBLISHED));
    let earlier: Vec<&PublishedPolicy> = earlier.iter().collect();
    Edition { published: &published, earlier: &earlier, directory, is_dated }.markdown()
}

/// When a policy was published that only lies in a file.
const UNPUBLISHED: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// The policies of a directory of files, as revisions.
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
                .with_context(|| format!("{} is no published policy", source.name))?
        } else {
            PublishedPolicy::next(revisions.last(), policy_of(&source, None)?, "", UNPUBLISHED)
        });
    }
    if are_published.contains(&true) && are_published.contains(&false) {
        bail!("{} holds both published revisions and policies; keep one kind", directory.display());
    }
    revisions.sort_by_key(|published| published.revision);
    Ok(revisions)
}
