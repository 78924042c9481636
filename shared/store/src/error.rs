//! Errors of the store.

use policy::document::DocumentError;
use policy::ids::Subject;
use rules::aggregate::Defect;
use sealing::WrapError;

/// The cause of an error, for the log and never for an answer.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer, or not in time. The write may or may not have happened; trying again
    /// settles it.
    #[error("the database did not answer")]
    Unavailable(#[source] Cause),
    /// The service that unwraps the data keys did not answer. Nothing was written.
    #[error("the data key of {subject} is temporarily unavailable")]
    KeysUnavailable {
        /// The subject of the data key.
        subject: Subject,
        /// The error of the key service.
        #[source]
        source: WrapError,
    },
    /// The retention period has ended, so the decision would erase personal data, but this function may not
    /// destroy data keys. Another function has to erase it first. Nothing was written.
    #[error("another function has to erase the personal data of {subject} first")]
    ErasureRequired {
        /// The subject of the data.
        subject: Subject,
    },
    /// Other writers kept changing the same items. Trying again helps.
    #[error("too many concurrent writes to the same items")]
    Contention,
    /// An item does not have the form that this crate writes.
    #[error("{what} cannot be read")]
    Corrupt {
        /// The item, and the part of it.
        what: String,
        /// The error of the reader.
        #[source]
        source: Option<Cause>,
    },
    /// No decision is possible before a policy and a directory are published.
    #[error("no {what} is published")]
    NotPublished {
        /// The missing document.
        what: &'static str,
    },
    /// The publication is based on a revision that is no longer the current one.
    #[error("not based on the current revision, which is {current}")]
    StaleBase {
        /// The current revision; 0 if there is none.
        current: u32,
    },
    /// The dedupe key belongs to an input to another subject.
    #[error("the id was used for another subject")]
    UsedForOtherSubject,
    /// The dedupe key belongs to other content.
    #[error("the id was used for other content")]
    UsedForOtherContent,
    /// A defect of the rules. Nothing was written.
    #[error("a defect of the rules stopped the decision on {subject}")]
    Defect {
        /// The subject of the decision.
        subject: Subject,
        /// The defect.
        #[source]
        source: Defect,
    },
    /// The document does not pass its own checks.
    #[error("the document is not valid")]
    InvalidDocument(#[source] DocumentError),
    /// The content exceeds the limit of an item or a transaction.
    #[error("{what} is too large")]
    TooLarge {
        /// The content.
        what: String,
    },
    /// The database rejected the request: a permission or a table is missing, or the request is wrong.
    #[error("the database rejected the request")]
    Rejected(#[source] Cause),
}

impl StoreError {
    /// Whether the same call can succeed later without any repair.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::KeysUnavailable { .. }
                | Self::ErasureRequired { .. }
                | Self::Contention
        )
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into(), source: None }
    }

    pub(crate) fn unreadable(what: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Corrupt { what: what.into(), source: Some(source.into()) }
    }
}

impl From<aws_sdk_dynamodb::error::BuildError> for StoreError {
    fn from(error: aws_sdk_dynamodb::error::BuildError) -> Self {
        Self::Rejected(error.into())
    }
}
