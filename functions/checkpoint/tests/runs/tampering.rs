//! Audits that were changed: found, reported, and signed again only after an acknowledgment.

use crate::world::{World, hour};
use audit::ChainedCommit;
use audit::tampering::TAMPERING;
use checkpoint::{Archive as _, CheckpointFailure};
use serde_json::value::RawValue;

type Change = fn(&mut Vec<ChainedCommit>);

/// Ways to change a history whose head stays what it was.
const CHANGES: [(&str, Change); 8] = [
    ("an entry is another", |commits| {
        commits[2].entries = RawValue::from_string("[{\"x\":1}]".to_owned()).unwrap()
    }),
    ("the cause is another", |commits| commits[2].cause = "other".to_owned()),
    ("the time is another", |commits| commits[2].recorded_at = hour(1)),
    ("one is gone", |commits| _ = commits.remove(2)),
    ("the last is gone", |commits| _ = commits.pop()),
    ("all are gone", Vec::clear),
    ("two changed places", |commits| commits.swap(2, 3)),
    ("the rest was chained anew", |commits| {
        let mut head = commits[1].head;
        for commit in &mut commits[2..] {
            commit.attempt = "forged".to_owned();
            commit.prev = head;
            commit.head = commit.links().unwrap().head;
            head = commit.head;
        }
    }),
];

#[tokio::test]
async fn new_commits_are_read_before_they_are_signed() {
    for (what, change) in CHANGES {
        let world = World::begun().await;
        world.table.commit("lead/L-1", 5);
        world.change("lead/L-1", change);
        let reports = world.tampered(2).await;
        assert_eq!(reports.len(), 1, "{what}");
        assert!(reports[0].starts_with("lead~L-1_00000000000"), "{what}: {reports:?}");
        // It stays the same single report.
        assert_eq!(world.tampered(3).await, reports, "{what}");
        // Restoring the entry is not enough: an operator has to acknowledge the report.
        world.table.0.lock().unwrap().changed.clear();
        assert_eq!(world.tampered(4).await, reports, "{what}");
        world.acknowledge(&reports[0]).await;
        assert_eq!(world.hour(5).await.unwrap().read, 3, "{what}");
        world.bucket.verified();
    }
}

#[tokio::test]
async fn an_acknowledged_alteration_stops_nothing_and_a_further_one_does() {
    let world = World::begun().await;
    world.table.commit("lead/L-1", 5);
    world.change("lead/L-1", |commits| commits[2].cause = "other".to_owned());
    let reports = world.tampered(2).await;
    world.acknowledge(&reports[0]).await;
    assert_eq!(world.hour(3).await.unwrap().number, 2);
    world.table.commit("lead/L-1", 7);
    world.change("lead/L-1", |commits| commits[5].cause = "other".to_owned());
    assert_eq!(world.tampered(4).await.len(), 2);
}

#[tokio::test]
async fn a_report_of_the_stream_stops_checkpoints_until_it_is_acknowledged() {
    let world = World::begun().await;
    let name = "lead~L-9_000000000001_replaced_77.json";
    world.bucket.put_new(&format!("{TAMPERING}{name}"), b"{}".to_vec()).await.unwrap();
    assert_eq!(world.tampered(2).await, [name]);
    world.acknowledge(name).await;
    assert_eq!(world.hour(3).await.unwrap().number, 2);
}

#[tokio::test]
async fn an_old_entry_that_was_changed_is_found_in_its_turn() {
    let world = World::begun().await;
    world.change("account/A-1", |commits| commits[0].cause = "other".to_owned());
    // Every history has its turn within the two days.
    let mut found = None;
    for n in 2..=49 {
        match world.hour(n).await {
            Ok(_) => {}
            Err(CheckpointFailure::Tampered { named, .. }) => {
                found = Some(named);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(found.as_ref().is_some_and(|named| named.starts_with("account~A-1_")), "{found:?}");
}

#[tokio::test]
async fn a_run_that_comes_after_two_days_reads_everything_once() {
    let world = World::begun().await;
    world.table.0.lock().unwrap().reads.clear();
    let made = world.hour(60).await.unwrap();
    assert_eq!((made.read, made.read_again, made.unread), (0, 6, 0));
    let reads = world.table.0.lock().unwrap().reads.clone();
    assert_eq!(reads.values().copied().collect::<Vec<_>>(), [1, 1, 1]);
}
