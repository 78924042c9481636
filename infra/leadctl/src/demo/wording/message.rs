//! Messages to people: who gets which, and its outcome.

use super::names::{joined, span};
use super::phrase::{Phrase, Reading};
use std::collections::BTreeMap;

/// By which channel each notification was delivered, by its id.
pub(crate) type Channels = BTreeMap<String, String>;

/// The words for the outcome of a notification. [`requested`] has those for requests.
pub(super) fn phrase(reading: &Reading<'_>) -> Option<Phrase> {
    let reason = reading.text_or("/reason", "no reason given");
    Some(match reading.kind() {
        "notification.delivered" => {
            Phrase::input(format!("{} delivered", label(reading.text("/channel"), false)))
        }
        "notification.withdrawn" => Phrase::input("message withdrawn").then(reason),
        "notification.failed" => {
            let attempts = reading.number("/attempts").unwrap_or_default();
            Phrase::input(format!("message not delivered after {attempts} attempts")).then(reason)
        }
        "recipient.unreachable" => {
            let person = reading.person_or("/person", "a recipient");
            Phrase::input(format!("{person} cannot be reached")).then(reason)
        }
        _ => return None,
    })
}

/// One text per message and channel, with all recipients: `Slack messages to Ben and Max: …`.
pub(super) fn requested(requests: &[Reading<'_>], channels: &Channels) -> Vec<String> {
    let mut groups: Vec<(Option<&str>, String, Vec<String>)> = Vec::new();
    for request in requests {
        let id = request.text_or("/id", "");
        let channel = channels.get(id).map(String::as_str);
        let text = text(request);
        let is_same = |group: &&mut (Option<&str>, String, Vec<String>)| {
            label(group.0, false) == label(channel, false) && group.1 == text
        };
        match groups.iter_mut().find(is_same) {
            Some((_, _, recipients)) => recipients.push(recipient(request)),
            None => groups.push((channel, text, vec![recipient(request)])),
        }
    }
    let worded = |(channel, text, recipients): (Option<&str>, String, Vec<String>)| {
        format!("{} to {}: {text}", label(channel, recipients.len() > 1), joined(&recipients))
    };
    groups.into_iter().map(worded).collect()
}

/// The gist of a message.
fn text(request: &Reading<'_>) -> String {
    let number = |name: &str| request.number(&format!("/particulars/{name}"));
    let left = number("window_s").zip(number("elapsed_s")).map(|(window, elapsed)| window - elapsed);
    let owner = || request.person_or("/particulars/owner", "nobody");
    let text = match request.text_or("/message", "message") {
        "sla-warning" => match left.filter(|left| *left > 0) {
            Some(left) => format!("{} left", span(left)),
            None => "the window is over".to_owned(),
        },
        "sla-breached" => match left.filter(|left| *left > 0) {
            Some(left) => format!("{} has {} left", owner(), span(left)),
            None => "the window is over".to_owned(),
        },
        "lead-taken" => format!("{} has it now", owner()),
        "lead-given" => "it is yours".to_owned(),
        "reassignment-impossible" => "nobody else can take it".to_owned(),
        "stuck-ask" => "update it or move it on".to_owned(),
        "stuck-manager" => format!("{} has not moved it", owner()),
        "bounced" => "it keeps coming back".to_owned(),
        "high-value" => "high-value lead".to_owned(),
        "held" => "stop working it".to_owned(),
        "review-needed" => "review needed".to_owned(),
        "review-ageing" => "the review is getting old".to_owned(),
        "cleared" => "cleared, you can work it".to_owned(),
        "closed-by-compliance" => "compliance closed it".to_owned(),
        "churn-risk" => "the account is at risk".to_owned(),
        "touchpoint-due" => "contact the customer now".to_owned(),
        "publication-digest" => "leads had passed these thresholds already".to_owned(),
        "changed-hands" => "leads changed owner".to_owned(),
        // A later version's message is shown by its name.
        other => other.to_owned(),
    };
    match request.text("/not_before") {
        Some(_) => format!("{text} (after quiet hours)"),
        None => text,
    }
}

fn recipient(request: &Reading<'_>) -> String {
    match request.text_or("/to/kind", "a recipient") {
        "person" => request.person_or("/to/person", "a person"),
        "team-channel" => {
            let channel = request.names.team_channel(request.text_or("/to/team", "a team"));
            format!("{} in {channel}", request.person_or("/to/manager", "the manager"))
        }
        "compliance-desk" => request.names.compliance().to_owned(),
        "operations-desk" => request.names.operations().to_owned(),
        other => other.to_owned(),
    }
}

fn label(channel: Option<&str>, is_plural: bool) -> String {
    let (one, many) = match channel {
        Some("slack-dm" | "slack-channel") => ("Slack message", "Slack messages"),
        Some("email") => ("email", "emails"),
        Some("teams") => ("Teams message", "Teams messages"),
        Some("webhook") => ("webhook", "webhooks"),
        // Not delivered yet, or by a channel of a later version.
        _ => ("message", "messages"),
    };
    if is_plural { many.to_owned() } else { one.to_owned() }
}
