//! The dedupe item: the id of an input, what it asked, and what became of it. The same id with the
//! same content is a repetition; with other content it is another input under a used id.
//!
//! What was asked is kept as a digest (SHA-256 over canonical JSON). What is personal in it has a
//! digest of its own, over its sealed texts: nobody who reads the table can try names. Once the
//! subject is erased its seals cannot be made again, and what is personal is compared no more.

use crate::attributes::TTL_ATTRIBUTE;
use crate::error::StoreError;
use crate::item::{Item, exact, find_text, get_text, number, text};
use crate::keys::Key;
use crate::store::Store;
use crate::transaction::{Condition, Transaction, TransactionOutcome, Write};
use chrono::{DateTime, TimeDelta, Utc};
use policy::ids::Subject;
use rules::outcome::Outcome;
use rules::reuse::Reuse;
use serde::Serialize;

/// The attribute that says whose history the input went into.
pub(crate) const SEEN_SUBJECT: &str = "subject";
/// The digest of what was asked; items of earlier versions have none.
const ASKED: &str = "asked";
/// The digest of what was personal in it, sealed.
const ASKED_PERSONAL: &str = "asked_personal";

/// How long an input is known as seen. No source repeats itself later; correctness does not rest
/// on the removal, which may be days late.
const SEEN_FOR: TimeDelta = TimeDelta::days(30);

/// What an error calls it.
const DEDUPE: &str = "the outcome of a dedupe item";
/// What became of the input.
const OUTCOME: &str = "outcome";

/// The digest of something that was asked.
pub(crate) fn digest(what: &Subject, asked: &impl Serialize) -> Result<String, StoreError> {
    let json = audit::canonical::to_text(asked)
        .map_err(|error| StoreError::unreadable(format!("what is asked of {what}"), error))?;
    Ok(audit::sha256([json.as_bytes()]).to_string())
}

/// What an input asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentDigest {
    /// The digest of what is not personal.
    pub plain: String,
    /// The digest of what is personal, sealed.
    pub personal: Option<String>,
}

impl ContentDigest {
    /// Of an input with nothing personal in it.
    pub fn plain(plain: String) -> Self {
        Self { plain, personal: None }
    }

    /// Both digests as one text.
    pub fn name(&self) -> String {
        match &self.personal {
            Some(personal) => format!("{}.{personal}", self.plain),
            None => self.plain.clone(),
        }
    }
}

/// The item of an input that is applied; attributes beside these are the caller's.
pub(crate) fn seen_item(
    dedupe: &str,
    subject: &Subject,
    commit: u64,
    asked: &ContentDigest,
    now: DateTime<Utc>,
) -> Item {
    let mut item = Key::seen(dedupe).attributes();
    item.insert(SEEN_SUBJECT.to_owned(), text(subject.to_string()));
    item.insert(ASKED.to_owned(), text(&asked.plain));
    if let Some(personal) = &asked.personal {
        item.insert(ASKED_PERSONAL.to_owned(), text(personal));
    }
    item.insert("commit".to_owned(), number(commit));
    item.insert("at".to_owned(), exact(now));
    item.insert(TTL_ATTRIBUTE.to_owned(), number((now + SEEN_FOR).timestamp()));
    item
}

/// What an input asks beside what was asked under its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// The same, as far as it is not personal. Whether what is personal has to be held against it, too.
    Same { personal: bool },
    /// Something else.
    Reused(Reuse),
}

/// Holds an input against the item of its id, without what is personal.
pub(crate) fn compare(item: &Item, subject: &Subject, plain: &str) -> Result<Comparison, StoreError> {
    if get_text(item, SEEN_SUBJECT)? != subject.to_string() {
        return Ok(Comparison::Reused(Reuse::OtherSubject));
    }
    Ok(match digest_of(item) {
        // An earlier version kept no digest: the id alone has to do.
        None => Comparison::Same { personal: false },
        Some(asked) if asked == plain => Comparison::Same { personal: true },
        Some(_) => Comparison::Reused(Reuse::OtherContent),
    })
}

/// The digest of what was asked under an id; items of earlier versions have none.
pub(crate) fn digest_of(item: &Item) -> Option<&str> {
    find_text(item, ASKED)
}

/// What was personal under an id, sealed.
pub(crate) fn personal_of(item: &Item) -> Option<&str> {
    find_text(item, ASKED_PERSONAL)
}

/// Whether nothing else will come of an input. What is refused, or is about what nobody knows yet, may come
/// again under its id.
pub(crate) fn is_settled(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Applied | Outcome::Unchanged | Outcome::Stale | Outcome::Recorded { .. } => true,
        Outcome::Refused { .. }
        | Outcome::Conflict { .. }
        | Outcome::Reused { .. }
        | Outcome::Invalid { .. }
        | Outcome::NotFound => false,
    }
}

/// Keeps beside the id of an input what became of it.
pub(crate) fn put_outcome(item: &mut Item, outcome: &Outcome) -> Result<(), StoreError> {
    let outcome = serde_json::to_string(outcome).map_err(|error| StoreError::unreadable(DEDUPE, error))?;
    item.insert(OUTCOME.to_owned(), text(outcome));
    Ok(())
}

/// What became of an input that came before.
pub(crate) fn outcome_of(item: &Item) -> Result<Outcome, StoreError> {
    serde_json::from_str(get_text(item, OUTCOME)?).map_err(|error| StoreError::unreadable(DEDUPE, error))
}

impl Store {
    /// Keeps the id of an input of which nothing else is written; whether it did. If not, somebody was
    /// faster: it has to be looked at again.
    pub(crate) async fn remember(&self, item: Item) -> Result<bool, StoreError> {
        let mut tx = Transaction::new();
        tx.put(Write::Seen, self.leads_table(), item, Condition::Absent)?;
        match tx.commit(self).await {
            TransactionOutcome::Committed => Ok(true),
            TransactionOutcome::ConditionFailed(_) | TransactionOutcome::Busy => Ok(false),
            // Nothing was to change: asking again is all the same.
            TransactionOutcome::Unknown(error) | TransactionOutcome::Failed(error) => Err(error),
        }
    }
}
