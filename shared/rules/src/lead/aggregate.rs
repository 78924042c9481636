//! A lead as what is decided on.

use super::command::Command;
use super::decide;
use super::event::LeadFact;
use super::evolve;
use super::state::Lead;
use crate::aggregate::{Aggregate, Decision, FoldError, Undecided};
use crate::entry::{Actor, Entry};
use crate::notification::{About, NotificationFact};
use crate::world::World;
use chrono::{DateTime, Utc};
use policy::ids::Subject;

impl From<NotificationFact> for LeadFact {
    fn from(fact: NotificationFact) -> Self {
        Self::Notification(fact)
    }
}

impl Aggregate for Lead {
    type Fact = LeadFact;
    type Command = Command;

    fn subject(command: &Command) -> Subject {
        Subject::Lead(command.lead.clone())
    }

    fn actor(command: &Command) -> &Actor {
        &command.actor
    }

    fn cause(command: &Command) -> &str {
        &command.cause
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn commit(&self) -> u64 {
        self.commit
    }

    fn changed_at(&self) -> Option<DateTime<Utc>> {
        Some(self.changed_at)
    }

    fn begin(entry: &Entry<LeadFact>) -> Result<Self, FoldError> {
        evolve::begin(entry)
    }

    fn follow(&mut self, entry: &Entry<LeadFact>) -> Result<(), FoldError> {
        evolve::follow(self, entry)
    }

    fn decide(
        before: Option<&Self>,
        world: &World,
        command: &Command,
        now: DateTime<Utc>,
    ) -> Result<Decision<Self>, Undecided> {
        decide::decide(before, world, command, now)
    }

    fn about(&self, due_at: Option<DateTime<Utc>>) -> About {
        About {
            sla_clock: Some(self.sla_clocks),
            visit: Some(self.stuck_clocks),
            review: self.review.as_ref().map(|review| review.opened_at),
            due_at,
        }
    }
}
