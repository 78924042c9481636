//! Accounts in the store.

use crate::Store;
use crate::aggregate::{Aggregate, Decided, Done};
use crate::error::StoreError;
use crate::item::{Item, get_document};
use crate::keys::Key;
use crate::outbox::Requested;
use crate::seen::digest;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, Subject};
use rules::account::{Account, AccountCommand, AccountFact, AccountInput, decide_account};
use rules::aggregate::Consulted;
use rules::entry::Entry;
use rules::notification::{Delivery, Notification, NotificationFact};
use rules::outcome::Outcome;
use rules::record::{Recorded, RecordedInput};
use rules::recordable::Recordable as _;
use rules::rep::LoadChange;
use rules::reuse;
use rules::reuse::Reuse;
use rules::world::{Need, World};
use std::collections::BTreeMap;

/// What became of a command to an account.
#[derive(Debug, Clone)]
pub struct ExecutedAccount {
    /// What became of it; of a duplicate, what became of it the first time.
    pub outcome: Outcome,
    /// It was applied before; nothing was written now.
    pub duplicate: bool,
    /// The entries that were written now.
    pub entries: Vec<Entry<AccountFact>>,
    /// The account as it stands; `None` if there is none.
    pub account: Option<Account>,
    /// The notifications that this commit asks for, to be handed to the queue.
    pub notifications: Vec<Requested>,
    /// When the account has to be looked at again; of a duplicate, the due key that stands.
    pub wake_at: Option<DateTime<Utc>>,
    /// Whether the commit moved its due key: then nobody has been asked to look at it then.
    pub wake_moved: bool,
}

/// As [`crate::key_by_content`], of an account.
///
/// # Errors
/// As there.
pub fn account_key_by_content(command: &AccountCommand) -> Result<String, StoreError> {
    Ok(format!("{}/{}", command.cause, Account::asked(command)?))
}

impl Store {
    /// Decides on a command to an account and commits what follows; see [`Store::execute`].
    ///
    /// # Errors
    /// As [`Store::execute`].
    pub async fn execute_account(
        &self,
        command: &AccountCommand,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<ExecutedAccount, StoreError> {
        let Done { outcome, duplicate, entries, after: account, notifications, wake_at, wake_moved, .. } =
            self.run::<Account>(command, dedupe, now).await?;
        Ok(ExecutedAccount { outcome, duplicate, entries, account, notifications, wake_at, wake_moved })
    }

    /// An account as it stands.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        self.read_one(&Key::account(id)).await?.as_ref().map(get_document).transpose()
    }
}

impl Aggregate for Account {
    type Fact = AccountFact;
    type Command = AccountCommand;

    fn subject(command: &AccountCommand) -> Subject {
        Subject::Account(command.account.clone())
    }

    fn key(command: &AccountCommand) -> Key {
        Key::account(&command.account)
    }

    fn cause(command: &AccountCommand) -> &str {
        &command.cause
    }

    fn comes_from_a_source(command: &AccountCommand) -> bool {
        matches!(command.input, AccountInput::Update { .. } | AccountInput::Signal { .. })
    }

    fn delivered(command: &AccountCommand) -> Option<&Delivery> {
        if let AccountInput::Delivery(delivery) = &command.input { Some(delivery) } else { None }
    }

    fn names_account(_: &AccountCommand) -> Option<&AccountId> {
        None
    }

    fn is_personal(command: &AccountCommand) -> bool {
        command.input.is_personal()
    }

    fn personal_texts(command: &mut AccountCommand) -> Vec<&mut String> {
        command.input.personal_texts()
    }

    fn asked(command: &AccountCommand) -> Result<String, StoreError> {
        digest(&Self::subject(command), &RecordedInput::of(&command.asked()).asked)
    }

    fn asked_personal(command: &AccountCommand) -> Result<Option<String>, StoreError> {
        // The recorded input is without its evidence, which is all that is personal in it.
        let AccountInput::Signal { evidence: Some(evidence), .. } = &command.input else { return Ok(None) };
        digest(&Self::subject(command), evidence).map(Some)
    }

    fn reused(command: &AccountCommand, reuse: Reuse) -> Outcome {
        reuse::outcome(reuse, &command.actor)
    }

    fn refusal(command: &AccountCommand, reuse: Reuse) -> Option<AccountCommand> {
        command.refusal(reuse)
    }

    fn forget(command: &mut AccountCommand) {
        command.input.forget();
    }

    fn decide(
        before: Option<&Self>,
        world: &World<'_>,
        command: &AccountCommand,
        now: DateTime<Utc>,
    ) -> Result<Decided<Self>, Need> {
        let decision = decide_account(before, world, command, now);
        Ok(Decided {
            outcome: decision.outcome,
            entries: decision.entries,
            after: decision.account,
            wake_at: decision.wake_at,
            relied_on: BTreeMap::new(),
            consulted: Consulted::default(),
        })
    }

    fn recorded(
        command: &AccountCommand,
        consulted: &Consulted,
        world: &World<'_>,
    ) -> Result<Option<Recorded>, serde_json::Error> {
        Recorded::of(&command.actor, &command.input, consulted, world).map(Some)
    }

    fn version(&self) -> u64 {
        self.commit
    }

    fn index(&self, _: &mut Item) {}

    fn requested(fact: &AccountFact) -> Option<&Notification> {
        if let AccountFact::Notification(NotificationFact::Requested(notification)) = fact {
            Some(notification)
        } else {
            None
        }
    }

    fn rests_on(_: &AccountCommand, _: &Decided<Self>) -> Option<AccountId> {
        None
    }

    fn load_changes(_: Option<&Self>, _: &Self, _: &[Entry<Self::Fact>]) -> Vec<LoadChange> {
        Vec::new()
    }
}
