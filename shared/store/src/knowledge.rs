//! What a decision may know, and how to read what it lacks.

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
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What decisions have asked for so far. The next attempt reads it at once.
#[derive(Debug, Default)]
pub(crate) struct Requirements {
    /// Teams, each with all members by any directory that was read.
    pub teams: BTreeMap<TeamId, BTreeSet<PersonId>>,
    pub accounts: BTreeSet<AccountId>,
}

impl Requirements {
    /// Whether all members of a team, by a directory, were asked for.
    pub fn has_all(&self, team: &TeamId, directory: &Directory) -> bool {
        let is_asked = |rep| self.teams.get(team).is_some_and(|reps| reps.contains(rep));
        directory.team(team).is_none_or(|team| team.reps.keys().all(is_asked))
    }
}

/// What a decision may know, with the versions of what it relies on.
#[derive(Debug)]
pub(crate) struct Knowledge {
    pub world: World,
    /// The versions of the accounts that were read; 0 if an account does not exist.
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
    /// The published policy and directory that a subject's copies of the pointers name.
    pub(crate) async fn knowledge(&self, found: &Items, subject: &Key) -> Result<Knowledge, StoreError> {
        let policy =
            async { self.policy_of_pointer(self.pointer(found, subject, POLICY).await?.as_deref()).await };
        let directory = async {
            self.directory_of_pointer(self.pointer(found, subject, DIRECTORY).await?.as_deref()).await
        };
        let (policy, directory) = futures::future::try_join(policy, directory).await?;
        let world = World::new(self.rules(policy, directory));
        Ok(Knowledge { world, account_versions: BTreeMap::new() })
    }

    /// A subject's copy of a pointer. Earlier releases published without copies; the pointer itself counts then.
    async fn pointer<'f>(
        &self,
        found: &'f Items,
        subject: &Key,
        series: &str,
    ) -> Result<Option<Cow<'f, Item>>, StoreError> {
        match found.get(&subject.pointer_for(series)) {
            Some(pointer) => Ok(Some(Cow::Borrowed(pointer))),
            None => Ok(self.read_one(&Key::current(series)).await?.map(Cow::Owned)),
        }
    }

    /// Reads what an explanation or a dry run lacks. Past loads of teams are not stored, so routing uses the
    /// current ones.
    ///
    /// # Errors
    /// If the database does not answer, or the requested item does not exist.
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
