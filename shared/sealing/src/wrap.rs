//! Wraps data keys with a master key, and unwraps them.

use crate::data_key::{DATA_KEY_BYTES, DataKey};
use futures::future::BoxFuture;

/// The cause of an error, for the log and never for an answer.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a data key is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum WrapError {
    /// The key service does not answer, or the master key is locked. A later attempt may succeed.
    #[error("the key service did not answer")]
    Unavailable(#[source] Cause),
    /// The key service refuses: a permission is missing, or the master key does not exist.
    #[error("the key service refused the request")]
    Refused(#[source] Cause),
    /// The key was wrapped by another master key or for another subject, or it was changed.
    #[error("the data key was not wrapped by this master key for this subject")]
    Foreign,
}

/// A new data key.
#[derive(Debug)]
pub struct NewKey {
    /// The key.
    pub key: DataKey,
    /// The key as it is stored.
    pub wrapped: Vec<u8>,
}

/// Makes data keys and unwraps them. A wrapped key is bound to its subject.
pub trait KeyWrap: std::fmt::Debug + Send + Sync {
    /// Makes a data key for a subject.
    fn generate<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<NewKey, WrapError>>;

    /// Unwraps the data key of a subject.
    fn open<'a>(&'a self, subject: &'a str, wrapped: &'a [u8]) -> BoxFuture<'a, Result<DataKey, WrapError>>;
}

/// Builds a data key from bytes of any length.
pub(crate) fn data_key(bytes: &[u8]) -> Result<DataKey, WrapError> {
    let bytes: &[u8; DATA_KEY_BYTES] = bytes.try_into().map_err(|_| WrapError::Foreign)?;
    DataKey::new(bytes).map_err(|error| WrapError::Refused(error.into()))
}
