//! The audit as a file: exported from the tables, read back, sorted, and made up for tests.

pub mod acknowledge;
pub mod checkpoint;
pub mod checkpoints;
mod directory;
pub mod export;
mod file;
pub mod generate;
mod lines;
mod opened;
pub mod prove;
pub mod show;
mod sort;
pub mod verify;

pub use file::{Reader, Writer};
pub use sort::{Order, Sorted, sorted};
