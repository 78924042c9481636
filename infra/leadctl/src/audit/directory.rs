//! Checkpoints in a directory, laid out as they are in the bucket.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use audit::checkpoint::{CHECKPOINTS, number_at};
use checkpoint::{Archive, ArchiveError};
use tempfile::NamedTempFile;

/// The leaves of the last checkpoint; they can be made again.
const LEAVES: &str = "leaves.jsonl";

/// A directory of checkpoints.
#[derive(Debug, Clone)]
pub struct Directory(PathBuf);

impl Directory {
    /// This one; it is made when something is put.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        match std::fs::read(self.0.join(path)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ArchiveError::new("read", path, error)),
        }
    }

    /// Writes a file whole, or not at all.
    fn write(&self, path: &str, content: &[u8]) -> std::io::Result<(NamedTempFile, PathBuf)> {
        let path = self.0.join(path);
        let parent = path.parent().unwrap_or(&self.0);
        std::fs::create_dir_all(parent)?;
        let mut file = NamedTempFile::new_in(parent)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        Ok((file, path))
    }
}

impl Archive for Directory {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.get(path)
    }

    async fn put_new(&self, path: &str, content: Vec<u8>) -> Result<bool, ArchiveError> {
        let put = self.write(path, &content).and_then(|(file, to)| match file.persist_noclobber(to) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        });
        put.map_err(|error| ArchiveError::new("take", path, error))
    }

    async fn last(&self, from: u64) -> Result<u64, ArchiveError> {
        let failed = |error| ArchiveError::new("list", CHECKPOINTS, error);
        let entries = match std::fs::read_dir(self.0.join(CHECKPOINTS)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(from),
            Err(error) => return Err(failed(error)),
        };
        let mut last = from;
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let number = name.to_str().and_then(|name| number_at(&format!("{CHECKPOINTS}{name}")));
            last = last.max(number.unwrap_or(0));
        }
        Ok(last)
    }

    async fn read_leaves(&self) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.get(LEAVES)
    }

    async fn keep_leaves(&self, content: Vec<u8>) -> Result<(), ArchiveError> {
        let kept = self.write(LEAVES, &content).and_then(|(file, to)| Ok(file.persist(to)?));
        kept.map(|_| ()).map_err(|error| ArchiveError::new("keep", LEAVES, error))
    }
}
