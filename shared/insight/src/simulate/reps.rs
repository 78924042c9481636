//! The availability of reps, and what follows from it.

use super::entry::AnyEntry;
use super::records::CommitInput;
use super::simulation::Simulation;
use chrono::{DateTime, Utc};
use policy::ids::{LeadId, PersonId, Subject, TeamId};
use rules::aggregate::Aggregate as _;
use rules::entry::Actor;
use rules::lead::{Command, Input, stays_with};
use rules::outcome::Outcome;
use rules::rep::{RepCommand, RepInput};
use rules::roster::{Availability, Standing};
use rules::{absence, cause};

impl Simulation {
    /// Sets the availability of a rep.
    pub fn availability(
        &mut self,
        rep: &PersonId,
        availability: &Availability,
        actor: &Actor,
        cause: &str,
        now: DateTime<Utc>,
    ) -> Outcome {
        let Some(team) = self.world.rules.directory().team_of(rep).cloned() else {
            let why = format!("`{rep}` is not a rep in the directory");
            return Outcome::Invalid { field: "rep".to_owned(), why };
        };
        let input = RepInput::Availability(availability.clone());
        let (rep, actor, cause) = (rep.clone(), actor.clone(), cause.to_owned());
        let command = RepCommand { rep, actor, cause, input };
        let outcome = self.rep(&team, &command, now);
        if outcome == Outcome::Applied {
            self.review_rep(&command.rep, now);
        }
        outcome
    }

    fn rep(&mut self, team: &TeamId, command: &RepCommand, now: DateTime<Utc>) -> Outcome {
        let standings = &self.world.rosters.entry(team.clone()).or_default().standings;
        let before = standings.get(&command.rep).cloned().unwrap_or_default();
        let command = command.seen_from(&before);
        let Ok(decision) = Standing::decide(Some(&before), &self.world, &command, now) else {
            return Outcome::NotFound;
        };
        let consulted = &decision.consulted;
        let input = CommitInput { actor: &command.actor, input: &command.input, consulted, now };
        self.record(input, &decision.entries);
        let mut after = decision.changed.map_or(before, |after| *after);
        after.version = after.version.saturating_add(u64::from(!decision.entries.is_empty()));
        let standings = &mut self.world.rosters.entry(team.clone()).or_default().standings;
        standings.insert(command.rep, after);
        self.history.extend(decision.entries.into_iter().map(AnyEntry::Rep));
        decision.outcome
    }

    /// Reviews a rep: an absent rep's leads may need another owner, and a present rep may have capacity.
    pub(super) fn review_rep(&mut self, rep: &PersonId, now: DateTime<Utc>) {
        let owned: Vec<LeadId> = self
            .leads
            .values()
            .filter(|lead| lead.owner.as_ref() == Some(rep) && !lead.is_closed())
            .map(|lead| lead.id.clone())
            .collect();
        for lead in owned {
            let (actor, cause) = (Actor::system("routing"), cause::presence(rep, now));
            self.lead(&Command { lead, actor, cause, input: Input::OwnerPresence }, now);
        }
        self.offer(rep, now);
        self.report_absence(rep, now);
        let standing = self
            .world
            .rules
            .directory()
            .team_of(rep)
            .and_then(|team| self.world.rosters.get(team)?.standings.get(rep));
        let standing = standing.cloned().unwrap_or_default();
        let next_review =
            absence::next_look(self.world.rules.directory(), self.world.rules.policy(), rep, &standing, now);
        self.set_wake(Subject::Rep(rep.clone()), next_review);
    }

    /// Reports to the manager what happened to the leads of an absent rep.
    fn report_absence(&mut self, rep: &PersonId, now: DateTime<Utc>) {
        let Some(team) = self.world.rules.directory().team_of(rep).cloned() else { return };
        let staying = self.leads.values().filter(|lead| stays_with(lead, rep)).count();
        let (actor, cause) = (Actor::system("routing"), cause::presence(rep, now));
        let input = RepInput::looked_at(u32::try_from(staying).unwrap_or(u32::MAX), 0);
        self.rep(&team, &RepCommand { rep: rep.clone(), actor, cause, input }, now);
    }
}
