//! The seeded documents, as they are and as random histories need them, and where histories begin.

use chrono::{DateTime, Utc};
use insight::simulate::Simulation;
use policy::directory::Directory;
use policy::{Policy, PublishedPolicy};
use serde_json::{Value, json};
use std::path::Path;

/// The text of a seeded document.
pub fn seeded(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/policies").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()))
}

/// A seeded document as a value, to be changed.
pub fn seeded_value(name: &str) -> Value {
    serde_saphyr::from_str(&seeded(name)).expect("a seeded document is YAML")
}

/// The instant at which histories begin: Monday morning in New York.
pub fn beginning() -> DateTime<Utc> {
    "2026-03-02T14:00:00Z".parse().expect("an instant")
}

/// A simulation with these documents.
pub fn simulation(policy: &Policy, directory: &Directory) -> Simulation {
    Simulation::new(PublishedPolicy::next(None, policy.clone(), "test", beginning()), directory.clone())
}

/// The seeded directory, with so little capacity that it runs out.
pub fn tight_directory() -> Directory {
    let mut document = seeded_value("directory.yaml");
    for (team, rep, capacity) in
        [("us-sales", "rep-ana", 2), ("us-sales", "rep-bob", 1), ("dach-sales", "rep-eva", 1)]
    {
        document["teams"][team]["reps"][rep]["capacity"] = json!(capacity);
    }
    Directory::check(serde_json::from_value(document).expect("a directory")).expect("a sound directory")
}

/// The default policy with windows for every state and, if asked for, two officers.
pub fn lively_policy(officers: u8) -> Policy {
    let mut document = seeded_value("default.yaml");
    document["workflows"]["compliance-flag"]["officers"] = json!(officers);
    let windows = document["workflows"]["sla-breach"]["windows"].as_array_mut().expect("windows");
    windows.push(json!({"state": "CONTACTED", "market": "us", "window": "90m", "calendar": "always"}));
    windows.retain(|row| row["state"] != "NEGOTIATION");
    windows.push(json!({"state": "NEGOTIATION", "window": "2h"}));
    document["retention"] = json!({"personal_data": "1d"});
    document["quiet_hours"] = json!({"from": "16:30", "to": "07:00", "except": ["held"]});
    let policy: Policy = serde_json::from_value(document).expect("a policy");
    policy.check().expect("a sound policy");
    policy
}

/// A JSON pointer to every place in a document, the innermost first.
pub fn pointers(document: &Value) -> Vec<String> {
    fn collect(value: &Value, at: String, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    collect(value, format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    collect(item, format!("{at}/{n}"), found);
                }
            }
            _ => {}
        }
        if !at.is_empty() {
            found.push(at);
        }
    }
    let mut found = Vec::new();
    collect(document, String::new(), &mut found);
    found
}
