//! Wraps data keys with a master key, and unwraps them.

use crate::data_key::{DATA_KEY_BYTES, DataKey};
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

/// A data key of bytes that came from elsewhere.
pub(crate) fn data_key(bytes: &[u8]) -> Result<DataKey, WrapError> {
    let bytes: &[u8; DATA_KEY_BYTES] = bytes.try_into().map_err(|_| WrapError::Foreign)?;
    DataKey::new(bytes).map_err(|error| WrapError::Refused(error.into()))
}
