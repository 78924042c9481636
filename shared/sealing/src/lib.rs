//! Seals personal data. Each subject (a lead, an account) has its own data key, and all its personal texts
//! are stored encrypted under that key. Destroying the key erases all of them, in the audit, its copies and
//! its backups, and nothing has to be rewritten.
//!
//! A data key is stored wrapped by a master key that never leaves its place (KMS, or a test's memory). Equal
//! texts of one subject give equal sealed texts, so that a decision that compares them, and its replay, has
//! the same result as with the texts themselves. Nothing here knows where keys are stored.

mod data_key;
mod keyring;
mod kms;
mod local;
mod wrap;

pub use data_key::{DATA_KEY_BYTES, DataKey, SealError, is_sealed};
pub use keyring::Keyring;
pub use kms::KmsWrap;
pub use local::LocalWrap;
pub use wrap::{Cause, KeyWrap, NewKey, WrapError};
