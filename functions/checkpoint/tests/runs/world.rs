//! Subjects, an archive and a signer in memory.

use audit::checkpoint::{Envelope, number_at};
use audit::leaves::{Leaf, LeafError, Leaves, read_changes};
use audit::signature::{PublicKey, Signature, SigningKey};
use audit::tampering::{ACKNOWLEDGED, TAMPERING};
use audit::{ChainedCommit, Hash, sha256};
use checkpoint::{
    Archive, ArchiveError, CheckpointFailure, CheckpointSummary, Deps, Entries, Heads, Signer, SignerError,
    Tick, checkpoint,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use store::{Cursor, DUE_SHARDS, Page, StoreError};

/// The table: heads by subject, and stale ones that the index still shows for some reads.
#[derive(Clone, Default)]
pub struct Table(pub Arc<Mutex<Heap>>);

#[derive(Default)]
pub struct Heap {
    pub heads: BTreeMap<String, Leaf>,
    /// Changed histories; every other one matches its head.
    pub changed: BTreeMap<String, Vec<ChainedCommit>>,
    /// How often entries were read, by subject.
    pub reads: BTreeMap<String, u32>,
    pub behind: BTreeMap<String, (u32, Option<Leaf>)>,
}

/// A history with a number of commits; each fork has another last commit.
pub fn history(subject: &str, commits: u64, fork: u8) -> Vec<ChainedCommit> {
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

pub fn leaf(subject: &str, commit: u64, fork: u8) -> Leaf {
    let head = history(subject, commit, fork).last().unwrap().head;
    Leaf { commit, head, subject: subject.into() }
}

impl Table {
    pub fn commit(&self, subject: &str, commit: u64) {
        self.put(leaf(subject, commit, 0));
    }

    pub fn put(&self, leaf: Leaf) {
        self.0.lock().unwrap().heads.insert(leaf.subject.to_string(), leaf);
    }

    pub fn remove(&self, subject: &str) {
        self.0.lock().unwrap().heads.remove(subject);
    }

    pub fn lag(&self, subject: &str, looks: u32, shows: Option<Leaf>) {
        self.0.lock().unwrap().behind.insert(subject.to_owned(), (looks, shows));
    }

    pub fn look(&self, subject: &str) -> Option<Leaf> {
        let mut heap = self.0.lock().unwrap();
        if let Some((looks, shows)) = heap.behind.get_mut(subject).filter(|(looks, _)| *looks > 0) {
            *looks -= 1;
            return shows.clone();
        }
        heap.heads.get(subject).cloned()
    }
}

impl Heads for Table {
    /// Two heads a page, so that there are several pages.
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

/// Objects by path. It can stop answering after a number of calls, with or without performing the last one.
#[derive(Clone, Default)]
pub struct Bucket(pub Arc<Mutex<Objects>>);

#[derive(Default)]
pub struct Objects {
    pub kept: BTreeMap<String, Vec<u8>>,
    pub leaves: Option<Vec<u8>>,
    pub calls_left: Option<u32>,
    pub does_the_last: bool,
}

impl Bucket {
    pub fn ends_after(&self, calls: Option<u32>, does_the_last: bool) {
        let mut objects = self.0.lock().unwrap();
        (objects.calls_left, objects.does_the_last) = (calls, does_the_last);
    }

    /// Performs a call, unless the bucket has stopped answering.
    pub fn call<T>(&self, path: &str, act: impl FnOnce(&mut Objects) -> T) -> Result<T, ArchiveError> {
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

    pub fn checkpoints(&self) -> Vec<Envelope> {
        let objects = self.0.lock().unwrap();
        let of = objects.kept.iter().filter(|(path, _)| number_at(path).is_some());
        of.map(|(_, text)| Envelope::read(std::str::from_utf8(text).unwrap()).unwrap()).collect()
    }

    /// Verifies the series, and returns its leaves.
    pub fn verified(&self) -> Leaves {
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

pub struct Key(pub SigningKey, pub PublicKey);

pub fn key() -> SigningKey {
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

pub fn hour(n: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(n)
}

pub struct World {
    pub table: Table,
    pub bucket: Bucket,
    pub deps: Deps<Table, Bucket, Key>,
}

impl World {
    pub fn of(table: Table, bucket: Bucket) -> Self {
        let signer = Key(key(), key().public_key());
        let (heads, archive) = (table.clone(), bucket.clone());
        let deps = Deps { heads, archive, signer, deployment: "leadwatch".to_owned(), verify_within_days: 2 };
        Self { table, bucket, deps }
    }

    /// Two leads and an account, with one checkpoint.
    pub async fn begun() -> Self {
        let world = Self::of(Table::default(), Bucket::default());
        for subject in ["lead/L-1", "lead/L-2", "account/A-1"] {
            world.table.commit(subject, 2);
        }
        world.hour(1).await.unwrap();
        world
    }

    pub async fn hour(&self, n: i64) -> Result<CheckpointSummary, CheckpointFailure> {
        checkpoint(&self.deps, &Tick { scheduled_time: hour(n) }, hour(n) + TimeDelta::seconds(2)).await
    }

    pub async fn refused(&self, n: i64) -> LeafError {
        let before = self.bucket.checkpoints();
        let refused = self.hour(n).await;
        assert_eq!(self.bucket.checkpoints(), before, "nothing is signed");
        let Err(CheckpointFailure::Refused(why)) = refused else { panic!("{refused:?}") };
        why
    }
}

impl World {
    /// Changes a history behind its head's back.
    pub fn change(&self, subject: &str, change: impl FnOnce(&mut Vec<ChainedCommit>)) {
        let mut heap = self.table.0.lock().unwrap();
        let mut commits = history(subject, heap.heads[subject].commit, 0);
        change(&mut commits);
        heap.changed.insert(subject.to_owned(), commits);
    }

    /// Checks that the hour is refused because the audit was changed. Returns the names of the reports.
    pub async fn tampered(&self, n: i64) -> Vec<String> {
        let before = self.bucket.checkpoints();
        let refused = self.hour(n).await;
        assert!(matches!(refused, Err(CheckpointFailure::Tampered { .. })), "{refused:?}");
        assert_eq!(self.bucket.checkpoints(), before, "nothing is signed");
        self.bucket.list(TAMPERING).await.unwrap()
    }

    pub async fn acknowledge(&self, name: &str) {
        self.bucket.put_new(&format!("{ACKNOWLEDGED}{name}"), b"{}".to_vec()).await.unwrap();
    }
}
