//! What is personal in an input to a lead.

use crate::lead::command::{Input, LeadEvent};
use crate::patch::Patch;
use crate::personal::Contact;
use crate::recordable::{PersonalInput, Recordable};
use crate::screening::{Match, MatchDetails};

impl Recordable for Input {
    fn set_apart(&mut self) -> PersonalInput {
        let mut personal = PersonalInput::default();
        if let Some(contact) = self.contact_mut() {
            // That it was set stays: an empty contact says so.
            personal.contact = Some(std::mem::take(contact)).filter(|c| *c != Contact::default());
        }
        for (n, found) in self.matches_mut().iter_mut().enumerate() {
            personal.matches.extend(found.details.take().map(|details| (n, details)));
        }
        personal
    }

    fn put_back(&mut self, personal: PersonalInput) {
        if let Some((contact, known)) = self.contact_mut().zip(personal.contact) {
            *contact = known;
        }
        let matches = self.matches_mut();
        for (n, details) in personal.matches {
            if let Some(found) = matches.get_mut(n) {
                found.details = Some(details);
            }
        }
    }

    fn is_personal(&self) -> bool {
        self.contact().is_some_and(|contact| *contact != Contact::default())
            || self.matches().iter().filter_map(|found| found.details.as_ref()).any(MatchDetails::is_said)
    }

    fn personal_texts(&mut self) -> Vec<&mut String> {
        let (contact, matches) = match self {
            Self::Event(event) => {
                let LeadEvent { contact, named, matches, .. } = &mut **event;
                (set_mut(contact).or(set_mut(&mut named.contact)), matches.as_mut_slice())
            }
            Self::RefusedAtDoor { matches, named, .. } => {
                (set_mut(&mut named.contact), matches.as_mut_slice())
            }
            _ => return Vec::new(),
        };
        let details = matches.iter_mut().filter_map(|found| found.details.as_mut());
        contact.into_iter().flat_map(Contact::texts).chain(details.flat_map(MatchDetails::texts)).collect()
    }

    fn forget(&mut self) {
        match self {
            Self::Event(event) => {
                for contact in [&mut event.contact, &mut event.named.contact] {
                    forget_set(contact);
                }
            }
            Self::RefusedAtDoor { named, .. } => forget_set(&mut named.contact),
            _ => {}
        }
        for found in self.matches_mut() {
            found.details = None;
        }
    }
}

/// The value that a patch sets.
fn set_mut<T>(patch: &mut Patch<T>) -> Option<&mut T> {
    if let Patch::Set(value) = patch { Some(value) } else { None }
}

fn forget_set<T>(patch: &mut Patch<T>) {
    if patch.as_set().is_some() {
        *patch = Patch::Keep;
    }
}

impl Input {
    /// The contact that it names; no input names two.
    fn contact(&self) -> Option<&Contact> {
        match self {
            Self::Event(event) => event.contact.as_set().or(event.named.contact.as_set()),
            Self::RefusedAtDoor { named, .. } => named.contact.as_set(),
            _ => None,
        }
    }

    fn contact_mut(&mut self) -> Option<&mut Contact> {
        match self {
            Self::Event(event) => set_mut(&mut event.contact).or(set_mut(&mut event.named.contact)),
            Self::RefusedAtDoor { named, .. } => set_mut(&mut named.contact),
            _ => None,
        }
    }

    fn matches(&self) -> &[Match] {
        match self {
            Self::Event(event) => &event.matches,
            Self::RefusedAtDoor { matches, .. } => matches,
            _ => &[],
        }
    }

    fn matches_mut(&mut self) -> &mut [Match] {
        match self {
            Self::Event(event) => &mut event.matches,
            Self::RefusedAtDoor { matches, .. } => matches,
            _ => &mut [],
        }
    }
}
