//! The words for one entry, and access to the members of an entry.

use super::names::Names;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// The rank of an entry in its commit. The highest one begins the line, the first among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// It follows from another entry of the commit.
    Consequence,
    /// It reports an input.
    Input,
    /// It caused the rest of the commit.
    Trigger,
}

/// The words for one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    pub rank: Rank,
    /// The event.
    pub text: String,
    /// Consequences that the entry itself names.
    pub then: Vec<String>,
}

impl Phrase {
    pub fn trigger(text: impl Into<String>) -> Self {
        Self { rank: Rank::Trigger, text: text.into(), then: Vec::new() }
    }

    pub fn input(text: impl Into<String>) -> Self {
        Self { rank: Rank::Input, text: text.into(), then: Vec::new() }
    }

    pub fn consequence(text: impl Into<String>) -> Self {
        Self { rank: Rank::Consequence, text: text.into(), then: Vec::new() }
    }

    pub fn then(mut self, text: impl Into<String>) -> Self {
        self.then.push(text.into());
        self
    }
}

/// An audit entry, its commit, and the names of people.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub entry: &'a Value,
    pub commit: &'a [Value],
    pub names: &'a Names,
}

impl<'a> Reading<'a> {
    pub fn kind(&self) -> &'a str {
        self.entry.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    pub fn workflow(&self) -> Option<&'a str> {
        self.at("/workflow/id").and_then(Value::as_str)
    }

    /// A member of the entry's data; `None` where it is absent, hidden or null.
    pub fn data(&self, pointer: &str) -> Option<&'a Value> {
        self.at("/data").and_then(|data| data.pointer(pointer)).filter(|value| !value.is_null())
    }

    pub fn text(&self, pointer: &str) -> Option<&'a str> {
        self.data(pointer).and_then(Value::as_str)
    }

    /// A text, or a word for a text that is hidden.
    pub fn text_or(&self, pointer: &str, otherwise: &'a str) -> &'a str {
        self.text(pointer).unwrap_or(otherwise)
    }

    pub fn number(&self, pointer: &str) -> Option<i64> {
        self.data(pointer).and_then(Value::as_i64)
    }

    pub fn is(&self, pointer: &str) -> bool {
        self.data(pointer).and_then(Value::as_bool).unwrap_or_default()
    }

    pub fn list(&self, pointer: &str) -> Vec<&'a str> {
        self.data(pointer).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// A person by name.
    pub fn person(&self, pointer: &str) -> Option<String> {
        self.text(pointer).map(|id| self.names.person(id))
    }

    pub fn person_or(&self, pointer: &str, otherwise: &str) -> String {
        self.person(pointer).unwrap_or_else(|| otherwise.to_owned())
    }

    /// When the entry was recorded.
    pub fn recorded_at(&self) -> Option<DateTime<Utc>> {
        ["/recorded_at", "/at"].iter().find_map(|at| self.at(at)?.as_str()?.parse().ok())
    }

    /// How long after the entry a time in it is, in seconds.
    pub fn seconds_until(&self, pointer: &str) -> Option<i64> {
        let until: DateTime<Utc> = self.text(pointer)?.parse().ok()?;
        Some((until - self.recorded_at()?).num_seconds())
    }

    /// The actor.
    pub fn actor(&self) -> &'static str {
        match self.at("/actor/kind").and_then(Value::as_str) {
            Some("source") => "CRM",
            Some("staff") => "staff",
            _ => "Leadwatch",
        }
    }

    /// The first entry of a type in the same commit.
    pub fn beside(&self, kind: &str) -> Option<Self> {
        let is = |entry: &&Value| entry.get("type").and_then(Value::as_str) == Some(kind);
        self.commit.iter().find(is).map(|entry| Self { entry, ..*self })
    }

    fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.entry.pointer(pointer)
    }
}
