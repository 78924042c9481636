//! What managers are told of the leads of reps who are away: each lead once, and nothing is left untold.

use crate::check::raw;
use audit::ChainedCommit;
use policy::ids::PersonId;
use rules::roster::LeadsOfAbsent;
use serde_json::{Value, json};
use store::Store;

/// What was handed on or queued is what the digests add up to.
pub async fn check(store: &Store, commits: &[ChainedCommit]) -> Vec<String> {
    let is =
        |entry: &Value, kind: &str, reason: &str| entry["type"] == kind && entry["data"]["reason"] == reason;
    let (mut became, mut told) = ((0, 0), (0, 0));
    for entry in raw(commits) {
        became.0 += u32::from(is(&entry, "lead.assigned", "owner-absent"));
        became.1 += u32::from(is(&entry, "operations.queued", "owner-absent"));
        if entry["type"] == "rep.absence-followed" {
            add(&mut told, &serde_json::from_value(entry["data"].clone()).expect("a digest"));
        }
    }
    let directory = store.current_directory().await.expect("a directory");
    let reps: Vec<&PersonId> =
        directory.document().teams.values().flat_map(|team| team.reps.keys()).collect();
    let mut wrong = Vec::new();
    for (rep, standing) in store.standings(reps).await.expect("the reps").standings {
        add(&mut told, &standing.untold);
        if !standing.untold.is_empty() {
            wrong.push(format!("the manager of {rep} was not told: {}", json!(standing.untold)));
        }
    }
    if became != told {
        wrong.push(format!(
            "of leads whose owner is away {became:?} were handed on and queued, {told:?} told"
        ));
    }
    wrong
}

fn add((handed_on, queued): &mut (u32, u32), leads: &LeadsOfAbsent) {
    *handed_on += leads.handed_on.values().sum::<u32>();
    *queued += leads.queued;
}
