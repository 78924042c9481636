//! The commit: it stores everything it should, and nothing twice.

use crate::support::*;
use futures::future::join_all;
use policy::ids::Subject;
use policy::measure::Money;
use rules::lead::{Command, Input, LeadFact, NamedParty};
use rules::notification::{Delivery, DeliveryResult, NotificationFact};
use rules::outcome::Outcome;
use rules::patch::Patch;
use rules::personal::Contact;
use rules::screening::{Criterion, CriterionKind, Match, MatchDetails};
use store::{Claim, DueSubject, MaybeSent, StoreError};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_comes_back_as_it_was_written() {
    let bench = Bench::seeded().await;
    let now = "2026-03-02T14:00:00.123456789Z".parse().unwrap();
    let command = event("L-1", "evt-1", now, |e| {
        e.changes.market = Patch::Set("us".into());
        e.changes.country = Patch::Set("US".into());
        e.changes.company = Patch::Set("Ümläut & \"Söhne\" 株式会社 \u{1F600}".into());
        e.changes.account_id = Patch::Set("A-1".into());
        e.changes.score = Patch::Set(u16::MAX);
        e.changes.deal_size = Patch::Set(Money::parse("184467440737095516.15", "USD").unwrap());
        e.contact =
            Patch::Set(Contact { name: Some("N".into()), phone: Some(String::new()), ..Contact::default() });
        e.matches = vec![Match {
            criterion: Criterion {
                kind: CriterionKind::Sanctions,
                match_id: "m".into(),
                list: "l".into(),
                list_version: "1".into(),
                strength: Some(255),
            },
            details: Some(MatchDetails { name: Some("X".into()), ..MatchDetails::default() }),
        }];
    });
    let executed = bench.store.execute(&command, Some("evt-1"), now).await.unwrap();
    assert_eq!(executed.outcome, Outcome::Applied);
    assert!(!executed.duplicate);
    let stored = bench.check_fold("L-1").await;
    assert_eq!(Some(&stored), executed.state.as_ref());
    let history = bench.history(&Subject::Lead("L-1".into())).await;
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].of_lead().unwrap(), executed.entries);
    assert_eq!(history[0].recorded_at, now);
    assert_eq!((history[0].first_seq, history[0].last_seq), (1, stored.seq));
    assert_eq!(history[0].cause, "evt-1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_folds_to_the_stored_lead_after_many_commits() {
    let bench = Bench::seeded().await;
    let mut now = at("08:00");
    bench.store.execute(&arrival("L-1", now, None), Some("a"), now).await.unwrap();
    for n in 0..40u16 {
        now += minutes(17);
        let command = match n % 4 {
            0 => score("L-1", &format!("s{n}"), now, 70 + n),
            1 => event("L-1", &format!("e{n}"), now, |e| {
                e.state = Some(if n % 8 == 1 { "ON_HOLD" } else { "NEW" }.into());
            }),
            2 => event("L-1", &format!("e{n}"), now, |e| e.waiting_on_customer = Some(n % 8 == 2)),
            _ => wake("L-1", &format!("w{n}")),
        };
        let cause = command.cause.clone();
        bench.store.execute(&command, Some(&cause), now).await.unwrap();
    }
    let lead = bench.check_fold("L-1").await;
    assert!(lead.commit > 20, "{}", lead.commit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_input_gets_the_first_answer_and_writes_nothing() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("k1"), now).await.unwrap();
    let late = event("L-1", "evt-2", now - minutes(5), |e| e.changes.source = Patch::Set("partner".into()));
    let first = bench.store.execute(&late, Some("k2"), now).await.unwrap();
    assert_eq!(first.outcome, Outcome::Stale);
    let count = bench.count().await;
    bench.wire.forget();
    let second = bench.store.execute(&late, Some("k2"), now + minutes(9)).await.unwrap();
    assert!(second.duplicate);
    assert_eq!(second.outcome, first.outcome);
    assert_eq!(second.state, first.state);
    assert!(second.entries.is_empty() && second.notifications.is_empty());
    assert_eq!(bench.wire.requests(), ["BatchGetItem"]);
    assert_eq!(bench.count().await, count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_input_may_come_again_corrected_under_the_same_key() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("k1"), now).await.unwrap();
    let refused = event("L-1", "evt-2", now, |e| e.state = Some("NOWHERE".into()));
    let first = bench.store.execute(&refused, Some("k2"), now).await.unwrap();
    assert!(matches!(first.outcome, Outcome::Invalid { .. }), "{:?}", first.outcome);
    let mended = event("L-1", "evt-2", now, |e| e.state = Some("CONTACTED".into()));
    let second = bench.store.execute(&mended, Some("k2"), now + minutes(1)).await.unwrap();
    assert_eq!((second.outcome, second.duplicate), (Outcome::Applied, false));
    assert_eq!(second.state.unwrap().state.as_str(), "CONTACTED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_refusal_is_recorded_once() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("k1"), now).await.unwrap();
    let input = Input::RefusedAtDoor {
        field: "/lead/score".into(),
        why: "must be a number".into(),
        matches: Vec::new(),
        flagged_by: None,
        named: NamedParty::default(),
    };
    let actor = rules::entry::Actor::source("crm");
    let refusal = Command { lead: "L-1".into(), actor, cause: "evt-2#refused".into(), input };
    for n in 0..3 {
        let done = bench.store.execute(&refusal, Some("evt-2#refused"), now + minutes(n)).await.unwrap();
        assert_eq!(done.duplicate, n > 0);
    }
    assert_eq!(bench.check_fold("L-1").await.commit, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_used_for_another_lead_is_a_conflict() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("k1"), now).await.unwrap();
    let other = bench.store.execute(&arrival("L-2", now, Some("rep-ana")), Some("k1"), now).await.unwrap();
    assert!(matches!(other.outcome, Outcome::Conflict { .. }), "{:?}", other.outcome);
    assert!(!other.duplicate && other.entries.is_empty() && other.state.is_none());
    let first = bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("k1"), now).await.unwrap();
    assert_eq!((first.outcome, first.duplicate), (Outcome::Applied, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_repetitions_of_an_input_are_applied_once() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    let races = (0..6i64).map(|n| {
        let store = bench.another_store();
        tokio::spawn(async move {
            let now = now + chrono::TimeDelta::milliseconds(n);
            store.execute(&arrival("L-1", at("14:00"), None), Some("once"), now).await.unwrap()
        })
    });
    let done: Vec<_> = join_all(races).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(done.iter().filter(|d| !d.duplicate).count(), 1);
    assert!(done.iter().all(|d| d.outcome == Outcome::Applied));
    assert_eq!(bench.check_fold("L-1").await.commit, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wake_with_nothing_to_do_writes_nothing() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    let count = bench.count().await;
    bench.wire.forget();
    let woken = bench.store.execute(&wake("L-1", "w"), None, now + minutes(1)).await.unwrap();
    assert_eq!(woken.outcome, Outcome::Unchanged);
    assert_eq!(woken.wake_at, Some(at("14:48")));
    assert_eq!(bench.wire.requests(), ["BatchGetItem"]);
    assert_eq!(bench.count().await, count);
    let nobody = bench.store.execute(&wake("L-2", "w"), None, now).await.unwrap();
    assert_eq!((nobody.state, nobody.entries.len()), (None, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_on_a_known_lead_costs_two_requests() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    let store = bench.another_store();
    store.execute(&arrival("L-1", now, Some("rep-ana")), Some("k1"), now).await.unwrap();
    bench.wire.forget();
    let command = event("L-1", "evt-2", now + minutes(1), |e| {
        e.changes.score = Patch::Set(90);
        e.changes.account_id = Patch::Set("A-7".into());
    });
    let executed = store.execute(&command, Some("k2"), now + minutes(1)).await.unwrap();
    assert_eq!(executed.notifications.len(), 2);
    assert_eq!(bench.wire.requests(), ["BatchGetItem", "TransactWriteItems"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_is_in_the_outbox_from_its_commit_to_its_delivery() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    let told = bench.store.execute(&score("L-1", "s", now, 90), Some("s"), now).await.unwrap();
    let id = told.notifications[0].id.clone();
    let item = bench.store.outbox(&id).await.unwrap().expect("it is in the outbox");
    assert_eq!(item.subject, Subject::Lead("L-1".into()));
    assert_eq!(
        item.wake_at,
        Some(now + store::FIRST_LEASE),
        "a lost message is found within a minute or two"
    );
    assert_eq!(bench.store.outbox_subject(&id).await.unwrap(), Some(item.subject));
    let asked = told.entries.iter().find_map(|e| match &e.fact {
        LeadFact::Notification(NotificationFact::Requested(n)) if n.id == id => Some(n.clone()),
        _ => None,
    });
    assert_eq!(Some(item.notification), asked.map(|asked| *asked));

    assert!(bench.store.lease_outbox(&id, at("15:00"), MaybeSent::Unknown).await.unwrap());
    let leased = bench.store.outbox(&id).await.unwrap().unwrap();
    assert_eq!(leased.wake_at, Some(at("15:00")));

    // Of two simultaneous claims, one succeeds. A claim ends by itself or with its release.
    let claim = async |now| bench.store.claim_outbox(&id, now, now + minutes(1)).await.unwrap();
    let sent_since = |since: Option<&str>| Some(Claim { sent_since: since.map(at) });
    assert_eq!(claim(at("14:00")).await, sent_since(None), "nobody had sent it before");
    let claimed = bench.store.outbox(&id).await.unwrap().unwrap();
    assert_eq!(claimed.claimed_until, Some(at("14:01")));
    assert_eq!(claimed.wake_at, Some(at("14:01:05")), "after a crash the sweep has it when the claim ends");
    assert_eq!(claim(at("14:00:59")).await, None);
    assert_eq!(claim(at("14:01")).await, sent_since(Some("14:00")), "the first holder never reported");
    assert!(bench.store.lease_outbox(&id, at("15:00"), MaybeSent::Unknown).await.unwrap());
    assert_eq!(claim(at("14:01")).await, sent_since(Some("14:00")), "it gave no answer");
    assert!(bench.store.lease_outbox(&id, at("15:00"), MaybeSent::No).await.unwrap());
    assert_eq!(claim(at("14:01")).await, sent_since(None), "it was refused");
    assert!(bench.store.release_outbox(&id).await.unwrap());
    assert_eq!(claim(at("14:01")).await, sent_since(None), "nothing was tried");
    assert!(bench.store.lease_outbox(&id, at("15:00"), MaybeSent::No).await.unwrap());

    // Of two sweeps that see it at once, one gets it.
    let due = bench.store.due(None, at("15:00"), None).await.unwrap().items;
    let found = due.iter().find(|found| found.subject == DueSubject::Outbox(id.clone())).unwrap();
    assert!(bench.store.lease_found(found, at("14:50"), at("15:05")).await.unwrap());
    assert!(!bench.store.lease_found(found, at("14:50"), at("15:05")).await.unwrap());

    let mut delivery = wake("L-1", "delivery-1");
    let result = DeliveryResult::Delivered { channel: "slack".into(), reference: None };
    delivery.input = Input::Delivery(Delivery { id: id.clone(), attempts: 1, result, with: Vec::new() });
    let first = bench.store.execute(&delivery, None, now + minutes(1)).await.unwrap();
    assert!(!first.duplicate);
    assert_eq!(bench.store.outbox(&id).await.unwrap(), None);
    assert!(!bench.store.lease_outbox(&id, at("16:00"), MaybeSent::No).await.unwrap());
    assert!(!bench.store.release_outbox(&id).await.unwrap());
    assert_eq!(claim(at("16:00")).await, None);
    assert_eq!(bench.store.outbox(&id).await.unwrap(), None, "no lease and no claim brings it back");
    let second = bench.store.execute(&delivery, None, now + minutes(2)).await.unwrap();
    assert!(second.duplicate && second.entries.is_empty());
    let lead = bench.check_fold("L-1").await;
    assert_eq!(lead.commit, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_recipient_is_replaced_in_the_same_commit() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    let told = bench.store.execute(&score("L-1", "s", now, 90), None, now).await.unwrap();
    let id = told.notifications[0].id.clone();
    let notification = Box::new(bench.store.outbox(&id).await.unwrap().unwrap().notification);
    let mut delivery = wake("L-1", "delivery-1");
    let result =
        DeliveryResult::Unreachable { person: "rep-ana".into(), reason: "no such user".into(), notification };
    delivery.input = Input::Delivery(Delivery { id: id.clone(), attempts: 1, result, with: Vec::new() });
    let passed_on = bench.store.execute(&delivery, None, now).await.unwrap();
    assert_eq!(passed_on.notifications.len(), 1);
    assert_eq!(bench.store.outbox(&id).await.unwrap(), None);
    assert!(bench.store.outbox(&passed_on.notifications[0].id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_beyond_the_size_of_an_item_is_refused_and_nothing_is_written() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, None), None, now).await.unwrap();
    let huge = event("L-1", "huge", now, |e| e.changes.company = Patch::Set("x".repeat(400 * 1024)));
    let refused = bench.store.execute(&huge, Some("huge"), now).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooLarge { .. }) && !refused.is_retryable(), "{refused:?}");
    // Facts and input share an item, and each is within the limit by itself.
    let large = event("L-1", "large", now, |e| e.changes.company = Patch::Set("x".repeat(200 * 1024)));
    let refused = bench.store.execute(&large, Some("large"), now).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooLarge { .. }), "{refused:?}");
    assert_eq!(bench.check_fold("L-1").await.commit, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_item_reads_the_same_from_the_stream() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, None), None, now).await.unwrap();
    let items = bench.client.scan().table_name(AUDIT).send().await.unwrap().items.unwrap();
    let images = items.into_iter().map(serde_dynamo::Item::from);
    let commits = images.map(|image| store::StoredCommit::from_image(image).unwrap());
    let commits: Vec<_> = commits.filter(|c| c.subject == Subject::Lead("L-1".into())).collect();
    assert_eq!(commits, bench.history(&Subject::Lead("L-1".into())).await);
    let other = bench.raw_lead("L-1").await;
    assert!(matches!(store::StoredCommit::from_image(other.into()), Err(StoreError::Corrupt { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_decided_before_a_policy_and_a_directory_are_published() {
    let bench = Bench::empty().await;
    let refused = bench.store.execute(&arrival("L-1", at("14:00"), None), None, at("14:00")).await;
    assert!(matches!(refused, Err(StoreError::NotPublished { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_on_a_known_lead_is_cheap() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("k1"), now).await.unwrap();
    bench.wire.meter();
    for (command, units_max) in [
        // Nobody gets a message, and the due key stays: the commit writes the lead, the audit item and the
        // dedupe item.
        (score("L-1", "evt-2", at("14:01"), 50), 10.0),
        // Two notifications: two more outbox items, each in the due index.
        (score("L-1", "evt-3", at("14:02"), 90), 20.0),
    ] {
        bench.store.execute(&command, Some(&command.cause), at("14:02")).await.unwrap();
        let consumed = bench.units();
        println!("{}: {consumed:?}", command.cause);
        let operations: Vec<&str> = consumed.iter().map(|(operation, _)| operation.as_str()).collect();
        assert_eq!(operations, ["BatchGetItem", "TransactWriteItems"]);
        assert!(consumed[0].1 <= 8.0 && consumed[1].1 <= units_max, "{consumed:?}");
    }
    bench.store.execute(&arrival("L-2", now, None), Some("k2"), now).await.unwrap();
    println!("new, routed: {:?}", bench.units());
    let contacted = event("L-1", "evt-4", at("14:10"), |e| e.state = Some("CONTACTED".into()));
    bench.store.execute(&contacted, Some("k3"), at("14:10")).await.unwrap();
    println!("later instant, key stays: {:?}", bench.units());
    bench.store.execute(&wake("L-1", "w1"), None, at("14:48")).await.unwrap();
    println!("false wake: {:?}", bench.units());
}
