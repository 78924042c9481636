//! An account: the second aggregate, of the same shape as a lead. Churn risk lives here.

mod aggregate;
pub(crate) mod command;
pub(crate) mod decide;
pub(crate) mod event;
pub(crate) mod evolve;
pub(crate) mod state;

pub use command::{AccountCommand, AccountInput};
pub use event::{AccountChanges, AccountFact, Evidence};
pub use state::{Account, CHURN_RISK_TAG, ChurnRiskElevated, Signal, SignalRecord};
