//! The outbox: a notification from its commit until its delivery is recorded. Its due key lets the sweep find
//! one that never reached the queue, or that waits for the end of quiet hours.

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

/// How long the queue has to deliver a notification that the notifier delayed, before the sweep sends it
/// again; also the longest lease for one that the sweep sent. It is longer than the queue's visibility
/// time-out, and as long as a queue can delay a message (SQS). The sweep handles longer waits.
pub const OUTBOX_LEASE: TimeDelta = TimeDelta::minutes(15);

/// How long a notification may stay unclaimed after its commit. If a function crashes between the commit and
/// the queue, the message is lost, and the sweep then finds the notification. If the queue is only slow, the
/// sweep sees the backlog and sends no second message.
pub const FIRST_LEASE: TimeDelta = TimeDelta::seconds(60);

const SUBJECT: &str = "subject";
/// The end of the current claim; until then nobody else sends it.
const SENDING_UNTIL: &str = "sending_until";
/// The earliest time at which it may have been sent without a record.
const SENT_SINCE: &str = "sent_since";
/// How long after the end of a claim the sweep sends the notification again.
const AFTER_CLAIM: TimeDelta = TimeDelta::seconds(5);

/// A notification to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its stable identifier.
    pub id: NotificationId,
    /// The subject whose history requested it.
    pub subject: Subject,
    /// The recipient and the content.
    pub notification: Notification,
    /// When the sweep sends it to the queue again.
    pub wake_at: Option<DateTime<Utc>>,
    /// The end of the current claim.
    pub claimed_until: Option<DateTime<Utc>>,
}

/// The exclusive right to deliver a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The earliest time at which an earlier holder, who never reported back, may have sent it. `None` if
    /// this is the first claim, or all earlier ones are known to have sent nothing.
    pub sent_since: Option<DateTime<Utc>>,
}

/// Whether a holder of a claim may have sent the notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaybeSent {
    /// It was not sent: the channel refused it, or nothing was tried.
    No,
    /// It was sent but not recorded, or no answer came.
    Unknown,
}

/// A notification that a commit requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// Its stable identifier.
    pub id: NotificationId,
    /// The earliest time to send it.
    pub not_before: Option<DateTime<Utc>>,
}

impl Requested {
    pub(crate) fn of(notification: &Notification) -> Self {
        Self { id: notification.id.clone(), not_before: notification.not_before }
    }

    /// Whether it waits for longer than a queue can delay a message. Then its due key is its own time.
    pub fn is_left_to_the_sweep(&self, now: DateTime<Utc>) -> bool {
        self.not_before.is_some_and(|at| at > now + OUTBOX_LEASE)
    }

    /// When the queue delivers it; `None` if the sweep handles it.
    fn handed_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (!self.is_left_to_the_sweep(now)).then(|| self.opens_at(now))
    }

    /// When the sweep checks it.
    pub fn due(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.handed_at(now).map_or_else(|| self.opens_at(now), |at| at + FIRST_LEASE)
    }

    /// The earliest time to send it, from now on.
    fn opens_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.not_before.map_or(now, |at| at.max(now))
    }
}

impl Store {
    /// A notification to deliver; `None` once its delivery is recorded.
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

    /// The subject whose history requested a notification, even if the rest of the item cannot be read.
    ///
    /// # Errors
    /// If the database does not answer, or the subject cannot be read.
    pub async fn outbox_subject(&self, id: &NotificationId) -> Result<Option<Subject>, StoreError> {
        let Some(item) = self.read_one(&Key::outbox(id)).await? else { return Ok(None) };
        let subject = get_text(&item, SUBJECT)?;
        subject.parse().map(Some).map_err(|error| StoreError::unreadable("a subject", Box::new(error)))
    }

    /// Claims a notification for sending until a time, if it exists and nobody else holds it. A claim ends
    /// with the delivery, with its release, or by itself; after that, the sweep sends the notification to the
    /// queue again.
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

    /// Releases a claim whose holder sent nothing. The due key stays.
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

    /// Releases a claim and leases the notification to the queue until a time. Returns whether the
    /// notification was still undelivered. Unless it is known that it was not sent, the item keeps the time
    /// since when it may have been.
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
        // DynamoDB rejects a name that the expression does not use.
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
    // The committing function sends it to the queue, unless its time is too far away.
    let due = DueKey { wake_at: requested.due(now), handed_at: requested.handed_at(now) };
    put_due_key(&mut item, &key, Some(&due));
    Ok(item)
}
