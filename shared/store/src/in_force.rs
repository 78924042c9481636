//! The policy and the directory that were in force at a time in the past.

use crate::error::StoreError;
use crate::store::Store;
use chrono::{DateTime, Utc};
use policy::PublishedPolicy;
use policy::directory::Directory;
use std::sync::Arc;

impl Store {
    /// The policy in force at a time: the last one published by then. `None` if there was none.
    ///
    /// # Errors
    /// As for [`Store::current_policy`].
    pub async fn policy_at(&self, at: DateTime<Utc>) -> Result<Option<Arc<PublishedPolicy>>, StoreError> {
        let newest = self.current_policy().await?;
        let is_by_then = async |revision| Ok(self.required_policy(revision).await?.published_at <= at);
        match last_by(newest.revision, is_by_then).await? {
            0 => Ok(None),
            revision => self.required_policy(revision).await.map(Some),
        }
    }

    /// The directory in force at a time; see [`Store::policy_at`].
    ///
    /// # Errors
    /// As for [`Store::current_directory`].
    pub async fn directory_at(&self, at: DateTime<Utc>) -> Result<Option<Arc<Directory>>, StoreError> {
        let newest = self.current_directory().await?;
        let is_by_then = async |revision| Ok(self.directory(revision).await?.published_at() <= at);
        match last_by(newest.revision(), is_by_then).await? {
            0 => Ok(None),
            revision => self.directory(revision).await.map(Some),
        }
    }
}

/// The last revision published by a time; 0 if there is none. Searches by bisection, because revisions are in
/// order of time. Tries the newest first, because most callers want it.
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
