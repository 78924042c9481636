//! The dedupe item: the id of an input, the digest of its content, and its outcome. The same id with the same
//! content is a repetition; with other content, it is another input under a used id.
//!
//! The digest is SHA-256 over canonical JSON. Personal data has a digest of its own, over its sealed texts,
//! so that a reader of the table cannot guess names. Once the subject is erased, its texts cannot be sealed
//! again, and personal data is no longer compared.

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

/// The attribute with the subject that the input changed.
pub(crate) const SEEN_SUBJECT: &str = "subject";
/// The digest of the content; items of earlier versions have none.
const ASKED: &str = "asked";
/// The digest of the sealed personal data.
const ASKED_PERSONAL: &str = "asked_personal";

/// How long the id of an input is remembered. No source repeats an event after that. Correctness does not
/// depend on the deletion, which may be days late.
const SEEN_FOR: TimeDelta = TimeDelta::days(30);

/// The name of the item in an error.
const DEDUPE: &str = "the outcome of a dedupe item";
/// The outcome of the input.
const OUTCOME: &str = "outcome";

/// The digest of an input's content.
pub(crate) fn digest(what: &Subject, asked: &impl Serialize) -> Result<String, StoreError> {
    let json = audit::canonical::to_text(asked)
        .map_err(|error| StoreError::unreadable(format!("the content of an input to {what}"), error))?;
    Ok(audit::sha256([json.as_bytes()]).to_string())
}

/// The digests of an input's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentDigest {
    /// The digest of everything that is not personal.
    pub plain: String,
    /// The digest of the sealed personal data.
    pub personal: Option<String>,
}

impl ContentDigest {
    /// The digest of an input without personal data.
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

/// The dedupe item of an applied input; the caller may add further attributes.
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

/// An input compared with the earlier one under its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// The same content, apart from personal data. `personal` says whether that has to be compared too.
    Same { personal: bool },
    /// Another subject or other content.
    Reused(Reuse),
}

/// Compares an input with the item of its id, without personal data.
pub(crate) fn compare(item: &Item, subject: &Subject, plain: &str) -> Result<Comparison, StoreError> {
    if get_text(item, SEEN_SUBJECT)? != subject.to_string() {
        return Ok(Comparison::Reused(Reuse::OtherSubject));
    }
    Ok(match digest_of(item) {
        // An earlier version stored no digest, so the id alone decides.
        None => Comparison::Same { personal: false },
        Some(asked) if asked == plain => Comparison::Same { personal: true },
        Some(_) => Comparison::Reused(Reuse::OtherContent),
    })
}

/// The digest of the earlier content under an id; items of earlier versions have none.
pub(crate) fn digest_of(item: &Item) -> Option<&str> {
    find_text(item, ASKED)
}

/// The digest of the sealed personal data under an id.
pub(crate) fn personal_of(item: &Item) -> Option<&str> {
    find_text(item, ASKED_PERSONAL)
}

/// Whether the outcome of an input is final. An input that was refused, or whose subject is unknown, may come
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

/// Stores the outcome of an input beside its id.
pub(crate) fn put_outcome(item: &mut Item, outcome: &Outcome) -> Result<(), StoreError> {
    let outcome = serde_json::to_string(outcome).map_err(|error| StoreError::unreadable(DEDUPE, error))?;
    item.insert(OUTCOME.to_owned(), text(outcome));
    Ok(())
}

/// The outcome of an earlier input.
pub(crate) fn outcome_of(item: &Item) -> Result<Outcome, StoreError> {
    serde_json::from_str(get_text(item, OUTCOME)?).map_err(|error| StoreError::unreadable(DEDUPE, error))
}

impl Store {
    /// Stores the id of an input that changes nothing else. Returns `false` if another writer was faster:
    /// then the caller has to read it again.
    pub(crate) async fn remember(&self, item: Item) -> Result<bool, StoreError> {
        let mut tx = Transaction::new();
        tx.put(Write::Seen, self.leads_table(), item, Condition::Absent)?;
        match tx.commit(self).await {
            TransactionOutcome::Committed => Ok(true),
            TransactionOutcome::ConditionFailed(_) | TransactionOutcome::Busy => Ok(false),
            // The input changes nothing, so repeating it is safe.
            TransactionOutcome::Unknown(error) | TransactionOutcome::Failed(error) => Err(error),
        }
    }
}
