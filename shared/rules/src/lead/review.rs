//! What compliance works with: matches, reviews, clearances. The workflow is in
//! `workflows::compliance_flag`.

use crate::clock::Clock;
use crate::lead::party::ScreenedParty;
use crate::lead::visit::{HeldFrom, Left};
use crate::screening::{Criterion, CriterionKind, MORE};
use chrono::{DateTime, Utc};
use policy::Verdict;
use policy::ids::PersonId;
use serde::{Deserialize, Serialize};

/// A criterion in a review, with whom the screening looked at when it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderReview {
    /// The criterion.
    #[serde(flatten)]
    pub criterion: Criterion,
    /// Whom the lead named then; absent in records that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screened: Option<ScreenedParty>,
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
    pub criteria: Vec<UnderReview>,
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

/// How many criteria a review holds. Further matches are one more, which says so.
pub(crate) const CRITERIA_MAX: usize = 150;

/// How many clearances a lead remembers. A match whose clearance was forgotten holds the lead again.
pub(crate) const CLEARANCES_MAX: usize = 200;

/// A match that an officer cleared, with what the decision rested on. The same match under the same
/// premises does not hold the lead again; anything else is a new question.
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
    /// How strong the match was, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<u8>,
    /// Whom the screening had looked at. A clearance that does not say covers nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screened: Option<ScreenedParty>,
    /// The decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<DecisionRef>,
}

/// Which decision cleared a match; its reason in words is in the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRef {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub officers: Vec<String>,
    /// The reason's code.
    pub reason_code: String,
    /// The entry.
    pub seq: u64,
}

/// In what a match differs from one that was cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// Another version of the list.
    ListVersion,
    /// It is stronger, or nobody can tell whether it is.
    Strength,
    /// Another company.
    Company,
    /// Another contact.
    Contact,
    /// The clearance does not say whom the screening had looked at.
    Unknown,
}

impl Clearance {
    /// The clearance of a criterion.
    pub fn of(found: &UnderReview, decided: DecisionRef) -> Self {
        let UnderReview { criterion, screened } = found.clone();
        let Criterion { kind, match_id, list, list_version, strength } = criterion;
        Self { kind, match_id, list, list_version, strength, screened, decided: Some(decided) }
    }

    /// Whether it is of this match, whatever the version of the list.
    pub fn is_of(&self, criterion: &Criterion) -> bool {
        self.kind == criterion.kind && self.match_id == criterion.match_id && self.list == criterion.list
    }

    /// In what a match, found of whom the lead names now, differs from what was cleared. Empty: the
    /// clearance covers it.
    pub fn differences(&self, criterion: &Criterion, now: &ScreenedParty) -> Vec<Difference> {
        let mut differences = Vec::new();
        if self.list_version != criterion.list_version {
            differences.push(Difference::ListVersion);
        }
        if is_stronger(criterion.strength, self.strength) {
            differences.push(Difference::Strength);
        }
        match &self.screened {
            None => differences.push(Difference::Unknown),
            Some(then) => {
                let (company, contact) = (then.is_same_company(now, self.kind), then.is_same_contact(now));
                differences.extend((!company).then_some(Difference::Company));
                differences.extend((!contact).then_some(Difference::Contact));
            }
        }
        differences
    }

    fn covers(&self, criterion: &Criterion, now: &ScreenedParty) -> bool {
        self.is_of(criterion) && self.differences(criterion, now).is_empty()
    }
}

/// Whether a strength is higher than one that was seen. Where one of them is not known, nobody can
/// tell, and so it counts as higher.
fn is_stronger(now: Option<u8>, seen: Option<u8>) -> bool {
    match (now, seen) {
        (None, None) => false,
        (Some(now), Some(seen)) => now > seen,
        _ => true,
    }
}

impl Criterion {
    /// What stands for all matches beyond those that are kept; they can be of anybody.
    pub(crate) fn for_more(since: DateTime<Utc>) -> Self {
        Self {
            kind: CriterionKind::Unreadable,
            match_id: MORE.to_owned(),
            list: "screening".to_owned(),
            list_version: since.to_rfc3339(),
            strength: None,
        }
    }

    /// Whether it stands for more matches than are kept.
    pub(crate) fn is_for_more(&self) -> bool {
        self.kind == CriterionKind::Unreadable && self.match_id == MORE
    }

    /// Whether an officer has cleared this very match under the premises of now.
    pub fn is_cleared_by(&self, clearances: &[Clearance], now: &ScreenedParty) -> bool {
        clearances.iter().any(|c| c.covers(self, now))
    }

    /// Whether two are the same match on the same version of a list.
    pub fn is_same_match(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.match_id == other.match_id
            && self.list == other.list
            && self.list_version == other.list_version
    }

    /// What names the match on a lead, whatever the version of the list.
    pub fn key(&self) -> String {
        let kind = match self.kind {
            CriterionKind::Sanctions => "sanctions",
            CriterionKind::Pep => "pep",
            CriterionKind::Jurisdiction => "jurisdiction",
            CriterionKind::AdverseMedia => "adverse_media",
            CriterionKind::Unreadable => "unreadable",
        };
        format!("{kind}/{}/{}", self.list, self.match_id)
    }
}

impl UnderReview {
    /// Whether it already asks what this match asks: the same match, not stronger, of the same
    /// company and contact.
    pub fn asks(&self, criterion: &Criterion, now: &ScreenedParty) -> bool {
        self.criterion.is_same_match(criterion)
            && !is_stronger(criterion.strength, self.criterion.strength)
            && self.screened.as_ref().is_some_and(|then| then.is_same(now, criterion.kind))
    }

    /// Whether one question takes the place of both: the same match of the same party. What has a strength
    /// and what has none are two questions, since nobody can tell which one is stronger.
    pub fn is_one_with(&self, other: &Self) -> bool {
        let parties = self.screened.as_ref().zip(other.screened.as_ref());
        self.criterion.is_same_match(&other.criterion)
            && self.criterion.strength.is_some() == other.criterion.strength.is_some()
            && parties.is_some_and(|(one, other)| one.is_same(other, self.criterion.kind))
    }
}

/// A rejection, with what it takes to open the review again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// When.
    pub at: DateTime<Utc>,
    /// Rises with what an officer has to see before asking to reopen.
    pub revision: u64,
    /// The decision.
    pub decided: DecisionRef,
    /// The state compliance had taken the lead from.
    pub held_from: HeldFrom,
    /// The state it had left for a hold of its own, if it was on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// What it was rejected on, and what was found since.
    pub criteria: Vec<UnderReview>,
    /// Who raised flags by hand; they cannot ask to reopen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flagged_by: Vec<String>,
    /// Who would have had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_be_owner: Option<PersonId>,
    /// The first of two officers who ask to open the review again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<ReopeningAsked>,
}

/// An officer asks to open the review of a rejected lead again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReopeningAsked {
    /// The officer, by the token's subject.
    pub officer: String,
    /// The reason.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criterion(strength: Option<u8>) -> Criterion {
        Criterion {
            kind: CriterionKind::Sanctions,
            match_id: "ofac-9".to_owned(),
            list: "OFAC-SDN".to_owned(),
            list_version: "v1".to_owned(),
            strength,
        }
    }

    fn screened(company: &str, contact: &str) -> ScreenedParty {
        ScreenedParty { company: Some(company.to_owned()), contact: Some(contact.to_owned()) }
    }

    fn clearance(strength: Option<u8>) -> Clearance {
        let found = UnderReview { criterion: criterion(strength), screened: Some(screened("Acme", "c-1")) };
        let at = DateTime::UNIX_EPOCH;
        let decided =
            DecisionRef { at, officers: vec!["cleo".to_owned()], reason_code: "x".to_owned(), seq: 1 };
        Clearance::of(&found, decided)
    }

    #[test]
    fn a_clearance_covers_the_same_match_of_the_same_party_up_to_its_strength() {
        let same = screened("ACME", "c-1");
        for (cleared, found, is_covered) in [
            (Some(61), Some(61), true),
            (Some(61), Some(12), true),
            (Some(61), Some(62), false),
            (Some(61), None, false),
            (None, Some(1), false),
            (None, None, true),
        ] {
            let covers = criterion(found).is_cleared_by(&[clearance(cleared)], &same);
            assert_eq!(covers, is_covered, "{cleared:?}, then {found:?}");
        }
        for other in [screened("Acme Two", "c-1"), screened("Acme", "c-2"), ScreenedParty::default()] {
            assert!(!criterion(Some(61)).is_cleared_by(&[clearance(Some(61))], &other), "{other:?}");
        }
    }

    #[test]
    fn a_clearance_that_does_not_say_whom_it_was_about_covers_nothing() {
        let old = Clearance { screened: None, ..clearance(None) };
        let differences = old.differences(&criterion(None), &ScreenedParty::default());
        assert_eq!(differences, [Difference::Unknown]);
    }
}
