//! The chain: every commit of a subject follows the one before it, and its head is in its item and in the
//! index.

use crate::support::wire::Fault;
use crate::support::*;
use audit::{ChainedCommit, Hash};
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use rules::entry::Actor;
use rules::roster::Availability;
use std::collections::BTreeMap;

/// Every history in order.
async fn histories(bench: &Bench) -> BTreeMap<String, Vec<ChainedCommit>> {
    let (commits, next) = bench.store.scan_audit(0, 1, None).await.unwrap();
    assert!(next.is_none(), "one page");
    let mut all: BTreeMap<String, Vec<ChainedCommit>> = BTreeMap::new();
    for commit in commits {
        all.entry(commit.subject.to_string()).or_default().push(commit);
    }
    all
}

/// The heads in the index.
async fn heads(bench: &Bench) -> BTreeMap<String, (u64, Hash)> {
    let index = store::schema::HEADS;
    let mut heads = BTreeMap::new();
    for item in bench.client.scan().table_name(LEADS).index_name(index.name).send().await.unwrap().items() {
        let head: [u8; 32] = item["head"].as_b().unwrap().as_ref().try_into().unwrap();
        let commit = item[store::schema::HEAD_COMMIT].as_n().unwrap().parse().unwrap();
        heads.insert(item[index.sort].as_s().unwrap().clone(), (commit, Hash::new(head)));
    }
    heads
}

/// Checks every chain. Returns the number of commits of each subject.
async fn check(bench: &Bench) -> BTreeMap<String, usize> {
    let heads = heads(bench).await;
    let histories = histories(bench).await;
    assert_eq!(heads.keys().collect::<Vec<_>>(), histories.keys().collect::<Vec<_>>());
    for (subject, commits) in &histories {
        let mut head = Hash::ZERO;
        for commit in commits {
            assert_eq!(commit.prev, head, "{subject} {}", commit.commit);
            for text in [Some(&commit.entries), commit.recorded.as_ref()].into_iter().flatten() {
                audit::canonical::read(text.get()).unwrap();
            }
            assert_eq!(commit.links().unwrap().head, commit.head, "{subject} {}", commit.commit);
            head = commit.head;
        }
        assert_eq!(heads[subject], (commits.len() as u64, head), "{subject}");
    }
    histories.into_iter().map(|(subject, commits)| (subject, commits.len())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_history_of_every_kind_is_a_chain() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    let (by, away) = (Actor::staff("ops"), Availability { available: false, until: None });
    let back = Availability { available: true, until: None };
    bench.store.execute(&arrival("L-1", now, None), Some("k1"), now).await.unwrap();
    bench.store.execute(&score("L-1", "evt-2", at("14:01"), 90), Some("k2"), at("14:01")).await.unwrap();
    for (n, availability) in [&away, &back, &away].into_iter().enumerate() {
        let cause = format!("c{n}");
        bench.set_availability(&"rep-bob".into(), availability, &by, (&cause, None), now).await.unwrap();
        // Assigning a lead writes the rep's item, and must leave the rep's head unchanged.
        let id = format!("L-1{n}");
        bench.store.execute(&arrival(&id, now, None), Some(&id), now).await.unwrap();
    }
    let counts = check(&bench).await;
    assert_eq!((counts["lead/L-1"], counts["rep/rep-bob"]), (2, 3));
    // One commit for the publication, one for its application to all affected leads.
    assert_eq!(counts["policy/1"], 2);
    assert!(counts.contains_key("directory/1"), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_writers_and_lost_answers_leave_one_chain() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, None), Some("k"), now).await.unwrap();
    bench.wire.fail("TransactWriteItems", Fault::AnswerLost);
    let stores: Vec<_> = (0..6).map(|_| bench.another_store()).collect();
    let commands: Vec<_> = (0..6u16).map(|n| score("L-1", &format!("e{n}"), now, 10 + n)).collect();
    let writes = stores.iter().zip(&commands).map(|(store, c)| store.execute(c, Some(&c.cause), now));
    for written in join_all(writes).await {
        written.unwrap();
    }
    assert_eq!(check(&bench).await["lead/L-1"], 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_without_its_head_is_not_written() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, None), Some("k"), now).await.unwrap();
    bench
        .client
        .update_item()
        .table_name(LEADS)
        .key("pk", AttributeValue::S("LEAD#L-1".into()))
        .key("sk", AttributeValue::S("LEAD".into()))
        .update_expression("REMOVE head")
        .send()
        .await
        .unwrap();
    let refused = bench.store.execute(&score("L-1", "e", now, 10), Some("e"), now).await;
    assert!(matches!(refused, Err(store::StoreError::Corrupt { .. })), "{refused:?}");
}
