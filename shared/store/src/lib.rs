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
mod attributes;
mod audit;
mod cache;
mod commit;
mod due;
mod error;
mod execute;
mod heads;
mod in_force;
mod item;
mod keys;
mod knowledge;
mod lead;
mod outbox;
mod page;
mod personal;
mod publication;
mod publish;
mod queries;
mod read;
mod rep;
mod request;
mod revisions;
pub mod schema;
mod seen;
mod standing;
mod store;
mod transaction;

pub use account::account_key_by_content;
pub use aggregate::Committed;
pub use attributes::{PK, SK};
pub use audit::{ScanCursor, StoredCommit};
pub use due::{DueCursor, DueItem, DuePage, DueSubject};
pub use error::{Cause, StoreError};
pub use keys::DUE_SHARDS;
pub use lead::{content_of, key_by_content};
pub use outbox::{Claim, FIRST_LEASE, MaybeSent, OUTBOX_LEASE, OutboxItem, Requested};
pub use page::{Cursor, PAGE_MAX, Page};
pub use personal::PersonalData;
pub use publication::{Progress, ScopeCursor};
pub use publish::Published;
pub use rep::RepItem;
pub use request::ATTEMPTS_MAX;
pub use store::Store;
