//! What can be asked of a publication.

use crate::notification::Delivery;
use crate::publication::state::Totals;
use policy::ids::PublicationId;

/// An input to a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationCommand {
    /// Which.
    pub publication: PublicationId,
    /// Its identity: the same input has the same, however often it comes.
    pub cause: String,
    /// What it is.
    pub input: PublicationInput,
}

/// What can be asked of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicationInput {
    /// The leads in flight were gone through.
    Applied(Totals),
    /// A notification reached its recipient, or did not.
    Delivery(Delivery),
}
