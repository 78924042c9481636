//! `leadctl audit verify` finds every change of a record, with its place, and reports what it could not check.

mod bytes;
mod checkpoints;
mod common;
mod million;
mod proofs;
mod record;
