//! What became of a command.

use serde::{Deserialize, Serialize};

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It was applied, if only in part; the entries say how far.
    Applied,
    /// There was nothing to do.
    Unchanged,
    /// It is older than what is known.
    Stale,
    /// It is in the record, and nothing follows from it: compliance has closed the lead.
    Recorded {
        /// What became of the lead.
        why: String,
    },
    /// It is not permitted; recorded.
    Refused {
        /// Why.
        why: String,
    },
    /// The lead moved on.
    Conflict {
        /// Why.
        why: String,
    },
    /// Its id was used for other content: nothing of it was applied.
    Reused {
        /// Why.
        why: String,
    },
    /// It makes no sense.
    Invalid {
        /// The field.
        field: String,
        /// What stands there and what would be right.
        why: String,
    },
    /// There is no such lead, account, rep or publication.
    NotFound,
}
