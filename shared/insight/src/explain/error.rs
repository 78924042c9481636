//! Why an explanation fails.

use chrono::{DateTime, Utc};
use rules::aggregate::{Defect, FoldError, Undecided};
use rules::world::Missing;

/// Why a lead cannot be explained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The world lacks something. Read it and ask again.
    #[error("the explanation needs {0:?}")]
    Missing(Missing),
    /// The lead did not exist yet.
    #[error("the lead's history begins at {begins_at}")]
    NotYet {
        /// When its history begins.
        begins_at: DateTime<Utc>,
    },
    /// The lead has no history.
    #[error("the lead has no history")]
    NoHistory,
    /// The history cannot be folded.
    #[error("the history cannot be folded")]
    Unsound(#[from] FoldError),
    /// The rules fail while looking ahead.
    #[error("the next steps cannot be decided")]
    Defect(#[source] Defect),
}

impl From<Undecided> for ExplainError {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::Missing(missing) => Self::Missing(missing),
            Undecided::Defect(defect) => Self::Defect(defect),
        }
    }
}
