//! A policy that passed its checks.

use super::content::Policy;
use crate::directory::Directory;
use crate::document::{Document, DocumentError, both};
use std::ops::Deref;

/// A policy that passed its checks. Code that takes one does not check again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPolicy(Policy);

impl CheckedPolicy {
    /// Reads and checks a policy document by itself.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(yaml: &str) -> Result<Self, DocumentError> {
        Self::examine(&Document::read(yaml)?, None)
    }

    /// Takes a policy from a document and checks it, against its directory too if there is one.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn examine(document: &Document, directory: Option<&Directory>) -> Result<Self, DocumentError> {
        document.examine(|policy: Policy| {
            let itself = policy.check();
            let against = directory.map_or(Ok(()), |directory| policy.check_against(directory));
            both(itself, against).map(|()| Self(policy))
        })
    }

    /// The policy, free to be changed.
    #[must_use]
    pub fn into_policy(self) -> Policy {
        self.0
    }
}

impl Deref for CheckedPolicy {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        &self.0
    }
}

impl Policy {
    /// Checks the policy by itself.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn checked(self) -> Result<CheckedPolicy, DocumentError> {
        self.check().map(|()| CheckedPolicy(self))
    }

    /// As [`CheckedPolicy::parse`], for a policy that is still to be changed.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(yaml: &str) -> Result<Self, DocumentError> {
        CheckedPolicy::parse(yaml).map(CheckedPolicy::into_policy)
    }

    /// As [`CheckedPolicy::examine`], for a policy that is still to be changed.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn examine(document: &Document, directory: Option<&Directory>) -> Result<Self, DocumentError> {
        CheckedPolicy::examine(document, directory).map(CheckedPolicy::into_policy)
    }
}
