//! `leadctl audit checkpoint`: makes a checkpoint of the live tables now, signed with a key in a file. With it, a person
//! can check a deployment's audit without trusting its bucket.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use audit::signature::{PublicKey, Signature, SigningKey};
use checkpoint::{CheckpointFailure, CheckpointSummary, Deps, Signer, SignerError, Tick, VERIFY_WITHIN_DAYS};

use super::checkpoint_dir::CheckpointDir;
use super::tables::{Live, Tables, open};
use crate::output::say;

/// Options of `leadctl audit checkpoint`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The private key to sign with (Ed25519, PKCS#8, PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The directory of checkpoints; the new one follows those in it
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Create the key first, and its public half as FILE.pub
    #[arg(long)]
    new_key: bool,
    #[command(flatten)]
    tables: Tables,
}

/// Makes a checkpoint. Returns false if it refuses, because a history differs from what was signed.
///
/// # Errors
/// When the key cannot sign, the tables do not answer, or the directory cannot be written.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { key: path, dir, new_key, tables } = arguments;
    if *new_key {
        make_key(path)?;
    }
    let key = read_key(path)?;
    let live = open(root, tables).await?;
    let made = match make(&live, key, dir).await {
        Err(error)
            if matches!(
                error.downcast_ref(),
                Some(CheckpointFailure::Refused(_) | CheckpointFailure::Tampered { .. })
            ) =>
        {
            say(&format!("{error:#}"));
            return Ok(false);
        }
        made => made?,
    };
    let CheckpointSummary { number, subjects, commits, changed, .. } = made;
    say(&format!("Checkpoint {number}: {subjects} subjects, {commits} commits, {changed} subjects changed."));
    Ok(true)
}

/// Makes the next checkpoint in a directory.
///
/// # Errors
/// Those of [`run`], and a refusal.
pub async fn make(live: &Live, key: SigningKey, dir: &Path) -> anyhow::Result<CheckpointSummary> {
    let signer = FileKey { public: key.public_key(), key };
    let deps = Deps {
        heads: live.store.clone(),
        archive: CheckpointDir::new(dir),
        signer,
        deployment: live.deployment.clone(),
        verify_within_days: VERIFY_WITHIN_DAYS,
    };
    let now = platform::clock::instant(SystemTime::now());
    let made = checkpoint::checkpoint(&deps, &Tick { scheduled_time: now }, now).await?;
    anyhow::ensure!(
        made.made,
        "another process made a checkpoint in `{}` at the same time; run it again",
        dir.display()
    );
    Ok(made)
}

fn read_key(path: &Path) -> anyhow::Result<SigningKey> {
    let text = std::fs::read_to_string(path).with_context(|| match path.try_exists() {
        Ok(false) => format!("there is no key `{}`; create it with `--new-key`", path.display()),
        _ => format!("cannot read `{}`", path.display()),
    })?;
    SigningKey::from_pem(&text)
        .with_context(|| format!("`{}` is not a private key (Ed25519, PKCS#8, PEM)", path.display()))
}

/// Creates a key pair: the private half, which only this user can read, and the public half beside it.
fn make_key(path: &Path) -> anyhow::Result<()> {
    let mut seed = [0; 32];
    let drawn = rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty());
    anyhow::ensure!(
        drawn.context("cannot read random bytes")? == seed.len(),
        "the system gave too few random bytes"
    );
    let key = SigningKey::from_seed(&seed)?;
    let public = PathBuf::from(format!("{}.pub", path.display()));
    for path in [path, &public] {
        anyhow::ensure!(
            !path.try_exists()?,
            "cannot create `{}`: it exists; leave out `--new-key`, or name another file",
            path.display()
        );
    }
    for (path, mode, text) in [(path, 0o600, key.to_pem()?), (&public, 0o644, key.public_key().to_pem()?)] {
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot create `{}`", path.display()))?;
    }
    say(&format!("Created `{}` and its public half `{}`.", path.display(), public.display()));
    Ok(())
}

/// Signs with a key from a file.
struct FileKey {
    key: SigningKey,
    public: PublicKey,
}

impl Signer for FileKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    async fn sign(&self, text: &str) -> Result<Signature, SignerError> {
        Ok(self.key.sign(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use checkpoint::Archive as _;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_is_created_once_and_only_its_owner_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        make_key(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let public = std::fs::read_to_string(dir.path().join("key.pem.pub")).unwrap();
        let key = read_key(&path).unwrap();
        assert_eq!(PublicKey::from_pem(&public).unwrap(), key.public_key());
        assert!(make_key(&path).unwrap_err().to_string().contains("cannot create"));
        assert_eq!(read_key(&path).unwrap().public_key(), key.public_key());
        // The public half of another key is in the way: no half is written.
        let other = dir.path().join("other.pem");
        std::fs::write(dir.path().join("other.pem.pub"), public).unwrap();
        assert!(make_key(&other).unwrap_err().to_string().contains("other.pem.pub"));
        assert!(!other.exists());
    }

    #[tokio::test]
    async fn a_file_is_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let archive = CheckpointDir::new(&dir.path().join("new"));
        let path = audit::checkpoint::path(3);
        assert_eq!(archive.last(0).await.unwrap(), 0);
        assert!(archive.put_new(&path, b"one".to_vec()).await.unwrap());
        assert!(!archive.put_new(&path, b"other".to_vec()).await.unwrap());
        assert_eq!(archive.read(&path).await.unwrap().as_deref(), Some(b"one".as_slice()));
        assert_eq!((archive.last(0).await.unwrap(), archive.last(5).await.unwrap()), (3, 5));
    }
}
