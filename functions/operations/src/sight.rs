//! Reduces answers to what the caller's groups may see, by the table of who sees what (`contracts::sight`),
//! and decrypts the evidence of churn signals for those who judge it.

use crate::explanation;
use contracts::sight;
use contracts::sight::{PERSONAL, Reader};
use insight::explain::Explanation;
use platform::caller::{Caller, Group};
use rules::account::Account;
use rules::lead::Lead;
use serde_json::{Value, json};
use store::{PersonalData, StoreError};

/// The member with a churn signal's evidence, in the entry's `personal`.
const EVIDENCE: &str = "evidence";

/// A lead as a caller may see it.
pub fn lead(lead: &Lead, caller: &Caller) -> Value {
    sight::lead(json!(lead), &readers(caller))
}

/// An account as a caller may see it.
pub fn account(account: &Account, caller: &Caller) -> Value {
    sight::account(json!(account), &readers(caller))
}

/// An explanation as a caller may see it.
pub fn explanation(explanation: Explanation, caller: &Caller) -> Explanation {
    explanation::shown_to(explanation, &readers(caller))
}

/// Whether a caller sees the links of the hash chain.
pub fn sees_links(caller: &Caller) -> bool {
    sight::must_know(&readers(caller))
}

/// The audit entries of one commit as a caller may see them. `evidence` decrypts the evidence of churn
/// signals.
pub fn commit(
    entries: Vec<Value>,
    caller: &Caller,
    evidence: &PersonalData,
) -> Result<Vec<Value>, StoreError> {
    let opened = |entry| shows_evidence(entry, caller).then(|| opened(entry, evidence)).transpose();
    let opened: Vec<_> = entries.iter().map(opened).collect::<Result<_, _>>()?;
    let mut shown = sight::commit(entries, &readers(caller));
    for (entry, opened) in shown.iter_mut().zip(opened) {
        if let (Some(opened), Some(Value::Object(data))) = (opened.flatten(), entry.get_mut("data")) {
            data.insert(PERSONAL.to_owned(), opened);
        }
    }
    Ok(shown)
}

/// Whether an entry holds evidence that the caller judges.
pub fn shows_evidence(entry: &Value, caller: &Caller) -> bool {
    sealed_evidence(entry).is_some() && sight::opens(entry, PERSONAL, &readers(caller))
}

fn sealed_evidence(entry: &Value) -> Option<&str> {
    entry.get("data")?.get(PERSONAL)?.get(EVIDENCE)?.as_str()
}

/// The evidence of a churn signal, or the time of its erasure.
fn opened(entry: &Value, personal: &PersonalData) -> Result<Option<Value>, StoreError> {
    let Some(sealed) = sealed_evidence(entry) else { return Ok(None) };
    let said = personal.open(sealed)?;
    // The audit holds the evidence as JSON text; the answer holds it as JSON.
    let said: Option<Value> = said.and_then(|text| serde_json::from_str(&text).ok());
    Ok(match (said, personal) {
        (Some(said), _) => Some(json!({ EVIDENCE: said })),
        (None, PersonalData::Erased(at)) => Some(json!({ "erased_at": at })),
        (None, _) => None,
    })
}

/// A caller as readers of the table. In several groups, they see what any of them sees.
fn readers(caller: &Caller) -> Vec<Reader> {
    let readers = caller.groups.iter().map(|group| match group {
        Group::Viewer => Reader::Viewer,
        Group::Rep => Reader::Rep,
        Group::Compliance => Reader::Compliance,
        Group::Operations => Reader::Operations,
        Group::CustomerSuccess => Reader::CustomerSuccess,
    });
    readers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn caller(group: Group) -> Caller {
        let (subject, username) = ("u-1".to_owned(), "u-1".to_owned());
        Caller { subject, username, email: None, groups: BTreeSet::from([group]) }
    }

    #[test]
    fn links_go_only_to_those_from_whom_nothing_is_hidden() {
        for group in Group::ALL {
            let is_trusted = matches!(group, Group::Compliance | Group::Operations);
            assert_eq!(sees_links(&caller(group)), is_trusted, "{group:?}");
        }
        let nobody = Caller { groups: BTreeSet::new(), ..caller(Group::Viewer) };
        assert!(!sees_links(&nobody));
    }

    #[test]
    fn a_caller_in_two_groups_sees_what_either_sees() {
        let both = Caller { groups: BTreeSet::from([Group::Rep, Group::Compliance]), ..caller(Group::Rep) };
        let entry = json!({"type": "review.decided", "actor": {"kind": "staff", "id": "u-9"},
            "workflow": {"id": "compliance-flag"}, "data": {"reason_code": "true-match"}});
        let seen = |caller: &Caller| commit(vec![entry.clone()], caller, &PersonalData::None).unwrap();
        assert_eq!(seen(&both), std::slice::from_ref(&entry));
        assert_eq!(seen(&caller(Group::Rep))[0]["data"], json!({}));
    }

    #[test]
    fn evidence_is_opened_for_those_who_judge_it() {
        let entry = json!({"type": "churn.signal-recorded", "actor": {"kind": "source", "id": "crm"},
            "data": {"signal": "usage_down", "personal": {"evidence": "sealed"}}});
        for group in Group::ALL {
            let judges = matches!(group, Group::CustomerSuccess | Group::Operations);
            assert_eq!(shows_evidence(&entry, &caller(group)), judges, "{group:?}");
        }
    }
}
