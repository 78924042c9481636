//! A partial update: a field that is absent stays, `null` clears it, a value sets it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What an update says of one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Nothing: it stays as it is.
    #[default]
    Keep,
    /// It has no value any more.
    Clear,
    /// It has this value now.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether it says nothing; for `skip_serializing_if`.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The value it sets, if it sets one.
    pub fn as_set(&self) -> Option<&T> {
        if let Self::Set(value) = self { Some(value) } else { None }
    }

    /// What the field becomes; `None` if it stays.
    pub fn outcome(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

impl<T: Clone> Patch<T> {
    /// Applies it to a field.
    pub fn apply_to(&self, field: &mut Option<T>) {
        if let Some(value) = self.outcome() {
            *field = value.cloned();
        }
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_set().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}
