//! A publication as what is decided on.

use super::command::PublicationCommand;
use super::decide;
use super::event::PublicationFact;
use super::evolve;
use super::state::Publication;
use crate::aggregate::{Aggregate, Decision, FoldError, Undecided};
use crate::entry::{Actor, Entry};
use crate::notification::NotificationFact;
use crate::world::World;
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use std::sync::LazyLock;

/// Publications are gone through by Leadwatch itself.
static ACTOR: LazyLock<Actor> = LazyLock::new(|| Actor::system("publication"));

impl From<NotificationFact> for PublicationFact {
    fn from(fact: NotificationFact) -> Self {
        Self::Notification(fact)
    }
}

impl Aggregate for Publication {
    type Fact = PublicationFact;
    type Command = PublicationCommand;

    fn subject(command: &PublicationCommand) -> Subject {
        Subject::Publication(command.publication)
    }

    fn actor(_: &PublicationCommand) -> &Actor {
        &ACTOR
    }

    fn cause(command: &PublicationCommand) -> &str {
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

    fn begin(entry: &Entry<PublicationFact>) -> Result<Self, FoldError> {
        evolve::begin(entry)
    }

    fn follow(&mut self, entry: &Entry<PublicationFact>) -> Result<(), FoldError> {
        evolve::follow(self, entry)
    }

    fn decide(
        before: Option<&Self>,
        world: &World,
        command: &PublicationCommand,
        now: DateTime<Utc>,
    ) -> Result<Decision<Self>, Undecided> {
        decide::decide(before, world, command, now)
    }
}
