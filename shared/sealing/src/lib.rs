//! Personal data, sealed. Each subject (a lead, an account) has a data key of its own; every personal
//! text of it is stored encrypted under that key, wherever it stands. Whoever destroys the key has
//! erased them all, in the record, its copies and its backups, and nothing there has to be rewritten.
//!
//! A data key is stored wrapped by a master key that stays where it is (KMS, or a key of a test).
//! Equal texts of one subject are sealed alike: a decision that compares them, and a replay of it,
//! comes out as it would with the texts themselves. Nothing here knows where keys are stored.

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
