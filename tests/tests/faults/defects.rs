//! Deliberate defects, to prove that the simulator finds such: each changes a request on its way,
//! as a mistake in the code would, and can be switched on nowhere but here.

use crate::database::{AUDIT, KEYS};
use crate::wire::{Answer, Call, Service};
use serde_json::{Value, json};

/// A mistake that somebody could make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A commit looks neither whether the item is as it was read nor whether its place is free.
    UnconditionalCommit,
    /// A notification is sent whoever else is at it.
    IgnoredClaim,
    /// A commit does not write when the lead falls due, and the due queue loses what is sent of leads.
    ForgottenWake,
    /// What is handed to a queue comes two minutes late.
    LateMessages,
    /// A commit asks for a notification and does not put it into the outbox.
    ForgottenOutbox,
    /// What was seen is not written down.
    ForgottenInput,
    /// Nobody looks whether a rep still stands as they did when there was room.
    IgnoredCapacity,
    /// A commit is acknowledged and not written.
    LostCommit,
    /// An entry says something else than what was hashed.
    ChangedEntry,
    /// The bus answers that it took what it did not.
    LostEvent,
    /// Who is erased keeps their key.
    KeptKey,
    /// What a source says goes by the instant at which it comes.
    OurClock,
    /// What comes under an id that was used is answered and not written.
    LostChange,
    /// What became of the leads of a rep who is away is not counted.
    UncountedAbsence,
    /// Nobody sees in Slack what was sent before.
    UnseenMessages,
}

impl Defect {
    pub const ALL: [Self; 15] = [
        Self::UnconditionalCommit,
        Self::IgnoredClaim,
        Self::ForgottenWake,
        Self::LateMessages,
        Self::ForgottenOutbox,
        Self::ForgottenInput,
        Self::IgnoredCapacity,
        Self::LostCommit,
        Self::ChangedEntry,
        Self::LostEvent,
        Self::KeptKey,
        Self::OurClock,
        Self::LostChange,
        Self::UncountedAbsence,
        Self::UnseenMessages,
    ];

    /// A seed that finds it, as plans are made today. Whether it still does is for the search to say.
    pub fn last_found_by(self) -> u64 {
        match self {
            Self::LateMessages => 1,
            Self::UncountedAbsence | Self::UnseenMessages => 3,
            Self::LostChange => 4,
            Self::OurClock => 6,
            Self::IgnoredClaim => 11,
            Self::KeptKey => 34,
            Self::IgnoredCapacity => 78,
            _ => 0,
        }
    }
}

/// A request that a defect keeps from being done is answered as if it were.
pub fn answer(defect: Defect, call: &Call) -> Option<Answer> {
    let body = &call.body;
    match defect {
        Defect::LostCommit if call.operation == "TransactWriteItems" => {
            // Of one source, or nothing would ever come about.
            let is_it = body["TransactItems"]
                .as_array()?
                .iter()
                .any(|write| write["Put"]["Item"]["cause"]["S"].as_str().is_some_and(|c| c.ends_with("-0")));
            is_it.then(|| Answer::done(&json!({})))
        }
        Defect::LostChange if call.operation == "TransactWriteItems" => {
            let says_it = |write: &Value| {
                let entries = write["Put"]["Item"]["entries"]["S"].as_str().unwrap_or_default();
                entries.contains(crate::staff::CHANGED)
            };
            let is_it = body["TransactItems"].as_array()?.iter().any(says_it);
            is_it.then(|| Answer::done(&json!({})))
        }
        Defect::LostEvent if call.service == Service::Bus => {
            let entries = body["Entries"].as_array().map_or(0, Vec::len);
            let taken: Vec<Value> = (0..entries).map(|_| json!({"EventId": "e"})).collect();
            Some(Answer::done(&json!({"FailedEntryCount": 0, "Entries": taken})))
        }
        Defect::UnseenMessages if call.operation == "conversations.history" => {
            Some(Answer::done(&json!({"ok": true, "messages": []})))
        }
        _ => None,
    }
}

/// Changes a request.
pub fn damage(defect: Defect, call: &mut Call) {
    match (defect, call.operation.as_str()) {
        (Defect::IgnoredClaim, "UpdateItem") => {
            let expression = call.body["ConditionExpression"].as_str().unwrap_or_default();
            if expression.contains("attribute_not_exists(#until)") {
                call.body["ConditionExpression"] = json!("attribute_exists(pk)");
                // Nor does anybody hear that another one may have sent it, and looks.
                call.body["ReturnValues"] = json!("NONE");
            }
        }
        (Defect::ForgottenWake, "SendMessageBatch") => {
            if let Value::Array(entries) = &mut call.body["Entries"] {
                let is_wake = |entry: &Value| {
                    entry["MessageBody"]
                        .as_str()
                        .is_some_and(|body| body.contains("\"lead/") && body.contains("due"))
                };
                entries.retain(|entry| !is_wake(entry));
            }
        }
        (Defect::LateMessages, "SendMessageBatch") => {
            for entry in call.body["Entries"].as_array_mut().into_iter().flatten() {
                let delay = entry["DelaySeconds"].as_i64().unwrap_or(0);
                entry["DelaySeconds"] = json!((delay + 120).min(900));
            }
        }
        (_, "TransactWriteItems") => {
            if let Value::Array(writes) = &mut call.body["TransactItems"] {
                writes.retain(|write| !is_forgotten(defect, write));
                writes.iter_mut().for_each(|write| damage_write(defect, write));
            }
        }
        _ => {}
    }
}

fn is_forgotten(defect: Defect, write: &Value) -> bool {
    let pk = crate::database::text(&write["Put"]["Item"], store::PK);
    match defect {
        Defect::ForgottenOutbox => pk.starts_with("OUTBOX#"),
        Defect::ForgottenInput => pk.starts_with("SEEN#"),
        Defect::KeptKey => write["Delete"]["TableName"] == KEYS,
        _ => false,
    }
}

fn damage_write(defect: Defect, write: &mut Value) {
    let drop = |of: &mut Value, names: &[&str]| {
        if let Value::Object(members) = of {
            members.retain(|name, _| !names.contains(&name.as_str()));
        }
    };
    const CONDITION: [&str; 3] =
        ["ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"];
    match defect {
        Defect::UnconditionalCommit => drop(&mut write["Put"], &CONDITION),
        Defect::ForgottenWake => {
            let pk = crate::database::text(&write["Put"]["Item"], store::PK);
            if pk.starts_with("LEAD#") {
                drop(&mut write["Put"]["Item"], &["due_shard", "wake_at"]);
            }
        }
        Defect::IgnoredCapacity => {
            let update = &mut write["Update"];
            let expression = update["UpdateExpression"].as_str().unwrap_or_default();
            if expression.contains("#load :one") && !update["ExpressionAttributeValues"][":seen"].is_null() {
                drop(update, &["ConditionExpression"]);
                drop(&mut update["ExpressionAttributeValues"], &[":seen"]);
            }
        }
        Defect::UncountedAbsence => {
            let update = &mut write["Update"];
            let expression = update["UpdateExpression"].as_str().unwrap_or_default();
            if let Some(expression) = expression.strip_suffix(", #absent :one") {
                update["UpdateExpression"] = json!(expression);
                drop(&mut update["ExpressionAttributeNames"], &["#absent"]);
            }
        }
        Defect::ChangedEntry if write["Put"]["TableName"] == AUDIT => {
            let entries = write["Put"]["Item"]["entries"]["S"].as_str().unwrap_or_default();
            write["Put"]["Item"]["entries"]["S"] = json!(entries.replace("Acme", "Acne"));
        }
        _ => {}
    }
}
