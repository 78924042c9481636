//! What a decision may know, and what it asks for when that is not enough.

use crate::account_view::AccountView;
use crate::roster::Roster;
use policy::directory::Directory;
use policy::ids::{AccountId, PersonId, TeamId};
use policy::{InForce, PublishedPolicy, Rulebook};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a decision may know, as it stood when it was read. It learns what a decision asks for.
#[derive(Debug, Clone)]
pub struct World {
    /// The rules that are in force.
    pub rules: Arc<Rulebook>,
    /// The teams that were read.
    pub rosters: BTreeMap<TeamId, Roster>,
    /// The accounts that were read; one that does not exist has the default view.
    pub accounts: BTreeMap<AccountId, AccountView>,
    /// Revisions that were in force before, as far as they were read.
    pub past: Arc<Past>,
}

/// Revisions that were in force before those that are.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Of the policy.
    pub policies: BTreeMap<u32, Arc<PublishedPolicy>>,
    /// Of the directory.
    pub directories: BTreeMap<u32, Arc<Directory>>,
    /// What was in force together.
    rules: BTreeMap<(u32, u32), Arc<Rulebook>>,
}

/// What a decision must know and the world does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// How this team stands.
    Team(TeamId),
    /// What leads are to know of this account.
    Account(AccountId),
    /// A revision of the policy that was in force before.
    Policy(u32),
    /// A revision of the directory that was in force before.
    Directory(u32),
    /// The rules of two revisions that were in force together.
    Rules(InForce),
}

/// What was read for a decision.
#[derive(Debug, Clone)]
pub enum Learned {
    /// How a team stands.
    Team(TeamId, Roster),
    /// What leads are to know of an account.
    Account(AccountId, AccountView),
    /// A revision of the policy.
    Policy(Arc<PublishedPolicy>),
    /// A revision of the directory.
    Directory(Arc<Directory>),
    /// The rules of two revisions.
    Rules(Arc<Rulebook>),
}

impl World {
    /// A world of which only the rules are known yet.
    #[must_use]
    pub fn new(rules: Arc<Rulebook>) -> Self {
        Self { rules, rosters: BTreeMap::new(), accounts: BTreeMap::new(), past: Arc::default() }
    }

    /// The revisions that are in force.
    #[must_use]
    pub fn in_force(&self) -> InForce {
        self.rules.in_force()
    }

    /// Takes in what was read.
    pub fn learn(&mut self, learned: Learned) {
        match learned {
            Learned::Team(team, roster) => _ = self.rosters.insert(team, roster),
            Learned::Account(id, view) => _ = self.accounts.insert(id, view),
            Learned::Policy(policy) => Arc::make_mut(&mut self.past).add_policy(policy),
            Learned::Directory(directory) => Arc::make_mut(&mut self.past).add_directory(directory),
            Learned::Rules(rules) => Arc::make_mut(&mut self.past).keep(rules),
        }
    }

    /// The rules of two revisions, made of what was read.
    ///
    /// # Errors
    /// The first of them that was not read.
    pub fn made_of(&self, in_force: InForce) -> Result<Rulebook, Missing> {
        let policy = self.policy(in_force.policy).ok_or(Missing::Policy(in_force.policy))?;
        let directory = self.directory(in_force.directory).ok_or(Missing::Directory(in_force.directory))?;
        Ok(Rulebook::new(Arc::clone(policy), Arc::clone(directory)))
    }

    /// A revision of the policy, if it is known.
    #[must_use]
    pub fn policy(&self, revision: u32) -> Option<&Arc<PublishedPolicy>> {
        let current = self.rules.published();
        if current.revision == revision { Some(current) } else { self.past.policies.get(&revision) }
    }

    /// A revision of the directory, if it is known.
    #[must_use]
    pub fn directory(&self, revision: u32) -> Option<&Arc<Directory>> {
        let current = self.rules.shared_directory();
        if current.revision() == revision { Some(current) } else { self.past.directories.get(&revision) }
    }

    /// The rules of two revisions that were in force together.
    ///
    /// # Errors
    /// If they are not known.
    pub(crate) fn rules_of(&self, in_force: InForce) -> Result<&Rulebook, Missing> {
        if in_force == self.in_force() {
            return Ok(&self.rules);
        }
        let InForce { policy, directory } = in_force;
        self.past.rules.get(&(policy, directory)).map(Arc::as_ref).ok_or(Missing::Rules(in_force))
    }

    /// Who is in a team by any of the directories here: what was due before a publication is decided
    /// by the one of then.
    #[must_use]
    pub fn reps_of(&self, team: &TeamId) -> BTreeSet<&PersonId> {
        let directories = self.past.directories.values().map(Arc::as_ref).chain([self.rules.directory()]);
        directories.filter_map(|of| of.team(team)).flat_map(|team| team.reps.keys()).collect()
    }
}

impl Past {
    /// Revisions with the rules that they made together, one after the other.
    #[must_use]
    pub fn of(
        policies: BTreeMap<u32, Arc<PublishedPolicy>>,
        directories: BTreeMap<u32, Arc<Directory>>,
    ) -> Self {
        let published = policies.values().map(|policy| (policy.published_at, Some(policy), None));
        let more = directories.values().map(|directory| (directory.published_at(), None, Some(directory)));
        let mut all: Vec<_> = published.chain(more).collect();
        all.sort_by_key(|(at, ..)| *at);
        let (mut policy, mut directory, mut rules) = (None, None, BTreeMap::new());
        for (_, next_policy, next_directory) in all {
            (policy, directory) = (next_policy.or(policy), next_directory.or(directory));
            if let (Some(policy), Some(directory)) = (policy, directory) {
                let made = Rulebook::new(Arc::clone(policy), Arc::clone(directory));
                rules.insert((policy.revision, directory.revision()), Arc::new(made));
            }
        }
        Self { policies, directories, rules }
    }

    /// Adds a revision of the policy.
    pub fn add_policy(&mut self, policy: Arc<PublishedPolicy>) {
        self.policies.insert(policy.revision, policy);
    }

    /// Adds a revision of the directory.
    pub fn add_directory(&mut self, directory: Arc<Directory>) {
        self.directories.insert(directory.revision(), directory);
    }

    /// The rules of two revisions; `None` if one of them is not here.
    #[must_use]
    pub fn rules_of(&self, InForce { policy, directory }: InForce) -> Option<Arc<Rulebook>> {
        if let Some(rules) = self.rules.get(&(policy, directory)) {
            return Some(Arc::clone(rules));
        }
        let (policy, directory) = (self.policies.get(&policy)?, self.directories.get(&directory)?);
        Some(Arc::new(Rulebook::new(Arc::clone(policy), Arc::clone(directory))))
    }

    /// Keeps the rules of two revisions.
    pub fn keep(&mut self, rules: Arc<Rulebook>) {
        let InForce { policy, directory } = rules.in_force();
        self.rules.insert((policy, directory), rules);
    }
}
