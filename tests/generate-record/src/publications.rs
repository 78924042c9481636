//! The revisions of a made-up audit, and the histories of their publications.

use audit::{canonical, sha256};
use chrono::{DateTime, Utc};
use policy::InForce;
use policy::ids::{PublicationId, PublicationKind, Subject};
use rules::entry::Actor;
use rules::publication::{self, Publishing};
use rules::record::{CommitRecord, DirectoryLine, PolicyLine};
use rules::world::Past;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;
use std::io::Write;

use crate::writer::Writer;

/// Writes every revision and its publication.
///
/// # Errors
/// When the writer fails.
pub fn write<W: Write>(writer: &mut Writer<W>, past: &Past) -> anyhow::Result<()> {
    for (revision, policy) in &past.policies {
        let text = text(&**policy)?;
        let at = policy.published_at;
        let directories = past.directories.iter().map(|(revision, of)| (*revision, of.published_at()));
        let in_force = InForce { policy: *revision, directory: last_at(at, directories) };
        let versions = policy.versions.iter().map(|(id, version)| (*id, version.version)).collect();
        let id = PublicationId { kind: PublicationKind::Policy, revision: *revision };
        writer.commit(&begin(id, &text, at, in_force, versions)?)?;
        writer.policy(&PolicyLine { policy: text })?;
    }
    for (revision, directory) in &past.directories {
        let text = text(directory.document())?;
        let at = directory.published_at();
        let policies = past.policies.iter().map(|(revision, of)| (*revision, of.published_at));
        let in_force = InForce { policy: last_at(at, policies), directory: *revision };
        let id = PublicationId { kind: PublicationKind::Directory, revision: *revision };
        writer.commit(&begin(id, &text, at, in_force, BTreeMap::new())?)?;
        writer.directory(&DirectoryLine { revision: *revision, published_at: at, directory: text })?;
    }
    Ok(())
}

/// The revision in force at a time.
fn last_at(at: DateTime<Utc>, published: impl Iterator<Item = (u32, DateTime<Utc>)>) -> u32 {
    published.filter(|(_, since)| *since <= at).map(|(revision, _)| revision).max().unwrap_or_default()
}

fn text(document: &impl Serialize) -> anyhow::Result<Box<RawValue>> {
    Ok(RawValue::from_string(canonical::to_text(document)?)?)
}

fn begin(
    id: PublicationId,
    text: &RawValue,
    at: DateTime<Utc>,
    in_force: InForce,
    versions: BTreeMap<policy::WorkflowId, u32>,
) -> anyhow::Result<CommitRecord> {
    let (by, cause) = (Actor::system("made-up"), format!("publish {id}"));
    let publishing = Publishing { by: &by, publisher: None, why: "made up", cause: &cause, now: at };
    let (base, sha256) = (id.revision.saturating_sub(1), sha256([text.get().as_bytes()]).to_string());
    let entry = publication::begin(id, base, &publishing, in_force, Vec::new(), versions, sha256);
    Ok(CommitRecord {
        subject: Subject::Publication(id),
        commit: 1,
        cause,
        at,
        recorded_at: at,
        recorded: None,
        entries: to_raw_value(&[entry])?,
    })
}
