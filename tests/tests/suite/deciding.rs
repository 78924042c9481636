//! What no events file can say: clocks that differ, decisions on what was not seen, deliveries.

use rules::aggregate::Aggregate as _;

use chrono::{DateTime, TimeDelta, Utc};
use insight::simulate::{AnyEntry, Simulation};
use leadwatch_tests::history::check_history;
use leadwatch_tests::seeded::{beginning, lively_policy, seeded_value, simulation, tight_directory};
use policy::ids::LeadId;
use policy::{Policy, PublishedPolicy, Verdict, WorkflowId};
use rules::account::{AccountChanges, AccountCommand, AccountInput, Signal};
use rules::entry::Actor;
use rules::lead::{
    Command, Input, Lead, LeadEvent, LeadFact, OperationsReview, Resolution, ResolutionAction,
    ReviewDecision, UnderReview,
};
use rules::notification::{Delivery, DeliveryResult, Notification, NotificationFact, Recipient};
use rules::outcome::Outcome;
use rules::patch::Patch;
use rules::screening::{Criterion, CriterionKind, Match};
use rules::unread::Unread;
use serde_json::json;

fn at(minutes: i64) -> DateTime<Utc> {
    beginning() + TimeDelta::minutes(minutes)
}

/// A deployment with one lead of rep-bob's in NEW.
fn with_a_lead() -> Simulation {
    let mut simulation = simulation(&lively_policy(1), &tight_directory());
    let mut event = LeadEvent::at(at(0));
    event.creates = true;
    event.changes.market = Patch::Set("us".into());
    event.changes.country = Patch::Set("US".into());
    event.owner = Patch::Set("rep-bob".into());
    assert_eq!(ask(&mut simulation, Input::Event(Box::new(event)), at(0)), Outcome::Applied);
    simulation
}

fn ask(simulation: &mut Simulation, input: Input, now: DateTime<Utc>) -> Outcome {
    let command =
        Command { lead: "L-1".into(), actor: Actor::source("crm"), cause: format!("ask/{now}"), input };
    simulation.lead(&command, now)
}

fn facts(entries: &[AnyEntry]) -> Vec<&LeadFact> {
    entries.iter().filter_map(|e| if let AnyEntry::Lead(e) = e { Some(&e.fact) } else { None }).collect()
}

fn flag(simulation: &mut Simulation, minutes: i64) {
    let criterion = Criterion {
        kind: CriterionKind::Pep,
        match_id: format!("m-{minutes}"),
        list: "PEP".to_owned(),
        list_version: "1".to_owned(),
        strength: None,
    };
    let mut event = LeadEvent::at(at(minutes));
    event.matches = vec![Match { criterion, details: None }];
    event.flagged_by = Some("cleo@leadwatch.test".to_owned());
    assert_eq!(ask(simulation, Input::Event(Box::new(event)), at(minutes)), Outcome::Applied);
}

fn decision(revision: u64) -> ReviewDecision {
    ReviewDecision {
        verdict: Verdict::Clear,
        reason_code: "false-match".to_owned(),
        reason: "Checked.".to_owned(),
        officer: "carl".to_owned(),
        also_known_as: Vec::new(),
        person: None,
        revision,
    }
}

#[test]
fn a_machine_whose_clock_is_behind_does_not_take_a_lead_back_in_time() {
    let mut simulation = with_a_lead();
    let mut event = LeadEvent::at(at(-10));
    event.changes.company = Patch::Set("Acme".to_owned());
    ask(&mut simulation, Input::Event(Box::new(event)), at(-9));
    let entries = simulation.take_history();
    check_history(&simulation, &entries);
    assert_eq!(simulation.leads()[&"L-1".into()].changed_at, at(0));
}

#[test]
fn an_event_of_the_near_future_is_applied_and_one_of_the_far_future_refused() {
    let mut simulation = with_a_lead();
    let event = |minutes| {
        let mut event = LeadEvent::at(at(minutes));
        event.state = Some("CONTACTED".into());
        Input::Event(Box::new(event))
    };
    let refused = ask(&mut simulation, event(16), at(10));
    assert_eq!(
        refused,
        Outcome::Invalid {
            field: "occurred_at".to_owned(),
            why: "`2026-03-02T14:16:00+00:00` is more than 5 minutes in the future; check the source's clock"
                .to_owned()
        }
    );
    assert_eq!(ask(&mut simulation, event(15), at(10)), Outcome::Applied);
    // It entered the state when we heard of it: nothing is ever ahead of its own record.
    assert_eq!(simulation.leads()[&"L-1".into()].entered_at, at(10));
    let entries = simulation.take_history();
    assert!(facts(&entries).iter().any(|f| matches!(f, LeadFact::InputRefused { .. })), "it is on record");
    check_history(&simulation, &entries);
}

#[test]
fn a_decision_on_what_the_officer_has_not_seen_is_a_conflict() {
    let mut simulation = with_a_lead();
    flag(&mut simulation, 10);
    let seen = simulation.leads()[&"L-1".into()].review.clone().expect("it is held").revision;
    flag(&mut simulation, 20);
    let outcome = ask(&mut simulation, Input::Decide(decision(seen)), at(30));
    assert!(matches!(outcome, Outcome::Conflict { .. }), "{outcome:?}");
    let now = simulation.leads()[&"L-1".into()].review.clone().expect("it is held still").revision;
    assert_eq!(ask(&mut simulation, Input::Decide(decision(now)), at(31)), Outcome::Applied);
}

#[test]
fn whoever_raised_a_flag_under_another_name_cannot_decide_on_it() {
    let mut simulation = with_a_lead();
    flag(&mut simulation, 10);
    let revision = simulation.leads()[&"L-1".into()].review.clone().expect("it is held").revision;
    let also_known_as = vec!["cleo@leadwatch.test".to_owned()];
    let decision = ReviewDecision { also_known_as, ..decision(revision) };
    let outcome = ask(&mut simulation, Input::Decide(decision), at(30));
    assert_eq!(
        outcome,
        Outcome::Refused { why: "an officer who flagged the lead cannot take part in its review".to_owned() }
    );
}

/// Matches of a company that a screening names, whatever the lead names.
fn flag_of(simulation: &mut Simulation, minutes: i64, company: &str, matches: std::ops::Range<u32>) {
    let of = |n: u32| Criterion {
        kind: CriterionKind::Sanctions,
        match_id: format!("m-{n}"),
        list: "OFAC".to_owned(),
        list_version: "1".to_owned(),
        strength: Some(61),
    };
    let mut event = LeadEvent::at(at(minutes));
    event.matches = matches.map(|n| Match { criterion: of(n), details: None }).collect();
    event.named.company = Patch::Set(company.to_owned());
    assert_eq!(ask(simulation, Input::Event(Box::new(event)), at(minutes)), Outcome::Applied);
}

fn rename(simulation: &mut Simulation, minutes: i64, company: &str) {
    let mut event = LeadEvent::at(at(minutes));
    event.changes.company = Patch::Set(company.to_owned());
    assert_eq!(ask(simulation, Input::Event(Box::new(event)), at(minutes)), Outcome::Applied);
}

fn under_review(simulation: &Simulation) -> Vec<(String, Option<String>)> {
    let review = simulation.leads()[&"L-1".into()].review.as_ref();
    let of = |found: &UnderReview| {
        let company = found.screened.as_ref().and_then(|screened| screened.company.clone());
        (found.criterion.match_id.clone(), company)
    };
    review.iter().flat_map(|review| review.criteria.iter().map(of)).collect()
}

fn clear(simulation: &mut Simulation, minutes: i64) {
    let revision = simulation.leads()[&"L-1".into()].review.as_ref().expect("a review is open").revision;
    let outcome = ask(simulation, Input::Decide(decision(revision)), at(minutes));
    assert_eq!(outcome, Outcome::Applied);
    assert_eq!(under_review(simulation), []);
}

#[test]
fn what_does_not_fit_into_a_review_takes_the_place_of_nothing() {
    let mut simulation = with_a_lead();
    rename(&mut simulation, 1, "Acme");
    flag_of(&mut simulation, 2, "Acme", 0..150);
    flag_of(&mut simulation, 3, "Bravo", 0..2);
    let questions = under_review(&simulation);
    assert_eq!(questions.len(), 151);
    assert!(questions.contains(&("m-0".to_owned(), Some("Acme".to_owned()))), "{questions:?}");
    // It stands for both; nobody knows any more whom they are about.
    assert_eq!(questions.last(), Some(&("more-matches".to_owned(), None)));
    clear(&mut simulation, 4);
    for (minutes, company) in [(5, "Bravo"), (7, "Charlie")] {
        rename(&mut simulation, minutes, company);
        assert_eq!(under_review(&simulation), [("more-matches".to_owned(), Some(company.to_owned()))]);
        clear(&mut simulation, minutes + 1);
    }
    rename(&mut simulation, 9, "Bravo");
    assert_eq!(under_review(&simulation), [], "it was asked of Bravo");
    let entries = simulation.take_history();
    check_history(&simulation, &entries);
}

#[test]
fn what_does_not_fit_beside_what_is_unanswered_is_asked_of_whomever_the_lead_names() {
    let mut simulation = with_a_lead();
    rename(&mut simulation, 1, "Acme");
    flag_of(&mut simulation, 2, "Charlie", 0..1);
    clear(&mut simulation, 3);
    flag_of(&mut simulation, 4, "Bravo", 1..151);
    clear(&mut simulation, 5);
    rename(&mut simulation, 6, "Acme");
    assert_eq!(under_review(&simulation), [], "an officer saw that none of them is Acme's");
    rename(&mut simulation, 7, "Charlie");
    assert_eq!(under_review(&simulation), [("more-matches".to_owned(), Some("Charlie".to_owned()))]);
    let entries = simulation.take_history();
    check_history(&simulation, &entries);
}

fn first_notification(entries: &[AnyEntry]) -> Notification {
    let found = facts(entries).into_iter().find_map(|fact| match fact {
        LeadFact::Notification(NotificationFact::Requested(notification)) => Some(notification.clone()),
        _ => None,
    });
    *found.expect("somebody is told")
}

#[test]
fn whom_nobody_reaches_is_stood_in_for_by_the_manager_and_then_by_operations() {
    let mut simulation = with_a_lead();
    simulation.run_until(at(48 * 2));
    let entries = simulation.take_history();
    let notification = first_notification(&entries);
    let unreachable = |notification: Notification| {
        let result = DeliveryResult::Unreachable {
            person: "rep-bob".into(),
            reason: "no such user".to_owned(),
            notification: Box::new(notification.clone()),
        };
        Input::Delivery(Delivery { id: notification.id, attempts: 1, result, with: Vec::new() })
    };
    assert_eq!(ask(&mut simulation, unreachable(notification.clone()), at(97)), Outcome::Applied);
    let stand_in = first_notification(&simulation.take_history());
    assert_eq!(stand_in.to, Recipient::TeamChannel { team: "us-sales".into(), manager: "mgr-max".into() });
    assert_eq!(stand_in.particulars.instead_of, Some("rep-bob".into()));
    assert_eq!(stand_in.message, notification.message);
    assert_eq!(ask(&mut simulation, unreachable(stand_in), at(98)), Outcome::Applied);
    assert!(simulation.leads()[&"L-1".into()].operations.is_some(), "operations looks");
}

#[test]
fn a_delivery_is_on_record_and_one_that_failed_is_for_operations() {
    let mut simulation = with_a_lead();
    let delivered = DeliveryResult::Delivered { channel: "slack".to_owned(), reference: None };
    let failed = DeliveryResult::Failed { reason: "channel_not_found".to_owned() };
    for (minutes, result) in [(1, delivered), (2, failed)] {
        let delivery = Delivery { id: "lead/L-1/4".into(), attempts: 3, result, with: Vec::new() };
        assert_eq!(ask(&mut simulation, Input::Delivery(delivery), at(minutes)), Outcome::Applied);
    }
    let entries = simulation.take_history();
    let kinds: Vec<String> = entries
        .iter()
        .skip(3)
        .map(|e| serde_json::to_value(e).expect("JSON")["type"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(kinds, ["notification.delivered", "notification.failed", "operations.queued"]);
    check_history(&simulation, &entries);
}

#[test]
fn a_wake_that_comes_early_or_for_a_lead_that_is_not_known_changes_nothing() {
    let mut simulation = with_a_lead();
    simulation.take_history();
    assert_eq!(ask(&mut simulation, Input::Wake, at(47)), Outcome::Unchanged);
    assert_eq!(simulation.take_history(), []);
    let command = Command {
        lead: "L-9".into(),
        actor: Actor::system("clock"),
        cause: "wake".to_owned(),
        input: Input::Wake,
    };
    simulation.lead(&command, at(5));
    assert_eq!((simulation.take_history(), simulation.leads().len()), (Vec::new(), 1));
}

#[test]
fn an_account_s_timer_may_run_before_the_input_or_be_settled_by_it() {
    let run = |late: bool| {
        let mut simulation = simulation(&lively_policy(1), &tight_directory());
        let ask = |simulation: &mut Simulation, input, now| {
            let command = AccountCommand {
                account: "A-1".into(),
                actor: Actor::source("crm"),
                cause: "input".to_owned(),
                input,
            };
            simulation.account(&command, now)
        };
        let signal = AccountInput::Signal {
            occurred_at: at(0),
            signal: Signal::UsageDown,
            evidence: None,
            unread: Unread::default(),
        };
        ask(&mut simulation, signal, at(0));
        let later = at(2 * 24 * 60 + 1);
        if !late {
            simulation.run_until(later);
        }
        let changes = AccountChanges { name: Patch::Set("Acme".to_owned()), ..AccountChanges::default() };
        ask(
            &mut simulation,
            AccountInput::Update { occurred_at: later, changes, unread: Unread::default() },
            later,
        );
        let entries = simulation.take_history();
        let told = entries.iter().map(|e| {
            let value = serde_json::to_value(e).expect("JSON");
            (value["at"].clone(), value["due_at"].clone(), value["type"].clone(), value["data"].clone())
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_workflow_s_version_rises_when_and_only_when_its_content_changes() {
    let before = PublishedPolicy::next(None, lively_policy(1), "test", at(0));
    let mut document = seeded_value("default.yaml");
    document["name"] = json!("Renamed");
    document["workflows"]["high-value"]["score"] = json!(90);
    let policy: Policy = serde_json::from_value(document).expect("a policy");
    let policy = Policy {
        workflows: policy::Workflows {
            high_value: policy.workflows.high_value,
            ..lively_policy(1).workflows
        },
        ..policy
    };
    let after = PublishedPolicy::next(Some(&before), policy, "test", at(1));
    for id in WorkflowId::ALL {
        let expected = if id == WorkflowId::HighValue { 2 } else { 1 };
        assert_eq!(after.version_of(id), expected, "{id}");
    }
    // What is taken back is a change too; a version is never used for two contents.
    let back = PublishedPolicy::next(Some(&after), lively_policy(1), "test", at(2));
    assert_eq!((back.revision, back.version_of(WorkflowId::HighValue)), (3, 3));
}

#[test]
fn an_entry_names_the_version_that_fired() {
    let mut simulation = with_a_lead();
    let mut document = seeded_value("default.yaml");
    document["workflows"]["sla-breach"]["max_reassignments"] = json!(1);
    simulation.publish(serde_json::from_value(document).expect("a policy"), "oscar", at(30));
    simulation.run_until(at(60 * 24));
    let entries = simulation.take_history();
    let fired = entries.iter().filter_map(|e| match e {
        AnyEntry::Lead(e) => e.workflow.as_ref().map(|w| (w.id, w.version, e.policy_revision)),
        _ => None,
    });
    let fired: std::collections::BTreeSet<_> = fired.collect();
    assert!(fired.contains(&(WorkflowId::SlaBreach, 2, 2)), "{fired:?}");
    assert!(
        fired.iter().all(|(id, version, revision)| {
            *revision == 2 && (*version == if *id == WorkflowId::SlaBreach { 2 } else { 1 })
        }),
        "{fired:?}"
    );
}

#[test]
fn a_resolution_deals_with_what_the_person_saw_and_leaves_the_rest_in_the_queue() {
    let mut simulation = with_a_lead();
    let failed = |n: u32| {
        let result = DeliveryResult::Failed { reason: "refused".to_owned() };
        Input::Delivery(Delivery {
            id: format!("lead/L-1/{n}").as_str().into(),
            attempts: 3,
            result,
            with: Vec::new(),
        })
    };
    let resolve = |seen| {
        let note = "Told by phone.".to_owned();
        Input::Resolve(Resolution { action: ResolutionAction::Dismiss, note, seen })
    };
    ask(&mut simulation, failed(31), at(1));
    let seen = simulation.leads()[&"L-1".into()].seq;
    ask(&mut simulation, failed(32), at(2));
    let queued = |simulation: &Simulation| {
        let operations = simulation.leads()[&"L-1".into()].operations.clone();
        let reasons = operations.into_iter().flat_map(|review| review.reasons);
        reasons.map(|q| (q.notification.map(|n| n.to_string()), q.since)).collect::<Vec<_>>()
    };
    let (one, two) = (Some("lead/L-1/31".to_owned()), Some("lead/L-1/32".to_owned()));
    assert_eq!(queued(&simulation), [(one, at(1)), (two.clone(), at(2))]);
    assert_eq!(ask(&mut simulation, resolve(Some(seen)), at(3)), Outcome::Applied);
    assert_eq!(queued(&simulation), [(two, at(2))]);
    let blind = ask(&mut simulation, resolve(Some(seen)), at(4));
    assert!(matches!(blind, Outcome::Conflict { .. }), "{blind:?}");
    assert_eq!(ask(&mut simulation, resolve(None), at(5)), Outcome::Applied);
    assert_eq!(queued(&simulation), []);
    let entries = simulation.take_history();
    check_history(&simulation, &entries);
}

#[test]
fn a_queue_that_was_stored_without_an_age_for_each_reason_is_read() {
    let stored = json!({"since": "2026-03-02T14:00:00Z", "reasons": ["stuck", "owner-unknown"]});
    let review: OperationsReview = serde_json::from_value(stored).expect("it is read");
    assert_eq!(review.reasons.iter().map(|queued| queued.since).collect::<Vec<_>>(), [at(0), at(0)]);
    let written = serde_json::to_value(&review).expect("JSON");
    assert_eq!(serde_json::from_value::<OperationsReview>(written).expect("and back"), review);
}

#[test]
fn a_lead_that_slept_through_two_publications_counts_for_each_of_them_what_that_one_passed() {
    let mut simulation = with_a_lead();
    let asleep = simulation.leads().get(&LeadId::from("L-1")).expect("the lead").clone();
    for (minutes, window) in [(20, "10m"), (21, "11m")] {
        let mut document = serde_json::to_value(lively_policy(1)).expect("a document");
        let windows = document["workflows"]["sla-breach"]["windows"].as_array_mut().expect("windows");
        windows.push(json!({"state": "NEW", "market": "us", "window": window, "calendar": "always"}));
        let policy: Policy = serde_json::from_value(document).expect("a policy");
        simulation.publish(policy, "pia", at(minutes));
    }
    let wake = Command {
        lead: "L-1".into(),
        actor: Actor::system("sweep"),
        cause: "tick".to_owned(),
        input: Input::Wake,
    };
    let decision = Lead::decide(Some(&asleep), simulation.world(), &wake, at(22)).expect("a decision");
    let applied = |fact: &LeadFact| match fact {
        LeadFact::RulesApplied(applied) => {
            Some((applied.publication.to_string(), applied.in_force.policy, applied.passed.len()))
        }
        _ => None,
    };
    let applied: Vec<_> = decision.entries.iter().filter_map(|entry| applied(&entry.fact)).collect();
    assert_eq!(applied, [("policy/2".to_owned(), 2, 4), ("policy/3".to_owned(), 3, 0)]);
}
