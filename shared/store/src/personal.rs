//! Personal data: sealed at the door, opened for those who must know, erased with its key.
//!
//! The personal texts of an input are sealed under the data key of its subject before the rules see
//! them, so that whatever is written of it (the item, its facts, the recorded input) has sealed texts
//! alone. A new key is written in the commit that first needs it, and the commit that erases deletes it
//! and leaves a tombstone. Whoever raced with that lost: the version of the subject has moved, and
//! a subject that says it is erased is given nothing personal any more, whatever its key item says.

use crate::aggregate::{Loaded, Stored};
use crate::error::StoreError;
use crate::item::{Item, exact, get_instant};
use crate::keys::Key;
use crate::read::Items;
use crate::request::failed;
use crate::store::{DataKeys, Store};
use crate::transaction::{Condition, Transaction, Write};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use rules::lead::Lead;
use rules::personal::Personal;
use sealing::{DataKey, NewKey, WrapError, is_sealed};
use std::borrow::Cow;

/// The wrapped key of a key item.
const WRAPPED: &str = "wrapped";
const CREATED_AT: &str = "created_at";
/// When the key was destroyed; such an item is a tombstone.
const ERASED_AT: &str = "erased_at";

/// A command whose personal texts are sealed, and the key that was made for them.
pub(crate) struct Sealed<'c, A: Stored> {
    pub command: Cow<'c, A::Command>,
    pub new_key: Option<&'c NewKey>,
}

/// What the key item of a subject says. Tombstones were once put in the place of the key.
enum KeyItem {
    Absent,
    Wrapped(Vec<u8>),
    Erased(DateTime<Utc>),
}

impl KeyItem {
    fn of(item: Option<&Item>) -> Result<Self, StoreError> {
        let Some(item) = item else { return Ok(Self::Absent) };
        match item.get(WRAPPED) {
            Some(AttributeValue::B(wrapped)) => Ok(Self::Wrapped(wrapped.as_ref().to_vec())),
            _ => get_instant(item, ERASED_AT).map(Self::Erased),
        }
    }
}

/// What can be read of the sealed texts of a subject.
#[derive(Debug)]
pub enum PersonalData {
    /// Nothing was ever sealed for it.
    None,
    /// It was erased then: no key opens the texts any more.
    Erased(DateTime<Utc>),
    /// This key opens them.
    Readable {
        /// Whose texts.
        subject: Subject,
        /// The key.
        key: DataKey,
    },
}

impl PersonalData {
    /// The text under a seal; `None` where nobody can read it any more. A text that is not sealed is
    /// what it says.
    ///
    /// # Errors
    /// The text was sealed for another subject, or was changed since.
    pub fn open(&self, text: &str) -> Result<Option<String>, StoreError> {
        match self {
            _ if !is_sealed(text) => Ok(Some(text.to_owned())),
            Self::Readable { subject, key } => key
                .open(&subject.to_string(), text)
                .map(Some)
                .map_err(|error| StoreError::unreadable(format!("a sealed text of {subject}"), error)),
            Self::None | Self::Erased(_) => Ok(None),
        }
    }
}

impl Store {
    /// A command as it may be decided on and recorded: what is personal in it is sealed or, if its
    /// subject was erased, taken out. The key service is asked only if there is something personal.
    pub(crate) async fn sealed<'c, A: Stored>(
        &self,
        command: &'c A::Command,
        before: Option<&Loaded<A>>,
        found: &Items,
        new_key: &'c mut Option<NewKey>,
    ) -> Result<Sealed<'c, A>, StoreError> {
        if !A::is_personal(command) {
            return Ok(Sealed { command: Cow::Borrowed(command), new_key: None });
        }
        let mut sealed = command.clone();
        let (subject, keys) = (A::subject(command), self.require_keys()?);
        let name = subject.to_string();
        let unavailable = |source| unavailable(&subject, source);
        let item = KeyItem::of(found.get(&Key::data_key(&subject)))?;
        let is_erased = before.is_some_and(|before| before.state.erased());
        let (key, new_key) = match item {
            KeyItem::Erased(_) => (None, None),
            _ if is_erased => (None, None),
            KeyItem::Wrapped(wrapped) => {
                (Some(keys.ring.open(&name, &wrapped).await.map_err(unavailable)?), None)
            }
            KeyItem::Absent => {
                if new_key.is_none() {
                    *new_key = Some(keys.ring.generate(&name).await.map_err(unavailable)?);
                }
                let new_key = new_key.as_ref();
                (new_key.map(|new_key| new_key.key.clone()), new_key)
            }
        };
        match key {
            None => A::forget(&mut sealed),
            Some(key) => {
                for text in A::personal_texts(&mut sealed) {
                    *text = key
                        .seal(&name, text)
                        .map_err(|error| StoreError::unreadable(format!("a text of {subject}"), error))?;
                }
            }
        }
        Ok(Sealed { command: Cow::Owned(sealed), new_key })
    }

    /// Writes what a commit does to the data key: puts a new one, or destroys the one there is.
    pub(crate) fn plan_data_key(
        &self,
        tx: &mut Transaction,
        subject: &Subject,
        is_erasing: bool,
        new_key: Option<&NewKey>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = Key::data_key(subject);
        if is_erasing {
            if !self.may_erase() {
                return Err(StoreError::ErasedElsewhere { subject: subject.clone() });
            }
            let mut tombstone = Key::tombstone(subject).attributes();
            tombstone.insert(ERASED_AT.to_owned(), exact(now));
            tx.delete(Write::DataKey, self.keys_table(), &key, Condition::Always)?;
            return tx.put(Write::DataKey, self.keys_table(), tombstone, Condition::Always);
        }
        let Some(NewKey { wrapped, .. }) = new_key else { return Ok(()) };
        let mut item = key.attributes();
        item.insert(WRAPPED.to_owned(), AttributeValue::B(Blob::new(wrapped.clone())));
        item.insert(CREATED_AT.to_owned(), exact(now));
        tx.put(Write::DataKey, self.keys_table(), item, Condition::Absent)
    }

    async fn key_item(&self, keys: &DataKeys, key: &Key) -> Result<KeyItem, StoreError> {
        let answer = self
            .client()
            .get_item()
            .table_name(&keys.table)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        KeyItem::of(answer.item.as_ref())
    }

    /// What can be read of the sealed texts of a subject.
    ///
    /// # Errors
    /// If the database or the key service does not answer.
    pub async fn personal_data(&self, subject: &Subject) -> Result<PersonalData, StoreError> {
        let keys = self.require_keys()?;
        let item = match self.key_item(keys, &Key::data_key(subject)).await? {
            KeyItem::Absent => self.key_item(keys, &Key::tombstone(subject)).await?,
            item => item,
        };
        match item {
            KeyItem::Absent => Ok(PersonalData::None),
            KeyItem::Erased(at) => Ok(PersonalData::Erased(at)),
            KeyItem::Wrapped(wrapped) => {
                let opened = keys.ring.open(&subject.to_string(), &wrapped).await;
                let key = opened.map_err(|source| unavailable(subject, source))?;
                Ok(PersonalData::Readable { subject: subject.clone(), key })
            }
        }
    }

    /// The personal data of a lead as people read it; empty where it was erased meanwhile.
    ///
    /// # Errors
    /// If the database or the key service does not answer, or a text cannot be read.
    pub async fn personal_of(&self, lead: &Lead) -> Result<Personal, StoreError> {
        let mut personal = lead.personal.clone();
        if !personal.texts().any(|text| is_sealed(text)) {
            return Ok(personal);
        }
        let data = self.personal_data(&Subject::Lead(lead.id.clone())).await?;
        for text in personal.texts() {
            match data.open(text)? {
                Some(opened) => *text = opened,
                None => return Ok(Personal::default()),
            }
        }
        Ok(personal)
    }
}

fn unavailable(subject: &Subject, source: WrapError) -> StoreError {
    match source {
        WrapError::Unavailable(_) => StoreError::KeysUnavailable { subject: subject.clone(), source },
        WrapError::Refused(_) => StoreError::Rejected(source.into()),
        WrapError::Foreign => StoreError::unreadable(format!("the data key of {subject}"), source),
    }
}
