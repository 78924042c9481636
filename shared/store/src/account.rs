//! Accounts in the store.

use crate::aggregate::{Committed, Stored};
use crate::attributes::DOC;
use crate::audit::head_of;
use crate::error::StoreError;
use crate::item::{Item, document, get_document, text};
use crate::keys::Key;
use crate::seen::digest;
use crate::store::Store;
use audit::Hash;
use chrono::{DateTime, Utc};
use policy::ids::AccountId;
use rules::account::{Account, AccountCommand, AccountFact, AccountInput};
use rules::aggregate::{Aggregate, Consulted};
use rules::notification::{Delivery, Notification, NotificationFact};
use rules::outcome::Outcome;
use rules::record::{Recorded, RecordedInput};
use rules::recordable::Recordable as _;
use rules::reuse;
use rules::reuse::Reuse;
use rules::world::World;

/// The account's counterpart of [`crate::key_by_content`].
///
/// # Errors
/// As for [`crate::key_by_content`].
pub fn account_key_by_content(command: &AccountCommand) -> Result<String, StoreError> {
    Ok(format!("{}/{}", command.cause, Account::content_digest(command)?))
}

impl Store {
    /// Decides on a command to an account and commits the result; see [`Store::execute`].
    ///
    /// # Errors
    /// As for [`Store::execute`].
    pub async fn execute_account(
        &self,
        command: &AccountCommand,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Committed<Account>, StoreError> {
        self.run::<Account>(command, dedupe, now).await
    }

    /// The current state of an account.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        self.read_one(&Key::account(id)).await?.as_ref().map(get_document).transpose()
    }
}

impl Stored for Account {
    fn key(command: &AccountCommand) -> Key {
        Key::account(&command.account)
    }

    fn comes_from_a_source(command: &AccountCommand) -> bool {
        matches!(command.input, AccountInput::Update { .. } | AccountInput::Signal { .. })
    }

    fn delivered(command: &AccountCommand) -> Option<&Delivery> {
        if let AccountInput::Delivery(delivery) = &command.input { Some(delivery) } else { None }
    }

    fn is_personal(command: &AccountCommand) -> bool {
        command.input.is_personal()
    }

    fn personal_texts(command: &mut AccountCommand) -> Vec<&mut String> {
        command.input.personal_texts()
    }

    fn content_digest(command: &AccountCommand) -> Result<String, StoreError> {
        digest(&Self::subject(command), &RecordedInput::of(&command.asked()).asked)
    }

    fn personal_digest(command: &AccountCommand) -> Result<Option<String>, StoreError> {
        // The recorded input omits the evidence, its only personal data.
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

    fn recorded(
        command: &AccountCommand,
        consulted: &Consulted,
        world: &World,
    ) -> Result<Option<Recorded>, serde_json::Error> {
        Recorded::of(&command.actor, &command.input, consulted, world).map(Some)
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        get_document(item)
    }

    fn head(&self, item: &Item) -> Result<Hash, StoreError> {
        head_of(item)
    }

    fn write(&self, key: &Key, item: &mut Item) -> Result<(), StoreError> {
        item.insert(DOC.to_owned(), text(document(key, self)?));
        Ok(())
    }

    fn requested(fact: &AccountFact) -> Option<&Notification> {
        if let AccountFact::Notification(NotificationFact::Requested(notification)) = fact {
            Some(notification)
        } else {
            None
        }
    }
}
