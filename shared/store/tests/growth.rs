//! How cost grows with work, in capacity units: a tick, a publication, and many leads for one team.
//!
//! The figures of `docs/performance.md` are of the ignored tests:
//! `cargo test --workspace --test store growth -- --ignored --nocapture`.

use crate::support::{Bench, DIRECTORY, LEADS, POLICY, all, arrival, at, directory, publish, wake};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::stream::{self, StreamExt as _};
use policy::Policy;
use policy::impact::{Scope, Sources};
use rules::lead::Input;
use rules::patch::Patch;
use std::collections::HashMap;

/// Items of one batch.
const BATCH: usize = 25;
/// Functions that take leads in at the same time.
const AT_ONCE: usize = 10;

type Item = HashMap<String, AttributeValue>;

/// Puts copies of a lead beside it, as if so many more were open: nobody asks anything of them.
async fn pad(bench: &Bench, like: &str, count: usize) {
    let original = bench.raw_lead(like).await;
    let shards: Vec<u8> = (0..store::DUE_SHARDS).collect();
    let copy = |n: usize| {
        let mut item: Item = original.clone();
        item.insert("pk".to_owned(), AttributeValue::S(format!("LEAD#pad-{n:06}")));
        let shard = shards[n % shards.len()];
        item.insert("due_shard".to_owned(), AttributeValue::S(format!("DUE#{shard}")));
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let copies: Vec<WriteRequest> = (0..count).map(copy).collect();
    for batch in copies.chunks(BATCH) {
        bench.client.batch_write_item().request_items(LEADS, batch.to_vec()).send().await.unwrap();
    }
}

/// The units that reading what a tick finds due costs, with so many leads due of so many open ones.
async fn tick(due: usize, open: usize) -> f64 {
    let bench = Bench::seeded().await;
    // Due at 14:48, and the others long after the tick.
    for n in 0..due {
        bench.store.execute(&arrival(&format!("L-{n}"), at("14:00"), None), None, at("14:00")).await.unwrap();
    }
    bench.store.execute(&arrival("L-later", at("14:30"), None), None, at("14:30")).await.unwrap();
    pad(&bench, "L-later", open - due).await;
    bench.wire.meter();
    let (mut found, mut cursor) = (0, None);
    loop {
        let page = bench.store.due(None, at("14:50"), cursor.as_ref()).await.unwrap();
        found += page.items.len();
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert!(found >= due, "{found} of {due}");
    bench.units().iter().map(|(_, units)| units).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tick_reads_what_is_due_however_many_leads_are_open() {
    let (few, many) = (tick(20, 40).await, tick(20, 2_000).await);
    assert_eq!(few, many);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes 100,000 leads"]
async fn a_tick_of_100_000_open_leads() {
    let (few, many) = (tick(100, 1_000).await, tick(100, 100_000).await);
    println!("100 due of 1,000 open: {few} read units; of 100,000: {many}; ratio {:.2}", many / few);
    assert_eq!(few, many);
}

/// What a publication writes that concerns so many leads of so many, as a share of writing each of all leads anew.
async fn publication(concerned: usize, open: usize) -> f64 {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    for n in 0..concerned {
        let mut command = arrival(&format!("L-{n}"), now, None);
        if let Input::Event(event) = &mut command.input {
            event.changes.source = Patch::Set("partner".into());
        }
        bench.store.execute(&command, None, now).await.unwrap();
    }
    bench.store.execute(&arrival("L-other", now, None), None, now).await.unwrap();
    pad(&bench, "L-other", open - concerned).await;
    let row = "    windows:\n      - { state: NEW, source: partner, window: 30m, calendar: always }\n";
    let changed = Policy::parse(&POLICY.replacen("    windows:\n", row, 1)).unwrap();
    bench.wire.meter();
    publish(&bench.store, &changed, at("14:40"), None).await.unwrap();
    let scope =
        Scope::State { market: "us".into(), state: "NEW".into(), sources: Sources::One("partner".into()) };
    let (store, scope) = (&bench.store, &scope);
    let leads = all(|after| async move { store.leads_in_scope(scope, 100, after.as_ref()).await }).await;
    assert_eq!(leads.len(), concerned);
    let writes = |units: Vec<(String, f64)>| -> f64 {
        units.iter().filter(|(operation, _)| !is_read(operation)).map(|(_, units)| units).sum()
    };
    let published = writes(bench.units());
    for lead in &leads {
        let done = bench.store.execute(&wake(lead.as_str(), "publication"), None, at("14:40")).await.unwrap();
        assert!(!done.entries.is_empty(), "the publication concerns it");
    }
    let of_leads = writes(bench.units());
    (published + of_leads) / (of_leads / concerned as f64 * open as f64)
}

fn is_read(operation: &str) -> bool {
    ["GetItem", "BatchGetItem", "Query", "TransactGetItems"].contains(&operation)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publication_writes_the_leads_that_it_concerns() {
    let share = publication(60, 6_000).await;
    assert!((0.01..0.011).contains(&share), "{share}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes 100,000 leads"]
async fn a_publication_among_100_000_leads() {
    let share = publication(1_000, 100_000).await;
    println!("a publication that concerns 1,000 of 100,000 leads: {:.2} % of the writes", share * 100.0);
    assert!(share <= 0.011, "{share}");
}

/// Gives so many leads at once to a team of so many reps; the transactions that it took a lead.
async fn rush(leads: usize, reps: usize) -> f64 {
    let bench = Bench::seeded().await;
    let capacity = leads / reps;
    let mut document = directory(DIRECTORY).document().clone();
    let team = document.teams.get_mut(&"us-sales".into()).unwrap();
    let (rep, mut person) =
        (team.reps[&"rep-ana".into()].clone(), document.people[&"rep-ana".into()].clone());
    team.reps.clear();
    for n in 0..reps {
        let id = format!("rep-{n:02}");
        let mut rep = rep.clone();
        rep.capacity = u32::try_from(capacity).unwrap();
        team.reps.insert(id.as_str().into(), rep);
        person.email = format!("{id}@example.test");
        document.people.insert(id.as_str().into(), person.clone());
    }
    bench.publish_directory(&document, at("13:00")).await.unwrap();
    bench.wire.forget();
    let store = &bench.store;
    let (now, retry) = (at("14:00"), std::time::Duration::from_millis(1));
    stream::iter(0..leads)
        .for_each_concurrent(AT_ONCE, |n| async move {
            let command = arrival(&format!("L-{n}"), now, None);
            // As the queue does, which delivers again what lost too often.
            while let Err(error) = store.execute(&command, Some(&command.cause), now).await {
                assert!(matches!(error, store::StoreError::Contention), "{error}");
                tokio::time::sleep(retry).await;
            }
        })
        .await;
    let transactions =
        bench.wire.requests().iter().filter(|request| *request == "TransactWriteItems").count();
    let mut carried = 0;
    for n in 0..reps {
        let load = bench.load(&format!("rep-{n:02}")).await as usize;
        assert!(load <= capacity, "rep-{n:02} carries {load} of {capacity}");
        carried += load;
    }
    assert_eq!(carried, leads, "each lead has an owner");
    transactions as f64 / leads as f64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leads_that_come_at_once_fill_a_team_and_no_rep_beyond_capacity() {
    let transactions = rush(60, 20).await;
    println!("{transactions} transactions a lead");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "gives out 1,000 leads"]
async fn a_thousand_leads_at_once_for_twenty_reps() {
    let transactions = rush(1_000, 20).await;
    println!("1,000 leads at once for 20 reps, {AT_ONCE} at a time: {transactions:.2} transactions a lead");
    assert!(transactions <= 1.5, "{transactions}");
}
