//! Takes a notification from the queue and sees it through: sent and recorded, or tried again
//! later, or failed, recorded, and in the dead-letter queue.

use crate::address::{self, NoAddress};
use crate::channel::Channels;
use crate::retry::{GaveUp, IN_PROCESS, attempt, redeliver_after};
use crate::send_error::SendError;
use crate::wording::{self, Links};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::queue::Notify;
use platform::batch::Record;
use platform::queue::{Message, Queue, QueueError};
use platform::secrets::{SecretError, Secrets};
use platform::telemetry::ErrorChain;
use rules::entry::Actor;
use rules::ids::{NotificationId, Subject};
use rules::input::{Command, Delivery, DeliveryResult, Input};
use rules::notification::{Notification, Recipient};
use rules::{AccountCommand, AccountInput};
use service::Service;
use std::time::Duration;
use store::{OUTBOX_LEASE, OutboxItem, StoreError};

/// How often the queue delivers a message before it goes to the dead-letter queue; the template
/// says the same.
pub const RECEIVES_MAX: u32 = 5;
/// The time one message may take, well within the function's own.
const BUDGET: Duration = Duration::from_secs(15);
/// How soon a message comes again when the store was too busy.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// The longest wait that a queue takes, less the time a message was worked on (SQS: 12 hours).
const VISIBILITY_S_MAX: u64 = 43_000;

/// What the handler works with.
pub struct Notifier {
    /// The store and the queues.
    pub service: Service,
    /// The channels.
    pub channels: Channels,
    /// The key of outgoing webhooks.
    pub secrets: Secrets,
    /// Where that key is; absent: no outgoing webhooks.
    pub webhook_secret_id: Option<String>,
    /// Where links lead.
    pub links: Links,
    /// The queue that messages come from, for their visibility.
    pub queue_url: String,
    /// Its client.
    pub sqs: aws_sdk_sqs::Client,
    /// Where messages go that no attempt can help.
    pub dead_letters: Queue,
}

/// Why a message goes back to the queue.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// It is no message of this queue; after a few deliveries it is in the dead-letter queue.
    #[error("the message cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
    /// The dead-letter queue did not take it.
    #[error("the dead-letter queue did not take it")]
    Queue(#[from] QueueError),
    /// The key of outgoing webhooks could not be read.
    #[error("the key of outgoing webhooks could not be read")]
    Secret(#[from] SecretError),
    /// It was not sent, and will be tried again, or is in the dead-letter queue next.
    #[error("not sent")]
    NotSent(#[source] GaveUp),
}

impl Notifier {
    /// Sees one message through.
    ///
    /// # Errors
    /// [`DeliverError`]: the message goes back to the queue.
    pub async fn deliver(&self, record: Record<'_>, now: DateTime<Utc>) -> Result<(), DeliverError> {
        let seen_through = self.see_through(record, now).await;
        if let Err(DeliverError::Store(error)) = &seen_through
            && error.is_retryable()
        {
            // It may have been sent and not recorded: the sooner it comes again the better.
            self.keep_back(record, STORE_PAUSE).await;
        }
        seen_through
    }

    async fn see_through(&self, record: Record<'_>, now: DateTime<Utc>) -> Result<(), DeliverError> {
        let Notify::V1 { id } = serde_json::from_str(record.body).map_err(DeliverError::Unreadable)?;
        // Gone from the outbox: it was delivered or given up before.
        let Some(item) = self.service.store.outbox(&id).await? else { return Ok(()) };
        let directory = self.service.store.current_directory().await?;
        let destination = match address::destination(&item.notification.to, &directory) {
            Ok(destination) => destination,
            Err(missing) => {
                let result = unreachable(&item.notification, missing);
                return self.record(&item, record, result, now).await;
            }
        };
        let outbound = wording::outbound(&item.notification, &item.subject, &directory, &self.links);
        let keys = match &self.webhook_secret_id {
            Some(secret) if destination.kind() == "webhook" => self.secrets.signing_keys(secret, now).await?,
            _ => Vec::new(),
        };
        let sent = attempt(IN_PROCESS, BUDGET, async |_, _| {
            self.channels.send(&destination, &outbound, keys.first(), now).await
        })
        .await;
        match sent {
            Ok(_) => {
                let result =
                    DeliveryResult::Delivered { channel: destination.kind().to_owned(), reference: None };
                self.record(&item, record, result, now).await
            }
            Err(gave_up) => self.not_sent(&item, record, gave_up, now).await,
        }
    }

    async fn not_sent(
        &self,
        item: &OutboxItem,
        record: Record<'_>,
        gave_up: GaveUp,
        now: DateTime<Utc>,
    ) -> Result<(), DeliverError> {
        let reason = gave_up.error.to_string();
        let person = match &item.notification.to {
            Recipient::Person { person, .. } => Some(person.clone()),
            _ => None,
        };
        if let (SendError::UnknownRecipient, Some(person)) = (&gave_up.error, person) {
            let notification = Box::new(item.notification.clone());
            let result = DeliveryResult::Unreachable { person, reason, notification };
            return self.record(item, record, result, now).await;
        }
        if !gave_up.error.is_worth_retrying() {
            self.record(item, record, DeliveryResult::Failed { reason }, now).await?;
            self.dead_letters.send(Message::new(item.id.as_str(), record.body)).await?;
            return Ok(());
        }
        if record.receive_count >= RECEIVES_MAX {
            // The queue moves it to the dead-letter queue by itself, when this delivery fails too.
            self.record(item, record, DeliveryResult::Failed { reason }, now).await?;
        } else if let Some(wait) = redeliver_after(record.receive_count, &gave_up.error, fastrand::f64()) {
            self.postpone(&item.id, record, wait, now).await;
        }
        Err(DeliverError::NotSent(gave_up))
    }

    /// Keeps the message back for as long as the channel asks, and the sweep away from it.
    async fn postpone(&self, id: &NotificationId, record: Record<'_>, wait: Duration, now: DateTime<Utc>) {
        let wait_s = i64::try_from(wait.as_secs().min(VISIBILITY_S_MAX)).unwrap_or(i64::MAX);
        let until = now + TimeDelta::seconds(wait_s) + OUTBOX_LEASE;
        if let Err(error) = self.service.store.lease_outbox(id, until).await {
            tracing::warn!(notification = %id, error = %ErrorChain(&error), "the lease was not moved");
        }
        self.keep_back(record, wait).await;
    }

    /// Sets when the queue delivers the message again.
    async fn keep_back(&self, record: Record<'_>, wait: Duration) {
        let seconds = i32::try_from(wait.as_secs().min(VISIBILITY_S_MAX)).unwrap_or(i32::MAX);
        let changed = self
            .sqs
            .change_message_visibility()
            .queue_url(&self.queue_url)
            .receipt_handle(record.receipt_handle)
            .visibility_timeout(seconds)
            .send()
            .await;
        if let Err(error) = changed {
            // It comes back when the queue's own time-out ends.
            tracing::warn!(message_id = record.message_id, error = %ErrorChain(&error), "the wait was not set");
        }
    }

    /// Writes into the record what became of it.
    async fn record(
        &self,
        item: &OutboxItem,
        record: Record<'_>,
        result: DeliveryResult,
        now: DateTime<Utc>,
    ) -> Result<(), DeliverError> {
        let delivery = Delivery { id: item.id.clone(), attempts: record.receive_count, result };
        let (actor, cause) = (Actor::system("notify"), format!("delivery/{}", item.id));
        match &item.subject {
            Subject::Lead(lead) => {
                let command = Command { lead: lead.clone(), actor, cause, input: Input::Delivery(delivery) };
                self.service.lead(&command, None, now).await?;
            }
            Subject::Account(account) => {
                let input = AccountInput::Delivery(delivery);
                let command = AccountCommand { account: account.clone(), actor, cause, input };
                self.service.account(&command, None, now).await?;
            }
            Subject::Rep(_) => {}
        }
        Ok(())
    }
}

fn unreachable(notification: &Notification, missing: NoAddress) -> DeliveryResult {
    match missing {
        NoAddress::Person(person) => DeliveryResult::Unreachable {
            person,
            reason: "not in the directory, or without a channel there".to_owned(),
            notification: Box::new(notification.clone()),
        },
        NoAddress::Team => DeliveryResult::Failed { reason: "the team is not in the directory".to_owned() },
    }
}
