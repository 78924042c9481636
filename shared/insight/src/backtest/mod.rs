//! Backtest: compares a candidate policy with the policy in force, both replayed over the recorded history.
//!
//! Records arrive in order of time. First the backtest decides every commit again under its recorded
//! revisions and checks that the entries are the same ([`ReplayCheck`]). Then it replays the history twice:
//! under the policy in force and under the candidate. Each replay decides the recorded inputs (events,
//! decisions of people, availability) at their recorded times, and runs timers at its own times. While a
//! lead is due at the same time in a replay and in history, the recorded timer counts for both. So a policy
//! that changes nothing for a lead reproduces its record exactly, including late sweeps. The recorded
//! history itself can be the baseline, too.
//!
//! Nobody knows what people and CRMs would have done otherwise: in a replay they do what they did. An owner
//! that the CRM only repeats from Leadwatch becomes the owner of the replay.

mod commits;
mod differences;
mod history;
mod lead_store;
mod overlay;
mod policy_replay;
mod replay_accounts;
mod replay_leads;
mod report;
mod run;
mod spans;
mod standings;
mod tally;
mod trial;

pub use report::{
    Baseline, FigureRow, FirstDifference, Group, MessageRow, Metric, MetricRow, Pair, QueueRow, ReplayCheck,
    Report,
};
pub use run::Backtest;
pub use spans::Span;
pub use trial::{BaselineChoice, Trial, UnknownBaseline};
