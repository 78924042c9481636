//! The policy to describe, with its context.

use policy::directory::Directory;
use policy::{Policy, PublishedPolicy};

/// A policy to describe, with its earlier revisions and the directory in force.
#[derive(Debug, Clone, Copy)]
pub struct DocumentedPolicy<'a> {
    /// The revision to describe.
    pub published: &'a PublishedPolicy,
    /// Earlier revisions, as far as they are available. The change history comes from them.
    pub earlier: &'a [&'a PublishedPolicy],
    /// The directory in force with the policy.
    pub directory: Option<&'a Directory>,
    /// Whether the revisions were really published, so that their dates and publishers mean something.
    pub is_dated: bool,
}

impl DocumentedPolicy<'_> {
    pub(super) fn policy(&self) -> &Policy {
        &self.published.policy
    }
}
