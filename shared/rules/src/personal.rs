//! What is personal in a lead, and how two spellings of one person are told to be one.

use crate::screening::MatchDetails;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Whom to talk to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Contact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Who it is, written so that two spellings of one person are the same text; see `screened`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

impl Contact {
    /// The contact with its identity.
    #[must_use]
    pub fn identified(self) -> Self {
        Self { identity: identity(&self), ..self }
    }

    /// All that is known of them.
    pub fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { name, email, phone, identity } = self;
        [name, email, phone, identity].into_iter().flatten()
    }
}

/// Everything personal in a lead.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Personal {
    /// The contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// What screenings found, by the match's key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub matches: BTreeMap<String, MatchDetails>,
}

impl Personal {
    /// Whether there is nothing personal.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Its texts.
    pub fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { contact, matches } = self;
        let details = matches.values_mut().flat_map(MatchDetails::texts);
        contact.iter_mut().flat_map(Contact::texts).chain(details)
    }
}

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonalKind {
    /// Whom to talk to.
    Contact,
    /// What screenings found about a person, and what was noted with a flag.
    Screening,
}

/// A name as it is compared: without case, width, punctuation and spacing. Accents, the marks of scripts
/// that write vowels and tones with them, and the order of the words stay, since they tell people apart.
pub fn normalized(text: &str) -> String {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    let words =
        folded.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    // A name without letters is what it is.
    if words.is_empty() { folded.trim().to_owned() } else { words.join(" ") }
}

/// What says who a contact is: name and e-mail address. A telephone number says it only where
/// nothing else does, since numbers change hands.
pub(crate) fn identity(contact: &Contact) -> Option<String> {
    let Contact { name, email, phone, .. } = contact;
    let phone = phone.as_ref().filter(|_| name.is_none() && email.is_none());
    let parts = [("name", name.as_ref()), ("email", email.as_ref()), ("phone", phone)];
    let said = parts.into_iter().filter_map(|(what, text)| {
        let text = text?;
        // An address is compared by its letters: dots and dashes in it tell people apart.
        let text = if what == "email" { text.trim().to_lowercase() } else { normalized(text) };
        Some(format!("{what}={text}"))
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join("; "))
}

pub(crate) fn fingerprint_of(contact: &Contact) -> Option<String> {
    // A contact that was stored before identities were has its texts alone.
    let texts = [&contact.name, &contact.email, &contact.phone];
    match &contact.identity {
        Some(identity) => Some(fingerprint([identity.as_str()])),
        None if texts.iter().all(|text| text.is_none()) => None,
        None => Some(fingerprint(texts.map(|text| text.as_deref().unwrap_or_default()))),
    }
}

/// The length of a fingerprint: 128 bits, in hexadecimal digits.
const FINGERPRINT_DIGITS: usize = 32;

/// A short hash over texts, in hexadecimal digits.
pub(crate) fn fingerprint<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    let mut digits = hex::encode(hash.finalize());
    digits.truncate(FINGERPRINT_DIGITS);
    digits
}
