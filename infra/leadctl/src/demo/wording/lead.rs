//! The words for entries of a lead.

use super::names::span;
use super::phrase::{Phrase, Reading};
use serde_json::Value;

/// The words for an entry of a lead; `None` for a type that is not one.
pub(super) fn phrase(reading: &Reading<'_>) -> Option<Phrase> {
    input(reading)
        .or_else(|| ownership(reading))
        .or_else(|| clocks(reading))
        .or_else(|| operations(reading))
        .or_else(|| value(reading))
        .or_else(|| compliance(reading))
}

/// Inputs, and changes that follow from them.
fn input(reading: &Reading<'_>) -> Option<Phrase> {
    let text = |pointer: &str| reading.text_or(pointer, "?");
    Some(match reading.kind() {
        "lead.created" => arrival(reading),
        "lead.updated" => update(reading),
        "input.stale" => {
            let fields = reading.list("/fields").join(", ");
            Phrase::input(format!("{} update is older than what is known", reading.actor()))
                .then(format!("ignored: {fields}"))
        }
        "input.refused" => {
            Phrase::trigger(format!("{} asks for {}", reading.actor(), reading.text_or("/what", "something")))
                .then(format!("refused: {}", reading.text_or("/why", "the reason is confidential")))
        }
        "input.not-understood" => {
            let fields = reading.list("/members");
            let fields = if fields.is_empty() { "some fields".to_owned() } else { fields.join(", ") };
            Phrase::consequence(format!("not understood and left out: {fields}"))
        }
        "state.changed" => state(reading),
        "waiting.changed" if reading.is("/waiting_on_customer") => {
            Phrase::input("lead waits for the customer").then("clocks rest")
        }
        "waiting.changed" => Phrase::input("lead no longer waits for the customer").then("clocks run"),
        "hold.changed" => match reading.seconds_until("/hold_until") {
            Some(secs) => Phrase::input(format!("hold ends in {}", span(secs))),
            None => Phrase::input("hold has no end"),
        },
        "hold.entered-from" => {
            Phrase::input(format!("lead was in {} before the hold", text("/state"))).then("it resumes there")
        }
        "rules.applied" => {
            let (kind, revision) = text("/publication").split_once('/').unwrap_or(("publication", "?"));
            Phrase::trigger(format!("{kind} revision {revision} applies to the lead"))
        }
        "lead.erased" => Phrase::trigger("personal data erased"),
        "account.applied" => account(reading),
        _ => return None,
    })
}

fn arrival(reading: &Reading<'_>) -> Phrase {
    let update = reading.beside("lead.updated");
    let company = update.and_then(|update| update.text("/changes/company"));
    let score = update.and_then(|update| update.number("/changes/score"));
    let mut parts: Vec<String> = company.map(str::to_owned).into_iter().collect();
    parts.extend(reading.text("/state").map(str::to_owned));
    parts.extend(score.map(|score| format!("score {score}")));
    let phrase = Phrase::trigger(format!("Lead arrives · {}", parts.join(", ")));
    match reading.data("/history_until") {
        Some(_) => phrase.then("it came late: thresholds passed until now are history"),
        None => phrase,
    }
}

fn update(reading: &Reading<'_>) -> Phrase {
    let changes = reading.data("/changes").and_then(Value::as_object);
    let mut parts: Vec<String> = changes
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{} {}", name.replace('_', " "), shown(value)))
        .collect();
    parts.extend(reading.person("/crm_owner").map(|owner| format!("owner {owner}")));
    if parts.is_empty() {
        parts.extend(reading.list("/confirmed").iter().map(|field| format!("{field} unchanged")));
    }
    let parts = if parts.is_empty() { "contact".to_owned() } else { parts.join(", ") };
    Phrase::input(format!("{} updates the lead · {parts}", reading.actor()))
}

/// A value of a field: text without quotes, money with its currency.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "cleared".to_owned(),
        Value::Object(members) => members.values().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn state(reading: &Reading<'_>) -> Phrase {
    let (from, to) = (reading.text_or("/from", "?"), reading.text_or("/to", "?"));
    let phrase = Phrase::trigger(format!("Lead moves from {from} to {to}"));
    match (reading.text_or("/kind", ""), reading.seconds_until("/hold_until")) {
        ("terminal", _) => phrase.then("lead closed, clocks end"),
        ("hold", Some(secs)) => phrase.then(format!("clocks rest for {}", span(secs))),
        ("hold", None) => phrase.then("clocks rest"),
        _ if reading.is("/resumed") => phrase.then("clocks resume"),
        _ => phrase.then("fresh clocks"),
    }
}

fn account(reading: &Reading<'_>) -> Phrase {
    let phrase = Phrase::trigger("Lead follows its account");
    let phrase = match reading.is("/view/outreach_paused") {
        true => phrase.then("outreach paused"),
        false => phrase.then("outreach allowed"),
    };
    match reading.text("/view/tier") {
        Some(tier) => phrase.then(format!("tier {tier}")),
        None => phrase,
    }
}

/// Owners and reps.
fn ownership(reading: &Reading<'_>) -> Option<Phrase> {
    let person = |pointer: &str| reading.person_or(pointer, "nobody");
    Some(match reading.kind() {
        "owner.set" => match reading.person("/to") {
            Some(to) => Phrase::consequence(format!("{to} owns it")),
            None => Phrase::consequence("nobody owns it"),
        },
        "owner.gone" => {
            let how = if reading.text("/because") == Some("absent") { "is away" } else { "left" };
            let phrase = Phrase::trigger(format!("{} {how}", reading.person_or("/owner", "the owner")));
            match reading.text("/then") {
                Some("keep") => phrase.then("the lead stays"),
                Some("queue") => phrase.then("operations decides"),
                _ => phrase.then("the lead goes to another rep"),
            }
        }
        "owner.back" => Phrase::trigger(format!("{} is back", reading.person_or("/owner", "the owner"))),
        "lead.assigned" => Phrase::consequence(format!("{} gets it", person("/to"))),
        "lead.reassigned" => match reading.person("/from") {
            Some(from) => Phrase::consequence(format!("{} gets it from {from}", person("/to"))),
            None => Phrase::consequence(format!("{} gets it", person("/to"))),
        },
        "reassignment.impossible" => {
            let owner = reading.beside("threshold.reached").and_then(|threshold| threshold.person("/owner"));
            let owner = owner.unwrap_or_else(|| "the owner".to_owned());
            let why = match reading.text("/reason") {
                Some("max-reassignments") => "reassigned often enough",
                _ => "nobody else is available",
            };
            Phrase::consequence(format!("{why}, {owner} keeps it"))
        }
        "market.set" => Phrase::consequence(format!("market {}", reading.text_or("/to", "?"))),
        _ => return None,
    })
}

/// Thresholds of clocks, and breaches.
fn clocks(reading: &Reading<'_>) -> Option<Phrase> {
    let elapsed = || reading.number("/elapsed_s").map(span);
    let percent = || reading.number("/percent").map_or_else(|| "threshold".to_owned(), |n| format!("{n} %"));
    Some(match reading.kind() {
        // A reminder's window is its time: its share is always 100 %.
        "threshold.reached" if reading.workflow() == Some("compliance-flag") => match elapsed() {
            Some(elapsed) => Phrase::trigger(format!("review open for {elapsed}")),
            None => Phrase::trigger("review is getting old"),
        },
        "threshold.reached" => Phrase::trigger(percent()),
        "threshold.superseded" => {
            let by = match reading.text_or("/by", "another step") {
                "history" => "it was passed before the lead was known",
                "publication" => "it was passed before the rules were published",
                step => step,
            };
            Phrase::trigger(percent()).then(format!("not acted on: {by}"))
        }
        "lead.bounced" => {
            let times = reading.number("/times").unwrap_or_default();
            Phrase::trigger(format!(
                "lead is back in {}, {times} times by now",
                reading.text_or("/state", "?")
            ))
        }
        "breach.recorded" => Phrase::consequence("breach recorded"),
        "breach.excused" => {
            let why = match reading.text("/evidence/what") {
                Some("state-changed") => "the lead had moved on in time",
                Some("put-on-hold") => "the lead was on hold",
                Some("waiting-on-customer") => "the customer had to act",
                Some("owner-not-told") => "the owner had no message yet",
                _ => "late news shows that it was worked in time",
            };
            Phrase::consequence(format!("breach excused: {why}"))
        }
        "clocks.restarted" => Phrase::consequence("clocks start afresh"),
        _ => return None,
    })
}

/// The operations queue.
fn operations(reading: &Reading<'_>) -> Option<Phrase> {
    let reason = || queue_reason(reading.text_or("/reason", "?"));
    Some(match reading.kind() {
        // Why is said already.
        "operations.queued" if reading.beside("reassignment.impossible").is_some() => {
            Phrase::consequence("into the operations queue")
        }
        "operations.queued" => Phrase::consequence(format!("into the operations queue ({})", reason())),
        "operations.settled" => Phrase::consequence(format!("out of the operations queue ({})", reason())),
        "operations.resolved" => {
            let what = reading.text_or("/resolution", "resolved");
            Phrase::trigger(format!("operations settles the queue entry: {what}"))
        }
        _ => return None,
    })
}

fn queue_reason(reason: &str) -> &str {
    match reason {
        "market-unknown" => "its market is unknown",
        "state-unknown" => "its state is unknown",
        "owner-unknown" => "its owner is unknown",
        "no-rep-available" => "no rep is available",
        "max-reassignments" => "reassigned often enough",
        "stuck" => "stuck",
        "notification-failed" => "a message was not delivered",
        "overdue" => "overdue",
        "owner-left" => "its owner left",
        "owner-absent" => "its owner is away",
        "bounces" => "it keeps coming back",
        other => other,
    }
}

/// High-value leads.
fn value(reading: &Reading<'_>) -> Option<Phrase> {
    Some(match reading.kind() {
        "high-value.flagged" => {
            let criteria = reading.list("/criteria").join(", ");
            let criteria = if criteria.is_empty() { "a criterion is met".to_owned() } else { criteria };
            let phrase = Phrase::trigger(criteria);
            match reading.number("/window_percent").filter(|percent| *percent != 100) {
                Some(percent) => phrase.then(format!("later windows at {percent} %")),
                None => phrase,
            }
        }
        "high-value.rearmed" => Phrase::trigger("no longer a high-value lead"),
        "priority.raised" | "priority.lowered" => {
            Phrase::consequence(format!("priority {}", reading.text_or("/to", "changed")))
        }
        _ => return None,
    })
}

/// Compliance: matches, holds and reviews.
fn compliance(reading: &Reading<'_>) -> Option<Phrase> {
    let reason = || reading.text("/reason").map(|reason| format!(": “{reason}”")).unwrap_or_default();
    Some(match reading.kind() {
        "compliance.matched" => Phrase::trigger(criterion(reading)),
        "compliance.match-remembered" => {
            Phrase::trigger(criterion(reading)).then("no hold: an officer cleared it before")
        }
        "compliance.held" => Phrase::consequence("lead held, review opened"),
        "compliance.would-be-owner" => {
            Phrase::consequence(format!("{} gets it if it is cleared", reading.person_or("/to", "a rep")))
        }
        "review.voted" => {
            let verdict = reading.text_or("/verdict", "decide");
            Phrase::trigger(format!("a first officer votes to {verdict} it{}", reason()))
        }
        "review.decided" => {
            let officers = reading.list("/officers").len();
            let who = if officers > 1 { "officers" } else { "an officer" };
            let s = if officers > 1 { "" } else { "s" };
            let to = reading.text_or("/to", "?");
            match reading.text("/verdict") {
                Some("reject") => {
                    Phrase::trigger(format!("{who} reject{s} it{}", reason())).then(format!("closed in {to}"))
                }
                _ => Phrase::trigger(format!("{who} clear{s} it{}", reason()))
                    .then(format!("back in {to} with fresh clocks")),
            }
        }
        "review.reopening-asked" => {
            Phrase::trigger(format!("an officer asks to reopen the review{}", reason()))
        }
        "review.reopened" => Phrase::trigger(format!("two officers reopen the review{}", reason())),
        _ => return None,
    })
}

/// A match without personal data: `OFAC SDN match ofac-123, 92 %`.
fn criterion(reading: &Reading<'_>) -> String {
    let list = reading.text_or("/criterion/list", "").replace('-', " ");
    let id = reading.text_or("/criterion/match_id", "");
    let found = match reading.text("/criterion/kind") {
        Some("sanctions") => format!("{list} match {id}"),
        Some("pep") => format!("politically exposed person, {list} match {id}"),
        Some("jurisdiction") => "the market is not licensed for this country".to_owned(),
        Some("adverse_media") => format!("adverse media, {list} {id}"),
        Some("unreadable") => "a screening that could not be read".to_owned(),
        // Confidential to this reader, or of a later version.
        other => other.unwrap_or("match").to_owned(),
    };
    match reading.number("/criterion/strength") {
        Some(strength) => format!("{found}, {strength} %"),
        None => found,
    }
}
