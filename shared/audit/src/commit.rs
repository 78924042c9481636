//! A commit as it is stored and exported: its entries, what was recorded with them, and its links.

use crate::canonical::CanonicalError;
use crate::chain::{Circumstances, Links};
use crate::hash::Hash;
use crate::{canonical, chain};
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use rules::record::CommitRecord;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A commit with its links. Its texts are canonical, and stay the bytes they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainedCommit {
    /// Whose history it belongs to.
    pub subject: Subject,
    /// Its place there, from 1, without gaps.
    pub commit: u64,
    /// The identity of the input that it answers.
    pub cause: String,
    /// When its last entry took effect.
    pub at: DateTime<Utc>,
    /// When it was decided, by the clock on the wall.
    pub recorded_at: DateTime<Utc>,
    /// The attempt that wrote it.
    pub attempt: String,
    /// The head of its subject before it.
    pub prev: Hash,
    /// The head of its subject with it.
    pub head: Hash,
    /// What it answered and what its decision saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Box<RawValue>>,
    /// The entries, a JSON array.
    pub entries: Box<RawValue>,
}

impl ChainedCommit {
    /// A commit after those whose head is `prev`.
    ///
    /// # Errors
    /// A number in it that cannot be hashed.
    pub fn after(prev: Hash, record: &CommitRecord, attempt: String) -> Result<Self, CanonicalError> {
        let raw = |text: String| RawValue::from_string(text).map_err(CanonicalError::from);
        let recorded =
            record.recorded.as_ref().map(|recorded| raw(canonical::to_text(recorded)?)).transpose()?;
        let mut commit = Self {
            subject: record.subject.clone(),
            commit: record.commit,
            cause: record.cause.clone(),
            at: record.at,
            recorded_at: record.recorded_at,
            attempt,
            prev,
            head: prev,
            recorded,
            entries: raw(canonical::to_text(&record.entries)?)?,
        };
        commit.head = commit.links()?.head;
        Ok(commit)
    }

    /// Its links as they come of what it says, whatever it says they are.
    ///
    /// # Errors
    /// Its entries are no JSON array.
    pub fn links(&self) -> Result<Links, CanonicalError> {
        let subject = self.subject.to_string();
        chain::links(self.prev, &self.circumstances(&subject), &self.split()?)
    }

    /// Its entries, each with its own text.
    ///
    /// # Errors
    /// They are no JSON array.
    pub fn split(&self) -> Result<Vec<&RawValue>, CanonicalError> {
        chain::split(self.entries.get())
    }

    /// What its seal says of it.
    ///
    /// # Errors
    /// A number that cannot be hashed.
    pub fn statement(&self) -> Result<String, CanonicalError> {
        self.circumstances(&self.subject.to_string()).statement()
    }

    fn circumstances<'a>(&'a self, subject: &'a str) -> Circumstances<'a> {
        Circumstances {
            subject,
            commit: self.commit,
            cause: &self.cause,
            at: self.at,
            recorded_at: self.recorded_at,
            attempt: &self.attempt,
            recorded: self.recorded.as_deref().map(RawValue::get),
        }
    }
}
