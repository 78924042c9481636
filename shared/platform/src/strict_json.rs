//! JSON that means one thing: no duplicate keys, bounded depth, valid UTF-8, nothing after the end.
//!
//! Two readers of the same bytes must not see different documents, which duplicate keys would allow (RFC 8259
//! §4 leaves their meaning open; I-JSON, RFC 7493, forbids them). Errors give the place as a JSON pointer
//! (RFC 6901) and as line and column. They never repeat a value.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Deepest nesting of objects and arrays that is read.
pub const DEPTH_MAX: usize = 32;
/// Longest pointer that an error shows, in characters: a sender's keys may be long.
const POINTER_CHARS_MAX: usize = 200;

/// The kind of error in a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrictJsonKind {
    /// The bytes are not UTF-8.
    #[error("the text is not valid UTF-8")]
    InvalidUtf8,
    /// An object has a duplicate key.
    #[error("duplicate key")]
    DuplicateKey,
    /// Objects and arrays are nested deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// A number is too large.
    #[error("the number is out of range")]
    NumberOutOfRange,
    /// The document ends too early.
    #[error("the document ends too early")]
    Truncated,
    /// There is more after the end of the document.
    #[error("there is more text after the document")]
    TrailingText,
    /// The text is not JSON.
    #[error("the text is not valid JSON")]
    Syntax,
}

/// A refused document, and the place of the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}{}", At(.pointer), Position(*.line, *.column))]
pub struct StrictJsonError {
    /// The kind of error.
    pub kind: StrictJsonKind,
    /// The place, as a JSON pointer; empty for the document itself.
    pub pointer: String,
    /// The line, from 1; 0 when it is not known.
    pub line: usize,
    /// The column in bytes, from 1; 0 when it is not known.
    pub column: usize,
}

struct At<'a>(&'a str);
impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(formatter, " at `{}`", self.0) }
    }
}

struct Position(usize, usize);
impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(formatter, " (line {}, column {})", self.0, self.1) }
    }
}

/// Reads one JSON document.
///
/// # Errors
/// [`StrictJsonError`] for the first error.
///
/// ```
/// let error = platform::strict_json::parse(br#"{"lead":{"id":"L-1","id":"L-2"}}"#).unwrap_err();
/// assert_eq!(error.pointer, "/lead/id");
/// ```
pub fn parse(bytes: &[u8]) -> Result<Value, StrictJsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| StrictJsonError {
        kind: StrictJsonKind::InvalidUtf8,
        pointer: String::new(),
        line: 0,
        column: 0,
    })?;
    let mut reading = Reading::default();
    let mut source = serde_json::Deserializer::from_str(text);
    let read = Strict { reading: &mut reading }.deserialize(&mut source);
    let value = read.map_err(|error| reading.refuse(&error))?;
    source.end().map_err(|error| StrictJsonError {
        kind: StrictJsonKind::TrailingText,
        pointer: String::new(),
        line: error.line(),
        column: error.column(),
    })?;
    Ok(value)
}

/// Appends one reference token to a JSON pointer, escaped as in RFC 6901.
pub fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}

/// Cuts a pointer to the length that an error may show.
#[must_use]
pub fn shown(pointer: &str) -> String {
    let mut characters = pointer.chars();
    let mut cut: String = characters.by_ref().take(POINTER_CHARS_MAX).collect();
    if characters.next().is_some() {
        cut.push('…');
    }
    cut
}

/// The reader's position and its first error.
#[derive(Default)]
struct Reading {
    /// Reference tokens from the root to the value being read. An error leaves them as they are.
    path: Vec<String>,
    failure: Option<StrictJsonKind>,
}

impl Reading {
    fn refuse(self, error: &serde_json::Error) -> StrictJsonError {
        let kind = self.failure.unwrap_or_else(|| match error.classify() {
            serde_json::error::Category::Eof => StrictJsonKind::Truncated,
            // The message is one of a fixed set and holds nothing of the document.
            _ if error.to_string().starts_with("number out of range") => StrictJsonKind::NumberOutOfRange,
            _ => StrictJsonKind::Syntax,
        });
        let mut pointer = String::new();
        for token in &self.path {
            push_token(&mut pointer, token);
        }
        StrictJsonError { kind, pointer: shown(&pointer), line: error.line(), column: error.column() }
    }
}

struct Strict<'a> {
    reading: &'a mut Reading,
}

impl Strict<'_> {
    fn fail<E: serde::de::Error>(self, kind: StrictJsonKind) -> E {
        let message = kind.to_string();
        self.reading.failure = Some(kind);
        E::custom(message)
    }

    fn is_too_deep(&self) -> bool {
        self.reading.path.len() >= DEPTH_MAX
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        match Number::from_f64(value) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(self.fail(StrictJsonKind::NumberOutOfRange)),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        if self.is_too_deep() {
            return Err(self.fail(StrictJsonKind::TooDeep));
        }
        let mut values = Vec::new();
        loop {
            self.reading.path.push(values.len().to_string());
            let Some(value) = elements.next_element_seed(Strict { reading: self.reading })? else {
                break;
            };
            self.reading.path.pop();
            values.push(value);
        }
        self.reading.path.pop();
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        if self.is_too_deep() {
            return Err(self.fail(StrictJsonKind::TooDeep));
        }
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.reading.path.push(key.clone());
            if object.contains_key(&key) {
                self.reading.failure = Some(StrictJsonKind::DuplicateKey);
                return Err(A::Error::custom(StrictJsonKind::DuplicateKey));
            }
            let value = entries.next_value_seed(Strict { reading: self.reading })?;
            self.reading.path.pop();
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn refused(text: &str) -> (StrictJsonKind, String) {
        let error = parse(text.as_bytes()).unwrap_err();
        (error.kind, error.pointer)
    }

    #[test]
    fn a_plain_document_is_read_unchanged() {
        let text = r#" {"id":"e","n":[1,-2,2.5,true,null,{"a~/b":"ü"}]} "#;
        assert_eq!(parse(text.as_bytes()).unwrap(), json!({"id":"e","n":[1,-2,2.5,true,null,{"a~/b":"ü"}]}));
    }

    #[test]
    fn a_duplicate_key_is_named_with_its_pointer() {
        assert_eq!(refused(r#"{"a":1,"a":1}"#), (StrictJsonKind::DuplicateKey, "/a".to_owned()));
        assert_eq!(
            refused(r#"[0,{"x":{"y":[],"y":0}}]"#),
            (StrictJsonKind::DuplicateKey, "/1/x/y".to_owned())
        );
        // The same key, spelled with an escape.
        assert_eq!(refused(r#"{"a":1,"\u0061":1}"#), (StrictJsonKind::DuplicateKey, "/a".to_owned()));
        assert_eq!(refused(r#"{"a/b~":1,"a/b~":1}"#), (StrictJsonKind::DuplicateKey, "/a~1b~0".to_owned()));
    }

    #[test]
    fn the_same_key_in_two_objects_is_fine() {
        assert!(parse(br#"{"a":{"id":1},"b":{"id":1},"c":[{"id":1},{"id":1}]}"#).is_ok());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(refused(&nested(DEPTH_MAX + 1)).0, StrictJsonKind::TooDeep);
        assert_eq!(refused(&"[".repeat(100_000)).0, StrictJsonKind::TooDeep);
        assert_eq!(refused(&r#"{"a":"#.repeat(100_000)).0, StrictJsonKind::TooDeep);
    }

    #[test]
    fn text_that_is_not_json_is_refused_without_repeating_it() {
        assert_eq!(parse(b"{\"a\":\"\xff\"}").unwrap_err().kind, StrictJsonKind::InvalidUtf8);
        assert_eq!(refused("{} x").0, StrictJsonKind::TrailingText);
        assert_eq!(refused("{}{}").0, StrictJsonKind::TrailingText);
        assert_eq!(refused("").0, StrictJsonKind::Truncated);
        assert_eq!(refused(r#"{"a":{"b":"#), (StrictJsonKind::Truncated, "/a/b".to_owned()));
        assert_eq!(refused(r#"{"a":1e999}"#), (StrictJsonKind::NumberOutOfRange, "/a".to_owned()));
        assert_eq!(refused(r#"{"a":NaN}"#).0, StrictJsonKind::Syntax);
        assert_eq!(refused(r#"{"a":"\ud800"}"#).0, StrictJsonKind::Syntax);
        assert_eq!(refused("\u{feff}{}").0, StrictJsonKind::Syntax);
        let error = parse(b"{\"email\": jane@example.com}").unwrap_err();
        assert_eq!(error.to_string(), "the text is not valid JSON at `/email` (line 1, column 11)");
    }

    #[test]
    fn a_long_key_is_cut_in_the_error() {
        let key = "k".repeat(10_000);
        let (_, pointer) = refused(&format!(r#"{{"{key}":1,"{key}":1}}"#));
        assert_eq!(pointer.chars().count(), POINTER_CHARS_MAX + 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_never_more_leniently_than_by_serde(bytes in any::<Vec<u8>>()) {
            if let Ok(value) = parse(&bytes) {
                prop_assert_eq!(value, serde_json::from_slice::<Value>(&bytes).unwrap());
            }
        }

        #[test]
        fn documents_of_serde_are_read_back(keys in proptest::collection::btree_map(".{0,8}", any::<i64>(), 0..8)) {
            let value = serde_json::to_value(&keys).unwrap();
            prop_assert_eq!(parse(&serde_json::to_vec(&value).unwrap()).unwrap(), value);
        }
    }
}
