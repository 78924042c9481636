//! What people write, and what it means: policies, directories, calendars and the words of messages,
//! read with their lines, checked, compared, and compiled.
//!
//! Pure: no IO, no clock, no randomness, no panic.

pub mod address;
pub mod calendar;
pub mod diff;
pub mod directory;
pub mod document;
pub mod ids;
pub mod impact;
pub mod measure;
mod policy;
mod rulebook;
#[cfg(feature = "schema")]
pub mod schema;
pub mod source_rights;
mod vocabulary;
pub mod wording;

pub use policy::*;
pub use rulebook::{MarketRules, ReviewRules, RuleStep, RuleWindow, RuleWindows, Rulebook};
pub use vocabulary::{InForce, Message, StateKind, Verdict, WorkflowId};
