//! The loads of reps.

use super::simulation::Simulation;
use rules::rep::LoadChange;

impl Simulation {
    pub(super) fn change_load(&mut self, change: &LoadChange) {
        // A rep without a team keeps their last standing, because a later directory can add them again.
        let last =
            || self.world.rosters.iter().find(|(_, roster)| roster.standings.contains_key(&change.rep));
        let team =
            self.world.rules.directory().team_of(&change.rep).cloned().or_else(|| Some(last()?.0.clone()));
        let Some(team) = team else { return };
        let roster = self.world.rosters.entry(team).or_default();
        let standing = roster.standings.entry(change.rep.clone()).or_default();
        standing.load = standing.load.saturating_add_signed(i32::from(change.delta));
        standing.last_assigned_at = change.assigned_at.or(standing.last_assigned_at);
        standing.version = standing.version.saturating_add(1);
        if let Some(absent) = &change.absent {
            standing.untold.count(absent);
        }
    }
}
