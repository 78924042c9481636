//! The checkpoints there are: the last one and its leaves, checked as far as they are gone on from.
//!
//! The leaves of the last checkpoint are kept where they can be lost or changed, and count only if
//! they come to the root that was signed. Without them, all changes are read again from the first.

use crate::archive::{Archive, ArchiveError};
use crate::reading::Stretch;
use audit::Hash;
use audit::checkpoint::{self, Checkpoint, CheckpointError, Envelope};
use audit::leaves::{ChangesError, Leaves, changes_text, read_changes};
use audit::signature::PublicKey;
use audit::{canonical, sha256};
use platform::telemetry::ErrorChain;
use serde::{Deserialize, Serialize};

/// Why the checkpoints there are cannot be gone on from.
#[derive(Debug, thiserror::Error)]
pub enum SeriesFailure {
    /// The archive did not answer.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A checkpoint does not hold.
    #[error("the checkpoints there are do not hold")]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint is gone.
    #[error("checkpoint {0} was there, and is not any more")]
    Gone(u64),
    /// Another deployment's.
    #[error("checkpoint {number} is of the deployment `{found}`, and this one is `{expected}`")]
    Deployment {
        /// Which.
        number: u64,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// The changes of a checkpoint are gone, or others.
    #[error("`{0}` is gone, or not what its checkpoint names")]
    Changes(String),
    /// The changes of a checkpoint cannot have been made.
    #[error("`{path}` cannot be")]
    Damaged {
        /// Which.
        path: String,
        /// What is wrong.
        #[source]
        error: Box<ChangesError>,
    },
}

/// What stands before leaves that are kept: the checkpoint they are of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    checkpoint: Hash,
    number: u64,
    /// What was signed, and whose entries were not read yet: there were too many in one run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unread: Vec<Stretch>,
}

/// What is known of what was signed.
pub(crate) struct Known {
    /// The last checkpoint.
    pub last: Option<Checkpoint>,
    /// Its leaves.
    pub leaves: Leaves,
    /// What was signed and is still to be read.
    pub unread: Vec<Stretch>,
}

/// The last checkpoint and its leaves.
pub(crate) async fn known<A: Archive>(
    archive: &A,
    key: &PublicKey,
    deployment: &str,
) -> Result<Known, SeriesFailure> {
    let Known { mut last, mut leaves, unread } = match kept(archive, key).await? {
        Some(known) => known,
        None => Known { last: None, leaves: Leaves::default(), unread: Vec::new() },
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
    Ok(Known { last, leaves, unread })
}

/// The leaves that were kept and the checkpoint they are of, if one comes to the other.
async fn kept<A: Archive>(archive: &A, key: &PublicKey) -> Result<Option<Known>, SeriesFailure> {
    let content = match archive.read_leaves().await {
        Ok(Some(content)) => content,
        Ok(None) => return Ok(None),
        Err(error) => {
            tracing::warn!(
                error = %ErrorChain(&error),
                "the leaves that were kept cannot be read"
            );
            return Ok(None);
        }
    };
    let Some((of, text)) = std::str::from_utf8(&content).ok().and_then(|text| text.split_once('\n')) else {
        return Ok(None);
    };
    let Ok(of) = serde_json::from_str::<Of>(of) else { return Ok(None) };
    // They tell of a checkpoint that there was: if it is gone, the series was cut.
    let envelope = read(archive, of.number).await?;
    envelope.verify(key)?;
    let last = envelope.checkpoint;
    let leaves = Leaves::restore(text).ok().filter(|leaves| last.covers(leaves).is_ok());
    match leaves {
        Some(leaves) if last.hash().is_ok_and(|hash| hash == of.checkpoint) => {
            Ok(Some(Known { last: Some(last), leaves, unread: of.unread }))
        }
        _ => {
            tracing::warn!(number = of.number, "the leaves that were kept are not those of their checkpoint");
            Ok(None)
        }
    }
}

/// Keeps the leaves of a checkpoint for the next run, and what that is to read first. If that is
/// lost, it is read in its turn.
pub(crate) async fn keep<A: Archive>(
    archive: &A,
    last: &Checkpoint,
    leaves: &Leaves,
    unread: Vec<Stretch>,
) -> Result<(), SeriesFailure> {
    let checkpoint = last.hash().map_err(CheckpointError::from)?;
    let of = Of { checkpoint, number: last.number, unread };
    let of = canonical::to_text(&of).map_err(CheckpointError::from)?;
    let (text, _) = changes_text(leaves.to_changes());
    Ok(archive.keep_leaves(format!("{of}\n{text}").into_bytes()).await?)
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
