//! A clearance holds for what it rested on: a match that is remembered was cleared before on the same version
//! of its list, at least as strong, while company and contact were what they are now.

use crate::check::raw;
use audit::ChainedCommit;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a clearance rests on: the company and the contact, whose texts are sealed alike if they are alike.
type Premises = (Value, Value);

/// What is known of a lead on the way through its history.
#[derive(Default)]
struct Known {
    company: Value,
    contact: Value,
    /// What company and contact were since the review was opened.
    in_review: BTreeSet<String>,
    is_in_review: bool,
    /// Each match that was cleared, as strong as it was, under what it rested on.
    cleared: Vec<(Value, BTreeSet<String>)>,
    is_erased: bool,
}

impl Known {
    fn premises(&self) -> String {
        let premises: Premises = (self.company.clone(), self.contact.clone());
        serde_json::json!(premises).to_string()
    }

    fn note(&mut self) {
        if self.is_in_review {
            let premises = self.premises();
            self.in_review.insert(premises);
        }
    }
}

/// Looks at every match that is remembered.
pub fn check(commits: &[ChainedCommit]) -> Vec<String> {
    let mut leads: BTreeMap<String, Known> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in raw(commits) {
        let subject = entry["subject"].as_str().unwrap_or_default().to_owned();
        let lead = leads.entry(subject.clone()).or_default();
        let data = &entry["data"];
        match entry["type"].as_str().unwrap_or_default() {
            "lead.updated" => {
                if let Some(company) = data["changes"].get("company") {
                    lead.company = company.as_str().map_or(Value::Null, |name| normalized(name).into());
                }
                if let Some(contact) = data["personal"].get("contact") {
                    // Who somebody is; a telephone number does not say it.
                    lead.contact = contact.get("identity").unwrap_or(&Value::Null).clone();
                }
                lead.note();
            }
            "lead.erased" => lead.is_erased = true,
            "compliance.held" | "review.reopened" => {
                lead.is_in_review = true;
                lead.in_review.clear();
                lead.note();
            }
            "review.decided" => {
                if data["verdict"] == "clear" {
                    let criteria = data["criteria"].as_array().cloned().unwrap_or_default();
                    lead.cleared.extend(criteria.into_iter().map(|found| (found, lead.in_review.clone())));
                }
                lead.is_in_review = false;
            }
            "compliance.match-remembered" => {
                let (found, premises) = (&data["criterion"], lead.premises());
                // A jurisdiction is of a place, not of somebody.
                if found["kind"] == "jurisdiction" {
                    continue;
                }
                let covers = |(cleared, under): &(Value, BTreeSet<String>)| {
                    is_same(cleared, found) && is_as_strong(cleared, found) && under.contains(&premises)
                };
                // Of who is erased nothing is left that could be compared.
                if !lead.is_erased && !lead.cleared.iter().any(covers) {
                    wrong.push(format!("{subject} is not held for a match that nobody cleared so: {found}"));
                }
            }
            _ => {}
        }
    }
    wrong
}

fn is_same(a: &Value, b: &Value) -> bool {
    ["kind", "match_id", "list", "list_version"].iter().all(|name| a[name] == b[name])
}

/// Whether what was cleared was at least as strong as what is found now.
fn is_as_strong(cleared: &Value, found: &Value) -> bool {
    match (cleared["strength"].as_u64(), found["strength"].as_u64()) {
        (None, None) => true,
        (Some(then), Some(now)) => now <= then,
        _ => false,
    }
}

/// A name without case and spacing.
fn normalized(name: &str) -> String {
    name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}
