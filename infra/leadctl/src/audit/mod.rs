//! `leadctl audit`: exports, verifies and proves the audit.

pub mod acknowledge;
pub mod checkpoint;
mod checkpoint_dir;
pub mod checkpoints;
mod compression;
pub mod export;
mod format;
mod lines;
mod opened;
pub mod prove;
pub mod show;
mod sort;
mod tables;
pub mod verify;

pub use format::Reader;
pub use sort::{Order, Sorted, sorted};
