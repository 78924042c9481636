//! Sorts what a source says of a subject's fields into news, confirmations and stale talk. Sources
//! repeat themselves and come out of order: each field goes by the source's own time.

use crate::patch::Patch;
use chrono::{DateTime, Utc};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What is known of when each field was said, and what becomes of an event that is held against it.
pub(crate) struct Sorting<'a> {
    said_at: &'a BTreeMap<SmolStr, DateTime<Utc>>,
    occurred_at: DateTime<Utc>,
    /// Fields of which something newer is known.
    pub stale: Vec<String>,
    /// Fields that are said to be as they are known.
    pub confirmed: Vec<String>,
}

impl<'a> Sorting<'a> {
    pub fn new(said_at: &'a BTreeMap<SmolStr, DateTime<Utc>>, occurred_at: DateTime<Utc>) -> Self {
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
