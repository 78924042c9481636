//! How an aggregate is stored: its history, an item with the folded state, and a due key.

use crate::due::{DueKey, next_due_key};
use crate::error::StoreError;
use crate::item::Item;
use crate::keys::Key;
use crate::outbox::Requested;
use audit::Hash;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, PersonId};
use rules::aggregate::{Aggregate, Consulted, Decision};
use rules::entry::Entry;
use rules::notification::{Delivery, Notification};
use rules::outcome::Outcome;
use rules::record::Recorded;
use rules::rep::LoadChange;
use rules::reuse::Reuse;
use rules::world::World;
use serde::Serialize;
use std::borrow::Cow;

/// An aggregate that is stored as an item.
pub(crate) trait Stored:
    Aggregate<Fact: Clone + Serialize + Send + Sync, Command: Clone + Send + Sync> + Send + Sync
{
    fn key(command: &Self::Command) -> Key;
    /// Reads the state from its item.
    fn read(item: &Item) -> Result<Self, StoreError>;
    /// Writes the state into its item, and into the indexes it belongs to.
    fn write(&self, key: &Key, item: &mut Item) -> Result<(), StoreError>;
    /// The head of the history, which the next commit follows.
    fn head(&self, item: &Item) -> Result<Hash, StoreError>;

    /// The version of the item, which each write increments.
    fn version(&self) -> u64 {
        self.commit()
    }

    /// The state to write over an earlier one.
    #[must_use]
    fn after(self, _before: Option<&Self>) -> Self {
        self
    }

    /// Whether the command carries a source's event under the source's own id. A refusal has an id of
    /// Leadwatch's.
    fn comes_from_a_source(_: &Self::Command) -> bool {
        false
    }

    /// The delivery that the command reports.
    fn delivered(command: &Self::Command) -> Option<&Delivery>;

    /// The account that the command names.
    fn names_account(_: &Self::Command) -> Option<&AccountId> {
        None
    }

    /// Whether the command contains personal texts.
    fn is_personal(_: &Self::Command) -> bool {
        false
    }

    /// The personal texts of the command.
    fn personal_texts(_: &mut Self::Command) -> Vec<&mut String> {
        Vec::new()
    }

    /// The digest of the command without its personal data. The same request has the same digest.
    fn content_digest(command: &Self::Command) -> Result<String, StoreError>;

    /// The digest of the sealed personal texts; `None` if there are none.
    fn personal_digest(_: &Self::Command) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    /// The answer to a command whose id was used before.
    fn reused(command: &Self::Command, reuse: Reuse) -> Outcome;

    /// The refusal to record for a command whose id was used before.
    fn refusal(_: &Self::Command, _: Reuse) -> Option<Self::Command> {
        None
    }

    /// Removes the personal data from the command.
    fn forget(_: &mut Self::Command) {}

    /// Whether the personal data was erased. The commit that erases it destroys the data key too.
    fn erased(&self) -> bool {
        false
    }

    /// Whether the command describes a state that has changed since. Then nothing is decided.
    fn is_outdated(_: &Self::Command, _before: Option<&Self>) -> bool {
        false
    }

    /// The command, completed with the current state of its subject for the record.
    fn completed<'c>(command: &'c Self::Command, _before: Option<&Self>) -> Cow<'c, Self::Command> {
        Cow::Borrowed(command)
    }

    /// The recorded input and the data of its decision. `None` for a publication, whose entries are its
    /// input.
    fn recorded(
        command: &Self::Command,
        consulted: &Consulted,
        world: &World,
    ) -> Result<Option<Recorded>, serde_json::Error>;

    /// The due key after a commit, from the one before it.
    fn due_key(
        _: &Self::Command,
        before: Option<&DueKey>,
        wake_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<DueKey> {
        next_due_key(before, wake_at, now)
    }

    /// The notification that a fact requests.
    fn requested(fact: &Self::Fact) -> Option<&Notification>;

    /// The account that the decision depends on.
    fn rests_on(_: &Self::Command, _: &Decision<Self>) -> Option<AccountId> {
        None
    }

    /// The changes of reps' loads.
    fn load_changes(
        _before: Option<&Self>,
        _after: &Self,
        _entries: &[Entry<Self::Fact>],
    ) -> Vec<LoadChange> {
        Vec::new()
    }
}

/// An aggregate as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Loaded<A> {
    pub state: A,
    pub due: Option<DueKey>,
    /// The head of the history, which the next commit follows.
    pub head: Hash,
}

/// The result of a command.
#[derive(Debug, Clone)]
pub struct Committed<A: Aggregate> {
    /// The outcome; for a duplicate, the first outcome.
    pub outcome: Outcome,
    /// Whether the command was applied before. Then this call wrote nothing.
    pub duplicate: bool,
    /// The entries that this call wrote.
    pub entries: Vec<Entry<A::Fact>>,
    /// The current state of the subject; `None` if it does not exist.
    pub state: Option<A>,
    /// The notifications that this commit requests, to send to the queue.
    pub notifications: Vec<Requested>,
    /// When the subject has something due next; for a duplicate, its current due key.
    pub wake_at: Option<DateTime<Utc>>,
    /// Whether the commit moved the due key. Then no message is under way for that time.
    pub wake_moved: bool,
    /// The reps to check: they have one lead fewer, or they are absent and their manager needs a message.
    pub reps_to_check: Vec<PersonId>,
}
