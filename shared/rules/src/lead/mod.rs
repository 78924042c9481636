//! A lead: as its history made it, what can be asked of it, what should happen, and what did.

mod aggregate;
pub(crate) mod applied;
pub(crate) mod breach;
pub(crate) mod command;
pub(crate) mod decide;
pub(crate) mod event;
pub(crate) mod evolve;
pub mod inside;
mod named;
pub(crate) mod owner;
pub(crate) mod ownership;
pub(crate) mod party;
pub(crate) mod pending;
pub(crate) mod personal_input;
pub(crate) mod profile;
pub(crate) mod queue;
pub(crate) mod review;
pub(crate) mod state;
pub(crate) mod timers;
pub(crate) mod visit;
pub(crate) mod workflows;

pub use applied::{Applied, PassedStep};
pub use breach::Breach;
pub use command::*;
pub use event::*;
pub use owner::{Gone, Orphaned, OwnerGone};
pub use ownership::{stays_with, waits_since};
pub use party::*;
pub use pending::{Moot, Pending, UntoldOwner};
pub use profile::{Priority, Profile, ProfileChanges};
pub use queue::{Dismissal, OperationsReason, OperationsReview, Queued};
pub use review::*;
pub use state::Lead;
pub use timers::wake_at;
pub use visit::*;
pub use workflows::compliance_flag::{Lapse, lapse};
