//! Published policies and directories: immutable revisions, and a pointer to the current one.

use crate::attributes::{DOC, VERSION};
use crate::cache::{cached, keep};
use crate::error::StoreError;
use crate::item::{Item, get_document, get_instant, get_number, get_text};
use crate::keys::Key;
use crate::store::Store;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{PublicationId, PublicationKind};
use policy::{PublishedPolicy, Rulebook};
use serde_json::value::RawValue;
use std::sync::Arc;

pub(crate) const POLICY: &str = "POLICY";
pub(crate) const DIRECTORY: &str = "DIRECTORY";

/// When a revision was published.
pub(crate) const PUBLISHED_AT: &str = "published_at";

pub(crate) fn series(kind: PublicationKind) -> &'static str {
    match kind {
        PublicationKind::Policy => POLICY,
        PublicationKind::Directory => DIRECTORY,
    }
}

impl Store {
    /// The published policy.
    ///
    /// # Errors
    /// [`StoreError::NotPublished`] if there is none. Otherwise, if the database does not answer, or an item
    /// cannot be read.
    pub async fn current_policy(&self) -> Result<Arc<PublishedPolicy>, StoreError> {
        let pointer = self.read_one(&Key::current(POLICY)).await?;
        self.policy_of_pointer(pointer.as_ref()).await
    }

    /// A revision of the policy; `None` if it was never published.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn policy(&self, revision: u32) -> Result<Option<Arc<PublishedPolicy>>, StoreError> {
        if let Some(policy) = cached(&self.cache().policies).get(&revision) {
            return Ok(Some(Arc::clone(policy)));
        }
        let item = self.read_one(&Key::revision(POLICY, revision)).await?;
        let policy = item.as_ref().map(get_document::<PublishedPolicy>).transpose()?.map(Arc::new);
        if let Some(policy) = &policy {
            keep(&self.cache().policies, revision, policy);
        }
        Ok(policy)
    }

    /// The stored text of a revision, and when it was published; `None` if it never was. The first entry of
    /// its history contains the hash of the text.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn revision_text(
        &self,
        id: &PublicationId,
    ) -> Result<Option<(Box<RawValue>, DateTime<Utc>)>, StoreError> {
        let key = Key::revision(series(id.kind), id.revision);
        let Some(item) = self.read_one(&key).await? else { return Ok(None) };
        let text = RawValue::from_string(get_text(&item, DOC)?.to_owned())
            .map_err(|error| StoreError::unreadable(key.to_string(), error))?;
        Ok(Some((text, get_instant(&item, PUBLISHED_AT)?)))
    }

    /// The published directory.
    ///
    /// # Errors
    /// [`StoreError::NotPublished`] if there is none. Otherwise, if the database does not answer, or an item
    /// cannot be read.
    pub async fn current_directory(&self) -> Result<Arc<Directory>, StoreError> {
        let pointer = self.read_one(&Key::current(DIRECTORY)).await?;
        self.directory_of_pointer(pointer.as_ref()).await
    }

    /// A revision of the policy that must exist.
    ///
    /// # Errors
    /// If it does not exist; otherwise as for [`Store::policy`].
    pub async fn required_policy(&self, revision: u32) -> Result<Arc<PublishedPolicy>, StoreError> {
        let missing = || StoreError::corrupt(Key::revision(POLICY, revision).to_string());
        self.policy(revision).await?.ok_or_else(missing)
    }

    /// The compiled rules of a policy and a directory.
    pub(crate) fn rules(&self, policy: Arc<PublishedPolicy>, directory: Arc<Directory>) -> Arc<Rulebook> {
        let key = (policy.revision, directory.revision());
        if let Some(rules) = cached(&self.cache().rules).get(&key) {
            return Arc::clone(rules);
        }
        let rules = Arc::new(Rulebook::new(policy, directory));
        keep(&self.cache().rules, key, &rules);
        rules
    }

    pub(crate) async fn policy_of_pointer(
        &self,
        pointer: Option<&Item>,
    ) -> Result<Arc<PublishedPolicy>, StoreError> {
        let pointer = pointer.ok_or(StoreError::NotPublished { what: "policy" })?;
        let revision = get_number(pointer, VERSION)?;
        self.required_policy(revision).await
    }

    pub(crate) async fn directory_of_pointer(
        &self,
        pointer: Option<&Item>,
    ) -> Result<Arc<Directory>, StoreError> {
        let pointer = pointer.ok_or(StoreError::NotPublished { what: "directory" })?;
        self.directory(get_number(pointer, VERSION)?).await
    }

    /// Reads a revision of the directory and checks it again, because its compiled calendars are not stored.
    ///
    /// # Errors
    /// If the database does not answer, there is no such revision, or the item cannot be read.
    pub async fn directory(&self, revision: u32) -> Result<Arc<Directory>, StoreError> {
        if let Some(directory) = cached(&self.cache().directories).get(&revision) {
            return Ok(Arc::clone(directory));
        }
        let key = Key::revision(DIRECTORY, revision);
        let item = self.read_one(&key).await?.ok_or_else(|| StoreError::corrupt(key.to_string()))?;
        let checked = Directory::check(get_document(&item)?)
            .map_err(|error| StoreError::unreadable(key.to_string(), error))?;
        let directory = Arc::new(checked.published(revision, get_instant(&item, PUBLISHED_AT)?));
        keep(&self.cache().directories, revision, &directory);
        Ok(directory)
    }
}
