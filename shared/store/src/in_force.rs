//! Which policy and which directory were in force at an instant of the past.

use crate::error::StoreError;
use crate::store::Store;
use chrono::{DateTime, Utc};
use policy::PublishedPolicy;
use policy::directory::Directory;
use std::sync::Arc;

impl Store {
    /// The policy that was in force at an instant: the last one that was published by then. `None`
    /// if none was.
    ///
    /// # Errors
    /// As [`Store::current_policy`].
    pub async fn policy_at(&self, at: DateTime<Utc>) -> Result<Option<Arc<PublishedPolicy>>, StoreError> {
        let newest = self.current_policy().await?;
        let is_by_then = async |revision| Ok(self.required_policy(revision).await?.published_at <= at);
        match last_by(newest.revision, is_by_then).await? {
            0 => Ok(None),
            revision => self.required_policy(revision).await.map(Some),
        }
    }

    /// The directory that was in force at an instant; see [`Store::policy_at`].
    ///
    /// # Errors
    /// As [`Store::current_directory`].
    pub async fn directory_at(&self, at: DateTime<Utc>) -> Result<Option<Arc<Directory>>, StoreError> {
        let newest = self.current_directory().await?;
        let is_by_then = async |revision| Ok(self.directory(revision).await?.published_at() <= at);
        match last_by(newest.revision(), is_by_then).await? {
            0 => Ok(None),
            revision => self.directory(revision).await.map(Some),
        }
    }
}

/// The last revision that was published by then; 0 if none was. Revisions follow each other in
/// time, so that few of them have to be looked at; the newest is looked at first, since most who
/// ask mean it.
async fn last_by(
    newest: u32,
    is_by_then: impl AsyncFn(u32) -> Result<bool, StoreError>,
) -> Result<u32, StoreError> {
    if is_by_then(newest).await? {
        return Ok(newest);
    }
    // INVARIANT: `by_then` was published by then, or is 0; `later` was not.
    let (mut by_then, mut later) = (0, newest);
    while later.saturating_sub(by_then) > 1 {
        let middle = by_then.midpoint(later);
        if is_by_then(middle).await? { by_then = middle } else { later = middle }
    }
    Ok(by_then)
}
