//! Leadwatch's DynamoDB tables: what is in them, and the one way to write it.
//!
//! [`Store::execute`] is that way: it reads a lead and what a decision may know, lets the rules
//! decide, and writes everything that follows in one transaction. Nothing is written outside it
//! but what no history hangs on: leases of the outbox, due keys, the sweep's cursor.
//!
//! - A lost race is read and decided again, a bounded number of times.
//! - An input that carries a dedupe key is applied once; a repetition gets the first answer.
//! - What is personal in an input is sealed before anything else is done with it; see `personal`.
//! - A commit whose answer was lost is settled by reading its audit item.
//!
//! Nothing here reads the clock: every call is handed its instant.

mod account;
mod aggregate;
mod audit;
mod commit;
mod due;
mod error;
mod execute;
mod heads;
mod in_force;
mod item;
mod keys;
mod lead;
mod learn;
mod outbox;
mod personal;
mod publication;
mod publish;
mod queries;
mod rep;
mod request;
pub mod schema;
mod seen;
mod transaction;

pub use account::account_key_by_content;
pub use aggregate::Committed;
pub use audit::{ScanCursor, StoredCommit};
pub use due::{DueCursor, DueItem, DuePage, DueSubject};
pub use error::{Cause, StoreError};
pub use keys::{DUE_SHARDS, PK, SK};
pub use lead::{content_of, key_by_content};
pub use outbox::{Claim, FIRST_LEASE, MaybeSent, OUTBOX_LEASE, OutboxItem, Requested};
pub use personal::PersonalData;
pub use publication::{Place, Progress};
pub use publish::Published;
pub use queries::{Cursor, PAGE_MAX, Page};
pub use rep::RepItem;
pub use request::ATTEMPTS_MAX;

use aws_sdk_dynamodb::Client;
use sealing::{KeyWrap, Keyring};
use std::sync::Arc;

/// The tables. A clone is cheap and shares the cache of published revisions.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
    keys: Option<Arc<DataKeys>>,
}

/// Where data keys are, and what wraps them.
#[derive(Debug)]
struct DataKeys {
    table: String,
    ring: Keyring,
    may_erase: bool,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    leads_table: String,
    audit_table: String,
    cache: publish::Cache,
}

impl Store {
    /// A store over these tables; see [`schema`] for what they have to be.
    pub fn new(client: Client, leads_table: impl Into<String>, audit_table: impl Into<String>) -> Self {
        let (leads_table, audit_table) = (leads_table.into(), audit_table.into());
        let inner = Inner { client, leads_table, audit_table, cache: publish::Cache::default() };
        Self { inner: Arc::new(inner), keys: None }
    }

    /// With a table of data keys, and what wraps them. Without, nothing personal is taken: it is
    /// refused.
    #[must_use]
    pub fn with_keys(self, table: impl Into<String>, wrap: Arc<dyn KeyWrap>) -> Self {
        let keys = DataKeys { table: table.into(), ring: Keyring::new(wrap), may_erase: false };
        Self { keys: Some(Arc::new(keys)), ..self }
    }

    /// With a table of data keys of which it may destroy those of leads that are erased. Any other
    /// store answers [`StoreError::ErasedElsewhere`] to a decision that erases.
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

    pub(crate) fn cache(&self) -> &publish::Cache {
        &self.inner.cache
    }
}
