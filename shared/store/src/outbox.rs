//! The outbox: a notification that a commit asked for, until its delivery is recorded. It carries
//! a due key, so that one that never reached the queue is found by the sweep.

use crate::Store;
use crate::aggregate::DueKey;
use crate::commit::KIND;
use crate::due::put_due_key;
use crate::error::StoreError;
use crate::item::{DOC, Item, document, exact, get_document, get_instant, get_text, text};
use crate::keys::Key;
use chrono::{DateTime, TimeDelta, Utc};
use rules::ids::{NotificationId, Subject};
use rules::notification::Notification;

/// So long the queue has for a notification before the sweep hands it over again.
pub const OUTBOX_LEASE: TimeDelta = TimeDelta::minutes(5);

pub(crate) const OUTBOX_KIND: &str = "outbox";
const SUBJECT: &str = "subject";
const REQUESTED_AT: &str = "requested_at";

/// A notification that is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its stable identifier.
    pub id: NotificationId,
    /// Whose history asked for it.
    pub subject: Subject,
    /// What is to be told to whom.
    pub notification: Notification,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When the sweep hands it over again.
    pub wake_at: Option<DateTime<Utc>>,
}

impl Store {
    /// A notification that is to be delivered; `None` once that is recorded.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn outbox(&self, id: &NotificationId) -> Result<Option<OutboxItem>, StoreError> {
        let Some(item) = self.read_one(&Key::outbox(id)).await? else { return Ok(None) };
        let subject = get_text(&item, SUBJECT)?;
        Ok(Some(OutboxItem {
            id: id.clone(),
            subject: subject.parse().map_err(|error| StoreError::unreadable("a subject", Box::new(error)))?,
            notification: get_document(&item)?,
            requested_at: get_instant(&item, REQUESTED_AT)?,
            wake_at: crate::due::due_key_of(&item)?.map(|due| due.wake_at),
        }))
    }

    /// Leaves a notification to the queue until an instant; whether it still was to be delivered.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn lease_outbox(&self, id: &NotificationId, until: DateTime<Utc>) -> Result<bool, StoreError> {
        self.set_due_key(&Key::outbox(id), None, Some(until)).await
    }
}

pub(crate) fn outbox_item(
    subject: &Subject,
    notification: &Notification,
    now: DateTime<Utc>,
) -> Result<Item, StoreError> {
    let key = Key::outbox(&notification.id);
    let mut item = key.attributes();
    item.insert(KIND.to_owned(), text(OUTBOX_KIND));
    item.insert(SUBJECT.to_owned(), text(subject.to_string()));
    item.insert(REQUESTED_AT.to_owned(), exact(now));
    item.insert(DOC.to_owned(), text(document(&key, notification)?));
    let due = DueKey { wake_at: now + OUTBOX_LEASE, handed_at: None };
    put_due_key(&mut item, &key, Some(&due));
    Ok(item)
}
