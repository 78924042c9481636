//! What a decision may know, and what it asks for when that is not enough.

use crate::account_view::AccountView;
use crate::roster::Roster;
use policy::directory::Directory;
use policy::ids::{AccountId, PersonId, TeamId};
use policy::{InForce, PublishedPolicy};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a decision may know, as it stood when it was read.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// The published policy.
    pub policy: &'a PublishedPolicy,
    /// The directory.
    pub directory: &'a Directory,
    /// The teams that were read.
    pub rosters: &'a BTreeMap<TeamId, Roster>,
    /// The accounts that were read; one that does not exist has the default view.
    pub accounts: &'a BTreeMap<AccountId, AccountView>,
    /// Revisions that were in force before, as far as they were read.
    pub past: &'a Past,
}

impl<'a> World<'a> {
    /// The revisions that are in force.
    pub fn in_force(&self) -> InForce {
        InForce { policy: self.policy.revision, directory: self.directory.revision() }
    }

    /// Who is in a team by any of the directories here: what was due before a publication is decided
    /// by the one of then.
    pub fn reps_of(&self, team: &TeamId) -> BTreeSet<&'a PersonId> {
        let directories = self.past.directories.values().map(Arc::as_ref).chain([self.directory]);
        directories.filter_map(|of| of.team(team)).flat_map(|team| team.reps.keys()).collect()
    }
}

/// Revisions that were in force before those that are.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Of the policy.
    pub policies: BTreeMap<u32, Arc<PublishedPolicy>>,
    /// Of the directory.
    pub directories: BTreeMap<u32, Arc<Directory>>,
}

/// What a decision must know and the world did not have: read it and decide again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// How this team stands.
    Team(TeamId),
    /// What leads are to know of this account.
    Account(AccountId),
    /// A revision of the policy that was in force before.
    Policy(u32),
    /// A revision of the directory that was in force before.
    Directory(u32),
}
