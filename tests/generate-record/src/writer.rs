//! Writes an export, line by line. It does not use the code of `leadctl`, so that its tests read the work of another
//! program.

use std::collections::HashMap;
use std::io::Write;

use audit::{ChainedCommit, Hash};
use policy::ids::Subject;
use rules::record::{CommitRecord, DirectoryLine, End, Header, PolicyLine};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The attempt of every commit.
const ATTEMPT: &str = "made-up";

#[derive(Serialize)]
struct Line<'a, T> {
    kind: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// Writes an export.
pub struct Writer<W> {
    out: W,
    end: End,
    /// The hash of the written lines.
    hash: Sha256,
    /// The head of each history.
    heads: HashMap<Subject, Hash>,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn begin(out: W, header: &Header) -> anyhow::Result<Self> {
        let mut writer = Self { out, end: End::default(), hash: Sha256::new(), heads: HashMap::new() };
        writer.line("header", header)?;
        Ok(writer)
    }

    /// Writes a commit, chained to the one before it.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn commit(&mut self, record: &CommitRecord) -> anyhow::Result<()> {
        let head = self.heads.entry(record.subject.clone()).or_insert(Hash::ZERO);
        let commit = ChainedCommit::after(*head, record, ATTEMPT.to_owned())?;
        *head = commit.head;
        self.end.commits += 1;
        self.line("commit", &commit)
    }

    /// Writes a published policy.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn policy(&mut self, line: &PolicyLine) -> anyhow::Result<()> {
        self.end.policies += 1;
        self.line("policy", line)
    }

    /// Writes a published directory.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn directory(&mut self, line: &DirectoryLine) -> anyhow::Result<()> {
        self.end.directories += 1;
        self.line("directory", line)
    }

    /// Writes the last line. Returns `out`.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn finish(mut self) -> anyhow::Result<W> {
        let sha256 = Hash::new(self.hash.clone().finalize().into()).to_string();
        let end = End { sha256, ..self.end.clone() };
        self.line("end", &end)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, kind: &'static str, body: &impl Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&Line { kind, body })?;
        line.push(b'\n');
        self.hash.update(&line);
        self.out.write_all(&line)?;
        Ok(())
    }
}
