//! What a lead and an account have in common: a history, an item that is its fold, a due key.

use crate::error::StoreError;
use crate::item::Item;
use crate::keys::Key;
use crate::outbox::Requested;
use audit::Hash;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, PersonId, Subject};
use rules::aggregate::Consulted;
use rules::entry::Entry;
use rules::notification::{Delivery, Notification};
use rules::outcome::Outcome;
use rules::record::Recorded;
use rules::rep::LoadChange;
use rules::reuse::Reuse;
use rules::world::{Need, World};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// What is kept as an item and decided on by the rules.
pub(crate) trait Aggregate: Clone + Serialize + DeserializeOwned + Send + Sync {
    /// What happens to it.
    type Fact: Clone + Serialize + Send + Sync;
    /// What can be asked of it.
    type Command: Clone + Send + Sync;

    fn subject(command: &Self::Command) -> Subject;
    fn key(command: &Self::Command) -> Key;
    fn cause(command: &Self::Command) -> &str;
    /// Whether it is what a source says, under the source's own id; a refusal has an id of ours.
    fn comes_from_a_source(command: &Self::Command) -> bool;
    /// The delivery that the command reports.
    fn delivered(command: &Self::Command) -> Option<&Delivery>;
    /// The account that the command names.
    fn names_account(command: &Self::Command) -> Option<&AccountId>;
    /// Whether there are personal texts in the command.
    fn is_personal(_: &Self::Command) -> bool {
        false
    }

    /// The personal texts of the command.
    fn personal_texts(_: &mut Self::Command) -> Vec<&mut String> {
        Vec::new()
    }

    /// The digest of what the command asks, but for what is personal: the same request asks the same.
    fn asked(command: &Self::Command) -> Result<String, StoreError>;

    /// The digest of what is personal in a command whose texts are sealed; nothing, if nothing is.
    fn asked_personal(_: &Self::Command) -> Result<Option<String>, StoreError> {
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

    fn decide(
        before: Option<&Self>,
        world: &World<'_>,
        command: &Self::Command,
        now: DateTime<Utc>,
    ) -> Result<Decided<Self>, Need>;

    /// What the audit keeps of the command and of what the decision saw; a publication's input is
    /// its own entries.
    fn recorded(
        command: &Self::Command,
        consulted: &Consulted,
        world: &World<'_>,
    ) -> Result<Option<Recorded>, serde_json::Error>;

    /// The last commit that is folded in; the item's version.
    fn version(&self) -> u64;
    /// Puts its item into the indexes in which it belongs.
    fn index(&self, item: &mut Item);
    /// The notification that a fact asks for.
    fn requested(fact: &Self::Fact) -> Option<&Notification>;
    /// The account whose view the decision rests on.
    fn rests_on(command: &Self::Command, decided: &Decided<Self>) -> Option<AccountId>;
    /// What becomes of the reps' loads.
    fn load_changes(before: Option<&Self>, after: &Self, entries: &[Entry<Self::Fact>]) -> Vec<LoadChange>;
}

/// What should happen to one of them.
#[derive(Debug, Clone)]
pub(crate) struct Decided<A: Aggregate> {
    pub outcome: Outcome,
    pub entries: Vec<Entry<A::Fact>>,
    pub after: Option<A>,
    pub wake_at: Option<DateTime<Utc>>,
    pub relied_on: BTreeMap<PersonId, u64>,
    pub consulted: Consulted,
}

/// What was read of one of them.
#[derive(Debug, Clone)]
pub(crate) struct Standing<A> {
    pub state: A,
    pub due: Option<DueKey>,
    /// The head of its history, which the next commit follows.
    pub head: Hash,
}

/// An item's key in the due index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DueKey {
    pub wake_at: DateTime<Utc>,
    /// When it was last handed on again, if it was.
    pub handed_at: Option<DateTime<Utc>>,
}

impl DueKey {
    /// One that was not handed on yet.
    pub fn at(wake_at: DateTime<Utc>) -> Self {
        Self { wake_at, handed_at: None }
    }
}

/// What became of a command.
#[derive(Debug, Clone)]
pub(crate) struct Done<A: Aggregate> {
    pub outcome: Outcome,
    pub duplicate: bool,
    pub entries: Vec<Entry<A::Fact>>,
    pub after: Option<A>,
    pub notifications: Vec<Requested>,
    pub wake_at: Option<DateTime<Utc>>,
    pub wake_moved: bool,
    /// The reps who have to be looked at.
    pub look_at: Vec<PersonId>,
}
