//! Loads the last checkpoint and its leaves, and verifies everything that the next checkpoint builds on.
//!
//! The cached leaves of the last checkpoint can be lost or changed, and count only if they lead to the signed
//! root. Without them, all changes are read again from the first.

use crate::archive::{Archive, ArchiveError};
use crate::reading::HistoryRange;
use audit::Hash;
use audit::checkpoint::{self, Checkpoint, CheckpointError, Envelope};
use audit::leaves::{ChangesError, Leaves, changes_text, read_changes};
use audit::signature::PublicKey;
use audit::{canonical, sha256};
use platform::telemetry::ErrorChain;
use serde::{Deserialize, Serialize};

/// Why the existing checkpoints cannot be continued.
#[derive(Debug, thiserror::Error)]
pub enum SeriesFailure {
    /// The archive did not answer.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A checkpoint is not valid.
    #[error("an existing checkpoint is not valid")]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint is missing.
    #[error("checkpoint {0} existed and is missing now")]
    Gone(u64),
    /// A checkpoint belongs to another deployment.
    #[error("checkpoint {number} belongs to the deployment `{found}`, not to `{expected}`")]
    Deployment {
        /// The checkpoint's number.
        number: u64,
        /// The deployment it belongs to.
        found: String,
        /// This deployment.
        expected: String,
    },
    /// The changes of a checkpoint are missing or different.
    #[error("`{0}` is missing, or differs from what its checkpoint names")]
    Changes(String),
    /// The changes of a checkpoint are impossible.
    #[error("`{path}` holds impossible changes")]
    Damaged {
        /// The path of the changes.
        path: String,
        /// The cause.
        #[source]
        error: Box<ChangesError>,
    },
}

/// The first line of cached leaves: the checkpoint they belong to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CacheHeader {
    checkpoint: Hash,
    number: u64,
    /// Signed histories whose entries were not read yet, because one run had too many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unread: Vec<HistoryRange>,
}

/// The signed state that a run builds on.
pub(crate) struct SignedState {
    /// The last checkpoint.
    pub last: Option<Checkpoint>,
    /// Its leaves.
    pub leaves: Leaves,
    /// Signed parts of histories that are still unread.
    pub unread: Vec<HistoryRange>,
}

/// The last checkpoint and its leaves.
pub(crate) async fn load<A: Archive>(
    archive: &A,
    key: &PublicKey,
    deployment: &str,
) -> Result<SignedState, SeriesFailure> {
    let SignedState { mut last, mut leaves, unread } = match cached(archive, key).await? {
        Some(state) => state,
        None => SignedState { last: None, leaves: Leaves::default(), unread: Vec::new() },
    };
    if let Some(last) = &last {
        is_of(last, deployment)?;
    }
    let from = last.as_ref().map_or(0, |last| last.number);
    for number in from + 1..=archive.last(from).await? {
        let next = read(archive, number).await?;
        next.verify(key)?;
        let next = next.checkpoint;
        is_of(&next, deployment)?;
        next.follows(last.as_ref())?;
        let path = next.changes_path();
        let content = archive.read(&path).await?.unwrap_or_default();
        if sha256([content.as_slice()]) != next.changes {
            return Err(SeriesFailure::Changes(path));
        }
        let text = String::from_utf8(content).map_err(|_| SeriesFailure::Changes(path.clone()))?;
        let applied = read_changes(&text).and_then(|changes| leaves.apply(changes));
        applied.map_err(|error| SeriesFailure::Damaged { path, error: Box::new(error) })?;
        next.covers(&leaves)?;
        last = Some(next);
    }
    Ok(SignedState { last, leaves, unread })
}

/// The cached leaves and their checkpoint, if they match.
async fn cached<A: Archive>(archive: &A, key: &PublicKey) -> Result<Option<SignedState>, SeriesFailure> {
    let content = match archive.read_leaves().await {
        Ok(Some(content)) => content,
        Ok(None) => return Ok(None),
        Err(error) => {
            tracing::warn!(
                error = %ErrorChain(&error),
                "could not read the cached leaves"
            );
            return Ok(None);
        }
    };
    let Some((header, text)) = std::str::from_utf8(&content).ok().and_then(|text| text.split_once('\n'))
    else {
        return Ok(None);
    };
    let Ok(header) = serde_json::from_str::<CacheHeader>(header) else { return Ok(None) };
    // The cache names a checkpoint that existed: if it is missing, the series was cut.
    let envelope = read(archive, header.number).await?;
    envelope.verify(key)?;
    let last = envelope.checkpoint;
    let leaves = Leaves::restore(text).ok().filter(|leaves| last.covers(leaves).is_ok());
    match leaves {
        Some(leaves) if last.hash().is_ok_and(|hash| hash == header.checkpoint) => {
            Ok(Some(SignedState { last: Some(last), leaves, unread: header.unread }))
        }
        _ => {
            tracing::warn!(number = header.number, "the cached leaves do not match their checkpoint");
            Ok(None)
        }
    }
}

/// Caches the leaves of a checkpoint for the next run, with the parts to read first. If the cache is lost,
/// they are read in their turn.
pub(crate) async fn keep<A: Archive>(
    archive: &A,
    last: &Checkpoint,
    leaves: &Leaves,
    unread: Vec<HistoryRange>,
) -> Result<(), SeriesFailure> {
    let checkpoint = last.hash().map_err(CheckpointError::from)?;
    let header = CacheHeader { checkpoint, number: last.number, unread };
    let header = canonical::to_text(&header).map_err(CheckpointError::from)?;
    let (text, _) = changes_text(leaves.to_changes());
    Ok(archive.keep_leaves(format!("{header}\n{text}").into_bytes()).await?)
}

async fn read<A: Archive>(archive: &A, number: u64) -> Result<Envelope, SeriesFailure> {
    let path = checkpoint::path(number);
    let content = archive.read(&path).await?.ok_or(SeriesFailure::Gone(number))?;
    let text = String::from_utf8(content).map_err(|_| SeriesFailure::Gone(number))?;
    let envelope = Envelope::read(&text)?;
    if envelope.checkpoint.number == number { Ok(envelope) } else { Err(SeriesFailure::Gone(number)) }
}

fn is_of(checkpoint: &Checkpoint, deployment: &str) -> Result<(), SeriesFailure> {
    if checkpoint.deployment == deployment {
        return Ok(());
    }
    let (found, expected) = (checkpoint.deployment.clone(), deployment.to_owned());
    Err(SeriesFailure::Deployment { number: checkpoint.number, found, expected })
}
