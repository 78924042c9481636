//! One line per commit of the audit: what happened → what follows, in people's names.
//!
//! It has words for every type of entry. A type of a later version is shown by its name.

mod account;
mod lead;
mod message;
mod names;
mod phrase;
#[cfg(test)]
mod tests;

use phrase::{Phrase, Reading};
use serde_json::Value;

pub(super) use message::Channels;
pub(super) use names::Names;

/// A request to send a message: it is grouped with others, not worded alone.
const REQUESTED: &str = "notification.requested";

/// A line: what happened, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The workflow behind it, by its id.
    pub workflow: Option<String>,
    pub what: String,
    pub outcomes: Vec<String>,
}

/// The line of a commit. Messages are named by the channel that delivered them, where it is known.
pub(super) fn line(commit: &[Value], names: &Names, channels: &Channels) -> Line {
    let readings = || commit.iter().map(|entry| Reading { entry, commit, names });
    let requests: Vec<Reading<'_>> = readings().filter(|reading| reading.kind() == REQUESTED).collect();
    let worded: Vec<(Reading<'_>, Phrase)> = readings()
        .filter(|reading| reading.kind() != REQUESTED && !is_in_another(reading))
        .map(|reading| (reading, phrase(&reading)))
        .collect();
    let mut first: Option<usize> = None;
    for (n, (_, phrase)) in worded.iter().enumerate() {
        let is_before = |other: usize| worded.get(other).is_some_and(|(_, other)| other.rank >= phrase.rank);
        first = first.filter(|other| is_before(*other)).or(Some(n));
    }
    let messages = message::requested(&requests, channels);
    let Some((reading, opening)) = first.and_then(|first| worded.get(first)) else {
        // Nothing but messages: the first says what happened.
        let workflow = requests.first().and_then(Reading::workflow).map(str::to_owned);
        let mut messages = messages.into_iter();
        let what = capital(&messages.next().unwrap_or_default());
        return Line { workflow, what, outcomes: messages.collect() };
    };
    let mut outcomes = opening.then.clone();
    for (n, (_, phrase)) in worded.iter().enumerate() {
        if Some(n) != first {
            outcomes.push(phrase.text.clone());
            outcomes.extend(phrase.then.iter().cloned());
        }
    }
    outcomes.extend(messages);
    let workflow = reading.workflow().map(str::to_owned);
    let what = match &workflow {
        Some(id) => format!("{} · {}", workflow_name(id), opening.text),
        None => capital(&opening.text),
    };
    Line { workflow, what, outcomes }
}

/// The words for one entry, whatever its type.
fn phrase(reading: &Reading<'_>) -> Phrase {
    lead::phrase(reading)
        .or_else(|| account::phrase(reading))
        .or_else(|| message::phrase(reading))
        .unwrap_or_else(|| Phrase::input(format!("entry {}", reading.kind())))
}

/// Whether another entry of the commit says all that this one says.
fn is_in_another(reading: &Reading<'_>) -> bool {
    match reading.kind() {
        "lead.updated" if reading.beside("lead.created").is_some() => true,
        "account.updated" => reading.beside("account.created").is_some(),
        // The criteria of a high-value lead name the score, the deal size and the tier.
        "lead.updated" if reading.beside("high-value.flagged").is_some() => {
            let names = ["score", "deal_size", "account_tier"];
            let changes = reading.data("/changes").and_then(Value::as_object);
            changes.is_some_and(|changes| changes.keys().all(|name| names.contains(&name.as_str())))
        }
        _ => false,
    }
}

/// A workflow's name for people; an unknown one by its id.
pub(super) fn workflow_name(id: &str) -> &str {
    match id {
        "sla-breach" => "SLA breach",
        "stuck-lead" => "Stuck lead",
        "high-value" => "High value",
        "compliance-flag" => "Compliance flag",
        "churn-risk" => "Churn risk",
        other => other,
    }
}

/// Begins a line. An id at its beginning stays as it is.
fn capital(text: &str) -> String {
    if text.split(' ').next().is_some_and(|first| first.contains('-')) {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
