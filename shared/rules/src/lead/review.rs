//! Reviews, clearances, and rejections. The workflow is in `workflows::compliance_flag`.

use crate::clock::Clock;
use crate::lead::party::ScreenedParty;
use crate::lead::visit::{HeldFrom, Left};
use crate::screening::{Criterion, CriterionKind, MORE};
use chrono::{DateTime, Utc};
use policy::Verdict;
use policy::ids::PersonId;
use serde::{Deserialize, Serialize};

/// A criterion in a review, with the company and contact that were screened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderReview {
    /// The criterion.
    #[serde(flatten)]
    pub criterion: Criterion,
    /// The company and contact that the lead named then. Absent in old records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screened: Option<ScreenedParty>,
}

/// An open review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Rises with everything that an officer must see before deciding. A decision names it.
    pub revision: u64,
    /// Time in review; its steps are the reminders.
    pub clock: Clock,
    /// The criteria to decide on.
    pub criteria: Vec<UnderReview>,
    /// The people who raised flags by hand; they cannot decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flagged_by: Vec<String>,
    /// The would-be owner, who cannot decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_be_owner: Option<PersonId>,
    /// The first of two votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vote: Option<Vote>,
}

/// One officer's vote, if the policy requires two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// The officer, by the token's subject.
    pub officer: String,
    /// Their verdict.
    pub verdict: Verdict,
    /// The reason's code.
    pub reason_code: String,
    /// The reason.
    pub reason: String,
}

/// The most criteria of a review. One more criterion stands for all further matches.
pub(crate) const CRITERIA_MAX: usize = 150;

/// The most clearances that a lead keeps. A match whose clearance was dropped holds the lead again.
pub(crate) const CLEARANCES_MAX: usize = 200;

/// A match that an officer cleared, with the premises of the decision. The same match under the same premises does
/// not hold the lead again; anything else needs a new decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clearance {
    /// The kind: one record can match in several kinds.
    pub kind: CriterionKind,
    /// The match.
    pub match_id: String,
    /// The list: another list may use the same id for another person.
    pub list: String,
    /// The version of that list.
    pub list_version: String,
    /// How strong the match was, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<u8>,
    /// The company and contact that were screened. A clearance without them covers nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screened: Option<ScreenedParty>,
    /// The decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<DecisionRef>,
}

/// A reference to the decision that cleared a match. The text of its reason is in the entry.
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

/// A difference between a match and one that was cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// Another version of the list.
    ListVersion,
    /// It is stronger, or its strength is unknown.
    Strength,
    /// Another company.
    Company,
    /// Another contact.
    Contact,
    /// The clearance does not name the company and contact that were screened.
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

    /// The differences between the cleared match and a match of the company and contact that the lead names now.
    /// Empty if the clearance covers it.
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

/// Whether a strength is higher than one that an officer saw. An unknown strength counts as higher.
fn is_stronger(now: Option<u8>, seen: Option<u8>) -> bool {
    match (now, seen) {
        (None, None) => false,
        (Some(now), Some(seen)) => now > seen,
        _ => true,
    }
}

impl Criterion {
    /// The criterion that stands for all matches beyond the limit. They can be about anyone.
    pub(crate) fn for_more(since: DateTime<Utc>) -> Self {
        Self {
            kind: CriterionKind::Unreadable,
            match_id: MORE.to_owned(),
            list: "screening".to_owned(),
            list_version: since.to_rfc3339(),
            strength: None,
        }
    }

    /// Whether it stands for the matches beyond the limit.
    pub(crate) fn is_for_more(&self) -> bool {
        self.kind == CriterionKind::Unreadable && self.match_id == MORE
    }

    /// Whether an officer cleared this match under the current premises.
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

    /// The key of the match on a lead, independent of the list's version.
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
    /// Whether it already covers a match: the same match, not stronger, of the same company and contact.
    pub fn asks(&self, criterion: &Criterion, now: &ScreenedParty) -> bool {
        self.criterion.is_same_match(criterion)
            && !is_stronger(criterion.strength, self.criterion.strength)
            && self.screened.as_ref().is_some_and(|then| then.is_same(now, criterion.kind))
    }

    /// Whether one criterion can replace both: the same match of the same company and contact. A match with a
    /// strength and one without stay apart, because they cannot be compared.
    pub fn is_one_with(&self, other: &Self) -> bool {
        let parties = self.screened.as_ref().zip(other.screened.as_ref());
        self.criterion.is_same_match(&other.criterion)
            && self.criterion.strength.is_some() == other.criterion.strength.is_some()
            && parties.is_some_and(|(one, other)| one.is_same(other, self.criterion.kind))
    }
}

/// A rejection, with what reopening the review needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// When.
    pub at: DateTime<Utc>,
    /// Rises with everything that an officer must see before asking to reopen.
    pub revision: u64,
    /// The decision.
    pub decided: DecisionRef,
    /// The state that the lead was in when compliance held it.
    pub held_from: HeldFrom,
    /// The state that it had left for another hold, if it was on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// The criteria of the rejection, and matches found since.
    pub criteria: Vec<UnderReview>,
    /// The people who raised flags by hand; they cannot ask to reopen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flagged_by: Vec<String>,
    /// The would-be owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_be_owner: Option<PersonId>,
    /// The first of two requests to reopen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<ReopeningAsked>,
}

/// A request to reopen the review of a rejected lead.
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
