//! What a run has to keep deed by deed: whatever falls due is recorded at its instant, a message goes out
//! soon after it was asked for, not before its time, and none about work while compliance holds the lead;
//! what was answered to staff is in the record. Where something went wrong shortly before, it may be late.

use crate::check::raw;
use crate::outside::Sent;
use crate::sim::{MINUTE_MS, Sim};
use crate::staff::Answered;
use crate::{premises, sources, truth};
use audit::ChainedCommit;
use chrono::{DateTime, Utc};
use leadwatch_tests::seeded::beginning;
use policy::ids::{PersonId, Subject};
use policy::{Message, WorkflowId};
use rules::aggregate::Aggregate as _;
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// So long what went wrong may be felt: more than all deliveries of a message and a lease take.
const AFTERMATH_MS: i64 = 30 * MINUTE_MS;
/// What rounding to whole seconds and the way through the queues take at the most.
const LATE_MS_MAX: i64 = 3_000;
/// A message may be on its way when the lead is held: no function runs for longer, and what is put off on
/// the wire is not put off for longer.
const ON_ITS_WAY_MS: i64 = 90_000;
/// What went wrong up to so long after a message was asked for may have lost it.
const LOST_MS: i64 = 10_000;
/// A message that was lost goes out so late at the most: a lease of a minute and a tick, or a claim of a minute that its
/// holder never gave back, and the pause of one whose secret could not be read. It is far from a whole lease.
const RESCUED_MS_MAX: i64 = 7 * MINUTE_MS;
/// The queue delivers a message so often; the template says the same.
const RECEIVES_MAX: u64 = 5;

/// The workflows of work on leads.
const OF_SALES: [WorkflowId; 3] = [WorkflowId::SlaBreach, WorkflowId::StuckLead, WorkflowId::HighValue];

/// Looks at all of it.
pub fn check(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let mut wrong = thresholds(sim, commits);
    wrong.extend(messages(sim, commits));
    wrong.extend(failures(sim, commits));
    wrong.extend(staff(sim, commits));
    wrong.extend(sources::check(sim, commits));
    wrong.extend(truth::check(sim, commits));
    wrong.extend(premises::check(commits));
    wrong
}

/// How late something may be, by clocks that are off.
fn late_ms_max(sim: &Sim<'_>) -> i64 {
    let off = sim.plan.skews_ms.iter().map(|skew| skew.abs()).max().unwrap_or(0);
    LATE_MS_MAX + 3 * off
}

/// Whatever was armed when its instant came is recorded then.
fn thresholds(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut written: BTreeMap<&Subject, i64> = BTreeMap::new();
    for (commit, at) in commits.iter().zip(&sim.database().written) {
        let before = written.insert(&commit.subject, *at);
        let Some(before) = before else { continue };
        // What comes of the input itself, or of rules that are new, may have been due long ago.
        for entry in raw(std::slice::from_ref(commit)).take_while(|entry| entry["due_at"].is_string()) {
            let due = ms_of(&entry["due_at"]).max(before);
            if at - due > late_ms_max(sim) && sim.was_quiet(due - AFTERMATH_MS, *at) {
                let what = &entry["type"];
                wrong.push(format!("{what} of {} is {} ms late, for no reason", commit.subject, at - due));
            }
        }
    }
    wrong
}

/// A message that was asked for.
struct Asked<'c> {
    subject: &'c Subject,
    is_about_work: bool,
    /// Whose the lead has to be for it to be true.
    owner: Option<PersonId>,
    not_before: Option<i64>,
    ready: i64,
}

/// Messages go out soon, not before their time, and not about work on a lead that is held.
fn messages(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let written = sim.database().written.clone();
    let (asked, (held, owners)) = (asked(commits, &written), folded(commits, &written));
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for Sent { notification, at_ms, .. } in &sim.outside.sent {
        let Some(Asked { subject, is_about_work, owner, not_before, ready }) = asked.get(notification) else {
            continue;
        };
        let late = at_ms - ready;
        let is_first = seen.insert(notification);
        if is_first && late > late_ms_max(sim) && sim.was_quiet(ready - AFTERMATH_MS, *at_ms) {
            wrong.push(format!("notification {notification} is sent {late} ms late, for no reason"));
        }
        let late_max = RESCUED_MS_MAX + late_ms_max(sim);
        if is_first && late > late_max && sim.was_quiet(ready + LOST_MS, *at_ms) {
            wrong.push(format!("notification {notification} was lost and is sent only {late} ms late"));
        }
        if let Some(owner) = owner
            && !owned(owners.get(subject).map_or(&[], Vec::as_slice), owner, *at_ms)
        {
            wrong.push(format!("notification {notification} tells {owner} of a lead that is not theirs"));
        }
        if not_before.is_some_and(|not_before| *at_ms < not_before - late_ms_max(sim)) {
            wrong.push(format!("notification {notification} is sent before its time"));
        }
        let mut times = held.get(subject).into_iter().flatten();
        if *is_about_work && times.any(|time| (time.start + ON_ITS_WAY_MS..time.end).contains(at_ms)) {
            wrong.push(format!("notification {notification} is sent while its lead is held"));
        }
    }
    wrong
}

/// What was asked for, and when.
fn asked<'c>(commits: &'c [ChainedCommit], written: &[i64]) -> BTreeMap<String, Asked<'c>> {
    let mut asked = BTreeMap::new();
    for (commit, at) in commits.iter().zip(written) {
        for entry in raw(std::slice::from_ref(commit)).filter(|e| e["type"] == "notification.requested") {
            let data = &entry["data"];
            let message: Message = serde_json::from_value(data["message"].clone()).expect("a message");
            let not_before = data["not_before"].is_string().then(|| ms_of(&data["not_before"]));
            let is_about_work = message.workflow().is_some_and(|workflow| OF_SALES.contains(&workflow));
            let ready = not_before.map_or(*at, |not_before| not_before.max(*at));
            let subject = &commit.subject;
            let for_its_owner = [Message::SlaWarning, Message::LeadGiven, Message::StuckAsk]
                .contains(&message)
                && data["to"]["role"] == "owner";
            let owner = data["to"]["person"].as_str().filter(|_| for_its_owner).map(PersonId::from);
            let this = Asked { subject, is_about_work, owner, not_before, ready };
            asked.insert(text(&data["id"]).to_owned(), this);
        }
    }
    asked
}

/// Whether somebody owned a lead when a message went out, or shortly before: it may have been on its way.
fn owned(owners: &[(i64, Option<PersonId>)], owner: &PersonId, at_ms: i64) -> bool {
    let ended = |n: usize| owners.get(n + 1).map_or(i64::MAX, |(until, _)| *until);
    let then = owners
        .iter()
        .enumerate()
        .filter(|(n, (from, _))| *from <= at_ms && ended(*n) > at_ms - ON_ITS_WAY_MS);
    then.into_iter().any(|(_, (_, whose))| whose.as_ref() == Some(owner))
}

/// Since when somebody owns a lead, in milliseconds.
type Owned = (i64, Option<PersonId>);

/// Times of something, by subject.
type Times<'c, T> = BTreeMap<&'c Subject, Vec<T>>;

/// Since when, and until when, each lead was held; and since when it was whose.
fn folded<'c>(commits: &'c [ChainedCommit], written: &[i64]) -> (Times<'c, Range<i64>>, Times<'c, Owned>) {
    let mut owners: Times<'c, Owned> = BTreeMap::new();
    let mut leads: BTreeMap<&Subject, Option<Lead>> = BTreeMap::new();
    let mut held: BTreeMap<&Subject, Vec<Range<i64>>> = BTreeMap::new();
    for (commit, at) in commits.iter().zip(written) {
        let subject = &commit.subject;
        if !matches!(subject, Subject::Lead(_)) {
            continue;
        }
        let entries: Vec<Entry<LeadFact>> = serde_json::from_str(commit.entries.get()).expect("entries");
        let lead = leads.entry(subject).or_default();
        let was_held = lead.as_ref().is_some_and(Lead::is_held);
        let after = entries.iter().try_fold(lead.take(), |lead, entry| Lead::evolve(lead, entry).map(Some));
        *lead = after.expect("a history folds");
        let times = held.entry(subject).or_default();
        match (was_held, lead.as_ref().is_some_and(Lead::is_held)) {
            (false, true) => times.push(*at..i64::MAX),
            (true, false) => times.last_mut().expect("it was held").end = *at,
            _ => {}
        }
        let owner = lead.as_ref().and_then(|lead| lead.owner.clone());
        let known = owners.entry(subject).or_default();
        if known.last().is_none_or(|(_, last)| *last != owner) {
            known.push((*at, owner));
        }
    }
    (held, owners)
}

/// A message fails only if its channel refused it, or after all of its deliveries.
fn failures(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let failed = raw(commits).filter(|entry| entry["type"] == "notification.failed");
    let for_no_reason = failed.filter(|entry| {
        let id = entry["data"]["id"].as_str().map(str::to_owned);
        let was_refused = sim.refused.contains(&id) || sim.refused.contains(&None);
        entry["data"]["attempts"].as_u64() < Some(RECEIVES_MAX) && !was_refused
    });
    for_no_reason.map(|entry| format!("a notification failed for no reason: {entry}")).collect()
}

/// What was answered to staff is in the record, under the key of the request; or it was so already.
fn staff(sim: &Sim<'_>, commits: &[ChainedCommit]) -> Vec<String> {
    let is_kept = |answered: &&Answered| {
        commits.iter().any(|commit| commit.cause.ends_with(&answered.key) || is_so(commit, &answered.says))
    };
    let lost = sim.answered.iter().filter(|answered| !is_kept(answered));
    lost.map(|Answered { key, says }| format!("{key} was answered and is nowhere: {says}")).collect()
}

/// Whether a commit made so what was said: to say it again writes nothing.
fn is_so(commit: &ChainedCommit, says: &Value) -> bool {
    let subject = commit.subject.to_string();
    let mut entries = raw(std::slice::from_ref(commit));
    match says["type"].as_str() {
        Some("erasure") => {
            subject == format!("lead/{}", text(&says["lead_id"]))
                && entries.any(|e| e["type"] == "lead.erased")
        }
        Some("rep.availability") => {
            subject == format!("rep/{}", text(&says["rep"]))
                && entries.any(|entry| {
                    let set = &entry["data"];
                    set["available"] == says["available"]
                        && instant_of(&set["until"]) == instant_of(&says["until"])
                })
        }
        _ => false,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn instant_of(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

fn ms_of(value: &Value) -> i64 {
    let at = instant_of(value).expect("an instant");
    (at - beginning()).num_milliseconds()
}
