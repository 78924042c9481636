//! What is kept of many leads between their commits: as it is for those that were touched last, and
//! as small as it can be made for all others.

use crate::replay::ReplayError;
use policy::ids::{LeadId, Subject};
use rules::lead::Lead;
use std::collections::{HashMap, VecDeque};

/// Leads that stay unpacked: what follows at once, as deliveries do, finds them so.
const RECENT_MAX: usize = 8_192;

/// What can be made small.
pub(super) trait Pack {
    /// Makes it small.
    ///
    /// # Errors
    /// None in practice: every lead can be written as JSON.
    fn pack(&mut self) -> Result<(), serde_json::Error>;
}

/// What is kept, by lead.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    kept: HashMap<LeadId, (u64, T)>,
    /// The leads that were touched last, with the count of the touch.
    recent: VecDeque<(u64, LeadId)>,
    touches: u64,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { kept: HashMap::new(), recent: VecDeque::new(), touches: 0 }
    }
}

impl<T: Pack> Shelf<T> {
    pub fn get(&self, id: &LeadId) -> Option<&T> {
        self.kept.get(id).map(|(_, kept)| kept)
    }

    pub fn take(&mut self, id: &LeadId) -> Option<T> {
        self.kept.remove(id).map(|(_, kept)| kept)
    }

    /// Keeps it; the lead that was not touched for longest is made small.
    ///
    /// # Errors
    /// None in practice: every lead can be written as JSON.
    pub fn put(&mut self, id: &LeadId, kept: T) -> Result<(), ReplayError> {
        self.touches += 1;
        self.kept.insert(id.clone(), (self.touches, kept));
        self.recent.push_back((self.touches, id.clone()));
        while self.recent.len() > RECENT_MAX {
            let Some((touched, id)) = self.recent.pop_front() else { break };
            if let Some((_, kept)) = self.kept.get_mut(&id).filter(|(last, _)| *last == touched) {
                kept.pack().map_err(|source| unkept(&id, source))?;
            }
        }
        Ok(())
    }

    pub fn len(&self) -> u64 {
        self.kept.len() as u64
    }
}

/// A lead that was kept cannot be read again, or not written.
pub(super) fn unkept(id: &LeadId, source: serde_json::Error) -> ReplayError {
    ReplayError::Unreadable { subject: Subject::Lead(id.clone()), commit: 0, source }
}

/// A lead, or none, in one of two forms.
#[derive(Debug, Default)]
pub(super) enum Form {
    #[default]
    None,
    Whole(Box<Lead>),
    Packed(Box<[u8]>),
}

impl Form {
    pub fn of(lead: Option<Lead>) -> Self {
        lead.map_or(Self::None, |lead| Self::Whole(Box::new(lead)))
    }

    /// The lead.
    ///
    /// # Errors
    /// None in practice: it was written here.
    pub fn lead(&self) -> Result<Option<Lead>, serde_json::Error> {
        match self {
            Self::None => Ok(None),
            Self::Whole(lead) => Ok(Some((**lead).clone())),
            Self::Packed(bytes) => serde_json::from_slice(bytes).map(Some),
        }
    }
}

impl Pack for Form {
    fn pack(&mut self) -> Result<(), serde_json::Error> {
        if let Self::Whole(lead) = self {
            *self = Self::Packed(serde_json::to_vec(lead)?.into_boxed_slice());
        }
        Ok(())
    }
}
