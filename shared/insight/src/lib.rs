//! Answers questions about policies and histories: why a lead is where it is, what would have happened under
//! other rules, and whether a policy does what its author means.
//!
//! Pure, like the rules. Only the tools that answer such questions compile this crate.

pub mod backtest;
pub mod documentation;
pub mod effect;
pub mod explain;
pub mod lint;
pub mod replay;
pub mod simulate;
pub mod suggest;
