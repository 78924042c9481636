//! Published policies and directories: revisions that never change, and a pointer to the current
//! one. What was read of a revision is kept, so that a decision costs no more than the pointers.

use crate::Store;
use crate::commit::VERSION;
use crate::error::StoreError;
use crate::item::{DOC, Item, document, exact, get_document, get_number, get_text, text};
use crate::keys::Key;
use crate::request::{ATTEMPTS_MAX, pause};
use crate::transaction::{Ended, Transaction, When};
use chrono::{DateTime, Utc};
use rules::directory::{Directory, DirectoryDocument};
use rules::policy::{Policy, PublishedPolicy};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) const POLICY: &str = "POLICY";
pub(crate) const DIRECTORY: &str = "DIRECTORY";

/// So many revisions are kept in memory: the current one, and those that histories refer to.
const KEPT_MAX: usize = 8;

/// Revisions that were read.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    policies: Mutex<BTreeMap<u32, Arc<PublishedPolicy>>>,
    directories: Mutex<BTreeMap<u32, Arc<Directory>>>,
}

fn kept<T>(map: &Mutex<BTreeMap<u32, T>>) -> MutexGuard<'_, BTreeMap<u32, T>> {
    // Each change is one insertion: what a panic left behind is whole.
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep<T: Clone>(map: &Mutex<BTreeMap<u32, T>>, revision: u32, value: &T) {
    let mut map = kept(map);
    map.insert(revision, value.clone());
    while map.len() > KEPT_MAX {
        map.pop_first();
    }
}

/// The parts of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Revision,
    Pointer,
}

impl Store {
    /// Publishes a policy as the next revision. With `expected_base` it does so only while that is
    /// the current revision (0: while there is none).
    ///
    /// # Errors
    /// [`StoreError::BaseMovedOn`] if another revision is current; [`StoreError::Unsound`] if the
    /// policy does not pass its own checks. Whether it fits the directory, the caller checks.
    pub async fn publish_policy(
        &self,
        policy: &Policy,
        by: &str,
        now: DateTime<Utc>,
        expected_base: Option<u32>,
    ) -> Result<Arc<PublishedPolicy>, StoreError> {
        policy.check().map_err(StoreError::Unsound)?;
        let mut tried: Option<(u32, String)> = None;
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt).await;
            let current = self.current_revision(POLICY).await?;
            if let Some((revision, json)) = tried.take()
                && self.is_published(POLICY, revision, &json).await?
                && let Some(published) = self.policy(revision).await?
            {
                return Ok(published);
            }
            if expected_base.is_some_and(|base| base != current) {
                return Err(StoreError::BaseMovedOn { current });
            }
            let before = if current == 0 { None } else { self.policy(current).await? };
            let published = Arc::new(PublishedPolicy::next(before.as_deref(), policy.clone(), by, now));
            let json = document(&Key::revision(POLICY, published.revision), &*published)?;
            if self.publish(POLICY, published.revision, json.clone(), by, now).await? {
                keep(&self.cache().policies, published.revision, &published);
                return Ok(published);
            }
            tried = Some((published.revision, json));
        }
        Err(StoreError::Contention)
    }

    /// The published policy.
    ///
    /// # Errors
    /// [`StoreError::NotSeeded`] if there is none; else if the database does not answer, or an
    /// item cannot be read.
    pub async fn current_policy(&self) -> Result<Arc<PublishedPolicy>, StoreError> {
        let pointer = self.read_one(&Key::current(POLICY)).await?;
        self.policy_of_pointer(pointer.as_ref()).await
    }

    /// A revision of the policy; `None` if it was never published.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn policy(&self, revision: u32) -> Result<Option<Arc<PublishedPolicy>>, StoreError> {
        if let Some(policy) = kept(&self.cache().policies).get(&revision) {
            return Ok(Some(Arc::clone(policy)));
        }
        let item = self.read_one(&Key::revision(POLICY, revision)).await?;
        let policy = item.as_ref().map(get_document::<PublishedPolicy>).transpose()?.map(Arc::new);
        if let Some(policy) = &policy {
            keep(&self.cache().policies, revision, policy);
        }
        Ok(policy)
    }

    /// Publishes a directory as the next revision, gives its number. A rep who changed teams
    /// takes their standing along.
    ///
    /// # Errors
    /// [`StoreError::Unsound`] if the directory does not pass its own checks.
    pub async fn publish_directory(
        &self,
        directory: &DirectoryDocument,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<u32, StoreError> {
        let checked = Arc::new(Directory::check(directory.clone()).map_err(StoreError::Unsound)?);
        let mut tried: Option<(u32, String)> = None;
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt).await;
            let current = self.current_revision(DIRECTORY).await?;
            let before = if current == 0 { None } else { Some(self.directory(current).await?) };
            if let Some((revision, json)) = tried.take()
                && self.is_published(DIRECTORY, revision, &json).await?
            {
                return Ok(revision);
            }
            let revision = current.saturating_add(1);
            let json = document(&Key::revision(DIRECTORY, revision), directory)?;
            if self.publish(DIRECTORY, revision, json.clone(), by, now).await? {
                keep(&self.cache().directories, revision, &checked);
                if let Some(before) = before {
                    self.move_standings(&before, &checked).await?;
                }
                return Ok(revision);
            }
            tried = Some((revision, json));
        }
        Err(StoreError::Contention)
    }

    /// The published directory.
    ///
    /// # Errors
    /// [`StoreError::NotSeeded`] if there is none; else if the database does not answer, or an
    /// item cannot be read.
    pub async fn current_directory(&self) -> Result<Arc<Directory>, StoreError> {
        let pointer = self.read_one(&Key::current(DIRECTORY)).await?;
        self.directory_of_pointer(pointer.as_ref()).await
    }

    pub(crate) async fn policy_of_pointer(
        &self,
        pointer: Option<&Item>,
    ) -> Result<Arc<PublishedPolicy>, StoreError> {
        let pointer = pointer.ok_or(StoreError::NotSeeded { what: "policy" })?;
        let revision = get_number(pointer, VERSION)?;
        let missing = || StoreError::corrupt(Key::revision(POLICY, revision).to_string());
        self.policy(revision).await?.ok_or_else(missing)
    }

    pub(crate) async fn directory_of_pointer(
        &self,
        pointer: Option<&Item>,
    ) -> Result<Arc<Directory>, StoreError> {
        let pointer = pointer.ok_or(StoreError::NotSeeded { what: "directory" })?;
        self.directory(get_number(pointer, VERSION)?).await
    }

    /// Reads a revision and checks it anew: what compiles into calendars is not stored.
    async fn directory(&self, revision: u32) -> Result<Arc<Directory>, StoreError> {
        if let Some(directory) = kept(&self.cache().directories).get(&revision) {
            return Ok(Arc::clone(directory));
        }
        let key = Key::revision(DIRECTORY, revision);
        let item = self.read_one(&key).await?.ok_or_else(|| StoreError::corrupt(key.to_string()))?;
        let checked = Directory::check(get_document(&item)?)
            .map_err(|error| StoreError::unreadable(key.to_string(), error))?;
        let directory = Arc::new(checked);
        keep(&self.cache().directories, revision, &directory);
        Ok(directory)
    }

    async fn move_standings(&self, before: &Directory, after: &Directory) -> Result<(), StoreError> {
        for rep in before.document().teams.values().flat_map(|team| team.reps.keys()) {
            if let Some((from, to)) = before.team_of(rep).zip(after.team_of(rep))
                && from != to
            {
                self.move_standing(rep, from, to).await?;
            }
        }
        Ok(())
    }

    /// The current revision of a series; 0 if there is none.
    async fn current_revision(&self, series: &str) -> Result<u32, StoreError> {
        let pointer = self.read_one(&Key::current(series)).await?;
        pointer.as_ref().map_or(Ok(0), |pointer| get_number(pointer, VERSION))
    }

    async fn is_published(&self, series: &str, revision: u32, json: &str) -> Result<bool, StoreError> {
        let item = self.read_one(&Key::revision(series, revision)).await?;
        Ok(item.is_some_and(|item| get_text(&item, DOC).is_ok_and(|stored| stored == json)))
    }

    /// Writes a revision and the pointer to it; whether it is certain that this was done.
    async fn publish(
        &self,
        series: &str,
        revision: u32,
        json: String,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut item = Key::revision(series, revision).attributes();
        item.insert(DOC.to_owned(), text(json));
        item.insert("published_at".to_owned(), exact(now));
        item.insert("published_by".to_owned(), text(by));
        let mut pointer = Key::current(series).attributes();
        pointer.insert(VERSION.to_owned(), crate::item::number(revision));
        let mut tx = Transaction::new();
        let table = self.leads_table();
        tx.put(Part::Revision, table, item, When::Absent)?;
        tx.put(Part::Pointer, table, pointer, When::Version(u64::from(revision.saturating_sub(1))))?;
        match tx.commit(self).await {
            Ended::Done => Ok(true),
            Ended::Lost(_) | Ended::Busy | Ended::Unknown(_) => Ok(false),
            Ended::Failed(error) => Err(error),
        }
    }
}
