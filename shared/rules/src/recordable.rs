//! What can be recorded knows what is personal in it.

use crate::personal::Contact;
use crate::screening::MatchDetails;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is personal in an input.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PersonalInput {
    /// The contact that it sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// What a screening found, by the place of its match in the input.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub matches: BTreeMap<usize, MatchDetails>,
}

impl PersonalInput {
    /// Whether there is nothing personal.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What can be recorded: it knows what is personal in it.
pub trait Recordable: Clone + Serialize + DeserializeOwned {
    /// Takes what is personal out, to stand apart.
    fn set_apart(&mut self) -> PersonalInput;
    /// Puts what is personal back where it was.
    fn put_back(&mut self, personal: PersonalInput);
    /// Whether there are personal texts in it.
    fn is_personal(&self) -> bool;
    /// Its personal texts: what is to be sealed before anything else is done with it.
    fn personal_texts(&mut self) -> Vec<&mut String>;
    /// Says nothing personal any more, and all else as before: of a subject whose personal data was
    /// erased none is taken.
    fn forget(&mut self);
}
