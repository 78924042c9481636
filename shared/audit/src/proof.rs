//! Proves that one entry is in the audit, with a single document. An outsider checks it with only the public
//! key that signs checkpoints. It shows the entry and its commit's statement; of everything after it, it
//! shows only hashes.
//!
//! ```text
//! entry ─▶ the rest of its commit ─▶ its seal ─▶ later commits ─▶ head ─▶ leaf ─▶ root ─▶ signature
//! ```

use crate::canonical::{self, CanonicalError};
use crate::chain::{self, Link};
use crate::checkpoint::{CheckpointError, Envelope};
use crate::commit::ChainedCommit;
use crate::hash::{Hash, sha256};
use crate::leaves::{Leaf, Leaves};
use crate::signature::PublicKey;
use crate::tree;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of these rules.
pub const VERSION: u32 = 1;

/// An inclusion proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The checkpoint that covers it.
    pub checkpoint: Envelope,
    /// The statement of its commit.
    pub commit: Statement,
    /// The entry.
    pub entry: Value,
    /// The links after its own commit, up to the head.
    pub later: Vec<Link>,
    /// The subject's leaf.
    pub leaf: Leaf,
    /// The leaf's inclusion proof.
    pub path: Vec<Hash>,
    /// The leaf's place.
    pub place: u64,
    /// The hash before the entry.
    pub prev: Hash,
    /// The entries after it in its commit, by their hashes.
    pub rest: Vec<Hash>,
    /// The version of these rules.
    pub v: u32,
}

/// The statement that a commit's seal covers (see `chain`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// When its last entry took effect.
    pub at: DateTime<Utc>,
    /// The attempt that wrote it.
    pub attempt: String,
    /// The input that caused it.
    pub cause: String,
    /// Its place in the history, from 1.
    pub commit: u64,
    /// The hash of the recorded data.
    pub recorded: Option<Hash>,
    /// When it was decided.
    pub recorded_at: DateTime<Utc>,
    /// The subject of the history.
    pub subject: String,
}

/// Why a proof is not valid.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It is not canonical JSON.
    #[error("the proof cannot be read")]
    Form(#[from] CanonicalError),
    /// It is JSON, but no proof.
    #[error("not a proof")]
    Shape(#[source] serde_json::Error),
    /// A later version of Leadwatch wrote it.
    #[error("the proof has version {0}, but this program knows only version {VERSION}")]
    Version(u32),
    /// Its checkpoint is not valid.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry and its successors do not lead to the head.
    #[error("the entry and its successors lead to {found}, but the head of `{subject}` is {head}")]
    Chain {
        /// The subject.
        subject: String,
        /// Its head in the checkpoint.
        head: Hash,
        /// The head that they lead to.
        found: Hash,
    },
    /// The leaf belongs to another subject, or the number of commits between is wrong.
    #[error("commit {commit} of `{subject}` does not lead to commit {last} of `{of}`")]
    Place {
        /// The entry's subject.
        subject: String,
        /// The entry's commit.
        commit: u64,
        /// The leaf's subject.
        of: String,
        /// The leaf's commit.
        last: u64,
    },
    /// The leaf is not in the checkpoint's tree.
    #[error("the leaf of `{subject}` is not in the tree of checkpoint {number}")]
    Tree {
        /// The leaf's subject.
        subject: String,
        /// The checkpoint's number.
        number: u64,
    },
    /// The commit does not have the entry.
    #[error("the commit has no entry {0}")]
    NoEntry(u64),
    /// The checkpoint is older than the entry.
    #[error("the checkpoint covers `{subject}` up to commit {covered}, but the entry is in commit {commit}")]
    NotCovered {
        /// The subject.
        subject: String,
        /// The last covered commit; 0 if the subject is not covered.
        covered: u64,
        /// The entry's commit.
        commit: u64,
    },
}

/// Builds a proof from the entry's commit and the commits after it.
#[derive(Debug)]
pub struct ProofBuilder {
    commit: Statement,
    entry: Value,
    prev: Hash,
    rest: Vec<Hash>,
    last: u64,
    later: Vec<Link>,
}

impl ProofBuilder {
    /// Begins with the entry's commit. `seq` is the entry's place in the history.
    ///
    /// # Errors
    /// If the commit does not have the entry, or cannot be read.
    pub fn new(chained: &ChainedCommit, seq: u64) -> Result<Self, ProofError> {
        let commit: Statement = serde_json::from_str(&chained.statement()?).map_err(ProofError::Shape)?;
        let mut prev = chained.prev;
        let mut entries = chained.split()?.into_iter();
        for entry in entries.by_ref() {
            let text = entry.get();
            let value = canonical::read(text)?;
            if value.get("seq").and_then(Value::as_u64) == Some(seq) {
                let rest = entries.map(|entry| sha256([entry.get().as_bytes()])).collect();
                let last = commit.commit;
                return Ok(Self { commit, entry: value, prev, rest, last, later: Vec::new() });
            }
            prev = chain::entry_hash(prev, text);
        }
        Err(ProofError::NoEntry(seq))
    }

    /// Adds the next commit of the history.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn follow(&mut self, chained: &ChainedCommit) -> Result<(), ProofError> {
        let entries = chained.split()?;
        self.later.extend(entries.iter().map(|entry| Link::Entry(sha256([entry.get().as_bytes()]))));
        self.later.push(Link::Seal(sha256([chained.statement()?.as_bytes()])));
        self.last = chained.commit;
        Ok(())
    }

    /// The last added commit.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Completes the proof with a checkpoint and its leaves. The last added commit must be the last one that
    /// the checkpoint covers.
    ///
    /// # Errors
    /// If the checkpoint does not cover the entry.
    pub fn finish(self, envelope: Envelope, leaves: &Leaves) -> Result<Proof, ProofError> {
        let subject = &self.commit.subject;
        let not_covered = |covered| ProofError::NotCovered {
            subject: subject.clone(),
            covered,
            commit: self.commit.commit,
        };
        let (place, leaf) = leaves.find(subject).ok_or_else(|| not_covered(0))?;
        if leaf.commit < self.commit.commit {
            return Err(not_covered(leaf.commit));
        }
        let path = leaves.proof(place).ok_or_else(|| not_covered(0))?;
        let leaf = leaf.clone();
        let Self { commit, entry, prev, rest, later, .. } = self;
        let proof = Proof {
            checkpoint: envelope,
            commit,
            entry,
            later,
            leaf,
            path,
            place: place as u64,
            prev,
            rest,
            v: VERSION,
        };
        proof.holds()?;
        Ok(proof)
    }
}

impl Proof {
    /// Reads the text of its file.
    ///
    /// # Errors
    /// If it is not a proof in canonical form, or of an unknown version.
    pub fn read(text: &str) -> Result<Self, ProofError> {
        let proof: Self = serde_json::from_value(canonical::read(text)?).map_err(ProofError::Shape)?;
        if proof.text()? != text {
            return Err(CanonicalError::Form.into());
        }
        if proof.v == VERSION { Ok(proof) } else { Err(ProofError::Version(proof.v)) }
    }

    /// The text of its file.
    ///
    /// # Errors
    /// If a number is not an exact integer.
    pub fn text(&self) -> Result<String, CanonicalError> {
        canonical::to_text(self)
    }

    /// Verifies that the entry was in the audit, as it is here, when the holder of the key signed the
    /// checkpoint.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, key: &PublicKey) -> Result<(), ProofError> {
        self.checkpoint.verify(key)?;
        self.holds()
    }

    /// Checks that the entry leads to the checkpoint's root, without the signature.
    fn holds(&self) -> Result<(), ProofError> {
        let Self { leaf, commit, checkpoint: Envelope { checkpoint, .. }, .. } = self;
        let seals = self.later.iter().filter(|link| matches!(link, Link::Seal(_))).count() as u64;
        if *commit.subject != *leaf.subject || commit.commit.checked_add(seals) != Some(leaf.commit) {
            let (subject, of) = (commit.subject.clone(), leaf.subject.to_string());
            return Err(ProofError::Place { subject, commit: commit.commit, of, last: leaf.commit });
        }
        let entry = chain::entry_hash(self.prev, &canonical::of_value(&self.entry)?);
        let in_commit = self.rest.iter().fold(entry, |prev, rest| Link::Entry(*rest).after(prev));
        let sealed = Link::Seal(sha256([canonical::to_text(commit)?.as_bytes()])).after(in_commit);
        let found = self.later.iter().fold(sealed, |prev, link| link.after(prev));
        if found != leaf.head {
            return Err(ProofError::Chain { subject: commit.subject.clone(), head: leaf.head, found });
        }
        let root = tree::root_of(leaf.hash(), self.place, checkpoint.subjects, &self.path);
        if root != Some(checkpoint.root) {
            let (subject, number) = (commit.subject.clone(), checkpoint.number);
            return Err(ProofError::Tree { subject, number });
        }
        Ok(())
    }
}
