//! Whether a message is still true when it goes out, however it came to be late: what no events file
//! can say, since there a message without quiet hours is told at once.

use chrono::{DateTime, TimeDelta, Utc};
use insight::simulate::{AnyEntry, Simulation};
use leadwatch_tests::history::check_history;
use leadwatch_tests::seeded::{beginning, seeded_value, simulation};
use policy::directory::Directory;
use policy::ids::NotificationId;
use policy::{Message, Policy};
use rules::entry::Actor;
use rules::lead::{Command, EvidenceKind, Input, LeadEvent, LeadFact};
use rules::notification::{About, Delivery, DeliveryResult, Notification, NotificationFact, Recipient};
use rules::patch::Patch;
use rules::still_true;
use rules::still_true::{CurrentMessage, DeliveryDecision};
use serde_json::json;

fn at(minutes: i64) -> DateTime<Utc> {
    beginning() + TimeDelta::minutes(minutes)
}

/// A deployment whose SLA window in NEW and CONTACTED is an hour round the clock.
fn hourly() -> Simulation {
    let mut document = seeded_value("default.yaml");
    document["workflows"]["sla-breach"]["windows"] = json!([
        {"state": "NEW", "window": "1h", "calendar": "always"},
        {"state": "CONTACTED", "window": "1h", "calendar": "always"},
    ]);
    document["workflows"]["stuck-lead"]["windows"] =
        json!([{"state": "NEW", "window": "30m", "calendar": "always"}]);
    let policy: Policy = serde_json::from_value(document).expect("a policy");
    let directory = seeded_value("directory.yaml");
    let directory = Directory::check(serde_json::from_value(directory).expect("a directory")).expect("sound");
    simulation(&policy, &directory)
}

fn ask(simulation: &mut Simulation, input: Input, now: DateTime<Utc>) {
    let (actor, cause) = (Actor::source("crm"), format!("ask/{now}"));
    simulation.lead(&Command { lead: "L-1".into(), actor, cause, input }, now);
}

fn event(simulation: &mut Simulation, minutes: i64, change: impl FnOnce(&mut LeadEvent)) {
    let mut event = LeadEvent::at(at(minutes));
    change(&mut event);
    simulation.run_until(at(minutes));
    ask(simulation, Input::Event(Box::new(event)), at(minutes));
}

/// A lead of a named owner, or of nobody's, which is given to somebody.
fn arrives(simulation: &mut Simulation, owner: Option<&str>) {
    event(simulation, 0, |event| {
        event.creates = true;
        event.changes.market = Patch::Set("us".into());
        event.changes.country = Patch::Set("US".into());
        event.owner = owner.map_or(Patch::Keep, |owner| Patch::Set(owner.into()));
    });
}

fn asked_for(entries: &[AnyEntry], message: Message) -> Notification {
    let mut all = entries.iter().filter_map(|entry| match entry {
        AnyEntry::Lead(entry) => match &entry.fact {
            LeadFact::Notification(NotificationFact::Requested(n)) if n.message == message => {
                Some((**n).clone())
            }
            _ => None,
        },
        _ => None,
    });
    all.next_back().expect("somebody is to be told")
}

fn telling(simulation: &Simulation, notification: &Notification, minutes: i64) -> DeliveryDecision {
    still_true::of_lead(
        &simulation.leads()[&"L-1".into()],
        &simulation.world().rules,
        notification,
        at(minutes),
    )
}

#[track_caller]
fn told(telling: DeliveryDecision) -> CurrentMessage {
    match telling {
        DeliveryDecision::Send(told) => *told,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn withdrawn(telling: DeliveryDecision) -> String {
    match telling {
        DeliveryDecision::Withdraw { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

/// The warning of a lead of rep-ana's, which is asked for 48 minutes after it came.
fn warned() -> (Simulation, Notification) {
    let mut simulation = hourly();
    arrives(&mut simulation, Some("rep-ana"));
    simulation.run_until(at(48));
    let warning = asked_for(&simulation.take_history(), Message::SlaWarning);
    (simulation, warning)
}

#[test]
fn a_late_warning_says_what_is_left_now_and_when_the_window_ends() {
    let (simulation, warning) = warned();
    let now = told(telling(&simulation, &warning, 55));
    assert_eq!((now.particulars.elapsed_s, now.due_at), (Some(55 * 60), Some(at(60))));
    // One that waited for the whole outage says since when the window is over.
    let now = told(telling(&simulation, &warning, 70));
    assert_eq!((now.particulars.elapsed_s, now.due_at), (Some(70 * 60), Some(at(60))));
}

#[test]
fn a_warning_is_withdrawn_when_its_ground_is_gone() {
    type Change = Box<dyn Fn(&mut LeadEvent)>;
    let changes: [(&str, Change); 6] = [
        ("the lead moved to CONTACTED", Box::new(|event| event.state = Some("CONTACTED".into()))),
        ("someone else owns the lead now", Box::new(|event| event.owner = Patch::Set("rep-bob".into()))),
        ("its clock is paused", Box::new(|event| event.waiting_on_customer = Some(true))),
        ("the lead is on hold", Box::new(|event| event.state = Some("ON_HOLD".into()))),
        ("the lead is closed", Box::new(|event| event.state = Some("LOST".into()))),
        (
            "someone else owns the lead now",
            Box::new(|event| {
                event.owner = Patch::Set("rep-cat".into());
                event.state = Some("CONTACTED".into());
            }),
        ),
    ];
    for (reason, change) in changes {
        let (mut simulation, warning) = warned();
        event(&mut simulation, 50, change);
        assert_eq!(withdrawn(telling(&simulation, &warning, 51)), reason);
    }
    // It left the state and came back: another clock, of which another warning tells.
    let (mut simulation, warning) = warned();
    event(&mut simulation, 50, |event| event.state = Some("CONTACTED".into()));
    event(&mut simulation, 52, |event| event.state = Some("NEW".into()));
    assert_eq!(withdrawn(telling(&simulation, &warning, 53)), "the lead left NEW and came back");
}

#[test]
fn of_one_that_is_older_than_its_particulars_the_state_and_the_owner_tell() {
    let (mut simulation, warning) = warned();
    let old = Notification { id: NotificationId::new("lead/L-1/old"), about: About::default(), ..warning };
    told(telling(&simulation, &old, 49));
    event(&mut simulation, 50, |event| event.state = Some("CONTACTED".into()));
    assert_eq!(withdrawn(telling(&simulation, &old, 51)), "the lead moved to CONTACTED");
}

#[test]
fn a_breach_is_a_report_and_says_what_became_of_the_lead() {
    let mut simulation = hourly();
    arrives(&mut simulation, Some("rep-ana"));
    simulation.run_until(at(60));
    let breach = asked_for(&simulation.take_history(), Message::SlaBreached);
    event(&mut simulation, 70, |event| {
        event.state = Some("CONTACTED".into());
        event.owner = Patch::Set("rep-bob".into());
    });
    let now = told(telling(&simulation, &breach, 75));
    assert_eq!((now.moved_to.as_deref(), now.went_to), (Some("CONTACTED"), Some("rep-bob".into())));
    assert_eq!(now.particulars.owner, Some("rep-ana".into()), "it was hers then");
    // Word comes late that it had moved on in time.
    let mut simulation = hourly();
    arrives(&mut simulation, Some("rep-ana"));
    simulation.run_until(at(60));
    let mut late = LeadEvent::at(at(40));
    late.state = Some("CONTACTED".into());
    ask(&mut simulation, Input::Event(Box::new(late)), at(65));
    assert_eq!(withdrawn(telling(&simulation, &breach, 66)), "the breach was excused");
}

#[test]
fn messages_that_are_due_together_are_one_and_the_latest_that_is_true_tells_it() {
    let mut simulation = hourly();
    arrives(&mut simulation, None);
    simulation.run_until(at(62));
    let entries = simulation.take_history();
    let [given, warning, stuck] = [Message::LeadGiven, Message::SlaWarning, Message::StuckAsk]
        .map(|message| asked_for(&entries, message));
    for earlier in [&given, &warning] {
        assert_eq!(telling(&simulation, earlier, 62), DeliveryDecision::IncludedIn(stuck.id.clone()));
    }
    let with: Vec<NotificationId> =
        told(telling(&simulation, &stuck, 62)).with.into_iter().map(|earlier| earlier.id).collect();
    assert_eq!(with, [given.id.clone(), warning.id.clone()]);
    // All three are on record with the one that was sent.
    let result = DeliveryResult::Delivered { channel: "slack-dm".to_owned(), reference: None };
    let delivery = Delivery { id: stuck.id.clone(), attempts: 1, result, with };
    ask(&mut simulation, Input::Delivery(delivery), at(63));
    let pending: Vec<NotificationId> =
        simulation.leads()[&"L-1".into()].undelivered.iter().map(|p| p.id.clone()).collect();
    assert!([&given.id, &warning.id, &stuck.id].iter().all(|id| !pending.contains(id)), "{pending:?}");
    let mut all = entries;
    all.extend(simulation.take_history());
    check_history(&simulation, &all);
}

#[test]
fn who_withdraws_a_message_hears_which_were_left_to_it() {
    let mut simulation = hourly();
    event(&mut simulation, 0, |event| {
        event.creates = true;
        event.changes.market = Patch::Set("us".into());
        event.changes.country = Patch::Set("US".into());
        event.changes.score = Patch::Set(90);
    });
    let entries = simulation.take_history();
    let given = asked_for(&entries, Message::LeadGiven);
    let DeliveryDecision::IncludedIn(flagged) = telling(&simulation, &given, 0) else {
        panic!("it is told by itself")
    };
    let flagged = Notification { id: flagged, message: Message::HighValue, ..given.clone() };
    event(&mut simulation, 0, |event| event.changes.score = Patch::Set(40));
    let DeliveryDecision::Withdraw { earlier, .. } = telling(&simulation, &flagged, 0) else {
        panic!("it is true")
    };
    assert_eq!(earlier, std::slice::from_ref(&given.id));
    told(telling(&simulation, &given, 0));
}

#[test]
fn a_breach_before_the_owner_was_told_is_excused_when_the_record_shows_it() {
    let results = [
        DeliveryResult::Delivered { channel: "slack-dm".to_owned(), reference: None },
        DeliveryResult::Failed { reason: "no such channel".to_owned() },
    ];
    for result in results {
        let mut simulation = hourly();
        arrives(&mut simulation, None);
        // The channel is down for more than the window.
        simulation.run_until(at(65));
        let entries = simulation.take_history();
        let given = asked_for(&entries, Message::LeadGiven);
        let Recipient::Person { person, .. } = given.to.clone() else { panic!("a person is told") };
        let delivery = Delivery { id: given.id, attempts: 4, result, with: Vec::new() };
        ask(&mut simulation, Input::Delivery(delivery), at(66));
        let mut excused = simulation.take_history().into_iter().filter_map(|entry| match entry {
            AnyEntry::Lead(entry) => match entry.fact {
                LeadFact::BreachExcused { evidence, breached_at, .. } => Some((evidence.what, breached_at)),
                _ => None,
            },
            _ => None,
        });
        assert_eq!(excused.next(), Some((EvidenceKind::OwnerNotTold, at(60))), "{person}");
        assert_eq!(excused.next(), None);
    }
    // One who was told in time answers for it.
    let mut simulation = hourly();
    arrives(&mut simulation, None);
    let given = asked_for(&simulation.take_history(), Message::LeadGiven);
    let result = DeliveryResult::Delivered { channel: "slack-dm".to_owned(), reference: None };
    ask(
        &mut simulation,
        Input::Delivery(Delivery { id: given.id, attempts: 1, result, with: Vec::new() }),
        at(1),
    );
    simulation.run_until(at(65));
    assert_eq!(simulation.leads()[&"L-1".into()].breaches.len(), 1);
}
