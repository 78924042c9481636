//! What can be asked of a rep.

use crate::entry::Actor;
use crate::notification::Delivery;
use crate::recordable::{PersonalInput, Recordable};
use crate::roster::{Availability, LeadsOfAbsent, Standing};
use policy::ids::PersonId;
use serde::{Deserialize, Serialize};

/// An input to a rep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepCommand {
    /// Who.
    pub rep: PersonId,
    /// Who acts.
    pub actor: Actor,
    /// Its identity: the same input has the same, however often it comes.
    pub cause: String,
    /// What it is.
    pub input: RepInput,
}

/// What can be asked of a rep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RepInput {
    /// Whether they take leads.
    Availability(Availability),
    /// All their leads were looked after.
    LeadsLookedAt {
        /// What became of leads and their manager was not told yet, by [`RepCommand::seen_from`].
        untold: LeadsOfAbsent,
        /// How many open ones are theirs and wait for nobody else.
        kept: u32,
        /// The change that they were looked at for: once there is another one, they are looked at again
        /// before anybody is told.
        change: u64,
    },
    /// A notification reached its recipient, or did not.
    Delivery(Delivery),
}

impl RepInput {
    /// That all leads of a rep were looked after, so many of which stay theirs.
    pub fn looked_at(kept: u32, change: u64) -> Self {
        Self::LeadsLookedAt { untold: LeadsOfAbsent::default(), kept, change }
    }
}

impl RepCommand {
    /// The command with what it is about as the rep stands: the record is to have it.
    #[must_use]
    pub fn seen_from(&self, standing: &Standing) -> Self {
        let mut command = self.clone();
        if let RepInput::LeadsLookedAt { untold, .. } = &mut command.input {
            untold.clone_from(&standing.untold);
        }
        command
    }
}

/// What a rep says of themself is known to everybody they work with.
impl Recordable for RepInput {
    fn set_apart(&mut self) -> PersonalInput {
        PersonalInput::default()
    }

    fn put_back(&mut self, _: PersonalInput) {}

    fn is_personal(&self) -> bool {
        false
    }

    fn personal_texts(&mut self) -> Vec<&mut String> {
        Vec::new()
    }

    fn forget(&mut self) {}
}
