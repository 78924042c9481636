//! Checkpoints in a directory, laid out as in the bucket.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use audit::checkpoint::{CHECKPOINTS, LEAVES, number_at};
use checkpoint::{Archive, ArchiveError};
use tempfile::NamedTempFile;

/// A directory of checkpoints.
#[derive(Debug, Clone)]
pub struct CheckpointDir(PathBuf);

impl CheckpointDir {
    /// Uses this directory; the first write creates it.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The numbers of the checkpoints, in order.
    ///
    /// # Errors
    /// When the directory does not exist or cannot be read.
    pub fn numbers(&self) -> std::io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(self.0.join(CHECKPOINTS))? {
            numbers.extend(number_at(&format!("{CHECKPOINTS}{}", entry?.file_name().to_string_lossy())));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        match std::fs::read(self.0.join(path)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ArchiveError::new("read", path, error)),
        }
    }

    /// Writes a temporary file beside its final place, so that a file is complete or absent.
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

impl Archive for CheckpointDir {
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
        match self.numbers() {
            Ok(numbers) => Ok(numbers.last().map_or(from, |last| from.max(*last))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(from),
            Err(error) => Err(ArchiveError::new("list", CHECKPOINTS, error)),
        }
    }

    async fn list(&self, prefix: &'static str) -> Result<Vec<String>, ArchiveError> {
        let failed = |error| ArchiveError::new("list", prefix, error);
        let found = match std::fs::read_dir(self.0.join(prefix)) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.map(|entry| entry.file_name().to_string_lossy().into_owned()).map_err(failed)
        };
        found.map(name).collect()
    }

    async fn read_leaves(&self) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.get(LEAVES)
    }

    async fn keep_leaves(&self, content: Vec<u8>) -> Result<(), ArchiveError> {
        let kept = self.write(LEAVES, &content).and_then(|(file, to)| Ok(file.persist(to)?));
        kept.map(|_| ()).map_err(|error| ArchiveError::new("keep", LEAVES, error))
    }
}
