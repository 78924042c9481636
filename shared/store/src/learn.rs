//! Reads what a question about the world lacks.

use crate::Store;
use crate::error::StoreError;
use rules::account_view::AccountView;
use rules::world::{Learned, Missing, World};

impl Store {
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
                let account = self.account(&id).await?;
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
