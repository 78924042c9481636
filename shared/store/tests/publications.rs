//! Policies, directories, reps and accounts.

use rules::aggregate::fold;

use crate::support::wire::Fault;
use crate::support::*;
use chrono::TimeDelta;
use futures::future::join_all;
use policy::directory::DirectoryDocument;
use policy::ids::{AccountId, CalendarId, PersonId, PublicationId, PublicationKind, Subject, TeamId};
use policy::impact::{Scope, Sources};
use policy::{Policy, WorkflowId};
use rules::account::{AccountChanges, AccountCommand, AccountInput, Signal};
use rules::account_view::Tier;
use rules::entry::Actor;
use rules::lead::{Command, Input, LeadFact};
use rules::notification::{Delivery, DeliveryResult};
use rules::outcome::Outcome;
use rules::patch::Patch;
use rules::publication::Publishing;
use rules::rep::{RepCommand, RepFact, RepInput};
use rules::roster::Availability;
use rules::unread::Unread;
use serde_json::json;
use std::collections::BTreeSet;
use store::{Published, StoreError};

fn account(id: &str, cause: &str, input: AccountInput) -> AccountCommand {
    AccountCommand { account: id.into(), actor: Actor::source("crm"), cause: cause.to_owned(), input }
}

fn signal(id: &str, cause: &str, evidence: serde_json::Value) -> AccountCommand {
    let evidence = Some(evidence.to_string());
    account(
        id,
        cause,
        AccountInput::Signal {
            occurred_at: at("13:00"),
            signal: Signal::UsageDown,
            evidence,
            unread: Unread::default(),
        },
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_published_only_on_its_base() {
    let bench = Bench::seeded().await;
    let first = bench.store.current_policy().await.unwrap();
    assert_eq!(first.revision, 1);
    let mut changed = policy();
    changed.workflows.high_value.score = 90;
    let second = bench.publish(&changed, at("10:00"), Some(1)).await.unwrap();
    assert_eq!(second, Published { revision: 2, is_new: true });
    let second = bench.store.current_policy().await.unwrap();
    assert_eq!(second.revision, 2);
    assert_eq!(second.version_of(WorkflowId::HighValue), 2);
    assert_eq!(second.version_of(WorkflowId::SlaBreach), 1);
    let moved_on = bench.publish(&changed, at("10:00"), Some(1)).await;
    assert!(matches!(moved_on, Err(StoreError::StaleBase { current: 2 })));
    // Another store, with an empty cache, reads the same.
    let other = bench.another_store();
    assert_eq!(*other.current_policy().await.unwrap(), *second);
    assert_eq!(other.policy(1).await.unwrap(), Some(first));
    assert_eq!(other.policy(3).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_of_a_publication_holds_the_hash_of_its_text() {
    let bench = Bench::seeded().await;
    let mut changed = policy();
    changed.workflows.high_value.score = 90;
    bench.publish(&changed, at("10:00"), Some(1)).await.unwrap();
    for id in ["policy/1", "policy/2", "directory/1"] {
        let Ok(subject @ Subject::Publication(publication)) = id.parse() else { panic!("{id}") };
        let (text, published_at) = bench.store.revision_text(&publication).await.unwrap().unwrap();
        audit::canonical::read(text.get()).unwrap();
        let history = bench.store.chained_audit(&subject, None, 1).await.unwrap();
        let entries: serde_json::Value = serde_json::from_str(history.items[0].entries.get()).unwrap();
        let sha256 = audit::sha256([text.get().as_bytes()]).to_string();
        assert_eq!(entries[0]["data"]["document_sha256"], sha256, "{id}");
        assert_eq!(entries[0]["at"], json!(published_at), "{id}");
    }
    let never = PublicationId { kind: PublicationKind::Policy, revision: 3 };
    assert!(bench.store.revision_text(&never).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_to_publish_is_recognized_by_its_content() {
    let bench = Bench::seeded().await;
    let (by, now) = (Actor::staff("ops"), at("10:00"));
    let publishing = Publishing { by: &by, publisher: None, why: "for the test", cause: "test", now };
    let (mut first, mut other) = (policy(), policy());
    (first.workflows.high_value.score, other.workflows.high_value.score) = (90, 91);
    let checked = |policy: &Policy| policy.clone().checked().unwrap();
    let ask =
        async |policy| bench.store.publish_policy(&checked(policy), &publishing, Some("key"), Some(1)).await;
    // The content is the same, but the key counts as used.
    let other_key =
        async |policy| bench.store.publish_policy(&checked(policy), &publishing, Some("k2"), None).await;
    let in_force = policy();
    assert_eq!(other_key(&in_force).await.unwrap(), Published { revision: 1, is_new: false });
    assert!(matches!(other_key(&other).await, Err(StoreError::UsedForOtherContent)));
    assert_eq!(ask(&first).await.unwrap(), Published { revision: 2, is_new: true });
    assert_eq!(ask(&first).await.unwrap(), Published { revision: 2, is_new: false });
    let refused = ask(&other).await;
    assert!(matches!(refused, Err(StoreError::UsedForOtherContent)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_revision_in_force_at_a_time_is_the_last_one_published_by_then() {
    let bench = Bench::seeded().await;
    let seeded_at = bench.store.current_policy().await.unwrap().published_at;
    let instants: Vec<_> = (1..8).map(|n| seeded_at + chrono::TimeDelta::minutes(n)).collect();
    for (n, instant) in (0..).zip(&instants) {
        let mut changed = policy();
        changed.workflows.high_value.score = 90 + n;
        bench.publish(&changed, *instant, None).await.unwrap();
    }
    let other = bench.another_store();
    let second = chrono::TimeDelta::seconds(1);
    for (revision, instant) in (2..).zip(&instants) {
        let revision_at = async |at| other.policy_at(at).await.unwrap().map(|policy| policy.revision);
        assert_eq!(revision_at(*instant).await, Some(revision));
        assert_eq!(revision_at(*instant - second).await, Some(revision - 1));
    }
    assert_eq!(other.policy_at(seeded_at - second).await.unwrap(), None);
    let directory = other.current_directory().await.unwrap();
    let then = other.directory_at(directory.published_at()).await.unwrap();
    assert_eq!(then.map(|directory| directory.revision()), Some(directory.revision()));
    assert!(other.directory_at(directory.published_at() - second).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_publications_get_a_revision_each() {
    let bench = Bench::seeded().await;
    let races = (0..5).map(|n| {
        let store = bench.another_store();
        tokio::spawn(async move {
            let mut policy = policy();
            policy.name = format!("p{n}");
            publish(&store, &policy, at("10:00"), None).await
        })
    });
    let mut revisions: Vec<u32> =
        join_all(races).await.into_iter().map(|published| published.unwrap().unwrap().revision).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, [2, 3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publication_with_a_lost_answer_is_written_once() {
    let bench = Bench::seeded().await;
    bench.wire.fail("TransactWriteItems", Fault::AnswerLost);
    let mut changed = policy();
    changed.workflows.high_value.score = 90;
    let published = bench.publish(&changed, at("10:00"), Some(1)).await.unwrap();
    assert_eq!(published, Published { revision: 2, is_new: true });
    bench.wire.fail("TransactWriteItems", Fault::AnswerLost);
    let mut document = directory(DIRECTORY).document().clone();
    document.compliance.channel = "#officers".to_owned();
    let published = bench.publish_directory(&document, at("10:00")).await.unwrap();
    assert_eq!(published, Published { revision: 2, is_new: true });
    assert_eq!(bench.history(&"policy/2".parse().unwrap()).await.len(), 2, "published once, applied once");
    assert_eq!(bench.store.current_policy().await.unwrap().revision, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_is_checked_when_it_is_published_and_comes_back_whole() {
    let bench = Bench::empty().await;
    assert!(matches!(bench.store.current_directory().await, Err(StoreError::NotPublished { .. })));
    let document = directory(DIRECTORY).document().clone();
    let mut unsound = document.clone();
    unsound.people.clear();
    let refused = bench.publish_directory(&unsound, at("10:00")).await;
    assert!(matches!(refused, Err(StoreError::InvalidDocument(_))));
    bench.publish_directory(&document, at("10:00")).await.unwrap();
    let read = bench.another_store().current_directory().await.unwrap();
    assert_eq!(*read.document(), document);
}

/// The tests' directory with a rep in another team.
fn with_rep_in(document: &DirectoryDocument, rep: &PersonId, team: &str) -> DirectoryDocument {
    let mut document = document.clone();
    let place = document.teams.values_mut().find_map(|team| team.reps.remove(rep)).unwrap();
    document.teams.get_mut(&TeamId::from(team)).unwrap().reps.insert(rep.clone(), place);
    document
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rep_who_changes_teams_keeps_their_leads() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    for n in 0..2 {
        bench.store.execute(&arrival(&format!("L-{n}"), now, Some("rep-ana")), None, now).await.unwrap();
    }
    let first = directory(DIRECTORY).document().clone();
    bench.publish_directory(&with_rep_in(&first, &"rep-ana".into(), "eu-sales"), now).await.unwrap();
    assert_eq!(bench.load("rep-ana").await, 2);
    let won = event("L-0", "won", now, |event| event.state = Some("WON".into()));
    bench.store.execute(&won, None, now).await.unwrap();
    assert_eq!(bench.load("rep-ana").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rep_without_capacity_has_none_in_another_team_either() {
    let bench = Bench::seeded().await;
    let (now, ana) = (at("14:00"), PersonId::from("rep-ana"));
    for (lead, rep) in [("L-0", "rep-ana"), ("L-1", "rep-ana"), ("L-2", "rep-eva")] {
        bench.store.execute(&arrival(lead, now, Some(rep)), None, now).await.unwrap();
    }
    let eu = TeamId::from("eu-sales");
    let mut document = with_rep_in(directory(DIRECTORY).document(), &ana, eu.as_str());
    let reps = &mut document.teams.get_mut(&eu).unwrap().reps;
    reps.get_mut(&ana).unwrap().capacity = 2;
    reps.get_mut(&PersonId::from("rep-eva")).unwrap().capacity = 1;
    document.markets.get_mut(&"us".into()).unwrap().team = eu;
    bench.publish_directory(&document, now).await.unwrap();
    let done = bench.store.execute(&arrival("L-3", now, None), None, now).await.unwrap();
    assert_eq!(done.state.unwrap().owner, None);
    assert_eq!(bench.load("rep-ana").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_that_ends_while_its_owner_has_no_team_lowers_their_load() {
    let bench = Bench::seeded().await;
    let (now, ana) = (at("14:00"), PersonId::from("rep-ana"));
    for n in 0..2 {
        bench.store.execute(&arrival(&format!("L-{n}"), now, Some("rep-ana")), None, now).await.unwrap();
    }
    let first = directory(DIRECTORY).document().clone();
    let mut without = first.clone();
    without.teams.get_mut(&TeamId::from("us-sales")).unwrap().reps.remove(&ana);
    bench.publish_directory(&without, now).await.unwrap();
    let won = event("L-0", "won", now, |event| event.state = Some("WON".into()));
    bench.store.execute(&won, None, now).await.unwrap();
    bench.publish_directory(&first, now).await.unwrap();
    assert_eq!(bench.load("rep-ana").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_and_a_directory_published_at_once_are_checked_against_each_other() {
    let bench = Bench::seeded().await;
    let now = at("10:00");
    // The policy names a calendar that the directory removes.
    let mut document = directory(DIRECTORY).document().clone();
    document.calendars.insert("extra".into(), serde_json::from_value(json!({"always": true})).unwrap());
    bench.publish_directory(&document, now).await.unwrap();
    let mut named = policy();
    named.workflows.sla_breach.windows[0].calendar = Some("extra".into());
    document.calendars.remove(&CalendarId::from("extra"));
    let held = bench.wire.hold("TransactWriteItems");
    let policy = bench.publish(&named, now, None);
    let directory = async {
        held.arrived().await;
        let published = bench.publish_directory(&document, now).await;
        held.release();
        published
    };
    let (policy, directory) = futures::future::join(policy, directory).await;
    assert_eq!(directory.unwrap(), Published { revision: 3, is_new: true });
    assert!(matches!(policy, Err(StoreError::InvalidDocument(_))), "{policy:?}");
    assert_eq!(bench.store.current_policy().await.unwrap().revision, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_availability_is_recorded_once_and_takes_effect_at_once() {
    let bench = Bench::seeded().await;
    let (now, ana) = (at("14:00"), PersonId::from("rep-ana"));
    bench.store.execute(&arrival("L-0", now, Some("rep-ana")), None, now).await.unwrap();
    let absent = Availability { available: false, until: Some(at("18:00")) };
    let actor = Actor::staff("ana@idp");
    for _ in 0..2 {
        let standing = bench.set_availability(&ana, &absent, &actor, ("c1", Some("k1")), now).await.unwrap();
        assert_eq!((standing.seq, standing.load), (1, 1));
        assert_eq!(standing.availability, Some(absent.clone()));
    }
    let bob = bench.set_availability(&"rep-bob".into(), &absent, &actor, ("c1", Some("k1")), now).await;
    assert!(matches!(bob, Err(Outcome::Conflict { .. })), "{bob:?}");
    for n in 1..4 {
        let done = bench.store.execute(&arrival(&format!("L-{n}"), now, None), None, now).await.unwrap();
        assert_eq!(done.state.unwrap().owner, Some("rep-bob".into()));
    }
    bench.wire.fail("TransactWriteItems", Fault::AnswerLost);
    let back = Availability { available: true, until: None };
    let standing = bench.set_availability(&ana, &back, &actor, ("c2", None), now).await.unwrap();
    assert_eq!(standing.seq, 2);
    let history = bench.history(&Subject::Rep(ana)).await;
    let facts: Vec<RepFact> =
        history.iter().flat_map(|c| c.of_rep().unwrap()).map(|entry| entry.fact).collect();
    assert_eq!(facts, [RepFact::AvailabilitySet(absent), RepFact::AvailabilitySet(back.clone())]);
    let nobody = bench.set_availability(&"mgr-max".into(), &back, &actor, ("c3", None), now).await;
    assert!(matches!(nobody, Err(Outcome::NotFound)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_reps_leads_are_counted_and_reported_once() {
    let bench = Bench::seeded().await;
    let (now, ana) = (at("14:00"), PersonId::from("rep-ana"));
    let away = |until| Availability { available: false, until: Some(until) };
    let (actor, later) = (Actor::staff("ops"), now + TimeDelta::days(30));
    for n in 1..3 {
        let arrives = arrival(&format!("L-{n}"), now, Some("rep-ana"));
        bench.store.execute(&arrives, None, now).await.unwrap();
    }
    bench.set_availability(&ana, &away(later), &actor, ("c1", None), now).await.unwrap();
    for n in 1..3 {
        let (lead, actor) = (format!("L-{n}").as_str().into(), Actor::system("routing"));
        let looks_after = Command { lead, actor, cause: "presence".to_owned(), input: Input::OwnerPresence };
        bench.wire.fail("TransactWriteItems", Fault::AnswerLost);
        let done = bench.store.execute(&looks_after, None, now).await.unwrap();
        assert_eq!(done.state.unwrap().owner, Some("rep-bob".into()));
        assert_eq!(done.reps_to_check, std::slice::from_ref(&ana));
    }
    // Writing the whole item keeps the counts.
    bench.set_availability(&ana, &away(later + TimeDelta::days(1)), &actor, ("c2", None), now).await.unwrap();
    let rep = async || bench.store.rep(&ana).await.unwrap().unwrap();
    assert_eq!(rep().await.standing.untold.handed_on, [("rep-bob".into(), 2)].into());

    let looks = rep().await.standing.looks;
    let looked_at = |cause: &str, change| {
        let (actor, cause) = (Actor::system("routing"), cause.to_owned());
        RepCommand { rep: ana.clone(), actor, cause, input: RepInput::looked_at(0, change) }
    };
    // Something happened since they were checked.
    let late = bench.store.execute_rep(&looked_at("look-0", looks - 1), None, now).await.unwrap();
    assert!(late.notifications.is_empty() && !rep().await.standing.untold.is_empty(), "{late:?}");
    bench.wire.fail("TransactWriteItems", Fault::AnswerLost);
    let told = bench.store.execute_rep(&looked_at("look-1", looks), None, now).await.unwrap();
    let [digest] = told.notifications.as_slice() else { panic!("{told:?}") };
    let again = bench.store.execute_rep(&looked_at("look-2", looks), None, now).await.unwrap();
    assert!(again.notifications.is_empty(), "{again:?}");
    assert!(rep().await.standing.untold.is_empty());
    let waiting = bench.store.outbox(&digest.id).await.unwrap().unwrap();
    assert_eq!(waiting.notification.particulars.reasons, ["2 leads went to Bob"]);

    let result = DeliveryResult::Delivered { channel: "slack-channel".to_owned(), reference: None };
    let delivery = Delivery { id: digest.id.clone(), attempts: 1, result, with: Vec::new() };
    let (actor, cause) = (Actor::system("notify"), "delivery".to_owned());
    let input = RepInput::Delivery(delivery);
    let delivered = RepCommand { rep: ana.clone(), actor, cause, input };
    for _ in 0..2 {
        bench.store.execute_rep(&delivered, None, now).await.unwrap();
    }
    assert_eq!(bench.store.outbox(&digest.id).await.unwrap(), None);
    let commits = bench.history(&Subject::Rep(ana.clone())).await;
    let kinds: Vec<String> = commits
        .iter()
        .flat_map(|commit| commit.of_rep().unwrap())
        .map(|entry| serde_json::to_value(entry.fact).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    let absence = ["rep.absence-followed", "notification.requested", "notification.delivered"];
    assert_eq!(kinds, [&["rep.availability-set"; 2][..], &absence].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_comes_back_as_it_was_written_with_all_its_evidence() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    let evidence = json!({
        "floats": [0.1, 1e300, 5e-324, 123456789.12345679, -0.0, 2.2250738585072014e-308],
        "integers": [u64::MAX, i64::MIN, 0],
        "rest": [null, true, "", {"": []}],
    });
    let command = signal("A-1", "sig-1", evidence);
    let executed = bench.store.execute_account(&command, Some("sig-1"), now).await.unwrap();
    assert_eq!(executed.outcome, Outcome::Applied);
    assert_eq!(executed.notifications.len(), 1);
    assert_eq!(executed.wake_at, executed.state.as_ref().unwrap().wake_at());
    let history = bench.history(&Subject::Account("A-1".into())).await;
    let entries = history[0].of_account().unwrap();
    assert_eq!(entries, executed.entries);
    let stored = bench.store.account(&AccountId::from("A-1")).await.unwrap();
    assert_eq!(fold::<rules::account::Account>(&entries).unwrap(), stored);
    assert_eq!(stored, executed.state);

    let again = bench.store.execute_account(&command, Some("sig-1"), now).await.unwrap();
    assert!(again.duplicate);
    let id = executed.notifications[0].id.clone();
    let result = DeliveryResult::Delivered { channel: "slack".into(), reference: Some("r".into()) };
    let delivery = account(
        "A-1",
        "d",
        AccountInput::Delivery(Delivery { id: id.clone(), attempts: 2, result, with: Vec::new() }),
    );
    assert!(!bench.store.execute_account(&delivery, None, now).await.unwrap().duplicate);
    assert!(bench.store.execute_account(&delivery, None, now).await.unwrap().duplicate);
    assert_eq!(bench.store.outbox(&id).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_that_joins_an_account_at_risk_is_paused_with_it() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    let changes = AccountChanges { tier: Patch::Set(Tier::Strategic), ..AccountChanges::default() };
    let command =
        account("A-1", "up", AccountInput::Update { occurred_at: now, changes, unread: Unread::default() });
    bench.store.execute_account(&command, None, now).await.unwrap();
    bench.store.execute_account(&signal("A-1", "sig", json!(null)), None, now).await.unwrap();
    let mut joins = arrival("L-1", now, Some("rep-ana"));
    if let Input::Event(event) = &mut joins.input {
        event.changes.account_id = Patch::Set("A-1".into());
    }
    let executed = bench.store.execute(&joins, None, now).await.unwrap();
    let lead = bench.check_fold("L-1").await;
    assert!(lead.account_view.outreach_paused);
    assert_eq!(lead.account_view.tier, Some(Tier::Strategic));
    assert!(executed.entries.iter().any(|e| matches!(e.fact, LeadFact::AccountApplied { .. })));

    let completed = AccountInput::RetentionCompleted { note: "they stay".into() };
    bench.store.execute_account(&account("A-1", "rc", completed), None, now).await.unwrap();
    let mut apply = wake("L-1", "apply");
    apply.input = Input::ApplyAccount;
    bench.store.execute(&apply, None, now).await.unwrap();
    assert!(!bench.check_fold("L-1").await.account_view.outreach_paused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_that_joins_a_changing_account_gets_its_latest_state() {
    for known in [false, true] {
        let bench = Bench::seeded().await;
        let now = at("14:00");
        if known {
            let changes = AccountChanges { name: Patch::Set("Acme".into()), ..AccountChanges::default() };
            let command = account(
                "A-1",
                "up",
                AccountInput::Update { occurred_at: now, changes, unread: Unread::default() },
            );
            bench.store.execute_account(&command, None, now).await.unwrap();
        }
        let mut joins = arrival("L-1", now, Some("rep-ana"));
        if let Input::Event(event) = &mut joins.input {
            event.changes.account_id = Patch::Set("A-1".into());
        }
        let store = bench.another_store();
        let held = bench.wire.hold("TransactWriteItems");
        let lead = tokio::spawn(async move { store.execute(&joins, None, now).await.unwrap() });
        held.arrived().await;
        bench.store.execute_account(&signal("A-1", "sig", json!(1)), None, now).await.unwrap();
        held.release();
        let lead = lead.await.unwrap().state.unwrap();
        assert!(lead.account_view.outreach_paused, "account known before: {known}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publication_reads_only_the_leads_it_may_affect() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    for n in 0..40 {
        let mut command = arrival(&format!("L-{n:02}"), now, Some("rep-ana"));
        if let Input::Event(event) = &mut command.input {
            event.changes.source = Patch::Set(if n % 8 == 0 { "partner" } else { "inbound_web" }.into());
            event.state = Some(if n < 24 { "NEW" } else { "WON" }.into());
        }
        bench.store.execute(&command, None, now).await.unwrap();
    }
    let scope = |sources| Scope::State { market: "us".into(), state: "NEW".into(), sources };
    let partners = scope(Sources::One("partner".into()));
    let others = scope(Sources::AllBut(BTreeSet::from(["partner".into()])));
    for (scope, limit, expected, pages) in
        [(&partners, 100, 3, 1), (&partners, 2, 3, 2), (&others, 100, 21, 1), (&others, 10, 21, 3)]
    {
        bench.wire.forget();
        let store = &bench.store;
        let found =
            all(|after| async move { store.leads_in_scope(scope, limit, after.as_ref()).await }).await;
        assert_eq!(found.len(), expected, "{scope:?}");
        assert!(found.is_sorted());
        // One query for each page, and no lead is read.
        assert_eq!(bench.wire.requests(), vec!["Query"; pages], "{scope:?} by {limit}");
    }
    let nobody = scope(Sources::One("part".into()));
    assert!(bench.store.leads_in_scope(&nobody, 100, None).await.unwrap().items.is_empty());
}
