//! Data that an explanation or a dry run has read from the store, one need at a time.

use policy::PublishedPolicy;
use policy::directory::Directory;
use policy::ids::{AccountId, TeamId};
use rules::account_view::AccountView;
use rules::roster::Roster;
use rules::world::{Need, Past, World};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Store, StoreError};

/// The two documents and the data read so far. The store keeps no history of the teams' loads, so that
/// routing uses the current ones.
pub struct Knowledge {
    policy: Arc<PublishedPolicy>,
    directory: Arc<Directory>,
    rosters: BTreeMap<TeamId, Roster>,
    accounts: BTreeMap<AccountId, AccountView>,
    past: Past,
}

impl Knowledge {
    /// Begins with both documents.
    pub fn new(policy: Arc<PublishedPolicy>, directory: Arc<Directory>) -> Self {
        let (rosters, accounts, past) = (BTreeMap::new(), BTreeMap::new(), Past::default());
        Self { policy, directory, rosters, accounts, past }
    }

    /// Adds earlier revisions that are already read.
    pub fn remember(&mut self, policy: Arc<PublishedPolicy>, directory: Arc<Directory>) {
        self.past.policies.insert(policy.revision, policy);
        self.past.directories.insert(directory.revision(), directory);
    }

    /// The world as decisions see it.
    pub fn world(&self) -> World<'_> {
        World {
            policy: &self.policy,
            directory: &self.directory,
            rosters: &self.rosters,
            accounts: &self.accounts,
            past: &self.past,
        }
    }

    /// Reads what a decision lacks.
    ///
    /// # Errors
    /// If the store does not answer, or lacks it too.
    pub async fn learn(&mut self, store: &Store, need: Need) -> Result<(), StoreError> {
        match need {
            Need::Team(team) => {
                let roster = store.standings(self.world().reps_of(&team)).await?;
                self.rosters.insert(team, roster);
            }
            Need::Account(id) => {
                let account = store.account(&id).await?;
                self.accounts.insert(id, account.map_or_else(AccountView::default, |account| account.view()));
            }
            Need::Policy(revision) => {
                self.past.policies.insert(revision, store.required_policy(revision).await?);
            }
            Need::Directory(revision) => {
                self.past.directories.insert(revision, store.directory(revision).await?);
                // In this revision, other reps may belong to a team.
                self.rosters.clear();
            }
        }
        Ok(())
    }
}
