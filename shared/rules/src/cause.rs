//! The identity of an input that Leadwatch itself brings: the same input has the same identity, however often
//! it comes.

use chrono::{DateTime, SecondsFormat, Utc};
use policy::ids::PersonId;

/// The identity of an offer: whose place it is.
pub fn offer(rep: &PersonId, at: DateTime<Utc>) -> String {
    format!("offer/{rep}/{}", at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// The identity of a look at an owner's presence.
pub fn presence(rep: &PersonId, at: DateTime<Utc>) -> String {
    format!("presence/{rep}/{}", at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// The identity of a wake: the instant it was for.
pub fn wake(due: DateTime<Utc>) -> String {
    format!("wake/{}", due.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}
