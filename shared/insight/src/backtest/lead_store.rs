//! Stores many leads between their commits. Recently used leads stay in memory as they are; all others are
//! packed.

use crate::replay::ReplayError;
use policy::ids::{LeadId, Subject};
use rules::lead::Lead;
use std::collections::{HashMap, VecDeque};

/// How many leads stay unpacked. Inputs that follow soon, such as deliveries, find their lead unpacked.
const UNPACKED_MAX: usize = 8_192;

/// A value that can be packed.
pub(super) trait Pack {
    /// Packs the value.
    ///
    /// # Errors
    /// None in practice: every lead can be written as JSON.
    fn pack(&mut self) -> Result<(), serde_json::Error>;
}

/// Values by lead.
#[derive(Debug)]
pub(super) struct LeadStore<T> {
    values: HashMap<LeadId, (u64, T)>,
    /// The leads that were stored last, with the number of the call.
    recent: VecDeque<(u64, LeadId)>,
    puts: u64,
}

impl<T> Default for LeadStore<T> {
    fn default() -> Self {
        Self { values: HashMap::new(), recent: VecDeque::new(), puts: 0 }
    }
}

impl<T: Pack> LeadStore<T> {
    pub fn get(&self, id: &LeadId) -> Option<&T> {
        self.values.get(id).map(|(_, value)| value)
    }

    pub fn take(&mut self, id: &LeadId) -> Option<T> {
        self.values.remove(id).map(|(_, value)| value)
    }

    /// Stores a value, and packs the one that was not used for longest.
    ///
    /// # Errors
    /// None in practice: every lead can be written as JSON.
    pub fn put(&mut self, id: &LeadId, value: T) -> Result<(), ReplayError> {
        self.puts += 1;
        self.values.insert(id.clone(), (self.puts, value));
        self.recent.push_back((self.puts, id.clone()));
        while self.recent.len() > UNPACKED_MAX {
            let Some((number, id)) = self.recent.pop_front() else { break };
            if let Some((_, value)) = self.values.get_mut(&id).filter(|(last, _)| *last == number) {
                value.pack().map_err(|source| unreadable_lead(&id, source))?;
            }
        }
        Ok(())
    }

    pub fn len(&self) -> u64 {
        self.values.len() as u64
    }
}

/// The error for a stored lead that cannot be written or read.
pub(super) fn unreadable_lead(id: &LeadId, source: serde_json::Error) -> ReplayError {
    ReplayError::Unreadable { subject: Subject::Lead(id.clone()), commit: 0, source }
}

/// A lead, or none, in full or packed.
#[derive(Debug, Default)]
pub(super) enum StoredLead {
    #[default]
    None,
    Full(Box<Lead>),
    Packed(Box<[u8]>),
}

impl StoredLead {
    pub fn of(lead: Option<Lead>) -> Self {
        lead.map_or(Self::None, |lead| Self::Full(Box::new(lead)))
    }

    /// The lead.
    ///
    /// # Errors
    /// None in practice: this module wrote the lead.
    pub fn lead(&self) -> Result<Option<Lead>, serde_json::Error> {
        match self {
            Self::None => Ok(None),
            Self::Full(lead) => Ok(Some((**lead).clone())),
            Self::Packed(bytes) => serde_json::from_slice(bytes).map(Some),
        }
    }
}

impl Pack for StoredLead {
    fn pack(&mut self) -> Result<(), serde_json::Error> {
        if let Self::Full(lead) = self {
            *self = Self::Packed(serde_json::to_vec(lead)?.into_boxed_slice());
        }
        Ok(())
    }
}
