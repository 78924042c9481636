//! The rulebook: a policy and a directory that are in force together, ready for decisions.

use crate::directory::Directory;
use crate::policy::{Policy, PublishedPolicy};
use crate::vocabulary::InForce;
use std::sync::Arc;

/// A policy and a directory that are in force together. A clone copies pointers.
#[derive(Debug, Clone)]
pub struct Rulebook {
    published: Arc<PublishedPolicy>,
    directory: Arc<Directory>,
}

impl Rulebook {
    /// The rules of a policy and a directory.
    #[must_use]
    pub fn new(published: Arc<PublishedPolicy>, directory: Arc<Directory>) -> Self {
        Self { published, directory }
    }

    /// The policy as it was published.
    #[must_use]
    pub fn published(&self) -> &Arc<PublishedPolicy> {
        &self.published
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.published.policy
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The directory, shared.
    #[must_use]
    pub fn shared_directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The revisions.
    #[must_use]
    pub fn in_force(&self) -> InForce {
        InForce { policy: self.published.revision, directory: self.directory.revision() }
    }
}
