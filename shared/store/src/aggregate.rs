//! How an aggregate is kept: a history, an item that is its fold, a due key.

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

/// What is kept as an item and decided on by the rules.
pub(crate) trait Stored:
    Aggregate<Fact: Clone + Serialize + Send + Sync, Command: Clone + Send + Sync> + Send + Sync
{
    fn key(command: &Self::Command) -> Key;
    /// Reads its item.
    fn read(item: &Item) -> Result<Self, StoreError>;
    /// Writes it into its item, and into the indexes in which it belongs.
    fn write(&self, key: &Key, item: &mut Item) -> Result<(), StoreError>;
    /// The head of its history, which the next commit follows.
    fn head(&self, item: &Item) -> Result<Hash, StoreError>;

    /// The version of its item, which each write raises.
    fn version(&self) -> u64 {
        self.commit()
    }

    /// As it is written after what it was.
    #[must_use]
    fn after(self, _before: Option<&Self>) -> Self {
        self
    }

    /// Whether it is what a source says, under the source's own id; a refusal has an id of ours.
    fn comes_from_a_source(_: &Self::Command) -> bool {
        false
    }

    /// The delivery that the command reports.
    fn delivered(command: &Self::Command) -> Option<&Delivery>;

    /// The account that the command names.
    fn names_account(_: &Self::Command) -> Option<&AccountId> {
        None
    }

    /// Whether there are personal texts in the command.
    fn is_personal(_: &Self::Command) -> bool {
        false
    }

    /// The personal texts of the command.
    fn personal_texts(_: &mut Self::Command) -> Vec<&mut String> {
        Vec::new()
    }

    /// The digest of what the command asks, but for what is personal: the same request asks the same.
    fn content_digest(command: &Self::Command) -> Result<String, StoreError>;

    /// The digest of what is personal in a command whose texts are sealed; nothing, if nothing is.
    fn personal_digest(_: &Self::Command) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    /// What is answered to a command whose id was used before.
    fn reused(command: &Self::Command, reuse: Reuse) -> Outcome;

    /// The refusal of a command whose id was used before, for the record of what it names.
    fn refusal(_: &Self::Command, _: Reuse) -> Option<Self::Command> {
        None
    }

    /// Takes what is personal out of the command.
    fn forget(_: &mut Self::Command) {}

    /// Whether its personal data was erased: its data key is destroyed in the commit that makes it so.
    fn erased(&self) -> bool {
        false
    }

    /// Whether a command is of something that has changed since: nothing is decided then.
    fn is_outdated(_: &Self::Command, _before: Option<&Self>) -> bool {
        false
    }

    /// The command with what it is about as that stands: the record is to have it.
    fn completed<'c>(command: &'c Self::Command, _before: Option<&Self>) -> Cow<'c, Self::Command> {
        Cow::Borrowed(command)
    }

    /// What the audit keeps of the command and of what the decision saw; a publication's input is
    /// its own entries.
    fn recorded(
        command: &Self::Command,
        consulted: &Consulted,
        world: &World,
    ) -> Result<Option<Recorded>, serde_json::Error>;

    /// The due key that follows from the one before it.
    fn due_key(
        _: &Self::Command,
        before: Option<&DueKey>,
        wake_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<DueKey> {
        next_due_key(before, wake_at, now)
    }

    /// The notification that a fact asks for.
    fn requested(fact: &Self::Fact) -> Option<&Notification>;

    /// The account whose view the decision rests on.
    fn rests_on(_: &Self::Command, _: &Decision<Self>) -> Option<AccountId> {
        None
    }

    /// What becomes of the reps' loads.
    fn load_changes(
        _before: Option<&Self>,
        _after: &Self,
        _entries: &[Entry<Self::Fact>],
    ) -> Vec<LoadChange> {
        Vec::new()
    }
}

/// What was read of an aggregate.
#[derive(Debug, Clone)]
pub(crate) struct Loaded<A> {
    pub state: A,
    pub due: Option<DueKey>,
    /// The head of its history, which the next commit follows.
    pub head: Hash,
}

/// What became of a command.
#[derive(Debug, Clone)]
pub struct Committed<A: Aggregate> {
    /// What became of it; of a duplicate, what became of it the first time.
    pub outcome: Outcome,
    /// It was applied before; nothing was written now.
    pub duplicate: bool,
    /// The entries that were written now.
    pub entries: Vec<Entry<A::Fact>>,
    /// Its subject as it stands; `None` if there is none.
    pub state: Option<A>,
    /// The notifications that this commit asks for, to be handed to the queue.
    pub notifications: Vec<Requested>,
    /// When the subject has to be looked at again; of a duplicate, the due key that stands.
    pub wake_at: Option<DateTime<Utc>>,
    /// Whether the commit moved its due key: then nobody has been asked to look at it then.
    pub wake_moved: bool,
    /// The reps who have to be looked at: they have a lead less, or are away and their manager is to be told.
    pub look_at: Vec<PersonId>,
}
