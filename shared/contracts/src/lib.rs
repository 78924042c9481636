//! The wire formats of Leadwatch: inbound events, bodies of the API, queue messages. Only this crate reads
//! them into the rules' own types.

pub mod api;
pub mod event;
mod fields;
mod matches;
pub mod queue;
pub mod scenario;
pub mod sight;

pub use fields::FieldProblem;
pub use rules::unread;
