//! A checkpoint: what the histories of all subjects were at an instant, signed by somebody else than
//! who can write them. Whoever holds one can tell a cut tail, a history that is missing, and one
//! that was written anew from its beginning. Each one names the one before it, so that none can be
//! taken out of the series.
//!
//! ```text
//! checkpoints/0000000007.json          {"checkpoint":{…},"signature":{…}}, canonical
//! changes/0000000007-<sha256>.jsonl    what is different from the sixth, see `leaves`
//! ```
//!
//! The changes are written first, under their own hash, and count when a checkpoint names them.

use crate::canonical::{self, CanonicalError};
use crate::hash::{Hash, sha256};
use crate::leaves::Leaves;
use crate::signature::{PublicKey, Signature, SignatureError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The version of these rules.
pub const VERSION: u32 = 1;

/// Where checkpoints are.
pub const CHECKPOINTS: &str = "checkpoints/";
/// Where their changes are.
pub const CHANGES: &str = "changes/";
/// Where the leaves of the last one are; they can be made again.
pub const LEAVES: &str = "leaves.jsonl";

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The instant it was made for.
    pub at: DateTime<Utc>,
    /// The hash of its changes file.
    pub changes: Hash,
    /// The commits of all histories together.
    pub commits: u64,
    /// Whose histories they are.
    pub deployment: String,
    /// Its place in the series, from 1.
    pub number: u64,
    /// The hash of the checkpoint before it; zeros for the first.
    pub previous: Hash,
    /// The root of the tree over all heads.
    pub root: Hash,
    /// How many subjects there are: the leaves of the tree.
    pub subjects: u64,
    /// The version of these rules.
    pub v: u32,
}

/// A checkpoint with its signature, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// Who signed it.
    pub signature: Signature,
}

/// Why a checkpoint does not count.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It is not canonical JSON.
    #[error("the checkpoint cannot be read")]
    Form(#[from] CanonicalError),
    /// It is JSON, and no checkpoint.
    #[error("it is no checkpoint")]
    Shape(#[source] serde_json::Error),
    /// Written by rules that came later.
    #[error("checkpoint {number} is of version {found}, and only version {VERSION} is known here")]
    Version {
        /// Which.
        number: u64,
        /// Its version.
        found: u32,
    },
    /// Its signature does not count.
    #[error("the signature of checkpoint {number} does not count")]
    Signature {
        /// Which.
        number: u64,
        /// Why.
        #[source]
        error: SignatureError,
    },
    /// It does not follow the one before it.
    #[error("checkpoint {number} does not follow {before}")]
    Series {
        /// Which.
        number: u64,
        /// The one before it; 0 if there is none.
        before: u64,
        /// What is wrong.
        #[source]
        why: SeriesError,
    },
    /// The leaves are not those it was made over.
    #[error("checkpoint {number} has {what} {says}, and its changes come to {found}")]
    Leaves {
        /// Which.
        number: u64,
        /// What is different.
        what: &'static str,
        /// What it says.
        says: String,
        /// What they come to.
        found: String,
    },
}

/// Why a checkpoint does not follow another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// Another number would be next.
    #[error("one is missing, or it stands twice")]
    Number,
    /// It was made after another one.
    #[error("it names another checkpoint as the one before it")]
    Previous,
    /// Time went back.
    #[error("it was made at {at}, before {before}")]
    Time {
        /// When it was made.
        at: DateTime<Utc>,
        /// When the one before it was.
        before: DateTime<Utc>,
    },
    /// Another deployment's.
    #[error("it is of the deployment `{found}`, not of `{expected}`")]
    Deployment {
        /// Whose it is.
        found: String,
        /// Whose the others are.
        expected: String,
    },
    /// It covers less.
    #[error("it covers less: subjects or commits became fewer")]
    Shrunk,
}

impl Checkpoint {
    /// The one that comes after `previous`, over these leaves.
    ///
    /// # Errors
    /// `previous` cannot be hashed.
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

    /// What is signed, and what the next one's `previous` is the hash of.
    ///
    /// # Errors
    /// A number that no reader holds exactly.
    pub fn text(&self) -> Result<String, CanonicalError> {
        canonical::to_text(self)
    }

    /// The hash that the next one names.
    ///
    /// # Errors
    /// As [`Checkpoint::text`].
    pub fn hash(&self) -> Result<Hash, CanonicalError> {
        Ok(sha256([self.text()?.as_bytes()]))
    }

    /// Whether it is the next one after `previous`, or the first.
    ///
    /// # Errors
    /// It is not.
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

    /// Whether it was made over these leaves.
    ///
    /// # Errors
    /// It was not.
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

    /// Where it is kept.
    pub fn path(&self) -> String {
        path(self.number)
    }

    /// Where its changes are kept.
    pub fn changes_path(&self) -> String {
        format!("{CHANGES}{:010}-{}.jsonl", self.number, self.changes)
    }
}

/// Where the checkpoint of a number is kept.
pub fn path(number: u64) -> String {
    format!("{CHECKPOINTS}{number:010}.json")
}

/// The number of the checkpoint that is kept there; none if there is no checkpoint at such a place.
pub fn number_at(place: &str) -> Option<u64> {
    let number = place.strip_prefix(CHECKPOINTS)?.strip_suffix(".json")?.parse().ok()?;
    (path(number) == place).then_some(number)
}

impl Envelope {
    /// Reads the text of its file.
    ///
    /// # Errors
    /// It is no checkpoint in canonical form, or of a version that is not known here.
    pub fn read(text: &str) -> Result<Self, CheckpointError> {
        let envelope: Self =
            serde_json::from_value(canonical::read(text)?).map_err(CheckpointError::Shape)?;
        // An instant and a base64 text can be spelled in many ways; this one was hashed.
        if envelope.text()? != text {
            return Err(CanonicalError::Form.into());
        }
        let Checkpoint { number, v, .. } = envelope.checkpoint;
        if v == VERSION { Ok(envelope) } else { Err(CheckpointError::Version { number, found: v }) }
    }

    /// The text of its file.
    ///
    /// # Errors
    /// A number that no reader holds exactly.
    pub fn text(&self) -> Result<String, CanonicalError> {
        canonical::to_text(self)
    }

    /// Checks who signed it.
    ///
    /// # Errors
    /// Somebody else, or it was changed.
    pub fn verify(&self, key: &PublicKey) -> Result<(), CheckpointError> {
        let failed = |error| CheckpointError::Signature { number: self.checkpoint.number, error };
        key.verify(&self.checkpoint.text()?, &self.signature).map_err(failed)
    }
}
