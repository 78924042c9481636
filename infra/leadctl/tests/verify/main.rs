//! `leadctl audit verify` finds every change of a record, with its place, and reports what it could not check.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test should stop")]

mod bytes;
mod checkpoints;
mod common;
mod million;
mod proofs;
mod record;
