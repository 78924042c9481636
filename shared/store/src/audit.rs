//! The audit: one item for each commit, written with it and never changed.

use crate::attributes::{HEAD, HEAD_COMMIT, PK, SK};
use crate::error::StoreError;
use crate::item::{
    DOC_BYTES_MAX, Item, canonical, exact, find_text, get_instant, get_number, get_text, number, text,
};
use crate::keys::{Key, commit_sk, head_shard};
use crate::page::{Cursor, PAGE_MAX, Page};
use crate::request::failed;
use crate::schema::{HEADS, put_into};
use crate::store::Store;
use audit::chain::Circumstances;
use audit::{ChainedCommit, Hash, chain};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use rules::account::AccountFact;
use rules::entry::Entry;
use rules::lead::LeadFact;
use rules::record::Recorded;
use rules::rep::RepFact;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The entries of a commit, a JSON array as text.
const ENTRIES: &str = "entries";
const CAUSE: &str = "cause";
const COMMIT: &str = "commit";
const FIRST_SEQ: &str = "first_seq";
const LAST_SEQ: &str = "last_seq";
const AT: &str = "at";
const RECORDED_AT: &str = "recorded_at";
const ATTEMPT: &str = "attempt";
/// The recorded input and the data of its decision, as text.
const RECORDED: &str = "recorded";
/// The head of the subject before the commit.
const PREV: &str = "prev";

/// The entries of one commit.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCommit {
    /// The subject of the history.
    pub subject: Subject,
    /// Its place in the history, from 1, without gaps.
    pub commit: u64,
    /// The input that caused it.
    pub cause: String,
    /// When its last entry took effect.
    pub at: DateTime<Utc>,
    /// When it was decided, by the system clock.
    pub recorded_at: DateTime<Utc>,
    /// The sequence number of its first entry.
    pub first_seq: u64,
    /// The sequence number of its last entry.
    pub last_seq: u64,
    /// The entries, in order.
    pub entries: Vec<Value>,
}

impl StoredCommit {
    /// The entries of a lead's history.
    ///
    /// # Errors
    /// If they belong to another kind of subject.
    pub fn of_lead(&self) -> Result<Vec<Entry<LeadFact>>, StoreError> {
        self.of()
    }

    /// The entries of an account's history.
    ///
    /// # Errors
    /// If they belong to another kind of subject.
    pub fn of_account(&self) -> Result<Vec<Entry<AccountFact>>, StoreError> {
        self.of()
    }

    /// The entries of a rep's history.
    ///
    /// # Errors
    /// If they belong to another kind of subject.
    pub fn of_rep(&self) -> Result<Vec<Entry<RepFact>>, StoreError> {
        self.of()
    }

    fn of<F: DeserializeOwned>(&self) -> Result<Vec<Entry<F>>, StoreError> {
        let read = |entry: &Value| Entry::deserialize(entry);
        self.entries.iter().map(read).collect::<Result<_, _>>().map_err(|error| {
            StoreError::unreadable(format!("commit {} of {}", self.commit, self.subject), error)
        })
    }

    /// Reads an item of the audit table, as its stream delivers it.
    ///
    /// # Errors
    /// If it is not an item of the audit table.
    pub fn from_image(image: serde_dynamo::Item) -> Result<Self, StoreError> {
        Self::from_item(&image.into())
    }

    fn from_item(item: &Item) -> Result<Self, StoreError> {
        let subject = get_text(item, PK)?;
        Ok(Self {
            subject: subject.parse().map_err(|error| StoreError::unreadable("a subject", Box::new(error)))?,
            commit: get_number(item, COMMIT)?,
            cause: get_text(item, CAUSE)?.to_owned(),
            at: get_instant(item, AT)?,
            recorded_at: get_instant(item, RECORDED_AT)?,
            first_seq: get_number(item, FIRST_SEQ)?,
            last_seq: get_number(item, LAST_SEQ)?,
            entries: serde_json::from_str(get_text(item, ENTRIES)?)
                .map_err(|error| StoreError::unreadable(format!("the audit of {subject}"), error))?,
        })
    }
}

impl Store {
    /// A page of a subject's history after a cursor, oldest commit first.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn audit(
        &self,
        subject: &Subject,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<StoredCommit>, StoreError> {
        let (items, more) = self.audit_items(subject, after, limit).await?;
        let items: Vec<_> = items.iter().map(StoredCommit::from_item).collect::<Result<_, _>>()?;
        let next = items.last().filter(|_| more).map(|last| Cursor::new(commit_sk(last.commit)));
        Ok(Page { items, next })
    }

    /// The page that [`Store::audit`] returns, with the links of the hash chain.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn chained_audit(
        &self,
        subject: &Subject,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<ChainedCommit>, StoreError> {
        let (items, more) = self.audit_items(subject, after, limit).await?;
        let items: Vec<_> = items.iter().map(record_of).collect::<Result<_, _>>()?;
        let next = items.last().filter(|_| more).map(|last| Cursor::new(commit_sk(last.commit)));
        Ok(Page { items, next })
    }

    /// The commits of a subject after a given one, in order, and whether there are more. A caller compares
    /// them with what was signed.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn commits_after(
        &self,
        subject: &Subject,
        commit: u64,
    ) -> Result<(Vec<ChainedCommit>, bool), StoreError> {
        let after = Cursor::new(commit_sk(commit));
        let (items, more) = self.audit_items(subject, Some(&after), PAGE_MAX).await?;
        Ok((items.iter().map(record_of).collect::<Result<_, _>>()?, more))
    }

    /// A page of audit items, and whether there are more.
    async fn audit_items(
        &self,
        subject: &Subject,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let answer = self
            .client()
            .query()
            .table_name(self.audit_table())
            .key_condition_expression(format!("{PK} = :subject AND {SK} > :after"))
            .expression_attribute_values(":subject", text(subject.to_string()))
            .expression_attribute_values(":after", text(after.map_or("0", Cursor::as_str)))
            .consistent_read(true)
            .limit(limit.clamp(1, PAGE_MAX) as i32)
            .send()
            .await
            .map_err(failed)?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), more))
    }
}

/// The position of an audit scan.
#[derive(Debug, Clone)]
pub struct ScanCursor(HashMap<String, AttributeValue>);

impl Store {
    /// A page of one segment of the whole audit; segments can be read in parallel. All commits of a subject
    /// are in one segment, in order.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn scan_audit(
        &self,
        segment: u16,
        segments: u16,
        after: Option<ScanCursor>,
    ) -> Result<(Vec<ChainedCommit>, Option<ScanCursor>), StoreError> {
        let answer = self
            .client()
            .scan()
            .table_name(self.audit_table())
            .segment(i32::from(segment))
            .total_segments(i32::from(segments))
            .consistent_read(true)
            .set_exclusive_start_key(after.map(|cursor| cursor.0))
            .send()
            .await
            .map_err(failed)?;
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty()).map(ScanCursor);
        let records =
            answer.items.into_iter().flatten().map(|item| record_of(&item)).collect::<Result<_, _>>()?;
        Ok((records, next))
    }
}

/// Reads an item of the audit table with its links. The texts keep their exact bytes.
fn record_of(item: &Item) -> Result<ChainedCommit, StoreError> {
    let subject = get_text(item, PK)?;
    let unreadable = |error| StoreError::unreadable(format!("the audit of {subject}"), error);
    let raw = |text: &str| RawValue::from_string(text.to_owned()).map_err(unreadable);
    Ok(ChainedCommit {
        subject: subject.parse().map_err(|error| StoreError::unreadable("a subject", Box::new(error)))?,
        commit: get_number(item, COMMIT)?,
        cause: get_text(item, CAUSE)?.to_owned(),
        at: get_instant(item, AT)?,
        recorded_at: get_instant(item, RECORDED_AT)?,
        attempt: get_text(item, ATTEMPT)?.to_owned(),
        prev: get_hash(item, PREV)?,
        head: get_hash(item, HEAD)?,
        recorded: find_text(item, RECORDED).map(raw).transpose()?,
        entries: raw(get_text(item, ENTRIES)?)?,
    })
}

fn get_hash(item: &Item, name: &str) -> Result<Hash, StoreError> {
    let bytes = item.get(name).and_then(|value| value.as_b().ok());
    let hash = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_ref()).ok()).map(Hash::new);
    hash.ok_or_else(|| StoreError::corrupt(format!("`{name}` of an item")))
}

/// Stored as bytes, which take half the space of text; writes are billed by the kilobyte.
fn hash(hash: Hash) -> AttributeValue {
    AttributeValue::B(Blob::new(hash.as_bytes()))
}

/// The head stored beside a subject.
pub(crate) fn head_of(item: &Item) -> Result<Hash, StoreError> {
    get_hash(item, HEAD)
}

/// A commit to write to the audit.
pub(crate) struct NewCommit<'a, F> {
    pub subject: &'a Subject,
    pub commit: u64,
    pub cause: &'a str,
    pub entries: &'a [Entry<F>],
    /// The recorded input and the data of its decision.
    pub recorded: Option<&'a Recorded>,
    pub now: DateTime<Utc>,
    pub attempt: &'a AttemptId,
    /// The head of the subject before this commit.
    pub prev: Hash,
}

impl<F: Serialize> NewCommit<'_, F> {
    /// Builds the audit item, and the new head of the subject.
    pub fn item(&self) -> Result<(Item, Hash), StoreError> {
        let key = Key::audit(self.subject, self.commit);
        let (first, last) = self
            .entries
            .first()
            .zip(self.entries.last())
            .ok_or_else(|| StoreError::corrupt(key.to_string()))?;
        let entries = canonical(&key, &self.entries)?;
        let recorded = self.recorded.map(|recorded| canonical(&key, recorded)).transpose()?;
        // Each text is within the limit by itself, but one item holds both.
        if entries.len() + recorded.as_ref().map_or(0, String::len) > DOC_BYTES_MAX {
            return Err(StoreError::TooLarge { what: key.to_string() });
        }
        let subject = self.subject.to_string();
        let circumstances = Circumstances {
            subject: &subject,
            commit: self.commit,
            cause: self.cause,
            at: last.at,
            recorded_at: self.now,
            attempt: &self.attempt.0,
            recorded: recorded.as_deref(),
        };
        let head = chain::split(&entries)
            .and_then(|entries| chain::links(self.prev, &circumstances, &entries))
            .map_err(|error| StoreError::unreadable(key.to_string(), error))?
            .head;
        let mut item = key.attributes();
        item.insert(COMMIT.to_owned(), number(self.commit));
        item.insert(CAUSE.to_owned(), text(self.cause));
        item.insert(FIRST_SEQ.to_owned(), number(first.seq));
        item.insert(LAST_SEQ.to_owned(), number(last.seq));
        item.insert(AT.to_owned(), exact(last.at));
        item.insert(RECORDED_AT.to_owned(), exact(self.now));
        item.insert(ENTRIES.to_owned(), text(entries));
        item.insert(ATTEMPT.to_owned(), text(&self.attempt.0));
        item.insert(PREV.to_owned(), hash(self.prev));
        item.insert(HEAD.to_owned(), hash(head));
        if let Some(recorded) = recorded {
            item.insert(RECORDED.to_owned(), text(recorded));
        }
        Ok((item, head))
    }
}

/// Adds a subject's head to the subject's item and to the index of heads.
pub(crate) fn put_head(item: &mut Item, subject: &Subject, commit: u64, head: Hash) {
    let subject = subject.to_string();
    item.insert(HEAD.to_owned(), hash(head));
    item.insert(HEAD_COMMIT.to_owned(), number(commit));
    put_into(HEADS, item, &head_shard(&subject), subject.clone());
}

/// Identifies one attempt to commit, so that it can recognize its own write after a lost answer. Two attempts
/// on the same input in the same millisecond produce the same entries. Only one of them wrote them, and only
/// that one sends the resulting messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptId(String);

impl AttemptId {
    pub fn random() -> Self {
        Self(format!("{:032x}", fastrand::u128(..)))
    }

    /// Whether this attempt wrote an audit item.
    pub fn wrote(&self, item: &Item) -> bool {
        get_text(item, ATTEMPT).is_ok_and(|attempt| attempt == self.0)
    }
}
