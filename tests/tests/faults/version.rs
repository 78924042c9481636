//! The next version of the code, as far as this one meets it: every document, item and message that
//! a container of the next version writes has members and attributes that this version does not
//! know, and lacks one that this version can do without. What the audit's hashes cover stays.

use crate::database::AUDIT;
use crate::wire::{Call, Service};
use serde_json::{Value, json};

/// Attributes that hold documents.
const DOCUMENTS: [&str; 3] = ["doc", "outcome", "availability"];
/// Maps, which are left as they are: what is in them is no member of anything.
const WHOLE: [&str; 3] = ["said_at", "matches", "versions"];
/// What this version can do without.
const OPTIONAL: [&str; 1] = ["handed_at"];

/// Makes of a write what the next version would write.
pub fn write_as_next(call: &mut Call) {
    match (call.service, call.operation.as_str()) {
        (Service::Database, "TransactWriteItems") => {
            for write in call.body["TransactItems"].as_array_mut().into_iter().flatten() {
                let is_audit = write["Put"]["TableName"] == AUDIT;
                if let Some(item) = write.pointer_mut("/Put/Item") {
                    write_item(item, is_audit);
                }
            }
        }
        (Service::Queues, "SendMessageBatch") => {
            for entry in call.body["Entries"].as_array_mut().into_iter().flatten() {
                let text = entry["MessageBody"].as_str().unwrap_or_default();
                if let Some(changed) = with_more(text) {
                    entry["MessageBody"] = json!(changed);
                }
            }
        }
        _ => {}
    }
}

fn write_item(item: &mut Value, is_audit: bool) {
    item["of_the_next_version"] = json!({"S": "something"});
    if is_audit || is_published(item) {
        return;
    }
    for name in DOCUMENTS {
        if let Some(changed) = item[name]["S"].as_str().and_then(with_more) {
            item[name] = json!({"S": changed});
        } else if let Value::Object(members) = item {
            members.retain(|had, value| had != name || !value.is_null());
        }
    }
    if let Value::Object(members) = item {
        members.retain(|name, _| !OPTIONAL.contains(&name.as_str()));
    }
}

/// Policies and directories are refused with what is not known in them, by design: a rule that is
/// not understood is not followed.
fn is_published(item: &Value) -> bool {
    matches!(crate::database::text(item, store::PK).as_str(), "POLICY" | "DIRECTORY")
}

/// A document with a member more at its top and in each object in it.
fn with_more(text: &str) -> Option<String> {
    let mut document: Value = serde_json::from_str(text).ok()?;
    document.as_object()?;
    add_to(&mut document);
    Some(document.to_string())
}

fn add_to(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members
                .iter_mut()
                .filter(|(name, _)| !WHOLE.contains(&name.as_str()))
                .for_each(|(_, v)| add_to(v));
            members.insert("of_the_next_version".to_owned(), json!({"n": 1}));
        }
        Value::Array(items) => items.iter_mut().for_each(add_to),
        _ => {}
    }
}
