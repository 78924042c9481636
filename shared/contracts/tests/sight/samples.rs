//! One of each fact with every field filled. Each variant leads to the next one, so that a new variant does not compile
//! until it has its place here. A member that can name a person, or show what compliance knows, says so in its value,
//! which contains [`SECRET`] or [`PERSON`].

mod facts;
mod lead_facts;
mod subjects;
mod values;

pub use facts::{account_facts, publication_facts, rep_facts};
pub use lead_facts::lead_facts;
pub use subjects::{account, lead};
pub use values::{PERSON, SECRET, at, particulars, recipients, request};
