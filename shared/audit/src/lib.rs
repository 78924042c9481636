//! The audit's proof: how the entries of a subject are chained, and what a reader checks them with.
//! Pure, and the same for whoever writes the chain and for whoever verifies it years later.
//!
//! Everything is hashed in one form, the JSON Canonicalization Scheme (RFC 8785), with SHA-256. What
//! is stored and exported is that form already: text that is not canonical is text that was changed.

pub mod canonical;
pub mod chain;
mod commit;
mod hash;

pub use commit::ChainedCommit;
pub use hash::{Hash, HashError, sha256};
