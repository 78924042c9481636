//! The store: the tables, and the clients to reach them.

use crate::cache::RevisionCache;
use crate::error::StoreError;
use aws_sdk_dynamodb::Client;
use sealing::{KeyWrap, Keyring};
use std::sync::Arc;

/// The store. Cloning is cheap; clones share the cache of published revisions.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
    keys: Option<Arc<DataKeys>>,
}

/// The table of data keys, and what wraps them.
#[derive(Debug)]
pub(crate) struct DataKeys {
    pub table: String,
    pub ring: Keyring,
    pub may_erase: bool,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    leads_table: String,
    audit_table: String,
    cache: RevisionCache,
}

impl Store {
    /// Builds a store over these tables; see [`crate::schema`] for their form.
    pub fn new(client: Client, leads_table: impl Into<String>, audit_table: impl Into<String>) -> Self {
        let (leads_table, audit_table) = (leads_table.into(), audit_table.into());
        let inner = Inner { client, leads_table, audit_table, cache: RevisionCache::default() };
        Self { inner: Arc::new(inner), keys: None }
    }

    /// Adds a table of data keys, and what wraps them. A store without one refuses personal data.
    #[must_use]
    pub fn with_keys(self, table: impl Into<String>, wrap: Arc<dyn KeyWrap>) -> Self {
        let keys = DataKeys { table: table.into(), ring: Keyring::new(wrap), may_erase: false };
        Self { keys: Some(Arc::new(keys)), ..self }
    }

    /// Adds a table of data keys in which the store may destroy the keys of erased leads. Any other store
    /// answers a decision that erases with [`StoreError::ErasureRequired`].
    #[must_use]
    pub fn with_keys_to_erase(self, table: impl Into<String>, wrap: Arc<dyn KeyWrap>) -> Self {
        let keys = DataKeys { table: table.into(), ring: Keyring::new(wrap), may_erase: true };
        Self { keys: Some(Arc::new(keys)), ..self }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.inner.client
    }

    pub(crate) fn leads_table(&self) -> &str {
        &self.inner.leads_table
    }

    pub(crate) fn audit_table(&self) -> &str {
        &self.inner.audit_table
    }

    /// The table of data keys; empty if there is none.
    pub(crate) fn keys_table(&self) -> &str {
        self.keys.as_ref().map_or("", |keys| &keys.table)
    }

    /// The data keys, which personal data requires.
    pub(crate) fn require_keys(&self) -> Result<&DataKeys, StoreError> {
        self.keys.as_deref().ok_or_else(|| {
            StoreError::Rejected("personal data requires a table of data keys, but none is configured".into())
        })
    }

    /// Whether it may destroy the data keys of erased leads.
    pub(crate) fn may_erase(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.may_erase)
    }

    pub(crate) fn cache(&self) -> &RevisionCache {
        &self.inner.cache
    }
}
