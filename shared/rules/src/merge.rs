//! Merges the fields of an event into those known: new, confirmed, or stale values. Sources repeat themselves and
//! send events out of order, so the source's own time decides for each field.

use crate::patch::Patch;
use chrono::{DateTime, Utc};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Merges an event's fields, by when each field was last sent.
pub(crate) struct FieldMerge<'a> {
    said_at: &'a BTreeMap<SmolStr, DateTime<Utc>>,
    occurred_at: DateTime<Utc>,
    /// Fields with a newer known value.
    pub stale: Vec<String>,
    /// Fields whose known value the event repeats.
    pub confirmed: Vec<String>,
}

impl<'a> FieldMerge<'a> {
    pub fn new(said_at: &'a BTreeMap<SmolStr, DateTime<Utc>>, occurred_at: DateTime<Utc>) -> Self {
        Self { said_at, occurred_at, stale: Vec::new(), confirmed: Vec::new() }
    }

    /// Whether a newer value of a field is known.
    pub fn is_stale(&self, field: &str) -> bool {
        self.said_at.get(field).is_some_and(|said| *said > self.occurred_at)
    }

    /// Notes that the event repeats the known value of a field. A repetition for the same time adds nothing.
    pub fn confirm(&mut self, field: &str) {
        if self.said_at.get(field).is_none_or(|said| *said < self.occurred_at) {
            self.confirmed.push(field.to_owned());
        }
    }

    /// The change that an event brings to a field.
    pub fn merge<T: Clone + PartialEq>(
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
