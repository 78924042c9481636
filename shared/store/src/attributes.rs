//! Attributes that more than one kind of item has, or that a condition or an index names.

/// The partition key of every table.
pub const PK: &str = "pk";
/// The sort key of every table.
pub const SK: &str = "sk";

/// The document of an item.
pub(crate) const DOC: &str = "doc";

/// The version of an item, which conditions compare.
pub(crate) const VERSION: &str = "version";

/// The head of a subject's history: as of a commit in the audit table, the current one beside the subject.
pub(crate) const HEAD: &str = "head";
/// The number of the commit that produced the head of a subject.
pub const HEAD_COMMIT: &str = "head_commit";

/// The attribute by which DynamoDB deletes expired items, in epoch seconds.
pub const TTL_ATTRIBUTE: &str = "expires_at";
