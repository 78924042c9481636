//! Nobody is told what is no longer so: when a message to an owner goes out, the lead is theirs, is where the
//! message says it is, and may be worked.

use crate::check::raw;
use crate::sim::Sim;
use audit::ChainedCommit;
use policy::Message;
use policy::ids::Subject;
use rules::aggregate::Aggregate as _;
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact};
use rules::notification::{Notification, Recipient, Role};
use std::collections::BTreeMap;

/// A message may be on its way when what it says comes to an end: no function runs for longer, and what is
/// put off on the wire is not put off for longer.
const ON_ITS_WAY_MS: i64 = 90_000;

/// Looks at every message that somebody got.
pub fn check(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let written = sim.database().written.clone();
    let requests = requests(commits);
    let histories = histories(commits, &written);
    let mut wrong = Vec::new();
    for sent in &sim.outside.sent {
        let Some((subject, told)) = requests.get(&sent.notification) else { continue };
        let Some(history) = histories.get(subject) else { continue };
        let until = history.partition_point(|(at, _)| *at <= sent.at_ms);
        let from = history.partition_point(|(at, _)| *at <= sent.at_ms - ON_ITS_WAY_MS).saturating_sub(1);
        let lately = history.get(from..until).unwrap_or_default();
        if !lately.is_empty() && !lately.iter().any(|(_, lead)| is_so(told, lead)) {
            let (_, lead) = &lately[lately.len() - 1];
            wrong.push(format!(
                "{:?} is told {:?} of {subject} at {} s, which is {} of {:?} by then ({})",
                told.to,
                told.message,
                sent.at_ms / 1000,
                lead.state,
                lead.owner,
                sent.notification,
            ));
        }
    }
    wrong
}

/// Whether what a message says is so of a lead.
fn is_so(told: &Notification, lead: &Lead) -> bool {
    let Recipient::Person { role: Role::Owner, person } = &told.to else { return true };
    let is_theirs = lead.owner.as_ref() == Some(person) && !lead.is_held() && !lead.is_closed();
    let is_there = told.particulars.state.as_ref() == Some(&lead.state);
    match told.message {
        Message::SlaWarning | Message::StuckAsk => is_theirs && is_there,
        Message::LeadGiven | Message::HighValue => is_theirs,
        _ => true,
    }
}

/// What was asked for.
fn requests(commits: &[ChainedCommit]) -> BTreeMap<String, (Subject, Notification)> {
    let mut requests = BTreeMap::new();
    for commit in commits {
        for entry in raw(std::slice::from_ref(commit)).filter(|e| e["type"] == "notification.requested") {
            let told: Notification = serde_json::from_value(entry["data"].clone()).expect("a notification");
            requests.insert(told.id.to_string(), (commit.subject.clone(), told));
        }
    }
    requests
}

/// Each lead after each of its commits, and when that was written.
fn histories(commits: &[ChainedCommit], written: &[i64]) -> BTreeMap<Subject, Vec<(i64, Lead)>> {
    let mut histories: BTreeMap<Subject, Vec<(i64, Lead)>> = BTreeMap::new();
    for (commit, at) in commits.iter().zip(written) {
        if !matches!(commit.subject, Subject::Lead(_)) {
            continue;
        }
        let entries: Vec<Entry<LeadFact>> = serde_json::from_str(commit.entries.get()).expect("entries");
        let history = histories.entry(commit.subject.clone()).or_default();
        let before = history.last().map(|(_, lead)| lead.clone());
        let after = entries.iter().try_fold(before, |lead, entry| Lead::evolve(lead, entry).map(Some));
        history.extend(after.expect("a history folds").map(|lead| (*at, lead)));
    }
    histories
}
