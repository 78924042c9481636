//! What can go wrong between the rules and the tables.

use policy::document::DocumentError;
use policy::ids::Subject;
use rules::aggregate::Defect;
use sealing::WrapError;

/// What lies under an error; its text is for the log, never for an answer.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer, or not in time. Whatever was asked for may or may not have
    /// happened; asking again settles it.
    #[error("the database did not answer")]
    Unavailable(#[source] Cause),
    /// The service that keeps the data keys did not answer. Nothing was written.
    #[error("the data key of {subject} cannot be had")]
    KeysUnavailable {
        /// Whose data key.
        subject: Subject,
        /// What the key service says.
        #[source]
        source: WrapError,
    },
    /// The decision would erase personal data, since its time is over, and this function may not
    /// destroy data keys. One that may has to decide on the subject first. Nothing was written.
    #[error("the personal data of {subject} is to be erased first, by a function that may")]
    ErasedElsewhere {
        /// Whose data.
        subject: Subject,
    },
    /// Others kept writing the same items; asking again helps.
    #[error("others kept writing the same items")]
    Contention,
    /// An item is not what this crate writes.
    #[error("{what} cannot be read")]
    Corrupt {
        /// Which item, and which part of it.
        what: String,
        /// What the reader says.
        #[source]
        source: Option<Cause>,
    },
    /// Nothing can be decided before a policy and a directory are published.
    #[error("no {what} is published")]
    NotSeeded {
        /// What is missing.
        what: &'static str,
    },
    /// It builds on a revision that is not the current one any more.
    #[error("the current revision is {current}")]
    BaseMovedOn {
        /// The current revision; 0 if there is none.
        current: u32,
    },
    /// The dedupe key stands for an input to something else.
    #[error("the id was used for something else")]
    UsedForAnother,
    /// The dedupe key stands for other content.
    #[error("the id was used for other content")]
    UsedForOtherContent,
    /// The rules made a mistake. Nothing was written.
    #[error("the rules cannot decide on {subject}")]
    Defect {
        /// On what.
        subject: Subject,
        /// The mistake.
        #[source]
        source: Defect,
    },
    /// The document does not pass its own checks.
    #[error("the document is not sound")]
    Unsound(#[source] DocumentError),
    /// It is more than an item or a transaction can hold.
    #[error("{what} is too large")]
    TooLarge {
        /// What.
        what: String,
    },
    /// The database refuses: a permission or a table is missing, or this crate asks wrongly.
    #[error("the database refused the request")]
    Rejected(#[source] Cause),
}

impl StoreError {
    /// Whether the same call can succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::KeysUnavailable { .. }
                | Self::ErasedElsewhere { .. }
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
