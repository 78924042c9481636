//! What has to be so whatever happens: random histories through the simulator.

use rules::aggregate::Aggregate as _;
use rules::lead::Lead;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::scenario::What;
use insight::simulate::{AnyEntry, Simulation};
use leadwatch_tests::cases::config;
use leadwatch_tests::histories::{
    Step, histories, histories_of_one_lead, histories_without_outages, lines, play,
};
use leadwatch_tests::history::check_history;
use leadwatch_tests::seeded::{
    beginning, lively_policy, pointers, seeded_value, simulation, tight_directory,
};
use policy::Policy;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rules::account::Account;
use rules::aggregate::Decision;
use rules::entry::Actor;
use rules::lead::{Command, Input, LeadEvent};
use rules::world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn every_history_keeps_the_promises(steps in histories(), officers in 1..=2u8) {
        let mut simulation = simulation(&lively_policy(officers), &tight_directory());
        let entries = play(&mut simulation, lines(&steps));
        check_history(&simulation, &entries);
        // A lead has no more timers than steps, and each fires once a clock: it ends.
        assert!(entries.len() < 200 * steps.len() + 200, "{} entries of {} steps", entries.len(), steps.len());
    }

    #[test]
    fn the_same_history_gives_the_same_record(steps in histories()) {
        let run = || play(&mut simulation(&lively_policy(1), &tight_directory()), lines(&steps));
        assert_eq!(run(), run());
    }

    #[test]
    fn decide_gives_the_same_twice_and_changes_nothing_it_was_given(
        steps in histories(),
        ahead in 0..1_000_000i64,
    ) {
        let policy = lively_policy(1);
        let mut simulation = simulation(&policy, &tight_directory());
        let lines = lines(&steps);
        let now = lines.last().map_or_else(beginning, |l| l.received_at) + TimeDelta::seconds(ahead);
        let last = lines.last().map_or_else(beginning, |l| l.received_at);
        leadctl::simulate::play(&mut simulation, lines, last, &mut |_| Ok(())).expect("nobody refuses");
        let accounts = simulation.accounts().iter().map(|(id, a)| (id.clone(), Account::view(a))).collect();
        let world = World { accounts, ..simulation.world().clone() };
        for (id, lead) in simulation.leads() {
            for input in [Input::Wake, Input::Event(Box::new(LeadEvent::at(now)))] {
                let command =
                    Command { lead: id.clone(), actor: Actor::system("test"), cause: "test".to_owned(), input };
                let before = lead.clone();
                let [one, two] = [(); 2].map(|()| Lead::decide(Some(lead), &world, &command, now));
                let parts = |d: Decision<Lead>| (d.outcome, d.entries, d.changed, d.wake_at, d.relied_on);
                assert_eq!(one.map(parts), two.map(parts));
                assert_eq!(*lead, before);
            }
        }
    }

    #[test]
    fn to_be_woken_for_nothing_changes_nothing(steps in histories_without_outages(), wakes in prop::collection::vec(0..5_000i64, 40)) {
        let mut woken = simulation(&lively_policy(1), &tight_directory());
        let mut record = Vec::new();
        let mut now = beginning();
        for (line, wake) in lines(&steps).into_iter().zip(wakes.iter().cycle()) {
            let then = line.received_at;
            let at = (now + TimeDelta::seconds(*wake)).min(then);
            wake_all(&mut woken, at);
            leadctl::simulate::play(&mut woken, vec![line], then, &mut |e| { record.push(e.clone()); Ok(()) })
                .expect("nobody refuses");
            wake_all(&mut woken, then);
            now = then;
        }
        record.extend(woken.take_history());
        let mut undisturbed = simulation(&lively_policy(1), &tight_directory());
        let mut expected = Vec::new();
        leadctl::simulate::play(&mut undisturbed, lines(&steps), now, &mut |e| { expected.push(e.clone()); Ok(()) })
            .expect("nobody refuses");
        assert_eq!(record, expected);
    }

    #[test]
    fn a_timer_may_run_before_the_input_or_be_settled_by_it(steps in histories_of_one_lead()) {
        let (lazily, promptly) = (timed(&steps, true), timed(&steps, false));
        let differs = lazily.iter().zip(&promptly).position(|(one, other)| one != other);
        if let Some(n) = differs {
            assert_eq!(lazily[n], promptly[n], "entry {n}");
        }
        assert_eq!(lazily.len(), promptly.len());
    }

    #[test]
    fn a_policy_is_refused_with_its_place_or_never_makes_a_decision_fail(
        (pointer, value) in mutations(),
        steps in histories(),
    ) {
        let mut document = seeded_value("default.yaml");
        mutate(&mut document, &pointer, value);
        let directory = tight_directory();
        let checked = Policy::parse(&document.to_string())
            .and_then(|policy| policy.check_against(&directory).map(|()| policy));
        match checked {
            Err(error) => {
                for problem in &error.0 {
                    assert!(!problem.path.is_empty() && !problem.problem.is_empty(), "{error}");
                }
            }
            Ok(policy) => {
                // It is published while leads are in flight.
                let mut simulation = simulation(&lively_policy(1), &directory);
                let mut before = lines(&steps);
                let after = before.split_off(before.len() / 2);
                let then = before.last().map_or_else(beginning, |l| l.received_at);
                let mut entries = Vec::new();
                leadctl::simulate::play(&mut simulation, before, then, &mut |e| { entries.push(e.clone()); Ok(()) })
                    .expect("nobody refuses");
                simulation.publish(policy, "test", then);
                entries.extend(play(&mut simulation, after));
                check_history(&simulation, &entries);
            }
        }
    }
}

/// The properties say little if the histories they are checked on are dull.
#[test]
fn random_histories_hold_every_kind_of_fact() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..200 {
        let steps = histories().new_tree(&mut runner).expect("a history").current();
        for entry in play(&mut simulation(&lively_policy(2), &tight_directory()), lines(&steps)) {
            let value = serde_json::to_value(&entry).expect("an entry is JSON");
            let kind = value["type"].as_str().expect("it has a type");
            let step = value["workflow"]["step"].as_str().unwrap_or_default();
            *seen.entry(format!("{kind} {step}").trim_end().to_owned()).or_default() += 1;
        }
    }
    let expected = [
        "account.applied",
        "breach.excused breached",
        "breach.recorded breached",
        "churn.cleared",
        "churn.elevated",
        "churn.signal-recorded",
        "compliance.held",
        "compliance.match-remembered",
        "compliance.matched",
        "high-value.flagged",
        "high-value.rearmed",
        "hold.changed",
        "input.refused",
        "input.stale",
        "lead.assigned",
        "lead.created",
        "lead.erased",
        "lead.reassigned",
        "lead.reassigned significantly-past",
        "leads.told",
        "operations.queued",
        "operations.resolved",
        "outreach.paused",
        "outreach.resumed",
        "owner.set",
        "priority.raised",
        "reassignment.impossible",
        "reassignment.impossible significantly-past",
        "rep.availability-set",
        "retention.completed",
        "review.decided",
        "review.voted",
        "state.changed",
        "threshold.reached ageing",
        "threshold.reached ask-owner",
        "threshold.reached imminent",
        "threshold.reached overdue",
        "threshold.reached significantly-past",
        "threshold.reached triage",
        "threshold.superseded ageing",
        "threshold.superseded imminent",
        "threshold.superseded triage",
        "touchpoint.due",
        "touchpoint.scheduled",
        "waiting.changed",
    ];
    let missing: Vec<_> = expected.iter().filter(|kind| !seen.contains_key(**kind)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}; seen: {seen:#?}");
}

fn wake_all(simulation: &mut Simulation, at: DateTime<Utc>) {
    simulation.run_until(at);
    let leads: Vec<_> = simulation.leads().keys().cloned().collect();
    for lead in leads {
        let command = Command {
            lead,
            actor: Actor::system("clock"),
            cause: "wake/for-nothing".to_owned(),
            input: Input::Wake,
        };
        simulation.lead(&command, at);
    }
}

/// What an entry says, without the commit and the input that brought it.
fn told(entry: AnyEntry) -> Value {
    let mut value = serde_json::to_value(entry).expect("an entry is JSON");
    for name in ["commit", "cause"] {
        value.as_object_mut().and_then(|entry| entry.remove(name));
    }
    value
}

/// A place in the default policy, and what to put there.
fn mutations() -> impl Strategy<Value = (String, Option<Value>)> {
    let policy = seeded_value("default.yaml");
    let mut places = pointers(&policy);
    // A member that no object has.
    let objects =
        places.iter().map(String::as_str).filter(|at| policy.pointer(at).is_some_and(Value::is_object));
    let unknown: Vec<String> = objects.chain([""]).map(|at| format!("{at}/unknown")).collect();
    places.extend(unknown);
    let texts = [
        "",
        "1h",
        "0h",
        "10000h",
        "1s",
        "5bd",
        "1000bd",
        "200%",
        "1%",
        "10000%",
        "NEW",
        "WON",
        "ON_HOLD",
        "COMPLIANCE_HOLD",
        "always",
        "berlin",
        "us",
        "dach",
        "hold",
        "working",
        "terminal",
        "reassign",
        "tell-owner",
    ];
    let texts: Vec<Value> = texts.into_iter().map(Value::from).collect();
    let values = prop_oneof![
        6 => prop::sample::select(texts).prop_map(Some),
        2 => any::<u16>().prop_map(|n| Some(json!(n))),
        1 => prop::sample::select(vec![json!(null), json!([]), json!({}), json!(true), json!(-1), json!(1.5)]).prop_map(Some),
        1 => Just(None),
    ];
    (prop::sample::select(places), values)
}

fn mutate(document: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a name");
    match (document.pointer_mut(parent).expect("the place is there"), value) {
        (Value::Object(map), Some(value)) => _ = map.insert(name.to_owned(), value),
        (Value::Object(map), None) => _ = map.remove(name),
        (Value::Array(items), value) => {
            let n: usize = name.parse().expect("an index");
            match value {
                Some(value) => items[n] = value,
                None => _ = items.remove(n),
            }
        }
        (other, _) => panic!("{other} has no places"),
    }
}

/// What is recorded of these steps if each input comes before the timers of the last two minutes, or
/// after them.
fn timed(steps: &[Step], lazily: bool) -> Vec<Value> {
    let mut simulation = simulation(&lively_policy(1), &tight_directory());
    let mut record = Vec::new();
    for line in lines(steps) {
        let at = line.received_at;
        let of_lead = !matches!(line.what, What::RepAvailability { .. });
        if lazily && of_lead {
            // The sweep is a minute or two behind; the input comes first.
            simulation.run_until(at - TimeDelta::seconds(120));
            let since = at - TimeDelta::seconds(120);
            let outage = contracts::scenario::Line {
                id: String::new(),
                occurred_at: at,
                received_at: at,
                what: What::Outage { since },
                warnings: Vec::new(),
            };
            leadctl::simulate::play(&mut simulation, vec![line, outage], at, &mut |e| {
                record.push(e.clone());
                Ok(())
            })
        } else {
            leadctl::simulate::play(&mut simulation, vec![line], at, &mut |e| {
                record.push(e.clone());
                Ok(())
            })
        }
        .expect("nobody refuses");
    }
    // A message goes out when the sweep comes by, so what became of it takes another place in the record.
    let is_delivery = |entry: &Value| entry["actor"]["id"] == "notify";
    let mut record: Vec<Value> = record.into_iter().map(told).filter(|entry| !is_delivery(entry)).collect();
    for entry in &mut record {
        entry["seq"].take();
        if entry["type"] == "notification.requested" {
            entry["data"]["id"].take();
        }
    }
    record
}

/// Whoever has a lead for half a minute when it is stuck is asked, also if the sweep settles both at once.
#[test]
fn who_is_asked_about_a_stuck_lead_does_not_hang_on_the_sweep() {
    let step = |after: i64, kind: &str, said: Value| {
        let mut lead = json!({"id": "L-0"});
        lead.as_object_mut().expect("an object").extend(said.as_object().expect("an object").clone());
        let what = json!({"type": kind, "lead": lead});
        Step { after: TimeDelta::seconds(after), late: TimeDelta::zero(), what }
    };
    let big = json!({"market": "us", "deal_size": {"amount": "900000", "currency": "USD"}});
    let steps = [
        step(0, "lead.upserted", big),
        step(5_400, "lead.state_changed", json!({"state": "CONTACTED"})),
        step(6_717, "lead.upserted", json!({"owner": "rep-dan"})),
        step(4_083, "lead.upserted", json!({"company": "Bolt"})),
    ];
    let (lazily, promptly) = (timed(&steps, true), timed(&steps, false));
    let stuck = |record: &[Value]| record.iter().any(|entry| entry["data"]["message"] == "stuck-ask");
    assert!(stuck(&promptly), "nobody was asked: {promptly:#?}");
    assert_eq!(lazily, promptly);
}
