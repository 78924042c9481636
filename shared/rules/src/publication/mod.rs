//! A publication: a revision of the policy or of the directory, from its publishing until every lead that it
//! touches waits for what the new rules say. Its history says who published what and why, what became of the
//! leads in flight, and who was told of it.

mod aggregate;
pub(crate) mod command;
pub(crate) mod decide;
pub(crate) mod digest;
pub(crate) mod event;
pub(crate) mod evolve;
pub mod scope;
pub(crate) mod state;

pub use command::{PublicationCommand, PublicationInput};
pub use decide::{Publishing, begin};
pub use digest::{changed_hands, digests};
pub use event::PublicationFact;
pub use state::{OrphanedLeads, PassedThreshold, Publication, Totals};
