//! A commit as it is stored and exported: its entries, the recorded data, and its links.

use crate::canonical::CanonicalError;
use crate::chain::{Circumstances, Links};
use crate::hash::Hash;
use crate::{canonical, chain};
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use rules::record::CommitRecord;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A commit with its links. Its texts are canonical, and keep their exact bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainedCommit {
    /// The subject of the history.
    pub subject: Subject,
    /// Its place in the history, from 1, without gaps.
    pub commit: u64,
    /// The identity of the input that caused it.
    pub cause: String,
    /// When its last entry took effect.
    pub at: DateTime<Utc>,
    /// When it was decided, by the system clock.
    pub recorded_at: DateTime<Utc>,
    /// The attempt that wrote it.
    pub attempt: String,
    /// The head of its subject before it.
    pub prev: Hash,
    /// The head of its subject with it.
    pub head: Hash,
    /// The recorded input and the data of its decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Box<RawValue>>,
    /// The entries, a JSON array.
    pub entries: Box<RawValue>,
}

impl ChainedCommit {
    /// Builds the commit that follows the head `prev`.
    ///
    /// # Errors
    /// If a number in it cannot be hashed.
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

    /// Computes its links from its content, ignoring the stored ones.
    ///
    /// # Errors
    /// If its entries are no JSON array.
    pub fn links(&self) -> Result<Links, CanonicalError> {
        let subject = self.subject.to_string();
        chain::links(self.prev, &self.circumstances(&subject), &self.split()?)
    }

    /// Its entries, each with its own text.
    ///
    /// # Errors
    /// If they are no JSON array.
    pub fn split(&self) -> Result<Vec<&RawValue>, CanonicalError> {
        chain::split(self.entries.get())
    }

    /// The statement that its seal covers.
    ///
    /// # Errors
    /// If a number cannot be hashed.
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
