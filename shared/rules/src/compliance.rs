//! What compliance works with: matches, reviews, clearances. The workflow is in
//! `workflows::compliance_flag`.

use crate::clock::Clock;
use crate::ids::PersonId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A criterion of the compliance workflow that was met. Nothing personal is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// Which kind.
    pub kind: CriterionKind,
    /// The match, as the list names it.
    pub match_id: String,
    /// The list it was found on.
    pub list: String,
    /// The version of that list.
    pub list_version: String,
    /// How strong the match is, in percent, where the screening says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<u8>,
}

/// The kinds of criteria.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriterionKind {
    /// A match on a sanctions list.
    Sanctions,
    /// A politically exposed person.
    Pep,
    /// A jurisdiction the market is not licensed for.
    Jurisdiction,
    /// Adverse media.
    AdverseMedia,
}

/// A criterion with what a screening found about a person; the second part is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The criterion.
    pub criterion: Criterion,
    /// Whom it matched and why, as the screening says; personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<MatchDetails>,
}

/// What a screening found about a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MatchDetails {
    /// The listed name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Anything else, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl MatchDetails {
    /// Whether anything was said.
    pub fn is_said(&self) -> bool {
        *self != Self::default()
    }

    /// All that was said.
    pub fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { name, note } = self;
        [name, note].into_iter().flatten()
    }
}

/// An open review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Rises with whatever an officer has to see before deciding; a decision names it.
    pub revision: u64,
    /// Time in review; its steps are the reminders.
    pub clock: Clock,
    /// What is to be decided.
    pub criteria: Vec<Criterion>,
    /// Who raised flags by hand; they cannot decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flagged_by: Vec<String>,
    /// Who would have it, and cannot decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_be_owner: Option<PersonId>,
    /// The first of two officers' voices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vote: Option<Vote>,
}

/// What an officer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The lead may be worked.
    Clear,
    /// It may not, for good.
    Reject,
}

/// One officer's voice where the policy asks for two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// The officer, by the token's subject.
    pub officer: String,
    /// What they decided.
    pub verdict: Verdict,
    /// The reason's code.
    pub reason_code: String,
    /// The reason.
    pub reason: String,
}

/// A match that an officer cleared: it does not hold the lead again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clearance {
    /// Of which kind it was: one record can be a reason of several kinds.
    pub kind: CriterionKind,
    /// The match.
    pub match_id: String,
    /// The list it was on: another list may use the same number for somebody else.
    pub list: String,
    /// The version of that list.
    pub list_version: String,
}

impl Clearance {
    /// The clearance of a criterion.
    pub fn of(criterion: &Criterion) -> Self {
        let Criterion { kind, match_id, list, list_version, .. } = criterion.clone();
        Self { kind, match_id, list, list_version }
    }

    /// Whether it is of this match, whatever the version of the list.
    pub fn is_of(&self, criterion: &Criterion) -> bool {
        self.kind == criterion.kind && self.match_id == criterion.match_id && self.list == criterion.list
    }
}

impl Criterion {
    /// Whether an officer has cleared this very match on this version of the list.
    pub fn is_cleared_by(&self, clearances: &[Clearance]) -> bool {
        clearances.iter().any(|c| c.is_of(self) && c.list_version == self.list_version)
    }

    /// Whether two are the same match on the same version of a list.
    pub fn is_same_match(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.match_id == other.match_id
            && self.list == other.list
            && self.list_version == other.list_version
    }
}
