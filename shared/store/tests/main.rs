//! The store against a database in this process, and a model of the commit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod chain;
mod commit;
mod growth;
mod heads;
mod lists;
mod model;
mod personal;
mod pointers;
mod publications;
mod races;
mod reuse;
mod support;
mod template;
