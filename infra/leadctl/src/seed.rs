//! What a fresh local stack is filled with beyond secrets and staff: the policy and the directory.

use std::path::Path;

use crate::state::State;

/// Fills the stack that `state` describes. Called once after each deployment, before anybody is told that it is ready.
///
/// # Errors
/// When the stack does not take what it is given.
#[expect(clippy::unused_async, reason = "the call site is in place; the seeding itself is not yet")]
pub async fn seed(_root: &Path, _state: &State) -> anyhow::Result<()> {
    Ok(())
}
