//! The command line as people and scripts use it: streams, files and exit statuses.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test should stop")]

mod cli;
mod policy;
mod record;
mod verify;
