//! Who sees what of a record. What screenings found is for those who must know: compliance and
//! operations see the criteria, nobody sees a contact's personal details here, and the evidence of a
//! churn signal is for those who judge it.

use contracts::sight::{NEED_TO_KNOW, PERSONAL, is_of_compliance, redact, remove};
use platform::caller::{Caller, Group};
use rules::explain::Explanation;
use serde_json::{Value, json};
use store::{PersonalData, StoreError};

/// Where an entry has what a signal of churn rests on.
const EVIDENCE: &str = "/data/personal/evidence";

/// A lead or an account as a caller may see it.
pub fn subject(mut document: Value, caller: &Caller) -> Value {
    remove(&mut document, &[PERSONAL]);
    if !must_know(caller)
        && let Some(review) = document.get_mut("review")
    {
        remove(review, &NEED_TO_KNOW);
    }
    if !must_know(caller) {
        remove(&mut document, &["clearances", "personal_kinds"]);
    }
    document
}

/// An explanation as a caller may see it.
pub fn explanation(mut explanation: Explanation, caller: &Caller) -> Explanation {
    if !must_know(caller) {
        explanation.hide_what_screenings_found();
    }
    explanation
}

/// Whether a caller sees the links of the chain. A hash covers the whole of an entry: who sees it
/// and all but one name of the entry can try which name it is.
pub fn sees_links(caller: &Caller) -> bool {
    must_know(caller)
}

/// The audit entries of one commit as a caller may see them.
/// `evidence` opens what signals of churn rest on.
pub fn commit(
    mut entries: Vec<Value>,
    caller: &Caller,
    evidence: &PersonalData,
) -> Result<Vec<Value>, StoreError> {
    let must_know = must_know(caller);
    // Who acted, and under which key, would tell who flagged the lead; so would the commit's other entries.
    let is_masked = !must_know && entries.iter().any(is_of_compliance);
    for entry in &mut entries {
        let shown = shows_evidence(entry, caller).then(|| shown(entry, evidence)).transpose()?.flatten();
        redact(entry, must_know);
        if let (Some(shown), Some(Value::Object(data))) = (shown, entry.get_mut("data")) {
            data.insert(PERSONAL.to_owned(), shown);
        }
        let by_staff = entry.pointer("/actor/kind").and_then(Value::as_str) == Some("staff");
        if is_masked && (by_staff || is_of_compliance(entry)) {
            mask_actor(entry);
        }
    }
    Ok(entries)
}

/// Whether what a signal of churn rests on is to be shown: who is to judge it has to see it.
pub fn shows_evidence(entry: &Value, caller: &Caller) -> bool {
    let judges = caller.is_in(Group::CustomerSuccess) || caller.is_in(Group::Operations);
    let of_account = entry.get("subject").and_then(Value::as_str).is_some_and(|s| s.starts_with("account/"));
    judges && of_account && entry.pointer(EVIDENCE).is_some()
}

/// What a signal of churn rests on, or when that was erased.
fn shown(entry: &Value, personal: &PersonalData) -> Result<Option<Value>, StoreError> {
    let Some(sealed) = entry.pointer(EVIDENCE).and_then(Value::as_str) else { return Ok(None) };
    let said = personal.open(sealed)?;
    // A JSON text in the record; whoever reads it here wants what it says.
    let said: Option<Value> = said.and_then(|text| serde_json::from_str(&text).ok());
    Ok(match (said, personal) {
        (Some(said), _) => Some(json!({ "evidence": said })),
        (None, PersonalData::Erased(at)) => Some(json!({ "erased_at": at })),
        (None, _) => None,
    })
}

fn mask_actor(entry: &mut Value) {
    if let Value::Object(members) = entry {
        members.remove("cause");
        if let Some(Value::Object(actor)) = members.get_mut("actor") {
            actor.remove("id");
        }
    }
}

fn must_know(caller: &Caller) -> bool {
    caller.is_in(Group::Compliance) || caller.is_in(Group::Operations)
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
    fn what_screenings_found_is_explained_to_those_who_must_know() {
        let held = json!({"lead": "L-1", "at": "2026-03-02T14:00:00Z", "policy_revision": 1, "directory_revision": 1,
            "seq": 4, "state": "COMPLIANCE_HOLD", "entered_at": "2026-03-02T14:00:00Z", "workflows": [
                {"workflow": "compliance-flag", "version": 1, "status": "fired", "fired": [], "steps": [], "because": [
                    {"condition": "compliance-hold", "text": "compliance holds the lead"},
                    {"condition": "match-open", "text": "pep match p-1 on PEP (1)"},
                    {"condition": "matches-cleared", "text": "1 match was cleared"},
                    {"condition": "jurisdiction", "text": "market us is not licensed for FR"}]}]});
        let held: Explanation = serde_json::from_value(held).unwrap();
        for group in [Group::Viewer, Group::Rep, Group::CustomerSuccess] {
            let seen = explanation(held.clone(), &caller(group));
            let told: Vec<&str> = seen.workflows[0].because.iter().map(|b| b.text.as_str()).collect();
            assert_eq!(told, ["compliance holds the lead"]);
        }
        for group in [Group::Compliance, Group::Operations] {
            assert_eq!(explanation(held.clone(), &caller(group)), held);
        }
    }

    #[test]
    fn who_flagged_a_lead_is_for_those_who_must_know() {
        let entry = |workflow: &str| {
            json!({"actor": {"kind": "staff", "id": "u-9"}, "cause": "flag/u-9/L-1/k",
                "workflow": {"id": workflow}, "data": {}})
        };
        let held = || vec![entry("compliance-flag"), entry("sla-breach")];
        for group in [Group::Viewer, Group::Rep, Group::CustomerSuccess] {
            let seen = commit(held(), &caller(group), &PersonalData::None).unwrap();
            assert!(!json!(seen).to_string().contains("u-9"), "{seen:?}");
            assert_eq!(seen[0]["actor"], json!({"kind": "staff"}));
        }
        for group in [Group::Compliance, Group::Operations] {
            assert_eq!(commit(held(), &caller(group), &PersonalData::None).unwrap(), held());
        }
        let sales = vec![entry("sla-breach")];
        assert_eq!(commit(sales.clone(), &caller(Group::Viewer), &PersonalData::None).unwrap(), sales);
    }
}
