//! Personal data: sealed on entry, opened for authorized readers, erased with its key.
//!
//! The personal texts of an input are sealed under its subject's data key before the rules see them, so that
//! everything written (the item, its facts, the recorded input) contains only sealed texts. The commit that
//! first needs a new key writes it. The commit that erases deletes the key and leaves a tombstone. An attempt
//! that races with an erasure loses, because the subject's version has changed. An erased subject never gets
//! personal data again, whatever its key item says.

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
/// When the key was destroyed. An item with this attribute is a tombstone.
const ERASED_AT: &str = "erased_at";

/// A command with sealed personal texts, and the new key if one was made for them.
pub(crate) struct Sealed<'c, A: Stored> {
    pub command: Cow<'c, A::Command>,
    pub new_key: Option<&'c NewKey>,
}

/// The content of a subject's key item. Earlier versions put the tombstone in the key's place.
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

/// Access to the sealed texts of a subject.
#[derive(Debug)]
pub enum PersonalData {
    /// Nothing was ever sealed for the subject.
    None,
    /// Erased at this time: no key opens the texts anymore.
    Erased(DateTime<Utc>),
    /// The key opens the texts.
    Readable {
        /// The subject of the texts.
        subject: Subject,
        /// The key.
        key: DataKey,
    },
}

impl PersonalData {
    /// Opens a text; `None` if it is no longer readable. A text that is not sealed is returned unchanged.
    ///
    /// # Errors
    /// If the text was sealed for another subject, or was changed since.
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
    /// Seals the personal data of a command or, if its subject was erased, removes it. Calls the key service
    /// only if there is personal data.
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

    /// Adds the commit's change of the data key: a new key, or the destruction of the existing one.
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
                return Err(StoreError::ErasureRequired { subject: subject.clone() });
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

    /// Access to the sealed texts of a subject.
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

    /// The personal data of a lead in plain text; empty if it was erased meanwhile.
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
