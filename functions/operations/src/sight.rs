//! Who sees what of a record. What screenings found is for those who must know: compliance and
//! operations see the criteria, nobody sees a contact's personal details here, and the evidence of a
//! churn signal is for those who judge it.

use contracts::sight::{NEED_TO_KNOW, PERSONAL, is_of_compliance, redact, remove};
use platform::caller::{Caller, Group};
use rules::explain::Explanation;
use serde_json::Value;

/// A lead or an account as a caller may see it.
pub fn subject(mut document: Value, caller: &Caller) -> Value {
    remove(&mut document, &[PERSONAL]);
    if !must_know(caller)
        && let Some(review) = document.get_mut("review")
    {
        remove(review, &NEED_TO_KNOW);
    }
    if !must_know(caller) {
        remove(&mut document, &["clearances"]);
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
pub fn commit(mut entries: Vec<Value>, caller: &Caller) -> Vec<Value> {
    let must_know = must_know(caller);
    // Who acted, and under which key, would tell who flagged the lead; so would the commit's other entries.
    let is_masked = !must_know && entries.iter().any(is_of_compliance);
    for entry in &mut entries {
        let evidence = evidence(entry, caller);
        redact(entry, must_know);
        if let (Some(evidence), Some(Value::Object(data))) = (evidence, entry.get_mut("data")) {
            data.insert(PERSONAL.to_owned(), evidence);
        }
        let by_staff = entry.pointer("/actor/kind").and_then(Value::as_str) == Some("staff");
        if is_masked && (by_staff || is_of_compliance(entry)) {
            mask_actor(entry);
        }
    }
    entries
}

/// What a signal of churn rests on: who is to judge it has to see it.
fn evidence(entry: &Value, caller: &Caller) -> Option<Value> {
    let judges = caller.is_in(Group::CustomerSuccess) || caller.is_in(Group::Operations);
    let of_account = entry.get("subject").and_then(Value::as_str).is_some_and(|s| s.starts_with("account/"));
    let evidence = entry.pointer("/data/personal/evidence").filter(|_| judges && of_account)?;
    // A JSON text in the record; whoever reads it here wants what it says.
    let said: Value = evidence.as_str().and_then(|text| serde_json::from_str(text).ok())?;
    Some(serde_json::json!({ "evidence": said }))
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
    use serde_json::json;
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
            let seen = commit(held(), &caller(group));
            assert!(!json!(seen).to_string().contains("u-9"), "{seen:?}");
            assert_eq!(seen[0]["actor"], json!({"kind": "staff"}));
        }
        for group in [Group::Compliance, Group::Operations] {
            assert_eq!(commit(held(), &caller(group)), held());
        }
        let sales = vec![entry("sla-breach")];
        assert_eq!(commit(sales.clone(), &caller(Group::Viewer)), sales);
    }
}
