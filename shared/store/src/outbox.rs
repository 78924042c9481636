//! The outbox: a notification that a commit asked for, until its delivery is recorded. It carries
//! a due key, so that one that never reached the queue is found by the sweep, and so is one that
//! waits for the end of somebody's quiet hours.

use crate::Store;
use crate::aggregate::DueKey;
use crate::due::{held, put_due_key};
use crate::error::StoreError;
use crate::item::{DOC, Item, document, get_document, get_text, text};
use crate::keys::{Key, PK, due_shard, instant};
use crate::schema::DUE;
use chrono::{DateTime, TimeDelta, Utc};
use rules::ids::{NotificationId, Subject};
use rules::notification::Notification;

/// So long the queue has for a notification before the sweep hands it over again: more than the
/// queue's own visibility time-out and a usual backlog, or it would be in the queue twice.
/// And so long a queue can keep a message back at the most (SQS): what waits longer is left to the
/// sweep.
pub const OUTBOX_LEASE: TimeDelta = TimeDelta::minutes(15);

const SUBJECT: &str = "subject";
/// Until when somebody is sending it; nobody else does meanwhile.
const SENDING_UNTIL: &str = "sending_until";

/// A notification that is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its stable identifier.
    pub id: NotificationId,
    /// Whose history asked for it.
    pub subject: Subject,
    /// What is to be told to whom.
    pub notification: Notification,
    /// When the sweep hands it over again.
    pub wake_at: Option<DateTime<Utc>>,
}

/// A notification that a commit asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// Its stable identifier.
    pub id: NotificationId,
    /// It is to go out no earlier.
    pub not_before: Option<DateTime<Utc>>,
}

impl Requested {
    pub(crate) fn of(notification: &Notification) -> Self {
        Self { id: notification.id.clone(), not_before: notification.not_before }
    }

    /// Whether it waits for longer than a queue could keep it back; its due key is its own time then.
    pub fn is_left_to_the_sweep(&self, now: DateTime<Utc>) -> bool {
        self.not_before.is_some_and(|at| at > now + OUTBOX_LEASE)
    }

    /// When the sweep is to have a look at it.
    pub fn due(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self.not_before {
            Some(at) if self.is_left_to_the_sweep(now) => at,
            at => at.map_or(now, |at| at.max(now)) + OUTBOX_LEASE,
        }
    }
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
            wake_at: crate::due::due_key_of(&item)?.map(|due| due.wake_at),
        }))
    }

    /// Whose history asked for a notification, even where the rest of it cannot be read.
    ///
    /// # Errors
    /// If the database does not answer, or the subject cannot be read.
    pub async fn outbox_subject(&self, id: &NotificationId) -> Result<Option<Subject>, StoreError> {
        let Some(item) = self.read_one(&Key::outbox(id)).await? else { return Ok(None) };
        let subject = get_text(&item, SUBJECT)?;
        subject.parse().map(Some).map_err(|error| StoreError::unreadable("a subject", Box::new(error)))
    }

    /// Claims a notification for sending until an instant; whether it was there and nobody else
    /// was at it. A claim ends with the delivery, when it is given back, or by itself.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn claim_outbox(
        &self,
        id: &NotificationId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let sent = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(Key::outbox(id).attributes()))
            .update_expression("SET #until = :until")
            .condition_expression(format!(
                "attribute_exists({PK}) AND (attribute_not_exists(#until) OR #until <= :now)"
            ))
            .expression_attribute_names("#until", SENDING_UNTIL)
            .expression_attribute_values(":until", text(instant(until)))
            .expression_attribute_values(":now", text(instant(now)))
            .send()
            .await;
        held(sent)
    }

    /// Gives a claim back, and leaves the notification to the queue until an instant; whether it
    /// still was to be delivered.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn lease_outbox(&self, id: &NotificationId, until: DateTime<Utc>) -> Result<bool, StoreError> {
        let key = Key::outbox(id);
        let sent = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(key.attributes()))
            .update_expression("SET #shard = :shard, #wake = :wake REMOVE #until")
            .condition_expression(format!("attribute_exists({PK})"))
            .expression_attribute_names("#shard", DUE.partition)
            .expression_attribute_names("#wake", DUE.sort)
            .expression_attribute_names("#until", SENDING_UNTIL)
            .expression_attribute_values(":shard", text(due_shard(&key.pk)))
            .expression_attribute_values(":wake", text(instant(until)))
            .send()
            .await;
        held(sent)
    }
}

pub(crate) fn outbox_item(
    subject: &Subject,
    notification: &Notification,
    now: DateTime<Utc>,
) -> Result<Item, StoreError> {
    let key = Key::outbox(&notification.id);
    let mut item = key.attributes();
    item.insert(SUBJECT.to_owned(), text(subject.to_string()));
    item.insert(DOC.to_owned(), text(document(&key, notification)?));
    let due = DueKey { wake_at: Requested::of(notification).due(now), handed_at: None };
    put_due_key(&mut item, &key, Some(&due));
    Ok(item)
}
