//! Whom a screening looked at: the premise that a clearance rests on.
//!
//! A company stands in the open. A contact is personal: its [`identity`] is sealed like its other
//! texts, and equal texts of a lead are sealed alike, so that a hash of the sealed text is a
//! fingerprint under the lead's own key. It says whether the contact is the same and nothing else;
//! after an erasure nobody can link it to anybody.

use crate::compliance::{Criterion, CriterionKind};
use crate::lead::{Contact, Lead};
use crate::patch::Patch;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Whom a lead named when a screening looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Screened {
    /// The company, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// A fingerprint of the contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

impl Screened {
    /// Whom a lead names now, as far as a criterion is about them. A jurisdiction is about the
    /// company; who works there changes nothing in it.
    pub fn of(lead: &Lead, criterion: &Criterion) -> Self {
        let is_about_people = criterion.kind != CriterionKind::Jurisdiction;
        let contact = lead.personal.contact.as_ref().filter(|_| is_about_people);
        Self { company: lead.profile.company.clone(), contact: contact.and_then(fingerprint_of) }
    }

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

    /// Whether the company is another one now. Where one of them is not known, nobody can tell.
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

/// Whom an input names without that being taken over: the input is refused, or its source may not write it. What
/// a screening found is of them all the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NamedParty {
    /// The company.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub company: Patch<String>,
    /// The contact.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub contact: Patch<Contact>,
    /// When it was so, by the source's time, where the input says so nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<DateTime<Utc>>,
    /// Whether the company, the contact or the instant could not be read: nobody knows whom it names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

impl NamedParty {
    /// Whether it names nobody; for `skip_serializing_if`.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whom a match of a lead was found of, and whether that is known: an event from before the lead's company
    /// was said is of a company that nobody remembers, and of an erased lead nobody knows the contact.
    pub(crate) fn screened(&self, lead: &Lead, criterion: &Criterion) -> (Screened, bool) {
        let now = Screened::of(lead, criterion);
        let is_known = |field: &str| {
            let since = lead.known_since(field);
            since.is_none_or(|since| self.occurred_at.is_some_and(|at| since <= at))
        };
        let company = match self.company.outcome() {
            Some(company) => Some(company.cloned()),
            None => is_known("company").then_some(now.company),
        };
        let contact = match self.contact.outcome() {
            _ if criterion.kind == CriterionKind::Jurisdiction => Some(None),
            _ if lead.is_erased() => None,
            Some(contact) => Some(contact.and_then(fingerprint_of)),
            None => is_known("contact").then_some(now.contact),
        };
        let is_known = company.is_some() && contact.is_some() && !self.unreadable;
        (Screened { company: company.flatten(), contact: contact.flatten() }, is_known)
    }
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

fn fingerprint_of(contact: &Contact) -> Option<String> {
    // A contact that was stored before identities were has its texts alone.
    let texts = [&contact.name, &contact.email, &contact.phone];
    match &contact.identity {
        Some(identity) => Some(fingerprint([identity.as_str()])),
        None if texts.iter().all(|text| text.is_none()) => None,
        None => Some(fingerprint(texts.map(|text| text.as_deref().unwrap_or_default()))),
    }
}

/// 128 bits of a hash over texts, in hexadecimal digits.
pub(crate) fn fingerprint<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
