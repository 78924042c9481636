//! What a decision may know, and reading what it lacks.

use crate::error::StoreError;
use crate::item::{Item, get_document};
use crate::keys::Key;
use crate::read::Items;
use crate::revisions::{DIRECTORY, POLICY};
use crate::store::Store;
use policy::directory::Directory;
use policy::ids::{AccountId, PersonId, TeamId};
use rules::account::Account;
use rules::account_view::AccountView;
use rules::world::{Learned, Missing, World};
use std::collections::{BTreeMap, BTreeSet};

/// What decisions have asked for so far; read at once the next time.
#[derive(Debug, Default)]
pub(crate) struct Requirements {
    /// Teams, with all who were in them by any directory that was known.
    pub teams: BTreeMap<TeamId, BTreeSet<PersonId>>,
    pub accounts: BTreeSet<AccountId>,
}

impl Requirements {
    /// Whether everybody in a team by a directory was asked for.
    pub fn has_all(&self, team: &TeamId, directory: &Directory) -> bool {
        let is_asked = |rep| self.teams.get(team).is_some_and(|reps| reps.contains(rep));
        directory.team(team).is_none_or(|team| team.reps.keys().all(is_asked))
    }
}

/// What a decision may know, and how what it rests on stood when it was read.
#[derive(Debug)]
pub(crate) struct Knowledge {
    pub world: World,
    /// The versions of the accounts that were read; 0: there is none.
    pub account_versions: BTreeMap<AccountId, u64>,
}

impl Knowledge {
    pub fn learn_account(&mut self, id: AccountId, item: Option<&Item>) -> Result<(), StoreError> {
        let account: Option<Account> = item.map(get_document).transpose()?;
        self.account_versions.insert(id.clone(), account.as_ref().map_or(0, |account| account.commit));
        let view = account.map_or_else(AccountView::default, |account| account.view());
        self.world.learn(Learned::Account(id, view));
        Ok(())
    }
}

impl Store {
    /// The published policy and directory that the pointers name.
    pub(crate) async fn knowledge(&self, found: &Items) -> Result<Knowledge, StoreError> {
        let (policy, directory) = futures::future::try_join(
            self.policy_of_pointer(found.get(&Key::current(POLICY))),
            self.directory_of_pointer(found.get(&Key::current(DIRECTORY))),
        )
        .await?;
        let world = World::new(self.rules(policy, directory));
        Ok(Knowledge { world, account_versions: BTreeMap::new() })
    }

    /// Reads what an explanation, or the trial of a publication, lacks. How teams stand is not kept for ever:
    /// whom routing would choose goes by how they stand now.
    ///
    /// # Errors
    /// If the database does not answer, or what is asked for is not there.
    pub async fn learn(&self, missing: Missing, world: &World) -> Result<Learned, StoreError> {
        Ok(match missing {
            Missing::Team(team) => {
                let roster = self.standings(world.reps_of(&team)).await?;
                Learned::Team(team, roster)
            }
            Missing::Account(id) => {
                let item = self.read_one(&Key::account(&id)).await?;
                let account: Option<Account> = item.as_ref().map(get_document).transpose()?;
                Learned::Account(id, account.map_or_else(AccountView::default, |account| account.view()))
            }
            Missing::Policy(revision) => Learned::Policy(self.required_policy(revision).await?),
            Missing::Directory(revision) => Learned::Directory(self.directory(revision).await?),
            Missing::Rules(in_force) => {
                let policy = self.required_policy(in_force.policy).await?;
                Learned::Rules(self.rules(policy, self.directory(in_force.directory).await?))
            }
        })
    }
}
