//! The outside of Leadwatch: inbound events, bodies of the API, queue messages. These are the
//! wire's types; they are read into the rules' own types here, and nowhere else.

pub mod api;
pub mod event;
mod fields;
mod matches;
pub mod queue;
pub mod scenario;
pub mod sight;

pub use fields::FieldProblem;
pub use rules::unread;
