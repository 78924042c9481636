//! Commits that race, and commits whose answer is lost: each is written once, and none is lost.

use crate::support::wire::Fault;
use crate::support::*;
use futures::future::join_all;
use policy::ids::{LeadId, Subject};
use rules::outcome::Outcome;
use rules::patch::Patch;
use std::collections::BTreeSet;
use store::StoreError;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_racing_updates_of_a_lead_are_all_applied() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    let races = (0..8i64).map(|n| {
        let store = bench.another_store();
        tokio::spawn(async move {
            let now = now + chrono::TimeDelta::seconds(n);
            let command = event("L-1", &format!("race-{n}"), now, |e| match n % 2 {
                0 => e.changes.score = Patch::Set(n as u16),
                _ => e.changes.company = Patch::Set(format!("C{n}")),
            });
            store.execute(&command, Some(&format!("race-{n}")), now).await.unwrap()
        })
    });
    for executed in join_all(races).await {
        assert!(!executed.unwrap().duplicate);
    }
    let lead = bench.check_fold("L-1").await;
    assert_eq!(lead.commit, 9);
    let causes: BTreeSet<String> =
        bench.history(&Subject::Lead("L-1".into())).await.into_iter().map(|c| c.cause).collect();
    assert_eq!(causes.len(), 9, "each input is in the history once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_eight_simultaneous_deliveries_of_an_event_one_is_first() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    // All decide before the first one is written.
    let held: Vec<_> = (0..8).map(|_| bench.wire.hold("TransactWriteItems")).collect();
    let races: Vec<_> = (0..8)
        .map(|_| {
            let store = bench.another_store();
            tokio::spawn(async move { store.execute(&arrival("L-1", now, None), Some("evt"), now).await })
        })
        .collect();
    for held in &held {
        held.arrived().await;
    }
    held.iter().for_each(|held| held.release());
    let mut first = 0;
    for executed in join_all(races).await {
        let executed = executed.unwrap().unwrap();
        first += usize::from(!executed.duplicate);
        assert_eq!(executed.duplicate, executed.notifications.is_empty() && executed.entries.is_empty());
    }
    assert_eq!(first, 1);
    assert_eq!(bench.check_fold("L-1").await.commit, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_assignments_never_exceed_a_capacity() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    let races = (0..10).map(|n| {
        let store = bench.another_store();
        tokio::spawn(async move {
            let command = arrival(&format!("L-{n}"), now, None);
            loop {
                match store.execute(&command, Some(&command.cause), now).await {
                    Ok(executed) => return executed.state.unwrap(),
                    Err(error) if error.is_retryable() => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
    });
    let leads: Vec<_> = join_all(races).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(bench.load("rep-ana").await, 3);
    assert_eq!(bench.load("rep-bob").await, 3);
    assert_eq!(leads.iter().filter(|l| l.operations.is_some()).count(), 4);
    assert_eq!(leads.iter().filter(|l| l.owner.is_some()).count(), 6);
    let queued = all(|cursor| {
        let store = bench.store.clone();
        async move { store.operations_reviews(3, cursor.as_ref()).await }
    });
    assert_eq!(queued.await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rep_who_just_got_a_lead_is_not_the_next() {
    for first_ever in [true, false] {
        let bench = Bench::seeded().await;
        let mut now = at("14:00");
        if !first_ever {
            for n in 0..2 {
                bench.store.execute(&arrival(&format!("L-{n}"), now, None), None, now).await.unwrap();
            }
        }
        now += minutes(1);
        let command = arrival("L-7", now, None);
        let chosen = {
            let dry = Bench::seeded().await;
            if !first_ever {
                for n in 0..2 {
                    dry.store
                        .execute(&arrival(&format!("L-{n}"), at("14:00"), None), None, at("14:00"))
                        .await
                        .unwrap();
                }
            }
            dry.store.execute(&command, None, now).await.unwrap().state.unwrap().owner.unwrap()
        };
        let store = bench.another_store();
        let held = bench.wire.hold("TransactWriteItems");
        let racing = tokio::spawn(async move { store.execute(&command, None, now).await.unwrap() });
        held.arrived().await;
        bench.store.execute(&arrival("L-8", now, Some(chosen.as_str())), None, now).await.unwrap();
        held.release();
        let owner = racing.await.unwrap().state.unwrap().owner.unwrap();
        assert_ne!(owner, chosen, "first ever: {first_ever}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_follow_the_leads_and_never_fall_below_zero() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    // The source names the rep, so the lead exceeds the capacity.
    for n in 0..4 {
        bench.store.execute(&arrival(&format!("L-{n}"), now, Some("rep-ana")), None, now).await.unwrap();
    }
    assert_eq!(bench.load("rep-ana").await, 4);
    let change = event("L-0", "to-bob", now + minutes(1), |e| e.owner = Patch::Set("rep-bob".into()));
    bench.store.execute(&change, None, now + minutes(1)).await.unwrap();
    assert_eq!((bench.load("rep-ana").await, bench.load("rep-bob").await), (3, 1));
    let won = |id: &str| event(id, "won", now + minutes(2), |e| e.state = Some("WON".into()));
    bench.store.execute(&won("L-0"), None, now + minutes(2)).await.unwrap();
    assert_eq!(bench.load("rep-bob").await, 0);
    // The rep's item was lost, so the stored load is zero; the end of a lead does not lower it.
    bench
        .client
        .delete_item()
        .table_name(LEADS)
        .key("pk", aws_sdk_dynamodb::types::AttributeValue::S("REP#rep-ana".into()))
        .key("sk", aws_sdk_dynamodb::types::AttributeValue::S("REP".into()))
        .send()
        .await
        .unwrap();
    let executed = bench.store.execute(&won("L-1"), None, now + minutes(2)).await.unwrap();
    assert_eq!(executed.outcome, Outcome::Applied);
    assert_eq!(bench.load("rep-ana").await, 0);
    bench.store.execute(&arrival("L-9", now, Some("rep-ana")), None, now + minutes(3)).await.unwrap();
    assert_eq!(bench.load("rep-ana").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_with_a_lost_answer_is_written_once() {
    for fault in [Fault::AnswerLost, Fault::ServerError, Fault::RequestLost] {
        for own_retries in [false, true] {
            let bench = Bench::seeded().await;
            let now = at("14:00");
            let store = if own_retries { bench.another_store() } else { bench.store.clone() };
            store.execute(&arrival("L-1", now, None), Some("k1"), now).await.unwrap();
            bench.wire.fail("TransactWriteItems", fault);
            let command = score("L-1", "evt-2", now + minutes(1), 90);
            let executed = store.execute(&command, Some("k2"), now + minutes(1)).await.unwrap();
            assert!(!executed.duplicate, "{fault:?} {own_retries}");
            assert_eq!(executed.notifications.len(), 2, "{fault:?} {own_retries}");
            let lead = bench.check_fold("L-1").await;
            assert_eq!(lead.commit, 2, "{fault:?} {own_retries}");
            assert_eq!(Some(lead), executed.state);
            assert_eq!(bench.load("rep-ana").await + bench.load("rep-bob").await, 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_settled_without_a_dedupe_key_too() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.wire.fail("TransactWriteItems", Fault::AnswerLost);
    let executed = bench.store.execute(&arrival("L-1", now, None), None, now).await.unwrap();
    assert_eq!(executed.outcome, Outcome::Applied);
    assert_eq!(bench.check_fold("L-1").await.commit, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_or_a_throttled_write_is_tried_again() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    for fault in [Fault::Conflict, Fault::Conflict, Fault::Throttled] {
        bench.wire.fail("TransactWriteItems", fault);
    }
    bench.store.execute(&arrival("L-1", now, None), Some("k"), now).await.unwrap();
    assert_eq!(bench.check_fold("L-1").await.commit, 1);
    let writes = bench.wire.requests().into_iter().filter(|r| r == "TransactWriteItems").count();
    assert_eq!(writes, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_conflicts_end_in_an_error() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    for _ in 0..store::ATTEMPTS_MAX {
        bench.wire.fail("TransactWriteItems", Fault::Conflict);
    }
    let given_up = bench.store.execute(&arrival("L-1", now, None), Some("k"), now).await;
    assert!(matches!(given_up, Err(StoreError::Contention)));
    assert_eq!(bench.store.lead(&LeadId::from("L-1")).await.unwrap(), None);
}
