//! Leadwatch's DynamoDB tables: their contents, and the only way to write them.
//!
//! [`Store::execute`] is that way. It reads a lead and what a decision may know, lets the rules decide, and
//! writes the result in one transaction. Only data that no history depends on is written elsewhere: leases of
//! the outbox, due keys, the sweep's cursor.
//!
//! - If a commit loses a race, the store reads and decides again, a bounded number of times.
//! - An input with a dedupe key is applied once; a repetition gets the first answer.
//! - The personal data of an input is sealed before any other step; see `personal`.
//! - If the answer to a commit is lost, the store looks up the audit item to find out whether it was written.
//!
//! Nothing here reads the system clock: every call takes the time as an argument.

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
