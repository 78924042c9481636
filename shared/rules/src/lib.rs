//! Leadwatch's rules: what should happen to leads, accounts, reps and publications, and why.
//!
//! Pure: no IO, no clock, no randomness, no panic. The same arguments give the same decision, everywhere.
//! A decision is an ordered list of facts; the audit is the list of facts, and a lead is their fold.

pub mod absence;
pub mod account;
pub mod account_view;
pub mod aggregate;
pub mod ask;
pub mod cause;
pub mod clock;
mod draft;
pub mod entry;
pub mod lead;
mod merge;
pub mod notification;
pub mod outcome;
pub mod patch;
pub mod personal;
pub mod publication;
pub mod quiet;
pub mod record;
pub mod recordable;
pub mod rep;
pub mod reuse;
pub mod roster;
pub mod routing;
pub mod screening;
pub mod source_limits;
pub mod still_true;
pub mod unread;
pub mod world;
