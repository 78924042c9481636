//! Proves the audit: chains the entries of a subject, and verifies them. The code does no IO, and the same
//! code writes the chain and verifies it years later.
//!
//! Everything is hashed with SHA-256 in one form, the JSON Canonicalization Scheme (RFC 8785). Stored and
//! exported text has that form already: text that is not canonical was changed.
//!
//! A commit's links ([`chain`]) lead to the subject's head, the heads of all subjects to the root of a tree
//! ([`leaves`], [`tree`]), and the root into a signed [`checkpoint`]. A [`proof`] is the whole path of one
//! entry.

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
