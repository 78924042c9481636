//! `leadctl audit verify` against whoever changes a record: what was done to it is named, with its
//! place; and nothing is said to be fine that was not looked at.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod bytes;
mod checkpoints;
mod common;
mod million;
mod proofs;
mod record;
