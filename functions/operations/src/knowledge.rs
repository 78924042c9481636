//! Reads what an explanation or a dry run lacks, one thing at a time.

use rules::world::{Learned, Missing, World};
use store::{Store, StoreError};

/// Reads what is missing, and lets the world learn it.
///
/// # Errors
/// If the store does not answer, or lacks it too.
pub async fn learn(store: &Store, missing: Missing, world: &mut World) -> Result<(), StoreError> {
    let learned = store.learn(missing, world).await?;
    if let Learned::Directory(_) = &learned {
        // In this revision, other reps may belong to a team.
        world.rosters.clear();
    }
    world.learn(learned);
    Ok(())
}
