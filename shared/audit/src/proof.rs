//! That one entry is in the record: a document by itself, which an outsider checks with nothing but
//! the public key of who signs checkpoints. It shows the entry and what its commit says, and of all
//! that came after only hashes.
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
    /// What its commit says beside its entries.
    pub commit: Statement,
    /// The entry.
    pub entry: Value,
    /// The links after its own commit, up to the head.
    pub later: Vec<Link>,
    /// The subject's leaf.
    pub leaf: Leaf,
    /// The leaf's way to the root.
    pub path: Vec<Hash>,
    /// The leaf's place.
    pub place: u64,
    /// What the entry follows.
    pub prev: Hash,
    /// The entries after it in its commit, by their hashes.
    pub rest: Vec<Hash>,
    /// The version of these rules.
    pub v: u32,
}

/// What the seal of a commit says of it (see `chain`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// When its last entry took effect.
    pub at: DateTime<Utc>,
    /// The attempt that wrote it.
    pub attempt: String,
    /// The input that it answers.
    pub cause: String,
    /// Its place, from 1.
    pub commit: u64,
    /// The hash of what was recorded with it.
    pub recorded: Option<Hash>,
    /// When it was decided.
    pub recorded_at: DateTime<Utc>,
    /// Whose history it belongs to.
    pub subject: String,
}

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It is not canonical JSON.
    #[error("the proof cannot be read")]
    Form(#[from] CanonicalError),
    /// It is JSON, and no proof.
    #[error("it is no proof")]
    Shape(#[source] serde_json::Error),
    /// Written by rules that came later.
    #[error("the proof is of version {0}, and only version {VERSION} is known here")]
    Version(u32),
    /// Its checkpoint does not count.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry and what follows it do not come to the head.
    #[error("the entry and what follows it come to {found}, and the head of `{subject}` is {head}")]
    Chain {
        /// Whose history.
        subject: String,
        /// Its head in the checkpoint.
        head: Hash,
        /// What they come to.
        found: Hash,
    },
    /// The leaf is another subject's, or too few or many commits lie between.
    #[error("commit {commit} of `{subject}` does not lead to commit {last} of `{of}`")]
    Place {
        /// Whose history the entry belongs to.
        subject: String,
        /// Its commit.
        commit: u64,
        /// Whose leaf it is.
        of: String,
        /// The last commit there.
        last: u64,
    },
    /// The leaf is not in the checkpoint's tree.
    #[error("the leaf of `{subject}` is not in the tree of checkpoint {number}")]
    Tree {
        /// Whose leaf.
        subject: String,
        /// Which checkpoint.
        number: u64,
    },
    /// There is nothing to prove.
    #[error("there is no entry {0} in that commit")]
    NoEntry(u64),
    /// The checkpoint is older than what should be proven.
    #[error("`{subject}` is in the checkpoint up to commit {covered}, and the entry is in {commit}")]
    NotCovered {
        /// Whose history.
        subject: String,
        /// The last commit there, 0 if it is not in it.
        covered: u64,
        /// The entry's commit.
        commit: u64,
    },
}

/// A proof in the making: the entry's commit, then those that follow.
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
    /// Begins with the commit that the entry is in; the entry is the one of this place in the
    /// history.
    ///
    /// # Errors
    /// The commit has no such entry, or cannot be read.
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
    /// It cannot be read.
    pub fn follow(&mut self, chained: &ChainedCommit) -> Result<(), ProofError> {
        let entries = chained.split()?;
        self.later.extend(entries.iter().map(|entry| Link::Entry(sha256([entry.get().as_bytes()]))));
        self.later.push(Link::Seal(sha256([chained.statement()?.as_bytes()])));
        self.last = chained.commit;
        Ok(())
    }

    /// The last commit that was added.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Ends at a checkpoint and its leaves. The last commit that was added has to be the one that
    /// the checkpoint covers.
    ///
    /// # Errors
    /// The checkpoint does not cover it.
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
    /// It is no proof in canonical form, or of a version that is not known here.
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
    /// A number that no reader holds exactly.
    pub fn text(&self) -> Result<String, CanonicalError> {
        canonical::to_text(self)
    }

    /// Checks all of it: that the entry, as it stands here, was in the record when the holder of the
    /// key signed the checkpoint.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, key: &PublicKey) -> Result<(), ProofError> {
        self.checkpoint.verify(key)?;
        self.holds()
    }

    /// Whether the entry leads to the root that the checkpoint names; who signed it is another
    /// question.
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
