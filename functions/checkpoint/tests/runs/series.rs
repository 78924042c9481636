//! The series of checkpoints: the hour, an idle one, two at once, one that ends anywhere, and refusals.

use crate::world::{World, hour, leaf};
use audit::leaves::LeafError;
use audit::signature::SigningKey;
use checkpoint::{CheckpointFailure, CheckpointSummary, SeriesFailure, Tick, checkpoint};

#[tokio::test]
async fn each_hour_has_one_checkpoint_also_when_nothing_happened() {
    let world = World::begun().await;
    world.table.commit("lead/L-1", 3);
    for n in 0..6 {
        world.table.commit(&format!("lead/N-{n}"), 1);
    }
    let second = world.hour(2).await.unwrap();
    let shown = |made: &CheckpointSummary| {
        (made.made, made.number, made.subjects, made.commits, made.changed, made.read)
    };
    assert_eq!(shown(&second), (true, 2, 9, 13, 7, 7));
    let idle = world.hour(3).await.unwrap();
    assert_eq!(shown(&idle), (true, 3, 9, 13, 0, 0));
    let leaves = world.bucket.verified();
    assert_eq!((leaves.len(), leaves.find("lead/L-1").unwrap().1.commit), (9, 3));
}

#[tokio::test]
async fn a_tick_that_comes_again_makes_no_second_checkpoint_of_its_hour() {
    let world = World::begun().await;
    world.table.commit("lead/L-1", 3);
    let again = world.hour(1).await.unwrap();
    assert_eq!((again.made, again.number), (false, 1));
    world.hour(2).await.unwrap();
    let late = world.hour(1).await.unwrap();
    assert_eq!((late.made, late.number), (false, 2));
    assert_eq!(world.bucket.checkpoints().len(), 2);
}

#[tokio::test]
async fn a_tick_of_another_time_is_refused() {
    let world = World::begun().await;
    let ahead = checkpoint(&world.deps, &Tick { scheduled_time: hour(3) }, hour(2)).await;
    assert!(matches!(ahead, Err(CheckpointFailure::Ahead { .. })), "{ahead:?}");
}

#[tokio::test]
async fn only_one_of_two_parallel_runs_makes_the_checkpoint() {
    let world = World::begun().await;
    world.table.commit("lead/L-1", 3);
    let (one, other) = futures::join!(world.hour(2), world.hour(2));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(one.made != other.made, "{one:?} {other:?}");
    assert_eq!((one.number, other.number), (2, 2));
    world.bucket.verified();
}

#[tokio::test]
async fn a_run_that_ends_anywhere_leaves_nothing_in_the_way_of_the_next() {
    // Leaves, checkpoint, three lists; changes, checkpoint, leaves.
    let calls_max = 8;
    for (calls, does_the_last) in (0..=calls_max).flat_map(|calls| [(calls, false), (calls, true)]) {
        let world = World::begun().await;
        world.table.commit("lead/L-1", 3);
        world.bucket.ends_after(Some(calls), does_the_last);
        let run = world.hour(2).await;
        // The run is complete if only caching the leaves failed.
        assert_eq!(run.is_ok(), calls + 1 >= calls_max, "{calls} {run:?}");
        world.bucket.ends_after(None, false);
        // A further commit makes the next changes differ from those that may exist.
        world.table.commit("lead/L-2", 3);
        world.hour(2).await.unwrap();
        world.hour(3).await.unwrap();
        let leaves = world.bucket.verified();
        assert_eq!((leaves.len(), leaves.commits()), (3, 8), "{calls} {does_the_last}");
        assert_eq!(world.bucket.checkpoints().len(), 3, "{calls} {does_the_last}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_went_back_forked_or_is_missing_is_not_signed() {
    let world = World::begun().await;
    world.table.commit("lead/L-1", 1);
    assert_eq!(world.refused(2).await, LeafError::WentBack { subject: "lead/L-1".into(), before: 2, now: 1 });
    world.table.put(leaf("lead/L-1", 2, 1));
    assert!(
        matches!(world.refused(2).await, LeafError::Forked { subject, commit: 2, .. } if &*subject == "lead/L-1")
    );
    world.table.remove("lead/L-1");
    assert_eq!(world.refused(2).await, LeafError::Missing { subject: "lead/L-1".into(), commit: 2 });
    // Once the head is restored, the series continues.
    world.table.commit("lead/L-1", 2);
    assert_eq!(world.hour(3).await.unwrap().number, 2);
}

#[tokio::test(start_paused = true)]
async fn an_index_that_is_behind_is_asked_again() {
    let world = World::begun().await;
    world.table.commit("lead/L-1", 3);
    world.table.lag("lead/L-1", 2, Some(leaf("lead/L-1", 1, 0)));
    world.table.lag("lead/L-2", 3, None);
    assert_eq!(world.hour(2).await.unwrap().number, 2);
    assert_eq!(world.bucket.verified().find("lead/L-1").unwrap().1.commit, 3);
}

#[tokio::test]
async fn leaves_that_were_lost_or_changed_are_read_from_the_changes() {
    let world = World::begun().await;
    world.table.commit("lead/L-0", 1);
    world.hour(2).await.unwrap();
    let kept = world.bucket.0.lock().unwrap().leaves.clone().unwrap();
    let kept_text = String::from_utf8(kept.clone()).unwrap();
    let changed = [
        None,
        Some(Vec::new()),
        Some(b"{}\n".to_vec()),
        Some(vec![0xff; 9]),
        Some(kept[..kept.len() / 2].to_vec()),
        Some(kept_text.replace("\"commit\":1,", "\"commit\":2,").into_bytes()),
        Some(kept_text.replace("lead/L-0", "lead/L-9").into_bytes()),
    ];
    for (n, leaves) in changed.into_iter().enumerate() {
        world.bucket.0.lock().unwrap().leaves = leaves;
        let made = world.hour(n as i64 + 3).await.unwrap();
        assert_eq!((made.number, made.changed), (n as u64 + 3, 0), "{n}");
    }
    world.bucket.verified();
}

#[tokio::test]
async fn missing_or_foreign_checkpoints_are_not_continued() {
    let world = World::begun().await;
    world.hour(2).await.unwrap();
    let objects = || world.bucket.0.lock().unwrap();
    let (first, second) = ("checkpoints/0000000001.json", "checkpoints/0000000002.json");

    // The last one is missing: the cached leaves name it.
    let taken = objects().kept.remove(second).unwrap();
    assert!(matches!(world.hour(3).await, Err(CheckpointFailure::Series(SeriesFailure::Gone(2)))));
    objects().kept.insert(second.to_owned(), taken);

    // One in the middle is missing, and the cached leaves too.
    let taken = objects().kept.remove(first).unwrap();
    objects().leaves = None;
    assert!(matches!(world.hour(3).await, Err(CheckpointFailure::Series(SeriesFailure::Gone(1)))));
    objects().kept.insert(first.to_owned(), taken);

    // The changes are different.
    let path = world.bucket.checkpoints()[0].checkpoint.changes_path();
    let taken = objects().kept.insert(path.clone(), b"{}\n".to_vec()).unwrap();
    let refused = world.hour(3).await;
    assert!(
        matches!(&refused, Err(CheckpointFailure::Series(SeriesFailure::Changes(at))) if *at == path),
        "{refused:?}"
    );
    objects().kept.insert(path, taken);

    // A planted checkpoint that nobody signed.
    let mut planted = world.bucket.checkpoints()[1].clone();
    planted.checkpoint.number = 3;
    objects().kept.insert("checkpoints/0000000003.json".to_owned(), planted.text().unwrap().into_bytes());
    let refused = world.hour(3).await;
    assert!(matches!(refused, Err(CheckpointFailure::Series(SeriesFailure::Checkpoint(_)))), "{refused:?}");
    objects().kept.remove("checkpoints/0000000003.json");

    // Another deployment writes to the same archive.
    let mut other = World::of(world.table.clone(), world.bucket.clone());
    other.deps.deployment = "other".to_owned();
    let refused = other.hour(3).await;
    assert!(
        matches!(refused, Err(CheckpointFailure::Series(SeriesFailure::Deployment { .. }))),
        "{refused:?}"
    );

    assert_eq!(world.hour(3).await.unwrap().number, 3);
}

#[tokio::test]
async fn a_key_that_signs_something_else_makes_no_checkpoint() {
    let mut world = World::begun().await;
    world.deps.signer.0 = SigningKey::from_seed(&[4; 32]).unwrap();
    let refused = world.hour(2).await;
    assert!(matches!(refused, Err(CheckpointFailure::InvalidCheckpoint(_))), "{refused:?}");
    assert_eq!(world.bucket.checkpoints().len(), 1);
}
