//! The order of what a source says: its own time, and what a later word says anew.

use crate::lead::command::LeadEvent;
use crate::lead::state::{BEFORE_STATE, Lead};
use crate::lead::visit::HoldEnded;
use chrono::{DateTime, Utc};
use policy::ids::StateId;

/// A source's instant as clocks measure it: stores and indexes of instants carry milliseconds.
pub(crate) fn measured(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}

/// The source's own instant, where it is not the one that is measured from.
pub(crate) fn said_of(event: &LeadEvent, since: DateTime<Utc>) -> Option<DateTime<Utc>> {
    Some(event.occurred_at).filter(|at| *at != since)
}

/// Whether an event speaks of a hold that has ended by itself, as it had been said: it repeats what
/// is known and puts nothing on hold again.
pub(crate) fn is_of_ended_hold(lead: &Lead, event: &LeadEvent) -> bool {
    let is_that = |ended: &HoldEnded| event.state.as_ref() == Some(&ended.state);
    lead.hold_ended.as_ref().is_some_and(|ended| is_that(ended) && event.occurred_at <= ended.at)
}

/// Whether something newer is known of a field that a transition says anew. A word of the state that the
/// lead is in shows that it was there already: then only a later word of the field itself is better.
pub(crate) fn knows_better(field: &str, lead: &Lead, event: &LeadEvent, state: Option<&StateId>) -> bool {
    let is_newer = |said: Option<DateTime<Utc>>| said.is_some_and(|said| said > event.occurred_at);
    let is_of_this_visit =
        state.is_some() && event.state.as_ref() == state && !is_newer(lead.said(BEFORE_STATE));
    if is_of_this_visit { is_newer(lead.said_itself(field)) } else { is_newer(lead.said(field)) }
}
