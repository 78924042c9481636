//! An account as what is decided on.

use super::command::AccountCommand;
use super::decide;
use super::event::AccountFact;
use super::evolve;
use super::state::Account;
use crate::aggregate::{Aggregate, Decision, FoldError, Undecided};
use crate::entry::{Actor, Entry};
use crate::notification::NotificationFact;
use crate::world::World;
use chrono::{DateTime, Utc};
use policy::ids::Subject;

impl From<NotificationFact> for AccountFact {
    fn from(fact: NotificationFact) -> Self {
        Self::Notification(fact)
    }
}

impl Aggregate for Account {
    type Fact = AccountFact;
    type Command = AccountCommand;

    fn subject(command: &AccountCommand) -> Subject {
        Subject::Account(command.account.clone())
    }

    fn actor(command: &AccountCommand) -> &Actor {
        &command.actor
    }

    fn cause(command: &AccountCommand) -> &str {
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

    fn begin(entry: &Entry<AccountFact>) -> Result<Self, FoldError> {
        evolve::begin(entry)
    }

    fn follow(&mut self, entry: &Entry<AccountFact>) -> Result<(), FoldError> {
        evolve::follow(self, entry)
    }

    fn decide(
        before: Option<&Self>,
        world: &World,
        command: &AccountCommand,
        now: DateTime<Utc>,
    ) -> Result<Decision<Self>, Undecided> {
        decide::decide(before, world, command, now)
    }
}
