//! Makes one signed checkpoint of all histories each hour, even if nothing happened. It decides nothing and
//! writes no history. Nobody can change what it writes, not even this function.
//!
//! It reads the head of every subject, compares the heads with the last checkpoint, and signs the root of the
//! tree over all of them. If a signed history is missing, shorter or different now, it signs nothing:
//! checkpoints exist to find that.
//!
//! Heads do not reveal an entry that was changed beneath them. So each run first reads the entries since the
//! last checkpoint, and rereads a part of all other histories. It keeps a report of each difference beside
//! the checkpoints, as the function on the audit's stream does. While a report is not acknowledged, it signs
//! nothing.
//!
//! It writes changes under their own hash before the checkpoint that names them, and a checkpoint only if its
//! number is free. So a run that stops at any point does not block the next one, and only one of two parallel
//! runs makes the hour's checkpoint.

mod archive;
mod reading;
mod reports;
mod series;
mod signer;

pub use archive::{Archive, ArchiveError, S3Archive, s3_client};
pub use reading::{Entries, NEW_COMMITS_MAX, OLD_COMMITS_MAX};
pub use series::SeriesFailure;
pub use signer::{KmsSigner, Signer, SignerError};

use audit::canonical::CanonicalError;
use audit::checkpoint::{Checkpoint, CheckpointError, Envelope};
use audit::leaves::{Change, ChangesError, Leaf, LeafError, Leaves, Survey, changes_text};
use audit::tampering::Report;
use chrono::{DateTime, TimeDelta, Utc};
use platform::telemetry::ErrorChain;
use reading::{HistoryRange, UNREAD_MAX};
use serde::{Deserialize, Serialize};
use series::SignedState;
use std::time::Duration;
use store::{Cursor, DUE_SHARDS, Page, Store, StoreError};

/// Days within which every history is read again, unless the deployment sets another number.
pub const VERIFY_WITHIN_DAYS: u32 = 30;
/// How far a tick may be ahead of this machine's clock.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);
/// Reports that an error names.
const NAMED_MAX: usize = 5;
/// Repeated reads of an impossible head: the index may be behind its subjects.
const DOUBTS_MAX: u32 = 4;
/// The pause before each.
const DOUBT_PAUSE: Duration = Duration::from_millis(500);

/// The schedule's input. It carries the tick's own time, so that a repeated tick is the same tick.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tick {
    /// When the tick was scheduled.
    pub scheduled_time: DateTime<Utc>,
}

/// The result of a tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckpointSummary {
    /// Whether this run made a checkpoint; if not, one existed, or another run made it meanwhile.
    pub made: bool,
    /// The number of the last checkpoint.
    pub number: u64,
    /// The subjects that it covers.
    pub subjects: u64,
    /// Their commits.
    pub commits: u64,
    /// Subjects that are new or have changed since the previous checkpoint.
    pub changed: usize,
    /// Commits of these subjects whose entries were read.
    pub read: u64,
    /// Signed commits that were read again.
    pub read_again: u64,
    /// Histories that are left to a later run.
    pub unread: usize,
}

/// Why no checkpoint was made.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFailure {
    /// A history differs from what was signed.
    #[error(
        "No checkpoint was signed: a history differs from what was signed; compare an export with the last checkpoint"
    )]
    Refused(#[source] LeafError),
    /// An audit item was changed, and nobody has acknowledged the report.
    #[error(
        "No checkpoint was signed: {reports} reports of a changed audit are not acknowledged ({named}); examine each, then run `leadctl audit acknowledge`"
    )]
    Tampered {
        /// How many.
        reports: usize,
        /// The names of the first of them.
        named: String,
    },
    /// The tick's time is in the future.
    #[error("the tick was scheduled for {scheduled}, but the clock shows {now}")]
    Ahead {
        /// The tick's time.
        scheduled: DateTime<Utc>,
        /// The time here.
        now: DateTime<Utc>,
    },
    /// The existing checkpoints cannot be continued.
    #[error(transparent)]
    Series(#[from] SeriesFailure),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
    /// The archive did not answer.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A verifier would not accept the new checkpoint.
    #[error("the new checkpoint is not valid")]
    InvalidCheckpoint(#[from] CheckpointError),
    /// The changes do not apply to the leaves they were made from.
    #[error("the new checkpoint is not valid")]
    Changes(#[from] ChangesError),
    /// A number that cannot be hashed.
    #[error("the new checkpoint is not valid")]
    Canonical(#[from] CanonicalError),
    /// The place of the changes holds something else.
    #[error("`{0}` exists with other content that this function did not write")]
    Occupied(String),
}

/// Reads heads.
pub trait Heads {
    /// A page of the heads of a shard.
    fn page(
        &self,
        shard: u8,
        after: Option<&Cursor>,
    ) -> impl Future<Output = Result<Page<Leaf>, StoreError>> + Send;
    /// One head, read again.
    fn again(&self, subject: &str) -> impl Future<Output = Result<Option<Leaf>, StoreError>> + Send;
}

impl Heads for Store {
    async fn page(&self, shard: u8, after: Option<&Cursor>) -> Result<Page<Leaf>, StoreError> {
        self.heads(shard, after).await
    }

    async fn again(&self, subject: &str) -> Result<Option<Leaf>, StoreError> {
        self.head(subject).await
    }
}

/// The clients and settings of a run.
#[derive(Debug, Clone)]
pub struct Deps<H, A, S> {
    /// Reads heads and entries.
    pub heads: H,
    /// Keeps checkpoints.
    pub archive: A,
    /// Signs checkpoints.
    pub signer: S,
    /// The deployment that the histories belong to.
    pub deployment: String,
    /// Days within which every history is read again.
    pub verify_within_days: u32,
}

/// Makes the checkpoint of an hour, unless it exists.
///
/// # Errors
/// [`CheckpointFailure`]; repeating the run does no harm.
pub async fn checkpoint<H: Heads + Entries + Sync, A: Archive, S: Signer>(
    deps: &Deps<H, A, S>,
    tick: &Tick,
    now: DateTime<Utc>,
) -> Result<CheckpointSummary, CheckpointFailure> {
    let Deps { heads, archive, signer, deployment, verify_within_days } = deps;
    let scheduled = tick.scheduled_time;
    if scheduled > now + AHEAD_MAX {
        return Err(CheckpointFailure::Ahead { scheduled, now });
    }
    let SignedState { last, mut leaves, unread } =
        series::load(archive, signer.public_key(), deployment).await?;
    if let Some(last) = last.as_ref().filter(|last| last.at >= scheduled) {
        return Ok(made(last, false, 0));
    }
    refuse_if_open(reports::open(archive).await?)?;
    let changes = survey(heads, &leaves).await?;
    let changed = changes.len();
    let before = |change: &Change| leaves.find(&change.subject).map(|(_, leaf)| leaf);
    let new = changes.iter().map(|change| HistoryRange::between(before(change), change.to_leaf()));
    let new = reading::read(heads, unread.into_iter().chain(new).collect(), NEW_COMMITS_MAX).await?;
    let turn =
        reading::turn(&leaves, last.as_ref().map(|last| last.at), now.max(scheduled), *verify_within_days);
    let again = reading::read(heads, turn, OLD_COMMITS_MAX).await?;
    let altered: Vec<Report> = new.altered.iter().chain(&again.altered).cloned().collect();
    refuse_if_open(reports::keep(archive, &altered).await?)?;
    let left = new.unread.len() + again.unread.len();
    if left > 0 {
        tracing::warn!(histories = left, "one run cannot read everything; the next one continues");
    }
    let (text, hash) = changes_text(&changes);
    leaves.apply(changes)?;
    // Every commit before this time is in the checkpoint, except those that the index does not show yet.
    let next = Checkpoint::after(last.as_ref(), deployment, now.max(scheduled), &leaves, hash)?;
    next.follows(last.as_ref())?;
    put_changes(archive, &next, text).await?;
    let envelope = Envelope { signature: signer.sign(&next.text()?).await?, checkpoint: next };
    envelope.verify(signer.public_key())?;
    let mut rest: Vec<HistoryRange> = new.unread.into_iter().chain(again.unread).collect();
    rest.truncate(UNREAD_MAX);
    let is_ours = archive.put_new(&envelope.checkpoint.path(), envelope.text()?.into_bytes()).await?;
    if is_ours && let Err(error) = series::keep(archive, &envelope.checkpoint, &leaves, rest).await {
        // The next run reads the changes instead.
        tracing::warn!(error = %ErrorChain(&error), "could not keep the leaves");
    }
    Ok(CheckpointSummary {
        read: new.commits,
        read_again: again.commits,
        unread: left,
        ..made(&envelope.checkpoint, is_ours, changed)
    })
}

/// Refuses to sign while reports are open.
fn refuse_if_open(reports: Vec<String>) -> Result<(), CheckpointFailure> {
    if reports.is_empty() {
        return Ok(());
    }
    let named = reports.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    Err(CheckpointFailure::Tampered { reports: reports.len(), named })
}

fn made(checkpoint: &Checkpoint, made: bool, changed: usize) -> CheckpointSummary {
    let Checkpoint { number, subjects, commits, .. } = *checkpoint;
    CheckpointSummary { made, number, subjects, commits, changed, read: 0, read_again: 0, unread: 0 }
}

/// Compares all heads with the last checkpoint. Returns the changes.
async fn survey<H: Heads>(
    heads: &H,
    leaves: &Leaves,
) -> Result<Vec<audit::leaves::Change>, CheckpointFailure> {
    let mut survey = Survey::of(leaves);
    for shard in 0..DUE_SHARDS {
        let mut after = None;
        loop {
            let page = heads.page(shard, after.as_ref()).await?;
            for leaf in page.items {
                let subject = leaf.subject.clone();
                if let Err(doubt) = survey.see(leaf) {
                    settle(heads, &mut survey, &subject, doubt).await?;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    let unseen: Vec<&Leaf> = survey.unseen().collect();
    for leaf in unseen {
        let doubt = LeafError::Missing { subject: leaf.subject.clone(), commit: leaf.commit };
        settle(heads, &mut survey, &leaf.subject, doubt).await?;
    }
    survey.finish().map_err(CheckpointFailure::Refused)
}

/// Reads an impossible head again, because the index may be behind. If the head stays impossible, the run
/// fails.
async fn settle<H: Heads>(
    heads: &H,
    survey: &mut Survey<'_>,
    subject: &str,
    mut doubt: LeafError,
) -> Result<(), CheckpointFailure> {
    for _ in 0..DOUBTS_MAX {
        tokio::time::sleep(DOUBT_PAUSE).await;
        if let Some(leaf) = heads.again(subject).await? {
            match survey.see(leaf) {
                Ok(()) => return Ok(()),
                Err(error) => doubt = error,
            }
        }
    }
    Err(CheckpointFailure::Refused(doubt))
}

/// Writes changes under their hash. If they exist, an earlier run wrote them.
async fn put_changes<A: Archive>(
    archive: &A,
    checkpoint: &Checkpoint,
    text: String,
) -> Result<(), CheckpointFailure> {
    let path = checkpoint.changes_path();
    if archive.put_new(&path, text.into_bytes()).await? {
        return Ok(());
    }
    let stands = archive.read(&path).await?.unwrap_or_default();
    if audit::sha256([stands.as_slice()]) == checkpoint.changes {
        Ok(())
    } else {
        Err(CheckpointFailure::Occupied(path))
    }
}
