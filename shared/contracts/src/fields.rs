//! Reads the fields of a JSON object. Each error has the field's JSON pointer and says what the field must
//! be. It never repeats a value that could be personal.

use chrono::{DateTime, Utc};
use policy::ids::StateId;
use rules::patch::Patch;
use rules::unread;
use rules::unread::PLACE_CHARS_MAX;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// An error or a warning about a field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldProblem {
    /// The place, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The error, and the expected value.
    pub detail: String,
}

/// The longest identifier.
pub const ID_CHARS_MAX: usize = 128;
/// The longest line of text.
pub const LINE_CHARS_MAX: usize = 300;
/// The longest note beside a match.
pub const NOTE_CHARS_MAX: usize = 1_000;
/// The longest free text.
pub const TEXT_CHARS_MAX: usize = 4_000;

/// A JSON object in the course of reading. It remembers the members that were read; all others are unknown.
pub(crate) struct Fields<'a> {
    map: Option<&'a Map<String, Value>>,
    pointer: String,
    asked: RefCell<BTreeSet<String>>,
}

/// Collects errors and warnings.
#[derive(Default)]
pub(crate) struct Problems {
    /// The errors.
    pub found: Vec<FieldProblem>,
    /// The warnings.
    pub warnings: Vec<FieldProblem>,
}

impl Problems {
    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.found.push(FieldProblem { pointer: pointer.into(), detail: detail.into() });
    }

    pub fn warn(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.warnings.push(FieldProblem { pointer: pointer.into(), detail: detail.into() });
    }

    /// Warns about the unknown members of an object.
    pub fn warn_of_unknown(&mut self, fields: &Fields<'_>) {
        for (pointer, hint) in fields.unknown() {
            self.warn(pointer, format!("unknown member, ignored{hint}"));
        }
    }

    /// Refuses the unknown members of an object.
    pub fn refuse_unknown(&mut self, fields: &Fields<'_>) {
        for (pointer, hint) in fields.unknown() {
            let hint = if hint.is_empty() { fields.known() } else { hint };
            self.add(pointer, format!("unknown member{hint}"));
        }
    }
}

impl<'a> Fields<'a> {
    pub fn root(value: &'a Value, problems: &mut Problems) -> Self {
        Self::of(value, String::new(), problems)
    }

    pub fn of(value: &'a Value, pointer: String, problems: &mut Problems) -> Self {
        let map = value.as_object();
        if map.is_none() {
            problems.add(pointer.clone(), format!("must be an object, not {}", kind(value)));
        }
        Self { map, pointer, asked: RefCell::default() }
    }

    pub fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }

    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(name.to_owned());
        self.map?.get(name)
    }

    /// The unknown members: the place of each, and a suggestion.
    fn unknown(&self) -> Vec<(String, String)> {
        let asked = self.asked.borrow();
        let known: Vec<&str> = asked.iter().map(String::as_str).collect();
        self.names()
            .filter(|name| !asked.contains(*name))
            .map(|name| {
                let pointer = format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"));
                let meant = unread::meant(name, &known);
                let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
                (unread::harmless(&pointer, PLACE_CHARS_MAX), hint)
            })
            .collect()
    }

    fn known(&self) -> String {
        let asked: Vec<String> = self.asked.borrow().iter().map(|name| format!("`{name}`")).collect();
        format!("; the members are {}", asked.join(", "))
    }

    /// The names of its fields.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.map.into_iter().flat_map(|map| map.keys().map(String::as_str))
    }

    /// A required nested object.
    pub fn object(&self, name: &str, problems: &mut Problems) -> Fields<'a> {
        match self.get(name) {
            Some(value) => Fields::of(value, self.at(name), problems),
            None => {
                if self.map.is_some() {
                    problems.add(self.at(name), "is missing; it must be an object");
                }
                Fields { map: None, pointer: self.at(name), asked: RefCell::default() }
            }
        }
    }

    /// A required field. A missing object was noted before.
    pub fn required<T>(
        &self,
        name: &str,
        problems: &mut Problems,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        match self.get(name) {
            Some(value) => self.note(name, read(value), problems),
            None => {
                if self.map.is_some() {
                    problems.add(self.at(name), "is missing");
                }
                None
            }
        }
    }

    /// A field that may be absent or `null`.
    pub fn optional<T>(
        &self,
        name: &str,
        problems: &mut Problems,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        match self.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.note(name, read(value), problems),
        }
    }

    /// A field of an update: absent keeps the value, `null` clears it.
    pub fn patch<T>(
        &self,
        name: &str,
        problems: &mut Problems,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Patch<T> {
        match self.get(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(value) => self.note(name, read(value), problems).map_or(Patch::Keep, Patch::Set),
        }
    }

    fn note<T>(&self, name: &str, read: Result<T, String>, problems: &mut Problems) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(detail) => {
                problems.add(self.at(name), detail);
                None
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn string(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("must be a string, not {}", kind(value)))
}

/// An identifier: 1 to 128 letters, digits, and `. _ : @ -`.
pub(crate) fn id<T: for<'a> From<&'a str>>(value: &Value) -> Result<T, String> {
    let text = string(value)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "._:@-".contains(c);
    // Dots alone would be a path.
    let only_dots = text.chars().all(|c| c == '.');
    if only_dots || text.len() > ID_CHARS_MAX || !text.chars().all(fits) {
        return Err(format!("must be an id of 1 to {ID_CHARS_MAX} letters, digits, or any of . _ : @ -"));
    }
    Ok(T::from(text))
}

/// A state, by its name here or in a CRM, where stages have names for people.
pub(crate) fn state(value: &Value) -> Result<StateId, String> {
    line(value).map(StateId::new)
}

/// A line of text: not empty, no control characters.
pub(crate) fn line(value: &Value) -> Result<String, String> {
    let text = string(value)?.trim();
    if text.is_empty() || text.chars().count() > LINE_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(format!("must be a line of 1 to {LINE_CHARS_MAX} characters"));
    }
    Ok(text.to_owned())
}

/// Free text: not empty.
pub(crate) fn text(value: &Value) -> Result<String, String> {
    bounded(value, TEXT_CHARS_MAX)
}

/// A note: not empty.
pub(crate) fn note(value: &Value) -> Result<String, String> {
    bounded(value, NOTE_CHARS_MAX)
}

fn bounded(value: &Value, chars_max: usize) -> Result<String, String> {
    let text = string(value)?.trim();
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.is_empty() || text.chars().count() > chars_max || text.chars().any(odd) {
        return Err(format!("must be a text of 1 to {chars_max} characters"));
    }
    Ok(text.to_owned())
}

/// A time in RFC 3339 with an offset, between 1970 and 2200. Every store and index keeps milliseconds; finer
/// parts are dropped.
pub(crate) fn instant(value: &Value) -> Result<DateTime<Utc>, String> {
    let at = exact_instant(value)?;
    Ok(DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at))
}

/// A time like [`instant`], with all its digits, so that two events of one millisecond have an order.
pub(crate) fn exact_instant(value: &Value) -> Result<DateTime<Utc>, String> {
    let wrong = "must be an RFC 3339 time with an offset, e.g. `2026-03-02T14:00:00Z`";
    let at = DateTime::parse_from_rfc3339(string(value)?).map_err(|_| wrong.to_owned())?.with_timezone(&Utc);
    if !(0..=7_258_118_400_000).contains(&at.timestamp_millis()) {
        return Err("must be between the years 1970 and 2200".to_owned());
    }
    Ok(at)
}

/// `true` or `false`.
pub(crate) fn boolean(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("must be true or false, not {}", kind(value)))
}

/// A whole number up to a limit.
pub(crate) fn whole(max: u64) -> impl Fn(&Value) -> Result<u64, String> {
    move |value| match value.as_u64() {
        Some(n) if n <= max => Ok(n),
        _ => Err(format!("must be a whole number from 0 to {max}")),
    }
}

/// One of a closed set of names, read by serde.
pub(crate) fn name<T: serde::de::DeserializeOwned>(
    names: &'static [&'static str],
) -> impl Fn(&Value) -> Result<T, String> {
    move |value| T::deserialize(value).map_err(|_| format!("must be {}", one_of(names)))
}

/// The names as a choice: `` `a`, `b` or `c` ``.
pub(crate) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
