//! A rep: the third, small aggregate. What a rep carries follows from the leads; whether they take any
//! more is said by them or for them, and recorded, and so is what their manager is told while they are away.

mod aggregate;
pub(crate) mod command;
pub(crate) mod decide;
pub(crate) mod digest;
pub(crate) mod event;
pub(crate) mod evolve;
pub(crate) mod load;

pub use command::{RepCommand, RepInput};
pub use event::{AbsenceDigest, RepFact};
pub use evolve::is_over;
pub use load::{LoadChange, load_changes};
