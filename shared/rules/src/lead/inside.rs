//! What explanations and backtests look at of the inside of a decision: timers, the messages of steps, and how the
//! workflows judge a lead. Nothing else needs it.

pub use super::state::WorkState;
pub use super::timers::{
    Idle, Ladder, Mark, Measure, StepDue, Timer, What, hold_end, ladder, mark, retention_end, timers,
    timers_due,
};
pub use super::workflows::compliance_flag::{has_cleared, jurisdiction};
pub use super::workflows::high_value::{CriterionResult, judge, rearmed_at};
pub use super::workflows::step_messages;
pub use super::workflows::stuck_lead::counted as returns_that_count;
