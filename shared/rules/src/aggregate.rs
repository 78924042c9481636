//! What leads, accounts, reps and publications have in common.

use policy::ids::{AccountId, Subject, TeamId};
use std::collections::BTreeSet;

/// Why a history is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The first entry of a lead says that it was created; no later one does.
    #[error("entry {seq} of `{subject}`: a history begins with the creation, and has one")]
    Beginning {
        /// Whose history.
        subject: Subject,
        /// Which entry.
        seq: u64,
    },
    /// Entries are numbered without gaps.
    #[error("entry {seq} of `{subject}` follows entry {after}")]
    Gap {
        /// Whose history.
        subject: Subject,
        /// Which entry.
        seq: u64,
        /// The one before it.
        after: u64,
    },
}

/// What a decision looked at beside its lead and the documents. It is recorded with the decision,
/// so that it can be taken again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consulted {
    /// The teams whose standing it looked at.
    pub teams: BTreeSet<TeamId>,
    /// The accounts whose view it looked at.
    pub accounts: BTreeSet<AccountId>,
}
