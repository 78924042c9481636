//! Checkpoint runs over an archive in memory.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod series;
mod tampering;
mod world;
