//! Runs over an archive in memory: the hour, an idle one, two at once, one that ends anywhere, and
//! what is refused.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use audit::checkpoint::{Envelope, number_at};
use audit::leaves::{Leaf, LeafError, Leaves, read_changes};
use audit::signature::{PublicKey, Signature, SigningKey};
use audit::tampering::{ACKNOWLEDGED, TAMPERING};
use audit::{ChainedCommit, Hash, sha256};
use checkpoint::{
    Archive, ArchiveError, CheckpointFailure, Deps, Entries, Heads, Made, SeriesFailure, Signer, SignerError,
    Tick, checkpoint,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use store::{Cursor, DUE_SHARDS, Page, StoreError};

/// Heads by subject; what the index still shows for so many more looks, where it is behind.
#[derive(Clone, Default)]
struct Table(Arc<Mutex<Heap>>);

#[derive(Default)]
struct Heap {
    heads: BTreeMap<String, Leaf>,
    /// Histories that somebody changed; the others are what their heads say.
    changed: BTreeMap<String, Vec<ChainedCommit>>,
    /// How often entries were read, by subject.
    reads: BTreeMap<String, u32>,
    behind: BTreeMap<String, (u32, Option<Leaf>)>,
}

/// A history of so many commits; the last of them is another one in each fork.
fn history(subject: &str, commits: u64, fork: u8) -> Vec<ChainedCommit> {
    let mut head = Hash::ZERO;
    let commit = |commit: u64| {
        let attempt = if commit == commits { fork.to_string() } else { "0".to_owned() };
        let mut commit = ChainedCommit {
            subject: subject.parse().unwrap(),
            commit,
            cause: format!("crm/evt-{commit}"),
            at: hour(0),
            recorded_at: hour(0),
            attempt,
            prev: head,
            head,
            recorded: None,
            entries: RawValue::from_string("[{}]".to_owned()).unwrap(),
        };
        commit.head = commit.links().unwrap().head;
        head = commit.head;
        commit
    };
    (1..=commits).map(commit).collect()
}

fn leaf(subject: &str, commit: u64, fork: u8) -> Leaf {
    let head = history(subject, commit, fork).last().unwrap().head;
    Leaf { commit, head, subject: subject.into() }
}

impl Table {
    fn commit(&self, subject: &str, commit: u64) {
        self.put(leaf(subject, commit, 0));
    }

    fn put(&self, leaf: Leaf) {
        self.0.lock().unwrap().heads.insert(leaf.subject.to_string(), leaf);
    }

    fn remove(&self, subject: &str) {
        self.0.lock().unwrap().heads.remove(subject);
    }

    fn lag(&self, subject: &str, looks: u32, shows: Option<Leaf>) {
        self.0.lock().unwrap().behind.insert(subject.to_owned(), (looks, shows));
    }

    fn look(&self, subject: &str) -> Option<Leaf> {
        let mut heap = self.0.lock().unwrap();
        if let Some((looks, shows)) = heap.behind.get_mut(subject).filter(|(looks, _)| *looks > 0) {
            *looks -= 1;
            return shows.clone();
        }
        heap.heads.get(subject).cloned()
    }
}

impl Heads for Table {
    /// Two heads a page, so that there is more than one.
    async fn page(&self, shard: u8, after: Option<&Cursor>) -> Result<Page<Leaf>, StoreError> {
        let after = after.map_or("", Cursor::as_str).to_owned();
        let of_shard = |subject: &&String| sha256([subject.as_bytes()]).as_bytes()[0] % DUE_SHARDS == shard;
        let subjects: Vec<String> = self.0.lock().unwrap().heads.keys().filter(of_shard).cloned().collect();
        let mut rest = subjects.into_iter().filter(|subject| *subject > after);
        let page: Vec<String> = rest.by_ref().take(2).collect();
        let next = rest.next().and_then(|_| page.last()).map(Cursor::new);
        Ok(Page { items: page.iter().filter_map(|subject| self.look(subject)).collect(), next })
    }

    async fn again(&self, subject: &str) -> Result<Option<Leaf>, StoreError> {
        Ok(self.look(subject))
    }
}

impl Entries for Table {
    /// Three commits a page.
    async fn commits_after(
        &self,
        subject: &str,
        commit: u64,
    ) -> Result<(Vec<ChainedCommit>, bool), StoreError> {
        let mut heap = self.0.lock().unwrap();
        *heap.reads.entry(subject.to_owned()).or_default() += 1;
        let head = heap.heads.get(subject).cloned();
        let commits = heap.changed.get(subject).cloned().unwrap_or_else(|| {
            let head = head.unwrap();
            let fork = (0..4).find(|fork| leaf(subject, head.commit, *fork) == head).unwrap();
            history(subject, head.commit, fork)
        });
        let rest: Vec<_> = commits.into_iter().filter(|next| next.commit > commit).collect();
        let more = rest.len() > 3;
        Ok((rest.into_iter().take(3).collect(), more))
    }
}

/// Objects by place. It can stop answering after so many calls, with or without doing the last.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<Objects>>);

#[derive(Default)]
struct Objects {
    kept: BTreeMap<String, Vec<u8>>,
    leaves: Option<Vec<u8>>,
    calls_left: Option<u32>,
    does_the_last: bool,
}

impl Bucket {
    fn ends_after(&self, calls: Option<u32>, does_the_last: bool) {
        let mut objects = self.0.lock().unwrap();
        (objects.calls_left, objects.does_the_last) = (calls, does_the_last);
    }

    /// Does something, unless it does not answer any more.
    fn call<T>(&self, path: &str, act: impl FnOnce(&mut Objects) -> T) -> Result<T, ArchiveError> {
        let mut objects = self.0.lock().unwrap();
        let dead = || ArchiveError::new("answer", path, "it was ended");
        match objects.calls_left {
            Some(0) => {
                if std::mem::take(&mut objects.does_the_last) {
                    act(&mut objects);
                }
                return Err(dead());
            }
            Some(calls) => objects.calls_left = Some(calls - 1),
            None => {}
        }
        Ok(act(&mut objects))
    }

    fn checkpoints(&self) -> Vec<Envelope> {
        let objects = self.0.lock().unwrap();
        let of = objects.kept.iter().filter(|(path, _)| number_at(path).is_some());
        of.map(|(_, text)| Envelope::read(std::str::from_utf8(text).unwrap()).unwrap()).collect()
    }

    /// Checks the series as whoever verifies it does, and gives the leaves it comes to.
    fn verified(&self) -> Leaves {
        let (mut leaves, mut last) = (Leaves::default(), None);
        for envelope in self.checkpoints() {
            envelope.verify(&key().public_key()).unwrap();
            envelope.checkpoint.follows(last.as_ref()).unwrap();
            let changes = self.0.lock().unwrap().kept[&envelope.checkpoint.changes_path()].clone();
            assert_eq!(sha256([changes.as_slice()]), envelope.checkpoint.changes);
            leaves.apply(read_changes(std::str::from_utf8(&changes).unwrap()).unwrap()).unwrap();
            envelope.checkpoint.covers(&leaves).unwrap();
            last = Some(envelope.checkpoint);
        }
        leaves
    }
}

impl Archive for Bucket {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.call(path, |objects| objects.kept.get(path).cloned())
    }

    async fn put_new(&self, path: &str, content: Vec<u8>) -> Result<bool, ArchiveError> {
        // Two runs meet here.
        tokio::task::yield_now().await;
        self.call(path, |objects| {
            let is_new = !objects.kept.contains_key(path);
            objects.kept.entry(path.to_owned()).or_insert(content);
            is_new
        })
    }

    async fn last(&self, from: u64) -> Result<u64, ArchiveError> {
        self.call("checkpoints", |objects| {
            objects.kept.keys().filter_map(|path| number_at(path)).fold(from, u64::max)
        })
    }

    async fn list(&self, prefix: &'static str) -> Result<Vec<String>, ArchiveError> {
        self.call(prefix, |objects| {
            let names = objects.kept.keys().filter_map(|path| path.strip_prefix(prefix));
            names.map(str::to_owned).collect()
        })
    }

    async fn read_leaves(&self) -> Result<Option<Vec<u8>>, ArchiveError> {
        self.call("leaves", |objects| objects.leaves.clone())
    }

    async fn keep_leaves(&self, content: Vec<u8>) -> Result<(), ArchiveError> {
        self.call("leaves", |objects| objects.leaves = Some(content))
    }
}

struct Key(SigningKey, PublicKey);

fn key() -> SigningKey {
    SigningKey::from_seed(&[3; 32]).unwrap()
}

impl Signer for Key {
    fn public_key(&self) -> &PublicKey {
        &self.1
    }

    async fn sign(&self, text: &str) -> Result<Signature, SignerError> {
        Ok(self.0.sign(text)?)
    }
}

fn hour(n: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(n)
}

struct World {
    table: Table,
    bucket: Bucket,
    deps: Deps<Table, Bucket, Key>,
}

impl World {
    fn of(table: Table, bucket: Bucket) -> Self {
        let signer = Key(key(), key().public_key());
        let (heads, archive) = (table.clone(), bucket.clone());
        let deps = Deps { heads, archive, signer, deployment: "leadwatch".to_owned(), verify_within_days: 2 };
        Self { table, bucket, deps }
    }

    /// Two leads and an account, with one checkpoint.
    async fn begun() -> Self {
        let world = Self::of(Table::default(), Bucket::default());
        for subject in ["lead/L-1", "lead/L-2", "account/A-1"] {
            world.table.commit(subject, 2);
        }
        world.hour(1).await.unwrap();
        world
    }

    async fn hour(&self, n: i64) -> Result<Made, CheckpointFailure> {
        checkpoint(&self.deps, &Tick { scheduled_time: hour(n) }, hour(n) + TimeDelta::seconds(2)).await
    }

    async fn refused(&self, n: i64) -> LeafError {
        let before = self.bucket.checkpoints();
        let refused = self.hour(n).await;
        assert_eq!(self.bucket.checkpoints(), before, "nothing is signed");
        let Err(CheckpointFailure::Refused(why)) = refused else { panic!("{refused:?}") };
        why
    }
}

#[tokio::test]
async fn each_hour_has_one_checkpoint_also_when_nothing_happened() {
    let world = World::begun().await;
    world.table.commit("lead/L-1", 3);
    for n in 0..6 {
        world.table.commit(&format!("lead/N-{n}"), 1);
    }
    let second = world.hour(2).await.unwrap();
    let shown = |made: &Made| (made.made, made.number, made.subjects, made.commits, made.changed, made.read);
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
async fn of_two_runs_at_once_one_is_the_checkpoint_of_the_hour() {
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
        // It is whole when only keeping the leaves was left to do.
        assert_eq!(run.is_ok(), calls + 1 >= calls_max, "{calls} {run:?}");
        world.bucket.ends_after(None, false);
        // What happened meanwhile makes its changes others than those that may be there.
        world.table.commit("lead/L-2", 3);
        world.hour(2).await.unwrap();
        world.hour(3).await.unwrap();
        let leaves = world.bucket.verified();
        assert_eq!((leaves.len(), leaves.commits()), (3, 8), "{calls} {does_the_last}");
        assert_eq!(world.bucket.checkpoints().len(), 3, "{calls} {does_the_last}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_went_back_forked_or_is_gone_is_not_signed_over() {
    let world = World::begun().await;
    world.table.commit("lead/L-1", 1);
    assert_eq!(world.refused(2).await, LeafError::WentBack { subject: "lead/L-1".into(), before: 2, now: 1 });
    world.table.put(leaf("lead/L-1", 2, 1));
    assert!(
        matches!(world.refused(2).await, LeafError::Forked { subject, commit: 2, .. } if &*subject == "lead/L-1")
    );
    world.table.remove("lead/L-1");
    assert_eq!(world.refused(2).await, LeafError::Missing { subject: "lead/L-1".into(), commit: 2 });
    // Once it is what it was, the series goes on.
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
async fn checkpoints_that_are_gone_or_not_ours_are_not_gone_on_from() {
    let world = World::begun().await;
    world.hour(2).await.unwrap();
    let objects = || world.bucket.0.lock().unwrap();
    let (first, second) = ("checkpoints/0000000001.json", "checkpoints/0000000002.json");

    // The last one is gone: the leaves know that it was there.
    let taken = objects().kept.remove(second).unwrap();
    assert!(matches!(world.hour(3).await, Err(CheckpointFailure::Series(SeriesFailure::Gone(2)))));
    objects().kept.insert(second.to_owned(), taken);

    // One in the middle is gone, and the leaves as well.
    let taken = objects().kept.remove(first).unwrap();
    objects().leaves = None;
    assert!(matches!(world.hour(3).await, Err(CheckpointFailure::Series(SeriesFailure::Gone(1)))));
    objects().kept.insert(first.to_owned(), taken);

    // Changes are others.
    let path = world.bucket.checkpoints()[0].checkpoint.changes_path();
    let taken = objects().kept.insert(path.clone(), b"{}\n".to_vec()).unwrap();
    let refused = world.hour(3).await;
    assert!(
        matches!(&refused, Err(CheckpointFailure::Series(SeriesFailure::Changes(at))) if *at == path),
        "{refused:?}"
    );
    objects().kept.insert(path, taken);

    // Somebody put one that nobody signed.
    let mut planted = world.bucket.checkpoints()[1].clone();
    planted.checkpoint.number = 3;
    objects().kept.insert("checkpoints/0000000003.json".to_owned(), planted.text().unwrap().into_bytes());
    let refused = world.hour(3).await;
    assert!(matches!(refused, Err(CheckpointFailure::Series(SeriesFailure::Checkpoint(_)))), "{refused:?}");
    objects().kept.remove("checkpoints/0000000003.json");

    // Another deployment writes to the same place.
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
    assert!(matches!(refused, Err(CheckpointFailure::Unsound(_))), "{refused:?}");
    assert_eq!(world.bucket.checkpoints().len(), 1);
}

impl World {
    /// Changes a history behind its head's back.
    fn change(&self, subject: &str, change: impl FnOnce(&mut Vec<ChainedCommit>)) {
        let mut heap = self.table.0.lock().unwrap();
        let mut commits = history(subject, heap.heads[subject].commit, 0);
        change(&mut commits);
        heap.changed.insert(subject.to_owned(), commits);
    }

    /// The hour is refused since the record was changed; gives the names of what is reported.
    async fn tampered(&self, n: i64) -> Vec<String> {
        let before = self.bucket.checkpoints();
        let refused = self.hour(n).await;
        assert!(matches!(refused, Err(CheckpointFailure::Tampered { .. })), "{refused:?}");
        assert_eq!(self.bucket.checkpoints(), before, "nothing is signed");
        self.bucket.list(TAMPERING).await.unwrap()
    }

    async fn acknowledge(&self, name: &str) {
        self.bucket.put_new(&format!("{ACKNOWLEDGED}{name}"), b"{}".to_vec()).await.unwrap();
    }
}

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
async fn what_came_since_the_last_checkpoint_is_read_before_it_is_signed_over() {
    for (what, change) in CHANGES {
        let world = World::begun().await;
        world.table.commit("lead/L-1", 5);
        world.change("lead/L-1", change);
        let reports = world.tampered(2).await;
        assert_eq!(reports.len(), 1, "{what}");
        assert!(reports[0].starts_with("lead~L-1_00000000000"), "{what}: {reports:?}");
        // It stays so, and is one report.
        assert_eq!(world.tampered(3).await, reports, "{what}");
        // Put back is not enough: somebody has to say that they looked.
        world.table.0.lock().unwrap().changed.clear();
        assert_eq!(world.tampered(4).await, reports, "{what}");
        world.acknowledge(&reports[0]).await;
        assert_eq!(world.hour(5).await.unwrap().read, 3, "{what}");
        world.bucket.verified();
    }
}

#[tokio::test]
async fn an_alteration_that_was_acknowledged_stops_nothing_and_another_one_does() {
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
    // The turn of every history comes within the two days.
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
