//! Commands to leads, and offers to the leads that wait for a rep.

use super::entry::AnyEntry;
use super::records::CommitInput;
use super::simulation::Simulation;
use chrono::{DateTime, Utc};
use policy::ids::{LeadId, PersonId, Subject};
use rules::account::Account;
use rules::account_view::AccountView;
use rules::aggregate::Decision;
use rules::ask::AskError;
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead, LeadFact, waits_since};
use rules::outcome::Outcome;
use rules::rep::load_changes;
use rules::roster::Roster;
use rules::world::{Learned, Missing};
use rules::{ask, cause};
use std::collections::BTreeSet;

impl Simulation {
    /// Applies a command to a lead at a time.
    pub fn lead(&mut self, command: &Command, now: DateTime<Utc>) -> Outcome {
        self.latest_at = self.latest_at.max(now);
        let before = self.leads.get(&command.lead).cloned();
        let Some(decision) = self.decide_lead(before.as_ref(), command, now) else {
            return Outcome::NotFound;
        };
        // Record before loads change, so that the record has the teams as the decision saw them.
        let consulted = &decision.consulted;
        let input = CommitInput { actor: &command.actor, input: &command.input, consulted, now };
        self.record(input, &decision.entries);
        let mut freed = BTreeSet::new();
        if let Some(after) = decision.changed.map(|after| *after).or_else(|| before.clone()) {
            for change in load_changes(before.as_ref(), &after, &decision.entries) {
                self.change_load(&change);
                if change.absent.is_some() {
                    self.set_wake(Subject::Rep(change.rep.clone()), Some(now));
                }
                freed.extend((change.delta < 0).then_some(change.rep));
            }
            let subject = Subject::Lead(after.id.clone());
            self.set_wake(subject, decision.wake_at);
            self.leads.insert(after.id.clone(), after);
        }
        for entry in &decision.entries {
            if let LeadFact::Notification(fact) = &entry.fact {
                self.deferred.follow(&entry.subject, fact);
            }
        }
        self.history.extend(decision.entries.into_iter().map(AnyEntry::Lead));
        for rep in freed {
            self.offer(&rep, now);
        }
        decision.outcome
    }

    /// Decides a command on a lead. `None` if it needs a revision that was never in force.
    pub(super) fn decide_lead(
        &mut self,
        before: Option<&Lead>,
        command: &Command,
        now: DateTime<Utc>,
    ) -> Option<Decision<Lead>> {
        // The world always has the teams; it reads an account when the decision asks for it.
        self.world.accounts.clear();
        let accounts = &self.accounts;
        let decision = ask::decide_at_once(before, &mut self.world, command, now, |missing| match missing {
            Missing::Account(id) => {
                let view = accounts.get(&id).map_or_else(AccountView::default, Account::view);
                Ok(Learned::Account(id, view))
            }
            Missing::Team(team) => Ok(Learned::Team(team, Roster::default())),
            missing => Err(missing),
        });
        debug_assert!(!matches!(decision, Err(AskError::Defect(_))), "{decision:?}");
        decision.ok()
    }

    /// Offers a rep with free capacity to the waiting leads of the team, longest wait first.
    pub(super) fn offer(&mut self, rep: &PersonId, now: DateTime<Utc>) {
        let Some(team) = self.world.rules.directory().team_of(rep).cloned() else { return };
        let mut waiting: Vec<(DateTime<Utc>, LeadId)> = self
            .leads
            .values()
            .filter_map(|lead| waits_since(lead, self.world.rules.directory(), &team))
            .collect();
        waiting.sort();
        for (_, lead) in waiting {
            if !self.has_capacity(rep, now) {
                return;
            }
            let (actor, cause) = (Actor::system("routing"), cause::offer(rep, now));
            self.lead(&Command { lead, actor, cause, input: Input::Offer }, now);
        }
    }

    fn has_capacity(&self, rep: &PersonId, now: DateTime<Utc>) -> bool {
        let (Some(team), Some(known)) =
            (self.world.rules.directory().team_of(rep), self.world.rules.directory().rep(rep))
        else {
            return false;
        };
        let standing = self.world.rosters.get(team).and_then(|roster| roster.standings.get(rep));
        let standing = standing.cloned().unwrap_or_default();
        standing.load < known.capacity && standing.is_available(known.on_leave_until, now)
    }
}
