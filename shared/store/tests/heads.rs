//! The heads of all subjects, read through their index.

use crate::support::*;
use audit::leaves::Leaf;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use std::collections::BTreeMap;

/// All heads, page by page, and the number of pages.
async fn heads(bench: &Bench) -> (BTreeMap<String, Leaf>, usize) {
    let (mut heads, mut pages) = (BTreeMap::new(), 0);
    for shard in 0..store::DUE_SHARDS {
        let mut after = None;
        loop {
            let page = bench.store.heads(shard, after.as_ref()).await.unwrap();
            pages += 1;
            for leaf in page.items {
                let subject = leaf.subject.to_string();
                assert!(heads.insert(subject, leaf).is_none(), "each once");
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    (heads, pages)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_head_of_every_subject_is_the_last_of_its_commits() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    for n in 0..20 {
        let id = format!("L-{n}");
        bench.store.execute(&arrival(&id, now, None), Some(&id), now).await.unwrap();
    }
    bench.store.execute(&score("L-7", "evt", at("14:01"), 90), Some("k"), at("14:01")).await.unwrap();
    let (commits, _) = bench.store.scan_audit(0, 1, None).await.unwrap();
    let mut expected = BTreeMap::new();
    for commit in commits {
        let subject = commit.subject.to_string();
        let leaf = Leaf { commit: commit.commit, head: commit.head, subject: subject.as_str().into() };
        expected.insert(subject, leaf);
    }
    assert_eq!(heads(&bench).await.0, expected);
    assert_eq!(bench.store.head("lead/L-7").await.unwrap().as_ref(), expected.get("lead/L-7"));
    assert_eq!(bench.store.head("lead/L-70").await.unwrap(), None);
}

/// Enough heads for several pages, and the cost of reading them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_heads_are_read_page_by_page_at_the_cost_of_the_index() {
    const SUBJECTS: usize = 8_000;
    let bench = Bench::empty().await;
    let all: Vec<WriteRequest> = (0..SUBJECTS)
        .map(|n| {
            let subject = format!("lead/{n:0>40}");
            let text = |value: &str| AttributeValue::S(value.to_owned());
            let put = PutRequest::builder()
                .item("pk", text(&format!("LEAD#{n:0>40}")))
                .item("sk", text("LEAD"))
                .item("head", AttributeValue::B(Blob::new([1; 32])))
                .item("head_commit", AttributeValue::N("7".to_owned()))
                .item("head_shard", text("HEAD#3"))
                .item("head_subject", text(&subject));
            WriteRequest::builder().put_request(put.build().unwrap()).build()
        })
        .collect();
    for batch in all.chunks(25) {
        bench.client.batch_write_item().request_items(LEADS, batch.to_vec()).send().await.unwrap();
    }
    bench.wire.meter();
    let (heads, pages) = heads(&bench).await;
    assert_eq!(heads.len(), SUBJECTS);
    assert!(pages > 8, "{pages} pages of 8 shards");
    let units: f64 =
        bench.wire.consumed().iter().map(|(_, consumed)| consumed["CapacityUnits"].as_f64().unwrap()).sum();
    // About 180 bytes each, and one unit reads eight kilobytes: less than 26 units for a thousand.
    let per_thousand = units * 1000.0 / SUBJECTS as f64;
    println!("{pages} pages, {units} units, {per_thousand} a thousand heads");
    assert!((1.0..26.0).contains(&per_thousand), "{per_thousand}");
}
