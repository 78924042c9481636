//! Publications of policies and directories, and the leads and reps that they affect.

use super::simulation::Simulation;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{LeadId, PersonId, PublicationId, PublicationKind, Subject};
use policy::impact::{Rules, reps, scopes};
use policy::{Policy, PublishedPolicy, Rulebook};
use rules::cause;
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead};
use rules::publication::scope;
use std::sync::Arc;

impl Simulation {
    /// Publishes a policy and applies it to the leads that it affects.
    pub fn publish(&mut self, policy: Policy, by: &str, now: DateTime<Utc>) {
        let before = Arc::clone(&self.world.rules);
        let next = PublishedPolicy::next(Some(before.published()), policy, by, now);
        let revision = next.revision;
        self.put_in_force(Rulebook::new(Arc::new(next), Arc::clone(before.shared_directory())));
        let affected = self.affected_since(&before);
        let id = PublicationId { kind: PublicationKind::Policy, revision };
        self.apply_publication(id, affected, now);
    }

    /// Publishes a directory and applies it to the leads that it affects. Reps who change teams keep their
    /// standings.
    pub fn publish_directory(&mut self, directory: Directory, now: DateTime<Utc>) {
        let before = Arc::clone(&self.world.rules);
        let revision = before.directory().revision().saturating_add(1);
        let next = Arc::new(directory.published(revision, now));
        let teams = next.document().teams.iter();
        let rosters = &mut self.world.rosters;
        for (rep, team) in teams.flat_map(|(id, team)| team.reps.keys().map(move |rep| (rep, id))) {
            let elsewhere = rosters.iter_mut().filter(|(of, _)| *of != team);
            let standing = elsewhere.filter_map(|(_, roster)| roster.standings.remove(rep)).next();
            if let Some(standing) = standing {
                rosters.entry(team.clone()).or_default().standings.insert(rep.clone(), standing);
            }
        }
        self.put_in_force(Rulebook::new(Arc::clone(before.published()), next));
        let affected = self.affected_since(&before);
        let id = PublicationId { kind: PublicationKind::Directory, revision };
        self.apply_publication(id, affected, now);
    }

    /// Puts new rules in force and keeps the old ones.
    fn put_in_force(&mut self, rules: Rulebook) {
        let before = std::mem::replace(&mut self.world.rules, Arc::new(rules));
        let past = Arc::make_mut(&mut self.world.past);
        past.add_policy(Arc::clone(before.published()));
        past.add_directory(Arc::clone(before.shared_directory()));
        past.keep(before);
    }

    /// The leads and reps that a publication affects.
    fn affected_since(&self, before: &Rulebook) -> (Vec<LeadId>, Vec<PersonId>) {
        let was = Rules { policy: before.policy(), directory: before.directory() };
        let is = Rules { policy: self.world.rules.policy(), directory: self.world.rules.directory() };
        let scopes = scopes(was, is);
        let is_affected = |lead: &&Lead| scopes.iter().any(|s| s.is_looked_at() && scope::holds(s, lead));
        let leads = self.leads.values().filter(is_affected).map(|lead| lead.id.clone()).collect();
        (leads, reps(was, is).cloned().collect())
    }

    fn apply_publication(
        &mut self,
        id: PublicationId,
        (leads, reps): (Vec<LeadId>, Vec<PersonId>),
        now: DateTime<Utc>,
    ) {
        for lead in leads {
            let (actor, cause) = (Actor::system("publication"), id.to_string());
            self.lead(&Command { lead: lead.clone(), actor, cause, input: Input::Wake }, now);
            // Even if there is nothing to record, the lead can be due at another time.
            let wake_at = self.wake_of(&lead);
            self.set_wake(Subject::Lead(lead), wake_at);
        }
        for rep in reps {
            self.review_rep(&rep, now);
        }
        debug_assert_eq!(self.missed_leads(now), [], "{id} affects leads that it did not reach");
    }

    /// The leads that the publication missed: they have a change now, or are due earlier than scheduled.
    fn missed_leads(&mut self, now: DateTime<Utc>) -> Vec<LeadId> {
        let mut missed = Vec::new();
        for lead in self.leads.values().cloned().collect::<Vec<_>>() {
            // What was due before has nothing to do with the publication.
            if self.next_wake(&lead.id).is_some_and(|at| at <= now) {
                continue;
            }
            let (actor, cause) = (Actor::system("clock"), cause::wake(now));
            let command = Command { lead: lead.id.clone(), actor, cause, input: Input::Wake };
            let decision = self.decide_lead(Some(&lead), &command, now);
            let changes_now = decision.is_some_and(|decision| !decision.entries.is_empty());
            let is_overdue = |at| at > now && self.next_wake(&lead.id).is_none_or(|scheduled| scheduled > at);
            if changes_now || self.wake_of(&lead.id).is_some_and(is_overdue) {
                missed.push(lead.id);
            }
        }
        missed
    }
}
