//! Who sees what of a record. What screenings found is for those who must know: compliance and
//! operations see the criteria, and nobody sees personal details here.

use platform::caller::{Caller, Group};
use serde_json::Value;

/// The members that say why compliance looks at a lead.
const NEED_TO_KNOW: [&str; 6] = ["criterion", "criteria", "clearances", "flagged_by", "reason", "vote"];

/// A lead or an account as a caller may see it.
pub fn subject(mut document: Value, caller: &Caller) -> Value {
    remove(&mut document, &["personal"]);
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

/// An audit entry as a caller may see it. The hash of an entry covers the whole of it.
pub fn entry(mut entry: Value, caller: &Caller) -> Value {
    let by_compliance = entry.pointer("/workflow/id").and_then(Value::as_str)
        == Some(rules::policy::WorkflowId::ComplianceFlag.as_str());
    if let Some(data) = entry.get_mut("data") {
        remove(data, &["personal"]);
        if by_compliance && !must_know(caller) {
            remove(data, &NEED_TO_KNOW);
        }
    }
    entry
}

fn must_know(caller: &Caller) -> bool {
    caller.is_in(Group::Compliance) || caller.is_in(Group::Operations)
}

/// Removes members wherever they stand.
fn remove(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !names.contains(&name.as_str()));
            members.values_mut().for_each(|member| remove(member, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, names)),
        _ => {}
    }
}
