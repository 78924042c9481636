//! What sources said counts: a match, in whatever it came with and under whatever id; and of each field, the
//! state among them, what was so last by the source's own time, in whatever order word of it came.

use crate::check::raw;
use crate::sim::Sim;
use audit::ChainedCommit;
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use rules::aggregate::Aggregate as _;
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Looks at all of it.
pub fn check(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let heard = heard(sim);
    let mut wrong = matches(&heard, commits);
    wrong.extend(order(&heard, commits));
    wrong
}

/// One event of a source, with its answer.
struct Heard<'s> {
    event: &'s Value,
    status: i64,
    outcome: Value,
}

/// What was sent and answered, event by event.
fn heard<'s>(sim: &'s Sim<'_>) -> Vec<Heard<'s>> {
    let mut heard = Vec::new();
    for (sent, status, answer) in &sim.heard {
        match (sent, answer["results"].as_array()) {
            (Value::Array(events), Some(results)) => {
                heard.extend(events.iter().zip(results).map(|(event, result)| Heard {
                    event,
                    status: result["status"].as_i64().unwrap_or_default(),
                    outcome: result["result"]["outcome"].clone(),
                }));
            }
            (Value::Array(_), None) => {}
            (event, _) => heard.push(Heard { event, status: *status, outcome: answer["outcome"].clone() }),
        }
    }
    heard
}

/// Each match that a source told of and was answered is in the lead's record, if there is one.
fn matches(heard: &[Heard<'_>], commits: &[ChainedCommit]) -> Vec<String> {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in
        raw(commits).filter(|entry| entry["subject"].as_str().unwrap_or_default().starts_with("lead/"))
    {
        let matches = known.entry(entry["subject"].as_str().unwrap_or_default().to_owned()).or_default();
        matches.extend(entry.pointer("/data/criterion/match_id").and_then(Value::as_str).map(str::to_owned));
    }
    let mut wrong = Vec::new();
    for Heard { event, status, .. } in heard.iter().filter(|heard| heard.status < 500) {
        let Some(known) = known.get(&format!("lead/{}", event["lead"]["id"].as_str().unwrap_or_default()))
        else {
            continue;
        };
        let lists = event["lead"]["flags"].as_object().into_iter().flat_map(|flags| flags.values());
        for found in lists.filter_map(Value::as_array).flatten() {
            let id = found["match_id"].as_str().unwrap_or_default();
            if !known.contains(id) {
                wrong.push(format!("match {id} was told and answered {status}, and is nowhere: {event}"));
            }
        }
    }
    wrong
}

/// Fields that nobody but the source sets, by their name in an event and in a lead.
const FIELDS: [&str; 5] = ["source", "country", "company", "account_tier", "score"];

/// What a field was said to be, and when that was so.
type Said<'s> = BTreeMap<(&'s str, &'static str), Vec<(DateTime<Utc>, &'s Value)>>;

/// A field is what it was last, by the source's time.
fn order(heard: &[Heard<'_>], commits: &[ChainedCommit]) -> Vec<String> {
    let mut said: Said<'_> = BTreeMap::new();
    let is_taken = |heard: &&Heard<'_>| {
        heard.status == 200
            && ["applied", "unchanged", "stale", "refused"].iter().any(|taken| heard.outcome == **taken)
    };
    for Heard { event, .. } in heard.iter().filter(is_taken) {
        let (Some(id), Some(at)) = (event["lead"]["id"].as_str(), instant(&event["occurred_at"])) else {
            continue;
        };
        for field in FIELDS.into_iter().chain(["state"]) {
            if let Some(value) = event["lead"].get(field).filter(|value| field != "state" || !value.is_null())
            {
                said.entry((id, field)).or_default().push((at, value));
            }
        }
    }
    let leads = leads(commits);
    let mut wrong = Vec::new();
    for ((id, field), said) in said {
        let Some(lead) = leads.get(&Subject::Lead(id.into())) else { continue };
        if field == "state" && !is_left_to_its_source(id, commits) {
            continue;
        }
        let last = said.iter().map(|(at, _)| *at).max();
        let values: BTreeSet<String> =
            said.iter().filter(|(at, _)| Some(*at) == last).map(|(_, value)| value.to_string()).collect();
        let now = lead.get(field).unwrap_or(&Value::Null).to_string();
        // What was said twice of one instant may be either.
        if !values.contains(&now) {
            wrong.push(format!(
                "{field} of lead {id} is {now}, and was last said to be {values:?}, at {last:?}"
            ));
        }
    }
    wrong
}

/// Whether nobody but its source moved a lead: compliance did not hold it, and no hold ended by itself.
fn is_left_to_its_source(id: &str, commits: &[ChainedCommit]) -> bool {
    let subject = format!("lead/{id}");
    let mut entries = raw(commits).filter(|entry| entry["subject"] == *subject);
    !entries.any(|entry| {
        let kind = entry["type"].as_str().unwrap_or_default();
        kind.starts_with("compliance.") || kind == "state.changed" && entry["actor"]["kind"] != "source"
    })
}

/// The leads as their histories made them.
fn leads(commits: &[ChainedCommit]) -> BTreeMap<Subject, Value> {
    let mut leads: BTreeMap<Subject, Option<Lead>> = BTreeMap::new();
    for commit in commits.iter().filter(|commit| matches!(commit.subject, Subject::Lead(_))) {
        let entries: Vec<Entry<LeadFact>> = serde_json::from_str(commit.entries.get()).expect("entries");
        let lead = leads.entry(commit.subject.clone()).or_default();
        let after = entries.iter().try_fold(lead.take(), |lead, entry| Lead::evolve(lead, entry).map(Some));
        *lead = after.expect("a history folds");
    }
    leads.into_iter().map(|(id, lead)| (id, serde_json::json!(lead))).collect()
}

fn instant(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}
