//! What a backtest tries, and the baseline to compare it with.

use super::report::Baseline;
use chrono::{DateTime, Utc};
use policy::Policy;
use policy::directory::Directory;
use rules::world::Past;

/// What a backtest tries.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The candidate policy, in force from the first record on.
    pub policy: Policy,
    /// The candidate directory. `None` for the published directories.
    pub directory: Option<Directory>,
    /// When counting begins. `None` for the first record.
    pub since: Option<DateTime<Utc>>,
    /// The baseline.
    pub against: BaselineChoice,
}

/// The choice of a baseline.
#[derive(Debug, Clone)]
pub enum BaselineChoice {
    /// The recorded history.
    History,
    /// The latest published policy.
    InForce,
    /// A published policy revision.
    Revision(u32),
    /// Another policy.
    Policy(Box<Policy>),
}

impl BaselineChoice {
    /// The policy to replay. `None` for the recorded history. The error is a revision that is not in the
    /// record.
    pub(super) fn policy(self, revisions: &Past) -> Result<Option<(Policy, Baseline)>, u32> {
        let published = |revision: u32| {
            revisions.policies.get(&revision).map(|published| published.policy.clone()).ok_or(revision)
        };
        Ok(match self {
            Self::History => None,
            Self::InForce => {
                let revision = revisions.policies.keys().next_back().copied().unwrap_or(0);
                Some((published(revision)?, Baseline::InForce { revision }))
            }
            Self::Revision(revision) => Some((published(revision)?, Baseline::Revision { revision })),
            Self::Policy(policy) => {
                let name = policy.name.clone();
                Some((*policy, Baseline::Policy { name }))
            }
        })
    }
}

/// The record lacks the revision to compare with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy revision {revision} is not in the record, which holds {known}")]
pub struct UnknownBaseline {
    /// The missing revision.
    pub revision: u32,
    /// The recorded revisions, in words.
    pub known: String,
}
