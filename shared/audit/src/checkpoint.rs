//! A checkpoint: the state of all histories at a time, signed with a key that the writers of the audit cannot
//! use. With a checkpoint, anyone can detect a cut tail, a missing history, and a history that was rewritten
//! from its beginning. Each checkpoint names the one before it, so that none can be removed from the series.
//!
//! ```text
//! checkpoints/0000000007.json          {"checkpoint":{…},"signature":{…}}, canonical
//! changes/0000000007-<sha256>.jsonl    what is different from the sixth, see `leaves`
//! ```
//!
//! The changes are written first, under their own hash, and count once a checkpoint names them.

use crate::canonical::{self, CanonicalError};
use crate::hash::{Hash, sha256};
use crate::leaves::Leaves;
use crate::signature::{PublicKey, Signature, SignatureError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The version of these rules.
pub const VERSION: u32 = 1;

/// The prefix of checkpoints.
pub const CHECKPOINTS: &str = "checkpoints/";
/// The prefix of changes.
pub const CHANGES: &str = "changes/";
/// The path of the cached leaves of the last checkpoint, which can be rebuilt.
pub const LEAVES: &str = "leaves.jsonl";

/// The signed content of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The time of the checkpoint.
    pub at: DateTime<Utc>,
    /// The hash of its changes file.
    pub changes: Hash,
    /// The number of commits of all histories together.
    pub commits: u64,
    /// The deployment of the histories.
    pub deployment: String,
    /// Its place in the series, from 1.
    pub number: u64,
    /// The hash of the previous checkpoint; zeros for the first.
    pub previous: Hash,
    /// The root of the tree over all heads.
    pub root: Hash,
    /// The number of subjects, which are the leaves of the tree.
    pub subjects: u64,
    /// The version of these rules.
    pub v: u32,
}

/// A checkpoint with its signature, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The signed content.
    pub checkpoint: Checkpoint,
    /// The signature.
    pub signature: Signature,
}

/// Why a checkpoint is not valid.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It is not canonical JSON.
    #[error("the checkpoint cannot be read")]
    Form(#[from] CanonicalError),
    /// It is JSON, but no checkpoint.
    #[error("not a checkpoint")]
    Shape(#[source] serde_json::Error),
    /// A later version of Leadwatch wrote it.
    #[error("checkpoint {number} has version {found}, but this program knows only version {VERSION}")]
    Version {
        /// The checkpoint's number.
        number: u64,
        /// Its version.
        found: u32,
    },
    /// Its signature is not valid.
    #[error("the signature of checkpoint {number} is not valid")]
    Signature {
        /// The checkpoint's number.
        number: u64,
        /// The cause.
        #[source]
        error: SignatureError,
    },
    /// It does not follow the previous checkpoint.
    #[error("checkpoint {number} does not follow {before}")]
    Series {
        /// The checkpoint's number.
        number: u64,
        /// The previous one; 0 if there is none.
        before: u64,
        /// The cause.
        #[source]
        why: SeriesError,
    },
    /// It does not match the leaves.
    #[error("checkpoint {number} has {what} {says}, but its changes give {found}")]
    Leaves {
        /// The checkpoint's number.
        number: u64,
        /// The member that differs.
        what: &'static str,
        /// The value in the checkpoint.
        says: String,
        /// The value of the leaves.
        found: String,
    },
}

/// Why a checkpoint does not follow another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// Its number is not the next one.
    #[error("one is missing or duplicate")]
    Number,
    /// It names another previous checkpoint.
    #[error("it names another previous checkpoint")]
    Previous,
    /// Its time is before the previous one.
    #[error("it was made at {at}, before the previous one at {before}")]
    Time {
        /// Its time.
        at: DateTime<Utc>,
        /// The time of the previous one.
        before: DateTime<Utc>,
    },
    /// It belongs to another deployment.
    #[error("it belongs to the deployment `{found}`, not to `{expected}`")]
    Deployment {
        /// Its deployment.
        found: String,
        /// The deployment of the others.
        expected: String,
    },
    /// It covers less than the previous one.
    #[error("it covers fewer subjects or commits than the previous one")]
    Shrunk,
}

impl Checkpoint {
    /// Builds the checkpoint after `previous`, over these leaves.
    ///
    /// # Errors
    /// If `previous` cannot be hashed.
    pub fn after(
        previous: Option<&Self>,
        deployment: &str,
        at: DateTime<Utc>,
        leaves: &Leaves,
        changes: Hash,
    ) -> Result<Self, CanonicalError> {
        Ok(Self {
            at,
            changes,
            commits: leaves.commits(),
            deployment: deployment.to_owned(),
            number: previous.map_or(0, |previous| previous.number) + 1,
            previous: previous.map_or(Ok(Hash::ZERO), Self::hash)?,
            root: leaves.root(),
            subjects: leaves.len() as u64,
            v: VERSION,
        })
    }

    /// The signed text, whose hash is `previous` in the next checkpoint.
    ///
    /// # Errors
    /// If a number is not an exact integer.
    pub fn text(&self) -> Result<String, CanonicalError> {
        canonical::to_text(self)
    }

    /// The hash that the next checkpoint names.
    ///
    /// # Errors
    /// As for [`Checkpoint::text`].
    pub fn hash(&self) -> Result<Hash, CanonicalError> {
        Ok(sha256([self.text()?.as_bytes()]))
    }

    /// Checks that it is the next one after `previous`, or the first.
    ///
    /// # Errors
    /// If it is not.
    pub fn follows(&self, previous: Option<&Self>) -> Result<(), CheckpointError> {
        let before = previous.map_or(0, |previous| previous.number);
        let fails = |why| Err(CheckpointError::Series { number: self.number, before, why });
        if self.number != before + 1 {
            return fails(SeriesError::Number);
        }
        if let Some(previous) = previous {
            if self.deployment != previous.deployment {
                let (found, expected) = (self.deployment.clone(), previous.deployment.clone());
                return fails(SeriesError::Deployment { found, expected });
            }
            if self.at < previous.at {
                return fails(SeriesError::Time { at: self.at, before: previous.at });
            }
            if self.subjects < previous.subjects || self.commits < previous.commits {
                return fails(SeriesError::Shrunk);
            }
        }
        if self.previous != previous.map_or(Ok(Hash::ZERO), Self::hash)? {
            return fails(SeriesError::Previous);
        }
        Ok(())
    }

    /// Checks that it covers these leaves.
    ///
    /// # Errors
    /// If it does not.
    pub fn covers(&self, leaves: &Leaves) -> Result<(), CheckpointError> {
        for (what, says, found) in [
            ("the root", self.root.to_string(), leaves.root().to_string()),
            ("the number of subjects", self.subjects.to_string(), leaves.len().to_string()),
            ("the number of commits", self.commits.to_string(), leaves.commits().to_string()),
        ] {
            if says != found {
                return Err(CheckpointError::Leaves { number: self.number, what, says, found });
            }
        }
        Ok(())
    }

    /// The path it is stored at.
    pub fn path(&self) -> String {
        path(self.number)
    }

    /// The path of its changes.
    pub fn changes_path(&self) -> String {
        format!("{CHANGES}{:010}-{}.jsonl", self.number, self.changes)
    }
}

/// The path of a checkpoint, by its number.
pub fn path(number: u64) -> String {
    format!("{CHECKPOINTS}{number:010}.json")
}

/// The number of the checkpoint at a path; `None` if the path is not a checkpoint's.
pub fn number_at(place: &str) -> Option<u64> {
    let number = place.strip_prefix(CHECKPOINTS)?.strip_suffix(".json")?.parse().ok()?;
    (path(number) == place).then_some(number)
}

impl Envelope {
    /// Reads the text of its file.
    ///
    /// # Errors
    /// If it is not a checkpoint in canonical form, or of an unknown version.
    pub fn read(text: &str) -> Result<Self, CheckpointError> {
        let envelope: Self =
            serde_json::from_value(canonical::read(text)?).map_err(CheckpointError::Shape)?;
        // Times and base64 texts have several spellings; only this one was hashed.
        if envelope.text()? != text {
            return Err(CanonicalError::Form.into());
        }
        let Checkpoint { number, v, .. } = envelope.checkpoint;
        if v == VERSION { Ok(envelope) } else { Err(CheckpointError::Version { number, found: v }) }
    }

    /// The text of its file.
    ///
    /// # Errors
    /// If a number is not an exact integer.
    pub fn text(&self) -> Result<String, CanonicalError> {
        canonical::to_text(self)
    }

    /// Verifies the signature.
    ///
    /// # Errors
    /// If another key signed it, or it was changed.
    pub fn verify(&self, key: &PublicKey) -> Result<(), CheckpointError> {
        let failed = |error| CheckpointError::Signature { number: self.checkpoint.number, error };
        key.verify(&self.checkpoint.text()?, &self.signature).map_err(failed)
    }
}
