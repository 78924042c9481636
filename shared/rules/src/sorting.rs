//! Sorts what a source says of a subject's fields into news, confirmations and stale talk. Sources
//! repeat themselves and come out of order: each field goes by the source's own time.

use crate::input::LeadEvent;
use crate::lead::{BEFORE_STATE, HoldEnded, Lead};
use crate::patch::Patch;
use chrono::{DateTime, Utc};
use policy::ids::StateId;
use std::collections::BTreeMap;

/// What is known of when each field was said, and what becomes of an event that is held against it.
pub(crate) struct Sorting<'a> {
    said_at: &'a BTreeMap<String, DateTime<Utc>>,
    occurred_at: DateTime<Utc>,
    /// Fields of which something newer is known.
    pub stale: Vec<String>,
    /// Fields that are said to be as they are known.
    pub confirmed: Vec<String>,
}

impl<'a> Sorting<'a> {
    pub fn new(said_at: &'a BTreeMap<String, DateTime<Utc>>, occurred_at: DateTime<Utc>) -> Self {
        Self { said_at, occurred_at, stale: Vec::new(), confirmed: Vec::new() }
    }

    /// Whether something newer is known of a field.
    pub fn is_stale(&self, field: &str) -> bool {
        self.said_at.get(field).is_some_and(|said| *said > self.occurred_at)
    }

    /// Notes that a field is said to be as it is known. Said again of the same instant, it says
    /// nothing.
    pub fn confirm(&mut self, field: &str) {
        if self.said_at.get(field).is_none_or(|said| *said < self.occurred_at) {
            self.confirmed.push(field.to_owned());
        }
    }

    /// The news in what is said of a field.
    pub fn sort<T: Clone + PartialEq>(
        &mut self,
        field: &str,
        said: &Patch<T>,
        known: Option<&T>,
    ) -> Patch<T> {
        match said.outcome() {
            None => Patch::Keep,
            Some(_) if self.is_stale(field) => {
                self.stale.push(field.to_owned());
                Patch::Keep
            }
            Some(value) if value == known => {
                self.confirm(field);
                Patch::Keep
            }
            Some(_) => said.clone(),
        }
    }
}

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
