//! The hour: signs what the histories of all subjects are, also when nothing happened. It decides
//! nothing and writes no history; what it writes nobody can change, itself included.
//!
//! It reads the head of every subject, puts what is new beside what it signed the last time, and
//! signs the root of the tree over all of it. If a history that was signed is gone, went back, or is
//! another one now, nothing is signed: that is what checkpoints are there to find.
//!
//! Heads alone show no entry that was changed under them. So the entries of what came since the last
//! checkpoint are read first, and of all other histories some each hour. What is not what was signed
//! is reported beside the checkpoints, as the audit's stream reports what it sees there; while a
//! report is not acknowledged, nothing is signed.
//!
//! Changes are written under their own hash and before the checkpoint that names them, and a
//! checkpoint only where none is. So a run that ends anywhere leaves nothing that stands in the way
//! of the next, and of two runs at once one is the checkpoint of the hour.

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
use reading::{Stretch, UNREAD_MAX};
use serde::{Deserialize, Serialize};
use series::Known;
use std::time::Duration;
use store::{Cursor, DUE_SHARDS, Page, Store, StoreError};

/// Within so many days every history is read again, unless the deployment says otherwise.
pub const VERIFY_WITHIN_DAYS: u32 = 30;
/// So far a tick may be ahead of the clock here.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);
/// Reports that an error names.
const NAMED_MAX: usize = 5;
/// How often a head that cannot be is asked for again: the index may be behind its subjects.
const DOUBTS_MAX: u32 = 4;
/// The pause before that.
const DOUBT_PAUSE: Duration = Duration::from_millis(500);

/// The schedule's input. The tick's own time comes with it, so that a repeated tick is the same.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tick {
    /// When the tick was scheduled.
    pub scheduled_time: DateTime<Utc>,
}

/// What a tick did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Whether it made a checkpoint; otherwise there was one, or another run made it meanwhile.
    pub made: bool,
    /// The last checkpoint there is.
    pub number: u64,
    /// The subjects that it covers.
    pub subjects: u64,
    /// Their commits.
    pub commits: u64,
    /// How many of them are new or have moved since the one before.
    pub changed: usize,
    /// Commits of these whose entries were read.
    pub read: u64,
    /// Commits that were signed before and were read again.
    pub read_again: u64,
    /// Histories that were to be read, and are left to a later run.
    pub unread: usize,
}

/// Why there is no checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFailure {
    /// A history is not what was signed.
    #[error(
        "nothing is signed: a history is not what was signed; compare an export with the last checkpoint"
    )]
    Refused(#[source] LeafError),
    /// An item of the audit was changed, and nobody has acknowledged it.
    #[error(
        "nothing is signed: {reports} reports that the audit was changed are not acknowledged ({named}); look at each, then `leadctl audit acknowledge`"
    )]
    Tampered {
        /// How many.
        reports: usize,
        /// The names of the first of them.
        named: String,
    },
    /// The tick is of another time.
    #[error("the tick is of {scheduled}, and the clock says {now}")]
    Ahead {
        /// When the tick says it was scheduled.
        scheduled: DateTime<Utc>,
        /// The time here.
        now: DateTime<Utc>,
    },
    /// The checkpoints there are cannot be gone on from.
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
    /// What was made would not be accepted by whoever checks it.
    #[error("what was made does not hold")]
    Unsound(#[from] CheckpointError),
    /// The changes do not fit the leaves they were made from.
    #[error("what was made does not hold")]
    Changes(#[from] ChangesError),
    /// A number that cannot be hashed.
    #[error("what was made does not hold")]
    Canonical(#[from] CanonicalError),
    /// Something else is where the changes belong.
    #[error("`{0}` is there with another content: somebody else wrote it")]
    Occupied(String),
}

/// Where heads are read.
pub trait Heads {
    /// A page of the heads of a shard.
    fn page(
        &self,
        shard: u8,
        after: Option<&Cursor>,
    ) -> impl Future<Output = Result<Page<Leaf>, StoreError>> + Send;
    /// One head, read once more.
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

/// What a run needs.
#[derive(Debug, Clone)]
pub struct Deps<H, A, S> {
    /// Where heads are read.
    pub heads: H,
    /// Where checkpoints are kept.
    pub archive: A,
    /// Who signs.
    pub signer: S,
    /// Whose histories they are.
    pub deployment: String,
    /// Within so many days every history is read again.
    pub verify_within_days: u32,
}

/// Makes the checkpoint of an hour, unless there is one.
///
/// # Errors
/// [`CheckpointFailure`]; doing it again does no harm.
pub async fn checkpoint<H: Heads + Entries + Sync, A: Archive, S: Signer>(
    deps: &Deps<H, A, S>,
    tick: &Tick,
    now: DateTime<Utc>,
) -> Result<Made, CheckpointFailure> {
    let Deps { heads, archive, signer, deployment, verify_within_days } = deps;
    let scheduled = tick.scheduled_time;
    if scheduled > now + AHEAD_MAX {
        return Err(CheckpointFailure::Ahead { scheduled, now });
    }
    let Known { last, mut leaves, unread } = series::known(archive, signer.public_key(), deployment).await?;
    if let Some(last) = last.as_ref().filter(|last| last.at >= scheduled) {
        return Ok(made(last, false, 0));
    }
    refuse_if_open(reports::open(archive).await?)?;
    let changes = survey(heads, &leaves).await?;
    let changed = changes.len();
    let before = |change: &Change| leaves.find(&change.subject).map(|(_, leaf)| leaf);
    let new = changes.iter().map(|change| Stretch::between(before(change), change.to_leaf()));
    let new = reading::read(heads, unread.into_iter().chain(new).collect(), NEW_COMMITS_MAX).await?;
    let turn =
        reading::turn(&leaves, last.as_ref().map(|last| last.at), now.max(scheduled), *verify_within_days);
    let again = reading::read(heads, turn, OLD_COMMITS_MAX).await?;
    let altered: Vec<Report> = new.altered.iter().chain(&again.altered).cloned().collect();
    refuse_if_open(reports::keep(archive, &altered).await?)?;
    let left = new.unread.len() + again.unread.len();
    if left > 0 {
        tracing::warn!(histories = left, "more is to be read than one run reads; the next one goes on");
    }
    let (text, hash) = changes_text(&changes);
    leaves.apply(changes)?;
    // Of what was committed before this instant, nothing is missing but what the index was behind.
    let next = Checkpoint::after(last.as_ref(), deployment, now.max(scheduled), &leaves, hash)?;
    next.follows(last.as_ref())?;
    put_changes(archive, &next, text).await?;
    let envelope = Envelope { signature: signer.sign(&next.text()?).await?, checkpoint: next };
    envelope.verify(signer.public_key())?;
    let mut rest: Vec<Stretch> = new.unread.into_iter().chain(again.unread).collect();
    rest.truncate(UNREAD_MAX);
    let is_ours = archive.put_new(&envelope.checkpoint.path(), envelope.text()?.into_bytes()).await?;
    if is_ours && let Err(error) = series::keep(archive, &envelope.checkpoint, &leaves, rest).await {
        // The next run reads the changes instead.
        tracing::warn!(error = %ErrorChain(&error), "the leaves were not kept");
    }
    Ok(Made {
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

fn made(checkpoint: &Checkpoint, made: bool, changed: usize) -> Made {
    let Checkpoint { number, subjects, commits, .. } = *checkpoint;
    Made { made, number, subjects, commits, changed, read: 0, read_again: 0, unread: 0 }
}

/// Holds all heads against what was signed the last time; gives what changed.
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

/// A head that cannot be may be one that the index has not got yet. If it stays so, that is it.
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

/// Writes changes where their hash says. If they are there, a run before this one wrote them.
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
