//! A rep as what is decided on.

use super::command::RepCommand;
use super::decide;
use super::event::RepFact;
use super::evolve;
use crate::aggregate::{Aggregate, Decision, FoldError, Undecided};
use crate::entry::{Actor, Entry};
use crate::notification::NotificationFact;
use crate::roster::Standing;
use crate::world::World;
use chrono::{DateTime, Utc};
use policy::ids::Subject;

impl From<NotificationFact> for RepFact {
    fn from(fact: NotificationFact) -> Self {
        Self::Notification(fact)
    }
}

impl Aggregate for Standing {
    type Fact = RepFact;
    type Command = RepCommand;

    fn subject(command: &RepCommand) -> Subject {
        Subject::Rep(command.rep.clone())
    }

    fn actor(command: &RepCommand) -> &Actor {
        &command.actor
    }

    fn cause(command: &RepCommand) -> &str {
        &command.cause
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn commit(&self) -> u64 {
        self.commit
    }

    /// What reps say counts from when they say it, whatever was said before.
    fn changed_at(&self) -> Option<DateTime<Utc>> {
        None
    }

    fn begin(entry: &Entry<RepFact>) -> Result<Self, FoldError> {
        let mut standing = Self::default();
        evolve::follow(&mut standing, entry)?;
        Ok(standing)
    }

    fn follow(&mut self, entry: &Entry<RepFact>) -> Result<(), FoldError> {
        evolve::follow(self, entry)
    }

    fn decide(
        before: Option<&Self>,
        world: &World,
        command: &RepCommand,
        now: DateTime<Utc>,
    ) -> Result<Decision<Self>, Undecided> {
        decide::decide(before, world, command, now)
    }
}
