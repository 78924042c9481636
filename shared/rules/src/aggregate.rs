//! What leads, accounts, reps and publications have in common: a history of facts, a state that is its fold,
//! and a decision that adds facts to it.

use crate::entry::{Actor, Entry};
use crate::notification::{About, NotificationFact};
use crate::outcome::Outcome;
use crate::world::{Missing, World};
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, PersonId, Subject, TeamId};
use std::collections::{BTreeMap, BTreeSet};

/// What is decided on.
pub trait Aggregate: Clone {
    /// What can happen to it.
    type Fact: From<NotificationFact>;
    /// What can be asked of it.
    type Command;

    /// Whose history a command belongs to.
    fn subject(command: &Self::Command) -> Subject;
    /// Who brings a command.
    fn actor(command: &Self::Command) -> &Actor;
    /// The identity of a command: the same input has the same, however often it comes.
    fn cause(command: &Self::Command) -> &str;

    /// The last entry that is folded in; 0 before the first one.
    fn seq(&self) -> u64;
    /// The last commit that is folded in; 0 before the first one.
    fn commit(&self) -> u64;
    /// When the last entry took effect, if one did.
    fn changed_at(&self) -> Option<DateTime<Utc>>;

    /// What the first entry of a history makes.
    ///
    /// # Errors
    /// If a history does not begin with that entry.
    fn begin(entry: &Entry<Self::Fact>) -> Result<Self, FoldError>;

    /// Folds in a later entry. After an error the state is what it was.
    ///
    /// # Errors
    /// If the entry does not follow from the history.
    fn follow(&mut self, entry: &Entry<Self::Fact>) -> Result<(), FoldError>;

    /// What one entry makes of it.
    ///
    /// # Errors
    /// If the entry does not follow from its history.
    fn evolve(state: Option<Self>, entry: &Entry<Self::Fact>) -> Result<Self, FoldError> {
        let Some(mut state) = state else { return Self::begin(entry) };
        state.follow(entry)?;
        Ok(state)
    }

    /// What should happen to it, given a command at an instant.
    ///
    /// # Errors
    /// [`Undecided::Missing`] names what the world lacks; read it and decide again. A defect is a mistake of
    /// this crate.
    fn decide(
        before: Option<&Self>,
        world: &World,
        command: &Self::Command,
        now: DateTime<Utc>,
    ) -> Result<Decision<Self>, Undecided>;

    /// What of it a message is about right now; a timer that was due then brought the message about.
    fn about(&self, _due_at: Option<DateTime<Utc>>) -> About {
        About::default()
    }
}

/// Folds a whole history.
///
/// # Errors
/// If an entry does not follow from those before it.
pub fn fold<'a, A: Aggregate<Fact: 'a>>(
    entries: impl IntoIterator<Item = &'a Entry<A::Fact>>,
) -> Result<Option<A>, FoldError> {
    entries.into_iter().try_fold(None, |state, entry| A::evolve(state, entry).map(Some))
}

/// What should happen.
#[derive(Debug, Clone)]
pub struct Decision<A: Aggregate> {
    /// What becomes of the command.
    pub outcome: Outcome,
    /// The facts, in order. Empty: nothing is to be written.
    pub entries: Vec<Entry<A::Fact>>,
    /// The state with the facts folded in; `None` if there are none.
    pub changed: Option<Box<A>>,
    /// When it has to be looked at again.
    pub wake_at: Option<DateTime<Utc>>,
    /// The reps that routing chose, with the version of their standing that it saw: a commit holds only while
    /// they stand so.
    pub relied_on: BTreeMap<PersonId, u64>,
    /// What the decision looked at beside the state and the documents.
    pub consulted: Consulted,
}

impl<A: Aggregate> Decision<A> {
    /// The state that follows from the one before it.
    #[must_use]
    pub fn state<'s>(&'s self, before: Option<&'s A>) -> Option<&'s A> {
        self.changed.as_deref().or(before)
    }
}

/// Why nothing was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecided {
    /// The world lacks something: read it and decide again.
    Missing(Missing),
    /// The rules made a mistake. Nothing is written.
    Defect(Defect),
}

impl From<Missing> for Undecided {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

impl From<Defect> for Undecided {
    fn from(defect: Defect) -> Self {
        Self::Defect(defect)
    }
}

/// A mistake of the rules themselves: a decision that would contradict its own history, or never end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// A fact does not follow from the history.
    #[error("a fact does not fold")]
    Fold(#[from] FoldError),
    /// Deciding does not come to an end.
    #[error("a decision does not end: {what} after {rounds} rounds")]
    Endless {
        /// What goes on.
        what: &'static str,
        /// How many rounds there were.
        rounds: usize,
    },
}

/// Why a history cannot be folded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The first entry of a history says that it begins; no later one does.
    #[error("entry {seq} of `{subject}`: a history begins with the creation, and has one")]
    Beginning {
        /// Whose history.
        subject: Subject,
        /// Which entry.
        seq: u64,
    },
    /// Entries are numbered without gaps.
    #[error("entry {seq} of `{subject}` follows entry {after}")]
    Gap {
        /// Whose history.
        subject: Subject,
        /// Which entry.
        seq: u64,
        /// The one before it.
        after: u64,
    },
}

impl FoldError {
    /// Requires that an entry is the next one of its history.
    pub(crate) fn require_next<F>(entry: &Entry<F>, after: u64) -> Result<(), Self> {
        if entry.seq == after.saturating_add(1) {
            return Ok(());
        }
        Err(Self::Gap { subject: entry.subject.clone(), seq: entry.seq, after })
    }

    /// A history begins where it may not, or does not begin where it has to.
    pub(crate) fn beginning<F>(entry: &Entry<F>) -> Self {
        Self::Beginning { subject: entry.subject.clone(), seq: entry.seq }
    }
}

/// What a decision looked at beside its subject and the documents. It is recorded with the decision, so that it
/// can be taken again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consulted {
    /// The teams whose standing it looked at.
    pub teams: BTreeSet<TeamId>,
    /// The accounts whose view it looked at.
    pub accounts: BTreeSet<AccountId>,
}
