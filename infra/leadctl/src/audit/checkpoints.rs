//! `leadctl audit checkpoints`: fetches a deployment's checkpoints, their changes and the public key into a directory, to
//! verify without AWS. A later run fetches what is new, and fails if an earlier checkpoint has changed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use audit::checkpoint::{self as document, Checkpoint, Envelope};
use audit::sha256;
use audit::signature::PublicKey;
use aws_config::{BehaviorVersion, SdkConfig};
use checkpoint::{Archive, KmsSigner, S3Archive, Signer as _, s3_client};

use super::checkpoint_dir::CheckpointDir;
use crate::output::say;
use crate::seed;
use crate::state::{DIRECTORY, State};

/// The public key, beside the checkpoints.
const PUBLIC_KEY: &str = "public-key.pem";

/// Options of `leadctl audit checkpoints`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The directory to write; it keeps what it has
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The checkpoint bucket of a deployment in AWS [default: the local stack]
    #[arg(long, value_name = "NAME", env = "CHECKPOINT_BUCKET", requires = "signing_key")]
    bucket: Option<String>,
    /// The key that signs the checkpoints of that deployment; credentials and region come from the environment
    #[arg(long, value_name = "ARN", env = "CHECKPOINT_KEY", requires = "bucket")]
    signing_key: Option<String>,
}

/// The result of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// How many checkpoints were new.
    pub new: u64,
    /// The number of the last checkpoint.
    pub last: u64,
    /// The key that signed them.
    pub key: PublicKey,
}

/// Fetches checkpoints and prints the id of their key.
///
/// # Errors
/// When AWS does not answer, the directory cannot be written, or a checkpoint is not valid.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<()> {
    let out = &arguments.out;
    let Fetched { new, last, key } = match (&arguments.bucket, &arguments.signing_key) {
        (Some(bucket), Some(key)) => {
            let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
            fetch(&sdk, bucket, key, out).await?
        }
        _ => fetch_local(&State::load(&root()?.join(DIRECTORY))?, out).await?,
    };
    let file = out.join(PUBLIC_KEY);
    say(&match last {
        0 => "There is no checkpoint yet: the deployment makes one every hour.".to_owned(),
        _ => format!("Fetched {new} checkpoints; the last is {last}."),
    });
    say(&format!("`{}` has the key id {}", file.display(), key.id()));
    say("Compare this key id with one from a person you trust.");
    Ok(())
}

/// Fetches the checkpoints of the local stack.
///
/// # Errors
/// Those of [`run`].
pub async fn fetch_local(state: &State, out: &Path) -> anyhow::Result<Fetched> {
    let sdk = seed::local_sdk(state).await;
    fetch(&sdk, state.output("CheckpointBucketName")?, state.output("CheckpointKeyArn")?, out).await
}

async fn fetch(sdk: &SdkConfig, bucket: &str, key: &str, out: &Path) -> anyhow::Result<Fetched> {
    let kms = KmsSigner::new(aws_sdk_kms::Client::new(sdk), key).await?;
    let (archive, directory) = (S3Archive::new(s3_client(sdk), bucket, None), CheckpointDir::new(out));
    let key = kms.public_key().clone();
    let known = directory.last(0).await?;
    let mut before: Option<Checkpoint> = None;
    if known > 0 {
        let (ours, theirs) = (read(&directory, known).await?, archive.read(&document::path(known)).await?);
        let theirs = theirs.with_context(|| {
            format!(
                "checkpoint {known} in `{}` is not in the bucket: it is of another deployment, or the bucket lost it",
                out.display()
            )
        })?;
        ensure!(
            ours.as_bytes() == theirs,
            "checkpoint {known} in the bucket differs from the one in `{}`, which was fetched before",
            out.display()
        );
        before = Some(Envelope::read(&ours)?.checkpoint);
    }
    let last = archive.last(known).await?;
    for number in known + 1..=last {
        let text = read(&archive, number).await?;
        let envelope = Envelope::read(&text)?;
        envelope.verify(&key)?;
        let checkpoint = envelope.checkpoint;
        checkpoint.follows(before.as_ref())?;
        let path = checkpoint.changes_path();
        let changes =
            archive.read(&path).await?.with_context(|| format!("`{path}` is missing in the bucket"))?;
        ensure!(
            sha256([changes.as_slice()]) == checkpoint.changes,
            "`{path}` was changed: its checkpoint names another hash"
        );
        // The checkpoint comes last, so that its number stands for a complete set of files.
        directory.put_new(&path, changes).await?;
        directory.put_new(&checkpoint.path(), text.into_bytes()).await?;
        before = Some(checkpoint);
    }
    keep_key(&directory, &key, out).await?;
    Ok(Fetched { new: last - known, last, key })
}

async fn read(archive: &impl Archive, number: u64) -> anyhow::Result<String> {
    let content = archive.read(&document::path(number)).await?;
    let content = content.with_context(|| format!("checkpoint {number} has disappeared"))?;
    String::from_utf8(content).with_context(|| format!("checkpoint {number} is not text"))
}

async fn keep_key(directory: &CheckpointDir, key: &PublicKey, out: &Path) -> anyhow::Result<()> {
    let pem = key.to_pem()?;
    if directory.put_new(PUBLIC_KEY, pem.clone().into_bytes()).await? {
        return Ok(());
    }
    let existing = directory.read(PUBLIC_KEY).await?.unwrap_or_default();
    ensure!(
        existing == pem.as_bytes(),
        "`{}` is another key than the deployment's; use another directory",
        out.join(PUBLIC_KEY).display()
    );
    Ok(())
}
