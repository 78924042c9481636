//! A whole deployment in memory, in virtual time, with the real `decide` and no infrastructure around it.
//! Timers run at their own times, in order, unless a caller simulates an outage.

mod accounts;
mod deferred;
mod delivery;
mod entry;
mod leads;
mod loads;
mod publications;
mod records;
mod reps;
mod simulation;
mod timers;

pub use entry::AnyEntry;
pub use simulation::Simulation;

use policy::directory::Directory;
use policy::ids::PersonId;
use policy::{PublishedPolicy, Rulebook};
use rules::roster::Roster;
use rules::world::World;
use std::sync::Arc;

impl Simulation {
    /// A deployment that starts without leads and accounts.
    pub fn new(policy: PublishedPolicy, directory: Directory) -> Self {
        let directory = match directory.revision() {
            0 => directory.published(1, policy.published_at),
            _ => directory,
        };
        let rosters = directory.document().teams.keys().map(|id| (id.clone(), Roster::default())).collect();
        let rules = Arc::new(Rulebook::new(Arc::new(policy), Arc::new(directory)));
        let mut simulation = Self::empty(World { rosters, ..World::new(rules) });
        let started_at = simulation.world.rules.published().published_at;
        let teams = simulation.world.rules.directory().document().teams.values();
        let reps: Vec<PersonId> = teams.flat_map(|team| team.reps.keys().cloned()).collect();
        for rep in reps {
            simulation.review_rep(&rep, started_at);
        }
        simulation
    }
}
