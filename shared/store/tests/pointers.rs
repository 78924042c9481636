//! The pointers to the policy and the directory in force, and their copies.

use crate::support::*;
use aws_sdk_dynamodb::types::AttributeValue;
use policy::Policy;
use std::collections::BTreeSet;

/// Every copy of the pointers counts for some subjects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_subject_is_decided_under_what_is_in_force_with_and_without_copies_of_the_pointers() {
    let bench = Bench::seeded().await;
    let copies =
        ["POLICY", "DIRECTORY"].into_iter().flat_map(|pk| (1..4).map(move |n| (pk, format!("CURRENT#{n}"))));
    // As an earlier release published.
    for (pk, sk) in copies {
        assert!(bench.raw(pk, &sk).await.is_some(), "{pk} {sk}");
        let delete = bench.client.delete_item().table_name(LEADS);
        let delete = delete.key("pk", AttributeValue::S(pk.to_owned()));
        delete.key("sk", AttributeValue::S(sk)).send().await.unwrap();
    }
    let revisions = async |from: usize, now| {
        let mut revisions = BTreeSet::new();
        for n in from..from + 16 {
            let done = bench.store.execute(&arrival(&format!("L-{n}"), now, None), None, now).await.unwrap();
            revisions.extend(done.entries.iter().map(|entry| entry.policy_revision));
        }
        revisions
    };
    assert_eq!(revisions(0, at("14:00")).await, BTreeSet::from([1]));
    let renamed = Policy::parse(&POLICY.replacen("name: Tests", "name: Renamed", 1)).unwrap();
    bench.publish(&renamed, at("14:10"), None).await.unwrap();
    assert_eq!(revisions(16, at("14:20")).await, BTreeSet::from([2]));
}
