//! The standings of the teams, in history and in a replay. Whenever a record says what a decision saw of a
//! team, both take it over, and the differences of the replay stay.

use policy::directory::Directory;
use policy::ids::{PersonId, TeamId};
use rules::record::{Saw, SeenStanding};
use rules::rep::LoadChange;
use rules::roster::{Roster, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// The standings on both sides.
#[derive(Debug, Default)]
pub(super) struct Standings {
    recorded: BTreeMap<TeamId, Roster>,
    replayed: BTreeMap<TeamId, Roster>,
}

impl Standings {
    /// Lends the teams of the replay. The caller returns them with [`Self::take_back`].
    pub fn lend_replayed(&mut self) -> BTreeMap<TeamId, Roster> {
        std::mem::take(&mut self.replayed)
    }

    /// Takes the teams of the replay back.
    pub fn take_back(&mut self, replayed: BTreeMap<TeamId, Roster>) {
        self.replayed = replayed;
    }

    /// Takes over what a recorded decision saw of teams.
    pub fn observe(&mut self, saw: &Saw) {
        for (team, seen) in &saw.teams {
            let recorded = &mut self.recorded.entry(team.clone()).or_default().standings;
            let replayed = &mut self.replayed.entry(team.clone()).or_default().standings;
            let reps: BTreeSet<PersonId> = seen.keys().chain(recorded.keys()).cloned().collect();
            let default = SeenStanding::default();
            for rep in reps {
                let seen = seen.get(&rep).unwrap_or(&default);
                let (was, is) = (recorded.entry(rep.clone()).or_default(), replayed.entry(rep).or_default());
                let difference = i64::from(is.load) - i64::from(was.load);
                is.load = u32::try_from((i64::from(seen.load) + difference).max(0)).unwrap_or(u32::MAX);
                if is.last_assigned_at == was.last_assigned_at {
                    is.last_assigned_at = seen.last_assigned_at;
                }
                is.availability = seen.availability.clone();
                is.said_at = seen.said_at;
                *was = seen.to_standing();
            }
        }
    }

    /// Applies the load changes of a recorded commit.
    pub fn change_recorded(&mut self, directory: &Directory, changes: &[LoadChange]) {
        change(&mut self.recorded, directory, changes);
    }

    /// Applies the load changes of a commit in the replay.
    pub fn change_replayed(&mut self, directory: &Directory, changes: &[LoadChange]) {
        change(&mut self.replayed, directory, changes);
    }

    /// Applies the recorded availability of a rep.
    pub fn set_availability(&mut self, directory: &Directory, rep: &PersonId, reported: &Standing) {
        let Some(team) = directory.team_of(rep) else { return };
        for teams in [&mut self.recorded, &mut self.replayed] {
            let roster = teams.entry(team.clone()).or_default();
            let standing = roster.standings.entry(rep.clone()).or_default();
            standing.availability.clone_from(&reported.availability);
            standing.said_at = reported.said_at;
        }
    }
}

fn change(teams: &mut BTreeMap<TeamId, Roster>, directory: &Directory, changes: &[LoadChange]) {
    for LoadChange { rep, delta, assigned_at, .. } in changes {
        let Some(team) = directory.team_of(rep).cloned() else { continue };
        let standing = teams.entry(team).or_default().standings.entry(rep.clone()).or_default();
        standing.load = standing.load.saturating_add_signed(i32::from(*delta));
        standing.last_assigned_at = assigned_at.or(standing.last_assigned_at);
    }
}
