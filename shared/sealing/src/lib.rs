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

pub use data_key::{DATA_KEY_BYTES, DataKey, SealError, is_sealed};
pub use keyring::Keyring;
pub use kms::KmsWrap;
pub use local::LocalWrap;

use futures::future::BoxFuture;

/// What lies under an error; its text is for the log, never for an answer.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a data key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum WrapError {
    /// The key service does not answer, or has the master key locked; later it may.
    #[error("the key service did not answer")]
    Unavailable(#[source] Cause),
    /// The key service refuses: a permission is missing, or there is no such master key.
    #[error("the key service refused the request")]
    Refused(#[source] Cause),
    /// It was wrapped by another master key or for another subject, or was changed since.
    #[error("the data key was not wrapped by this master key for this subject")]
    Foreign,
}

/// A data key that was just made.
#[derive(Debug)]
pub struct NewKey {
    /// The key.
    pub key: DataKey,
    /// The key as it is stored.
    pub wrapped: Vec<u8>,
}

/// Makes data keys and unwraps them. A wrapped key is bound to its subject.
pub trait KeyWrap: std::fmt::Debug + Send + Sync {
    /// A new data key for a subject.
    fn generate<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<NewKey, WrapError>>;

    /// The data key of a subject.
    fn open<'a>(&'a self, subject: &'a str, wrapped: &'a [u8]) -> BoxFuture<'a, Result<DataKey, WrapError>>;
}
