//! The words for entries of accounts, reps and publications.

use super::names::{counted, span};
use super::phrase::{Phrase, Reading};

/// The words for an entry of an account, a rep or a publication; `None` for a type that is none of these.
pub(super) fn phrase(reading: &Reading<'_>) -> Option<Phrase> {
    account(reading).or_else(|| churn(reading)).or_else(|| rep(reading)).or_else(|| publication(reading))
}

fn account(reading: &Reading<'_>) -> Option<Phrase> {
    Some(match reading.kind() {
        "account.created" => {
            let update = reading.beside("account.updated");
            let name = update.and_then(|update| update.text("/changes/name")).unwrap_or("no name yet");
            let phrase = Phrase::trigger(format!("Account arrives · {name}"));
            update.map(|update| changes(&update)).into_iter().flatten().fold(phrase, Phrase::then)
        }
        "account.updated" => {
            let name = reading.text("/changes/name").map(|name| format!(" · {name}")).unwrap_or_default();
            let phrase = Phrase::input(format!("{} updates the account{name}", reading.actor()));
            changes(reading).into_iter().fold(phrase, Phrase::then)
        }
        "leads.told" => {
            let leads = counted(reading.number("/leads").unwrap_or_default(), "lead");
            Phrase::trigger(format!("Account tells its leads · {leads}"))
        }
        _ => return None,
    })
}

fn changes(update: &Reading<'_>) -> Vec<String> {
    let owner = update.person("/changes/owner").map(|owner| format!("{owner} owns it"));
    let success = update.person("/changes/customer_success_owner");
    let success = success.map(|person| format!("{person} looks after its success"));
    let tier = update.text("/changes/tier").map(|tier| format!("tier {tier}"));
    [owner, success, tier].into_iter().flatten().collect()
}

fn churn(reading: &Reading<'_>) -> Option<Phrase> {
    let reason = reading.text_or("/reason", "no reason given");
    let signal = || match reading.text_or("/signal", "signal") {
        "usage_down" => "product usage is down",
        "ticket_spike" => "support tickets spike",
        "stakeholder_left" => "a stakeholder left",
        other => other,
    };
    let until = |pointer: &str| reading.seconds_until(pointer).map(span);
    Some(match reading.kind() {
        "churn.signal-recorded" => Phrase::trigger(signal()),
        "churn.elevated" => {
            Phrase::consequence(format!("account tagged {}", reading.text_or("/tag", "at risk")))
        }
        "touchpoint.scheduled" => match until("/due") {
            Some(due) => Phrase::consequence(format!("touchpoint due in {due}")),
            None => Phrase::consequence("touchpoint scheduled"),
        },
        "touchpoint.due" => Phrase::trigger("touchpoint is due"),
        "outreach.paused" => match until("/until") {
            Some(until) => Phrase::consequence(format!("outreach paused for {until}")),
            None => Phrase::consequence("outreach paused"),
        },
        "outreach.resumed" => Phrase::trigger("outreach resumes").then(reason),
        "retention.completed" => {
            Phrase::trigger("retention completed").then(reading.text_or("/note", "no note"))
        }
        "churn.false-positive" => Phrase::trigger(format!("false alarm: {}", signal())),
        "churn.cleared" => Phrase::consequence(format!("account no longer at risk: {reason}")),
        _ => return None,
    })
}

fn rep(reading: &Reading<'_>) -> Option<Phrase> {
    let id = reading.entry.get("subject").and_then(|subject| subject.as_str()).unwrap_or_default();
    let person = || reading.names.person(id.strip_prefix("rep/").unwrap_or(id));
    Some(match reading.kind() {
        "rep.availability-set" if reading.is("/available") => {
            Phrase::trigger(format!("{} is available", person()))
        }
        "rep.availability-set" => match reading.seconds_until("/until") {
            Some(secs) => Phrase::trigger(format!("{} is away for {}", person(), span(secs))),
            None => Phrase::trigger(format!("{} is away", person())),
        },
        "rep.absence-followed" => Phrase::trigger(format!("the leads of {} are looked after", person())),
        _ => return None,
    })
}

fn publication(reading: &Reading<'_>) -> Option<Phrase> {
    let id = reading.entry.get("subject").and_then(|subject| subject.as_str()).unwrap_or_default();
    let (kind, revision) = id.split_once('/').unwrap_or(("publication", id));
    Some(match reading.kind() {
        "publication.published" => {
            let phrase = Phrase::trigger(format!("{kind} revision {revision} is in force"));
            match reading.text("/why") {
                Some(why) => phrase.then(format!("“{why}”")),
                None => phrase,
            }
        }
        "publication.applied" => {
            let number = |pointer: &str| reading.number(pointer).unwrap_or_default();
            Phrase::trigger(format!("{kind} revision {revision} reached all open leads"))
                .then(format!("{} checked", counted(number("/leads"), "lead")))
                .then(format!("{} wait for another time", number("/moved")))
        }
        _ => return None,
    })
}
