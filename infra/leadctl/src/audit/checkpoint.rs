//! `leadctl audit checkpoint`: one now, over the live tables, signed by a key in a file, into a
//! directory. For whoever wants to hold a deployment to its record without trusting its bucket.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use audit::signature::{PublicKey, Signature, SigningKey};
use checkpoint::{CheckpointFailure, Deps, Made, Signer, SignerError, Tick, VERIFY_WITHIN_DAYS};

use super::directory::Directory;
use super::export::{Live, Tables, open};
use crate::output::say;

/// What `checkpoint` is given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The private key that signs (Ed25519, PKCS#8, PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the checkpoints are kept; the next one follows those that are there
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Make the key first, and beside it its public half, FILE.pub
    #[arg(long)]
    new_key: bool,
    #[command(flatten)]
    tables: Tables,
}

/// Makes a checkpoint; whether there is one: none is made over a history that is not what was signed.
///
/// # Errors
/// A key that cannot be used, tables that do not answer, a directory that cannot be written.
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
    let Made { number, subjects, commits, changed, .. } = made;
    say(&format!("checkpoint {number}: {subjects} subjects, {commits} commits, {changed} subjects changed"));
    Ok(true)
}

/// Makes the next checkpoint of a directory.
///
/// # Errors
/// As [`run`].
pub async fn make(live: &Live, key: SigningKey, dir: &Path) -> anyhow::Result<Made> {
    let signer = FileKey { public: key.public_key(), key };
    let deps = Deps {
        heads: live.store.clone(),
        archive: Directory::new(dir),
        signer,
        deployment: live.deployment.clone(),
        verify_within_days: VERIFY_WITHIN_DAYS,
    };
    let now = platform::clock::instant(SystemTime::now());
    let made = checkpoint::checkpoint(&deps, &Tick { scheduled_time: now }, now).await?;
    anyhow::ensure!(made.made, "another checkpoint was made in `{}` at the same time", dir.display());
    Ok(made)
}

fn read_key(path: &Path) -> anyhow::Result<SigningKey> {
    let text = std::fs::read_to_string(path).with_context(|| match path.try_exists() {
        Ok(false) => format!("there is no key `{}` yet; `--new-key` makes it", path.display()),
        _ => format!("cannot read `{}`", path.display()),
    })?;
    SigningKey::from_pem(&text).with_context(|| format!("`{}` cannot sign", path.display()))
}

/// Makes a key pair: the private half for this user alone, the public half beside it.
fn make_key(path: &Path) -> anyhow::Result<()> {
    let mut seed = [0; 32];
    let drawn = rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty());
    anyhow::ensure!(
        drawn.context("cannot draw random bytes")? == seed.len(),
        "too few random bytes were drawn"
    );
    let key = SigningKey::from_seed(&seed)?;
    let public = PathBuf::from(format!("{}.pub", path.display()));
    for path in [path, &public] {
        anyhow::ensure!(!path.try_exists()?, "cannot make `{}`: there is one already", path.display());
    }
    for (path, mode, text) in [(path, 0o600, key.to_pem()?), (&public, 0o644, key.public_key().to_pem()?)] {
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot make `{}`", path.display()))?;
    }
    say(&format!("made `{}`; its public half is `{}`", path.display(), public.display()));
    Ok(())
}

/// A key from a file.
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
    fn a_key_is_made_once_and_read_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        make_key(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let public = std::fs::read_to_string(dir.path().join("key.pem.pub")).unwrap();
        let key = read_key(&path).unwrap();
        assert_eq!(PublicKey::from_pem(&public).unwrap(), key.public_key());
        assert!(make_key(&path).unwrap_err().to_string().contains("cannot make"));
        assert_eq!(read_key(&path).unwrap().public_key(), key.public_key());
        // Nothing is made by halves: the public half of another key stands where this one's would.
        let other = dir.path().join("other.pem");
        std::fs::write(dir.path().join("other.pem.pub"), public).unwrap();
        assert!(make_key(&other).unwrap_err().to_string().contains("other.pem.pub"));
        assert!(!other.exists());
    }

    #[tokio::test]
    async fn a_file_is_put_once() {
        let dir = tempfile::tempdir().unwrap();
        let archive = Directory::new(&dir.path().join("new"));
        let path = audit::checkpoint::path(3);
        assert_eq!(archive.last(0).await.unwrap(), 0);
        assert!(archive.put_new(&path, b"one".to_vec()).await.unwrap());
        assert!(!archive.put_new(&path, b"other".to_vec()).await.unwrap());
        assert_eq!(archive.read(&path).await.unwrap().as_deref(), Some(b"one".as_slice()));
        assert_eq!((archive.last(0).await.unwrap(), archive.last(5).await.unwrap()), (3, 5));
    }
}
