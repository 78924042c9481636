//! Leadwatch's rules: what should happen to a lead, and why. Pure: no IO, no clock, no
//! randomness, no panic. The same arguments give the same decision, everywhere.
//!
//! [`decide`] takes a lead as it is, the [`World`] it may know, an [`Input`] and an instant, and
//! gives an ordered list of facts. [`evolve`](evolve::evolve) says what a fact does to a lead.
//! The audit is the list of facts; the lead is their fold.

pub mod absence;
pub mod account;
mod assign;
pub mod backtest;
pub mod clock;
pub mod compliance;
mod decide;
mod deciding;
pub mod documentation;
pub mod effect;
pub mod entry;
pub mod evolve;
pub mod explain;
pub mod input;
pub mod lead;
pub mod lead_fact;
pub mod lint;
pub mod notification;
mod operations;
pub mod orphans;
pub mod patch;
pub mod pending;
pub mod publication;
pub mod quiet;
pub mod record;
pub mod rep;
pub mod replay;
pub mod reuse;
pub mod routing;
pub mod scope;
pub mod screened;
pub mod simulate;
mod sorting;
pub mod source_limits;
pub mod still_true;
pub mod suggest;
mod timers;
pub mod unread;
pub mod workflows;

pub use decide::{Decision, decide, wake_at};
pub use deciding::Consulted;
pub use publication::decide_publication;
pub use workflows::churn_risk::{AccountCommand, AccountDecision, AccountInput, decide_account};
