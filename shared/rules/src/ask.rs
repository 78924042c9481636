//! Asks the world, and says what it lacks: whoever asks reads that, lets the world learn it, and asks again.
//!
//! ```ignore
//! let mut asking = Asking::default();
//! loop {
//!     match asking.decide::<Lead>(before, &mut world, command, now)? {
//!         Answer::Given(decision) => return Ok(decision),
//!         Answer::Lacking(missing) => world.learn(read(missing).await?),
//!     }
//! }
//! ```

use crate::aggregate::{Aggregate, Decision, Defect, Undecided};
use crate::world::{Learned, Missing, World};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// A question asks for no more than this: a few teams and accounts, and the revisions that were published since
/// the lead was last decided on, each with the rules that it makes.
const ASKED_MAX: usize = 96;

/// A question in the asking. It ends, or says that it does not.
#[derive(Debug, Default)]
pub struct Asking {
    rounds: usize,
}

/// What a question came to.
#[derive(Debug, Clone)]
pub enum Answer<T> {
    /// The answer.
    Given(T),
    /// The world lacks this.
    Lacking(Missing),
}

impl Asking {
    /// Decides on a command.
    ///
    /// # Errors
    /// If the rules made a mistake.
    pub fn decide<A: Aggregate>(
        &mut self,
        before: Option<&A>,
        world: &mut World,
        command: &A::Command,
        now: DateTime<Utc>,
    ) -> Result<Answer<Decision<A>>, Defect> {
        self.ask(world, |world| A::decide(before, world, command, now))
    }

    /// Asks anything of the world.
    ///
    /// # Errors
    /// If the rules made a mistake.
    pub fn ask<T>(
        &mut self,
        world: &mut World,
        question: impl Fn(&World) -> Result<T, Undecided>,
    ) -> Result<Answer<T>, Defect> {
        while self.rounds < ASKED_MAX {
            self.rounds += 1;
            let missing = match question(world) {
                Ok(answer) => return Ok(Answer::Given(answer)),
                Err(Undecided::Defect(defect)) => return Err(defect),
                Err(Undecided::Missing(missing)) => missing,
            };
            // The rules of two revisions are made of the documents, as soon as these are there.
            let Missing::Rules(in_force) = missing else { return Ok(Answer::Lacking(missing)) };
            match world.made_of(in_force) {
                Ok(rules) => world.learn(Learned::Rules(Arc::new(rules))),
                Err(document) => return Ok(Answer::Lacking(document)),
            }
        }
        Err(Defect::Endless { what: "something is missing", rounds: ASKED_MAX })
    }
}

/// Why nothing was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskError<E> {
    /// What was missing could not be read.
    Read(E),
    /// The rules made a mistake.
    Defect(Defect),
}

/// Decides on a command where nothing has to be waited for.
///
/// # Errors
/// If what is missing cannot be read, or the rules made a mistake.
pub fn decide_at_once<A: Aggregate, E>(
    before: Option<&A>,
    world: &mut World,
    command: &A::Command,
    now: DateTime<Utc>,
    mut read: impl FnMut(Missing) -> Result<Learned, E>,
) -> Result<Decision<A>, AskError<E>> {
    let mut asking = Asking::default();
    loop {
        match asking.decide(before, world, command, now).map_err(AskError::Defect)? {
            Answer::Given(decision) => return Ok(decision),
            Answer::Lacking(missing) => world.learn(read(missing).map_err(AskError::Read)?),
        }
    }
}
