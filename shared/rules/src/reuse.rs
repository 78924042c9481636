//! An id that is used again. The same content under it is a repetition and gets the first answer.
//! Other content is no repetition: it is refused, the refusal goes into the record of the lead or
//! account that it names, and what a screening found in it holds the lead all the same.

use crate::account::command::{AccountCommand, AccountInput};
use crate::entry::{Actor, ActorKind};
use crate::lead::command::{Command, Input};
use crate::lead::party::NamedParty;
use crate::outcome::Outcome;
use chrono::DateTime;

/// What an id was used for before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// For another lead, account or rep.
    OtherSubject,
    /// For other content.
    OtherContent,
}

/// The caller's name for the id of its input.
fn id_of(actor: &Actor) -> &'static str {
    match actor.kind {
        ActorKind::Staff => "Idempotency-Key",
        ActorKind::Source | ActorKind::System => "id",
    }
}

/// The outcome of an input whose id was used before.
pub fn outcome(reuse: Reuse, actor: &Actor) -> Outcome {
    let id = id_of(actor);
    match reuse {
        Reuse::OtherSubject => Outcome::Conflict {
            why: format!(
                "this {id} was already used for another lead or account; send the request again with a new {id}"
            ),
        },
        Reuse::OtherContent => Outcome::Reused { why: why_other_content(id) },
    }
}

/// The answer to an id that is reused with different content.
pub fn why_other_content(id: &str) -> String {
    format!(
        "this {id} was already used with different content, so the request was not applied; send it again with a new {id}"
    )
}

fn why(reuse: Reuse, actor: &Actor) -> String {
    match outcome(reuse, actor) {
        Outcome::Conflict { why } | Outcome::Reused { why } => why,
        _ => String::new(),
    }
}

impl Command {
    /// What was asked, without what follows from when and where it was received: the same request
    /// asks the same whenever it comes.
    pub fn asked(&self) -> Input {
        let mut input = self.input.clone();
        match &mut input {
            // What the directory says of the officer today is no part of the decision.
            Input::Decide(decision) => {
                decision.also_known_as.clear();
                decision.person = None;
            }
            Input::Reopen(reopening) => {
                reopening.also_known_as.clear();
                reopening.person = None;
            }
            // A flag raised by hand is of the instant it comes, and so is its list.
            Input::Event(event) if self.actor.kind == ActorKind::Staff => {
                event.occurred_at = DateTime::UNIX_EPOCH;
                for found in &mut event.matches {
                    found.criterion.list_version.clear();
                }
            }
            _ => {}
        }
        input
    }

    /// The refusal of this input since its id was used before.
    pub fn refusal(&self, reuse: Reuse) -> Option<Self> {
        let (matches, flagged_by, named) = match &self.input {
            // It differs in personal data only, so its matches are about another person.
            Input::RefusedAtDoor { .. } => return Some(self.clone()),
            Input::Event(event) => (event.matches.clone(), event.flagged_by.clone(), event.named_party()),
            _ => (Vec::new(), None, NamedParty::default()),
        };
        let (field, why) = (id_of(&self.actor).to_owned(), why(reuse, &self.actor));
        Some(Self { input: Input::RefusedAtDoor { field, why, matches, flagged_by, named }, ..self.clone() })
    }
}

impl AccountCommand {
    /// As [`Command::asked`].
    pub fn asked(&self) -> AccountInput {
        let mut input = self.input.clone();
        if let AccountInput::Signal { occurred_at, .. } = &mut input
            && self.actor.kind == ActorKind::Staff
        {
            *occurred_at = DateTime::UNIX_EPOCH;
        }
        input
    }

    /// As [`Command::refusal`].
    pub fn refusal(&self, reuse: Reuse) -> Option<Self> {
        if matches!(self.input, AccountInput::RefusedAtDoor { .. }) {
            return None;
        }
        let (field, why) = (id_of(&self.actor).to_owned(), why(reuse, &self.actor));
        Some(Self { input: AccountInput::RefusedAtDoor { field, why }, ..self.clone() })
    }
}
