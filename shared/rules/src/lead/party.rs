//! The company and contact that a screening looked at, on which a clearance depends.
//!
//! A company is stored in plain text. A contact is personal: its [`identity`] is sealed like its other texts, and
//! equal texts of a lead are sealed alike, so that a hash of the sealed text is a fingerprint under the lead's own
//! key. It shows whether the contact is the same and nothing else; after an erasure nobody can link it to a person.

use crate::patch::Patch;
use crate::personal::{Contact, normalized};
use crate::screening::CriterionKind;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The company and contact that a lead named when it was screened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScreenedParty {
    /// The company, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// A fingerprint of the contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

impl ScreenedParty {
    /// Whether a match of a kind is about the same company and contact now.
    pub fn is_same(&self, now: &Self, kind: CriterionKind) -> bool {
        self.is_same_company(now, kind) && self.is_same_contact(now)
    }

    /// Whether the company is the same now, however it is written. A jurisdiction is about a place:
    /// where no company was known, learning its name changes nothing.
    pub fn is_same_company(&self, now: &Self, kind: CriterionKind) -> bool {
        let was_unknown = kind == CriterionKind::Jurisdiction && self.company.is_none();
        was_unknown || self.company.as_deref().map(normalized) == now.company.as_deref().map(normalized)
    }

    /// Whether the company is a different one now. False if one of them is unknown.
    pub fn is_other_company(&self, now: &Self) -> bool {
        let known = self.company.as_deref().zip(now.company.as_deref());
        known.is_some_and(|(then, now)| normalized(then) != normalized(now))
    }

    /// Whether all that was known then is named now.
    pub fn is_named_by(&self, now: &Self) -> bool {
        let company = self.company.is_none()
            || self.company.as_deref().map(normalized) == now.company.as_deref().map(normalized);
        company && (self.contact.is_none() || self.contact == now.contact)
    }

    /// Whether the contact is the same now.
    pub fn is_same_contact(&self, now: &Self) -> bool {
        self.contact == now.contact
    }
}

/// The company and contact that an input names without changing the lead's, because the input is refused or its
/// source may not write them. The input's matches are about them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NamedParty {
    /// The company.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub company: Patch<String>,
    /// The contact.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub contact: Patch<Contact>,
    /// The source's time, if the input does not name it elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<DateTime<Utc>>,
    /// Whether the company, the contact, or the time could not be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

impl NamedParty {
    /// Whether it names nobody; for `skip_serializing_if`.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::fingerprint_of;

    fn contact(name: &str, email: &str, phone: &str) -> Contact {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Contact { name: some(name), email: some(email), phone: some(phone), identity: None }.identified()
    }

    #[test]
    fn spelling_makes_nobody_else() {
        for (one, other) in [
            ("Acme, Inc.", "ACME  inc"),
            ("Ｆｌｏｗｅｒｓ", "flowers"),
            ("M\u{fc}ller", "Mu\u{308}ller"),
            ("…", " … "),
        ] {
            assert_eq!(normalized(one), normalized(other), "{one} and {other}");
        }
        for (one, other) in [
            ("Müller", "Muller"),
            ("Kim Lee", "Lee Kim"),
            ("Acme", "Acme Two"),
            ("…", "?"),
            // Wood and not, in Thai; king and queen, in Hindi.
            ("ไม", "ไม้"),
            ("राजा", "राजी"),
        ] {
            assert_ne!(normalized(one), normalized(other), "{one} and {other}");
        }
    }

    #[test]
    fn a_contact_is_who_its_name_and_address_say() {
        let kim = contact("Kim Carter", "kim@example.test", "+1 555");
        let fingerprint = |contact: &Contact| fingerprint_of(contact);
        for same in [
            contact("KIM CARTER", "Kim@Example.test", "+1 555"),
            contact("Kim  Carter", "kim@example.test", "+1 666"),
        ] {
            assert_eq!(fingerprint(&kim), fingerprint(&same));
        }
        for other in [
            contact("Kim Carver", "kim@example.test", "+1 555"),
            contact("Kim Carter", "k.im@example.test", "+1 555"),
            contact("Kim Carter", "", "+1 555"),
            contact("", "", "+1 555"),
        ] {
            assert_ne!(fingerprint(&kim), fingerprint(&other));
        }
        assert_eq!(fingerprint(&contact("", "", "")), None);
    }
}
