//! What of a record is not for everybody: contacts' personal details, and what screenings found.
//! Both ways out, the API and the bus, leave it out by the same lists.

use rules::policy::WorkflowId;
use serde_json::Value;

/// The member that holds everything personal.
pub const PERSONAL: &str = "personal";

/// The members that say why compliance looks at a lead, or why its personal data was erased.
pub const NEED_TO_KNOW: [&str; 7] =
    ["criterion", "criteria", "clearances", "flagged_by", "kinds", "reason", "vote"];

/// The fact of an erasure; no workflow brings it about.
const ERASED: &str = "lead.erased";

/// Whether an audit entry is compliance's.
pub fn is_of_compliance(entry: &Value) -> bool {
    if entry.get("type").and_then(Value::as_str) == Some(ERASED) {
        return true;
    }
    entry.pointer("/workflow/id").and_then(Value::as_str) == Some(WorkflowId::ComplianceFlag.as_str())
}

/// Takes out of an audit entry what is personal and, unless the reader must know it, what
/// compliance found.
pub fn redact(entry: &mut Value, must_know: bool) {
    let hidden = is_of_compliance(entry) && !must_know;
    if let Some(data) = entry.get_mut("data") {
        remove(data, &[PERSONAL]);
        if hidden {
            remove(data, &NEED_TO_KNOW);
        }
    }
}

/// Removes members wherever they stand.
pub fn remove(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !names.contains(&name.as_str()));
            members.values_mut().for_each(|member| remove(member, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_screening_found_is_for_those_who_must_know() {
        let found = json!({
            "workflow": {"id": "compliance-flag"},
            "data": {"criteria": [{"list": "OFAC"}], "flagged_by": "u-1", "reason": "hers",
                "personal": {"names": {}}, "held_from": {"state": "NEW", "vote": {"officer": "u-2"}}},
        });
        let mut entry = found.clone();
        redact(&mut entry, false);
        assert_eq!(entry["data"], json!({"held_from": {"state": "NEW"}}));
        let mut entry = found;
        redact(&mut entry, true);
        assert_eq!(entry["data"]["flagged_by"], "u-1");
        assert_eq!(entry["data"].get(PERSONAL), None, "nobody gets this way what is personal");
    }

    #[test]
    fn that_a_lead_was_erased_is_for_everybody_and_why_is_not() {
        let mut entry = json!({"type": "lead.erased", "data": {"basis": "request", "reference": "DSR-1",
            "reason": "He asked", "kinds": ["contact", "screening"]}});
        redact(&mut entry, false);
        assert_eq!(entry["data"], json!({"basis": "request", "reference": "DSR-1"}));
    }

    #[test]
    fn why_a_sales_workflow_acted_is_for_everybody() {
        let mut entry = json!({"workflow": {"id": "sla-breach"}, "data": {"reason": "nobody-available"}});
        redact(&mut entry, false);
        assert_eq!(entry["data"]["reason"], "nobody-available");
    }
}
