//! The audit as a file: exported from the tables, read back, sorted, and made up for tests.

pub mod checkpoint;
pub mod checkpoints;
mod directory;
pub mod export;
mod file;
pub mod generate;
mod opened;
mod sort;

pub use file::{Reader, Writer};
pub use sort::{Order, Sorted, sorted};
