//! `leadctl audit checkpoints`: fetches a deployment's checkpoints, their changes and the public key
//! into a directory, from where everything is verified without AWS. Run again, it fetches what is
//! new, and says so if what was fetched before is not what is there now.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use audit::checkpoint::{self as document, Checkpoint, Envelope};
use audit::sha256;
use audit::signature::PublicKey;
use aws_config::{BehaviorVersion, SdkConfig};
use checkpoint::{Archive, KmsSigner, S3Archive, Signer as _, s3_client};

use super::directory::Directory;
use crate::output::say;
use crate::seed;
use crate::state::{DIRECTORY, State};

/// The public key, beside the checkpoints.
const PUBLIC_KEY: &str = "public-key.pem";

/// What `checkpoints` is given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where to; what is there already is not fetched again
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The bucket of a deployment in AWS; default: what `up` runs here
    #[arg(long, value_name = "NAME", env = "CHECKPOINT_BUCKET", requires = "signing_key")]
    bucket: Option<String>,
    /// The key that signs them; credentials and region come from the environment
    #[arg(long, value_name = "ARN", env = "CHECKPOINT_KEY", requires = "bucket")]
    signing_key: Option<String>,
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// How many checkpoints were new.
    pub new: u64,
    /// The last one there is.
    pub last: u64,
    /// The key that signed them.
    pub key: PublicKey,
}

/// Fetches.
///
/// # Errors
/// AWS does not answer, the directory cannot be written, or what is there does not hold.
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
        0 => "no checkpoint was made yet: the deployment makes one every hour".to_owned(),
        _ => format!("{new} checkpoints fetched, the last is {last}"),
    });
    say(&format!("`{}` is the key {}", file.display(), key.id()));
    say("whoever verifies them should have that key's number from somebody they trust, not from here");
    Ok(())
}

/// Fetches the checkpoints of what `up` runs.
///
/// # Errors
/// As [`run`].
pub async fn fetch_local(state: &State, out: &Path) -> anyhow::Result<Fetched> {
    let sdk = seed::local_sdk(state).await;
    fetch(&sdk, state.output("CheckpointBucketName")?, state.output("CheckpointKeyArn")?, out).await
}

async fn fetch(sdk: &SdkConfig, bucket: &str, key: &str, out: &Path) -> anyhow::Result<Fetched> {
    let kms = KmsSigner::new(aws_sdk_kms::Client::new(sdk), key).await?;
    let (archive, directory) = (S3Archive::new(s3_client(sdk), bucket, None), Directory::new(out));
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
            "checkpoint {known} in the bucket is not the one that was fetched before into `{}`",
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
        let changes = archive.read(&path).await?.with_context(|| format!("`{path}` is missing"))?;
        ensure!(
            sha256([changes.as_slice()]) == checkpoint.changes,
            "`{path}` is not what its checkpoint names"
        );
        // The checkpoint last: what is there by its number is whole.
        directory.put_new(&path, changes).await?;
        directory.put_new(&checkpoint.path(), text.into_bytes()).await?;
        before = Some(checkpoint);
    }
    keep_key(&directory, &key, out).await?;
    Ok(Fetched { new: last - known, last, key })
}

async fn read(archive: &impl Archive, number: u64) -> anyhow::Result<String> {
    let content = archive.read(&document::path(number)).await?;
    let content = content.with_context(|| format!("checkpoint {number} was there, and is not any more"))?;
    String::from_utf8(content).with_context(|| format!("checkpoint {number} is no text"))
}

async fn keep_key(directory: &Directory, key: &PublicKey, out: &Path) -> anyhow::Result<()> {
    let pem = key.to_pem()?;
    if directory.put_new(PUBLIC_KEY, pem.clone().into_bytes()).await? {
        return Ok(());
    }
    let stands = directory.read(PUBLIC_KEY).await?.unwrap_or_default();
    ensure!(
        stands == pem.as_bytes(),
        "`{}` is another key than the deployment has",
        out.join(PUBLIC_KEY).display()
    );
    Ok(())
}
