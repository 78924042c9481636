//! The audit's proof: how the entries of a subject are chained, and what a reader checks them with.
//! Pure, and the same for whoever writes the chain and for whoever verifies it years later.
//!
//! Everything is hashed in one form, the JSON Canonicalization Scheme (RFC 8785), with SHA-256. What
//! is stored and exported is that form already: text that is not canonical is text that was changed.
//!
//! A commit's links ([`chain`]) come to the subject's head, the heads of all subjects to the root of
//! a tree ([`leaves`], [`tree`]), and the root into a signed [`checkpoint`]. [`proof`] is the whole
//! way for one entry.

pub mod canonical;
pub mod chain;
pub mod checkpoint;
mod commit;
mod hash;
pub mod leaves;
pub mod proof;
pub mod signature;
pub mod tampering;
pub mod tree;

pub use commit::ChainedCommit;
pub use hash::{Hash, HashError, sha256};
