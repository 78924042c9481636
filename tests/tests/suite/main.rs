//! Everything that needs no harness of its own, in one binary: linking is most of what a test binary costs.

mod business_time;
mod deciding;
mod differences;
mod digests;
mod documents;
mod examples;
mod explaining;
mod export;
mod generated;
mod lints;
mod modules;
mod order;
mod policies;
mod properties;
mod recompute;
mod record;
mod telling;
