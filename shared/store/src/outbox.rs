//! The outbox: a notification that a commit asked for, until its delivery is recorded. It carries
//! a due key, so that one that never reached the queue is found by the sweep, and so is one that
//! waits for the end of somebody's quiet hours.

use crate::attributes::{DOC, PK};
use crate::due::{DueKey, due_key_of, put_due_key};
use crate::error::StoreError;
use crate::item::{Item, document, find_instant, get_document, get_text, text};
use crate::keys::{Key, due_shard, instant};
use crate::request::held;
use crate::schema::DUE;
use crate::store::Store;
use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, TimeDelta, Utc};
use policy::ids::{NotificationId, Subject};
use rules::notification::Notification;

/// How long the queue has for a notification that the notifier put off, before the sweep hands it over
/// again; for one that the sweep handed over, the longest time that it has. It is more than the queue's own
/// visibility time-out, and the longest time for which a queue can keep a message back (SQS): a longer wait
/// is left to the sweep.
pub const OUTBOX_LEASE: TimeDelta = TimeDelta::minutes(15);

/// So long somebody has to claim a notification after its commit. A function that crashes between the
/// commit and the queue loses the message; the sweep finds it then. Where the queue is only slow, the
/// sweep sees the backlog and sends no second message.
pub const FIRST_LEASE: TimeDelta = TimeDelta::seconds(60);

const SUBJECT: &str = "subject";
/// Until when somebody is sending it; nobody else does meanwhile.
const SENDING_UNTIL: &str = "sending_until";
/// Since when somebody may have sent it without a record of it.
const SENT_SINCE: &str = "sent_since";
/// How long after the end of a claim the sweep hands the notification over again.
const AFTER_CLAIM: TimeDelta = TimeDelta::seconds(5);

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
    /// Until when somebody is sending it.
    pub claimed_until: Option<DateTime<Utc>>,
}

/// The right to see a notification through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Since when an earlier holder may have sent it, who never reported; `None`: this is the first
    /// claim, or the ones before it are known to have sent nothing.
    pub sent_since: Option<DateTime<Utc>>,
}

/// Whether a holder of a claim may have sent the notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaybeSent {
    /// It did not: it was refused, or nothing was tried.
    No,
    /// It was sent and not recorded, or no answer came.
    Unknown,
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

    /// When the queue is to deliver it; `None` if it is left to the sweep.
    fn handed_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (!self.is_left_to_the_sweep(now)).then(|| self.opens_at(now))
    }

    /// When the sweep is to have a look at it.
    pub fn due(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.handed_at(now).map_or_else(|| self.opens_at(now), |at| at + FIRST_LEASE)
    }

    /// The first instant at which it may go out.
    fn opens_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.not_before.map_or(now, |at| at.max(now))
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
            wake_at: due_key_of(&item)?.map(|due| due.wake_at),
            claimed_until: find_instant(&item, SENDING_UNTIL)?,
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

    /// Claims a notification for sending until an instant, if it is there and nobody else is at it. A
    /// claim ends with the delivery, when it is given back, or by itself; the sweep hands the
    /// notification over again after that.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn claim_outbox(
        &self,
        id: &NotificationId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Claim>, StoreError> {
        let key = Key::outbox(id);
        let sent = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(key.attributes()))
            .update_expression(
                "SET #until = :until, #since = if_not_exists(#since, :now), #shard = :shard, #wake = :wake",
            )
            .condition_expression(format!(
                "attribute_exists({PK}) AND (attribute_not_exists(#until) OR #until <= :now)"
            ))
            .expression_attribute_names("#until", SENDING_UNTIL)
            .expression_attribute_names("#since", SENT_SINCE)
            .expression_attribute_names("#shard", DUE.partition)
            .expression_attribute_names("#wake", DUE.sort)
            .expression_attribute_values(":until", text(instant(until)))
            .expression_attribute_values(":now", text(instant(now)))
            .expression_attribute_values(":shard", text(due_shard(&key.pk)))
            .expression_attribute_values(":wake", text(instant(until + AFTER_CLAIM)))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        let before = sent.as_ref().ok().and_then(|answer| answer.attributes.clone());
        if !held(sent)? {
            return Ok(None);
        }
        let sent_since = before.as_ref().map(|item| find_instant(item, SENT_SINCE)).transpose()?.flatten();
        Ok(Some(Claim { sent_since }))
    }

    /// Gives a claim back that its holder sent nothing under; the due key stays.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn release_outbox(&self, id: &NotificationId) -> Result<bool, StoreError> {
        let sent = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(Key::outbox(id).attributes()))
            .update_expression("REMOVE #until, #since")
            .condition_expression(format!("attribute_exists({PK})"))
            .expression_attribute_names("#until", SENDING_UNTIL)
            .expression_attribute_names("#since", SENT_SINCE)
            .send()
            .await;
        held(sent)
    }

    /// Gives a claim back, and leaves the notification to the queue until an instant; whether it
    /// still was to be delivered. That it may have been sent is remembered, unless it is known that it
    /// was not.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn lease_outbox(
        &self,
        id: &NotificationId,
        until: DateTime<Utc>,
        is_sent: MaybeSent,
    ) -> Result<bool, StoreError> {
        let key = Key::outbox(id);
        let update = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(key.attributes()))
            .update_expression(match is_sent {
                MaybeSent::Unknown => "SET #shard = :shard, #wake = :wake REMOVE #until",
                MaybeSent::No => "SET #shard = :shard, #wake = :wake REMOVE #until, #since",
            })
            .condition_expression(format!("attribute_exists({PK})"))
            .expression_attribute_names("#shard", DUE.partition)
            .expression_attribute_names("#wake", DUE.sort)
            .expression_attribute_names("#until", SENDING_UNTIL)
            .expression_attribute_values(":shard", text(due_shard(&key.pk)))
            .expression_attribute_values(":wake", text(instant(until)));
        // DynamoDB refuses a name that the expression does not use.
        let update = match is_sent {
            MaybeSent::Unknown => update,
            MaybeSent::No => update.expression_attribute_names("#since", SENT_SINCE),
        };
        held(update.send().await)
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
    let requested = Requested::of(notification);
    // Whoever commits it hands it to the queue, unless its time is too far off for that.
    let due = DueKey { wake_at: requested.due(now), handed_at: requested.handed_at(now) };
    put_due_key(&mut item, &key, Some(&due));
    Ok(item)
}
