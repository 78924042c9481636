//! Reads a node into a type. A mismatch is data: where it is, and what was expected.

use super::tree::{Content, Entry, Node, Step};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Error as _, Expected, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt;

/// What does not fit, and where.
#[derive(Debug, Clone)]
pub(super) struct ShapeError {
    /// From the root; the innermost step first while it is handed up.
    pub path: Vec<Step>,
    /// It is the name that does not fit, not what stands there.
    pub of_name: bool,
    pub what: Mismatch,
}

/// In which way something does not fit.
#[derive(Debug, Clone)]
pub(super) enum Mismatch {
    UnknownField {
        name: String,
        known: Vec<&'static str>,
    },
    UnknownValue {
        value: String,
        known: Vec<&'static str>,
    },
    Missing(&'static str),
    NotText,
    NotList,
    NotBlock,
    NotBool,
    /// Not a whole number up to this; it may only be in quotes.
    NotWhole {
        max: u64,
        quoted: bool,
    },
    Other(String),
}

impl ShapeError {
    fn new(what: Mismatch) -> Self {
        Self { path: Vec::new(), of_name: false, what }
    }

    fn under(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for ShapeError {}

impl serde::de::Error for ShapeError {
    fn custom<T: fmt::Display>(said: T) -> Self {
        Self::new(Mismatch::Other(said.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Mismatch::Other(format!("is not {expected}")))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(Mismatch::UnknownField { name: name.to_owned(), known: known.to_vec() })
    }

    fn unknown_variant(value: &str, known: &'static [&'static str]) -> Self {
        Self::new(Mismatch::UnknownValue { value: value.to_owned(), known: known.to_vec() })
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(Mismatch::Missing(name))
    }
}

/// Reads a node.
#[derive(Clone, Copy)]
pub(super) struct Reader<'de>(pub &'de Node);

impl<'de> Reader<'de> {
    fn scalar(self, otherwise: Mismatch) -> Result<(&'de str, bool), ShapeError> {
        match &self.0.content {
            Content::Scalar { text, plain } => Ok((text, *plain)),
            _ => Err(ShapeError::new(otherwise)),
        }
    }

    fn is_null(self) -> bool {
        matches!(&self.0.content, Content::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    fn whole(self, max: u64) -> Result<u64, ShapeError> {
        let (text, plain) = self.scalar(Mismatch::NotWhole { max, quoted: false })?;
        let read = text.parse::<u64>().ok().filter(|n| *n <= max);
        match read {
            Some(n) if plain => Ok(n),
            read => Err(ShapeError::new(Mismatch::NotWhole { max, quoted: read.is_some() })),
        }
    }
}

impl<'de> serde::Deserializer<'de> for Reader<'de> {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match &self.0.content {
            Content::List(_) => self.deserialize_seq(visitor),
            Content::Map(_) => self.deserialize_map(visitor),
            Content::Scalar { .. } if self.is_null() => visitor.visit_unit(),
            Content::Scalar { text, plain: true } => match (text.as_str(), text.parse::<i64>()) {
                ("true", _) => visitor.visit_bool(true),
                ("false", _) => visitor.visit_bool(false),
                (_, Ok(n)) => visitor.visit_i64(n),
                (text, Err(_)) => match text.parse::<f64>() {
                    Ok(n) if n.is_finite() => visitor.visit_f64(n),
                    _ => visitor.visit_borrowed_str(text),
                },
            },
            Content::Scalar { text, .. } => visitor.visit_borrowed_str(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.scalar(Mismatch::NotBool)? {
            ("true", true) => visitor.visit_bool(true),
            ("false", true) => visitor.visit_bool(false),
            _ => Err(ShapeError::new(Mismatch::NotBool)),
        }
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_u64(self.whole(u64::from(u8::MAX))?)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_u64(self.whole(u64::from(u16::MAX))?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_u64(self.whole(u64::from(u32::MAX))?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_u64(self.whole(u64::MAX)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        let (text, _) = self.scalar(Mismatch::NotText)?;
        if self.is_null() {
            return Err(ShapeError::new(Mismatch::NotText));
        }
        visitor.visit_borrowed_str(text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match &self.0.content {
            Content::List(items) => visitor.visit_seq(Items { items: items.iter(), next: 0 }),
            _ => Err(ShapeError::new(Mismatch::NotList)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match &self.0.content {
            Content::Map(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
            _ => Err(ShapeError::new(Mismatch::NotBlock)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        let (text, _) = self
            .scalar(Mismatch::NotText)
            .map_err(|_| ShapeError::unknown_variant(self.0.shown().trim_matches('`'), known))?;
        visitor.visit_enum(BorrowedStrDeserializer::new(text))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Items<'de> {
    items: std::slice::Iter<'de, Option<Node>>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = ShapeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ShapeError> {
        for item in self.items.by_ref() {
            let index = self.next;
            self.next += 1;
            if let Some(item) = item {
                let read = seed.deserialize(Reader(item));
                return read.map(Some).map_err(|error| error.under(Step::Index(index)));
            }
        }
        Ok(None)
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, Entry>,
    value: Option<&'de Entry>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = ShapeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ShapeError> {
        self.value = self.entries.next();
        let Some(entry) = self.value else { return Ok(None) };
        let read = seed.deserialize(BorrowedStrDeserializer::new(&entry.name));
        read.map(Some).map_err(|error: ShapeError| {
            ShapeError { of_name: true, ..error }.under(Step::Name(entry.name.clone()))
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ShapeError> {
        let Some(entry) = self.value else { return Err(ShapeError::custom("has no value")) };
        let read = seed.deserialize(Reader(&entry.value));
        read.map_err(|error| error.under(Step::Name(entry.name.clone())))
    }
}
