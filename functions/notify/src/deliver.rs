//! Delivers a notification from the queue: sends it and records the result, or tries again later, or records
//! the failure and moves it to the dead-letter queue.

use crate::address::NoDestination;
use crate::channel::Channels;
use crate::claims::{CLAIM, ClaimOutcome, Claimed};
use crate::outbound::Destination;
use crate::retry::{GaveUp, IN_PROCESS, attempt, redeliver_after};
use crate::send_error::SendError;
use crate::wording::{Context, Links};
use crate::{address, claims, wording};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::queue::Notify;
use platform::batch::Record;
use platform::queue::{Queue, QueueError};
use platform::secrets::{SecretError, Secrets};
use platform::telemetry::ErrorChain;
use policy::ids::{NotificationId, Subject};
use rules::account::{AccountCommand, AccountInput};
use rules::entry::Actor;
use rules::lead::{Command, Input};
use rules::notification::{Delivery, DeliveryResult, Notification, Recipient};
use rules::publication::{PublicationCommand, PublicationInput};
use rules::rep::{RepCommand, RepInput};
use rules::still_true::DeliveryDecision;
use service::Service;
use std::cell::Cell;
use std::time::Duration;
use store::{MaybeSent, OUTBOX_LEASE, OutboxItem, Requested, StoreError};

/// Deliveries of a message before the queue moves it to the dead-letter queue; the template has the same
/// number.
pub const RECEIVES_MAX: u32 = 5;
/// The time for one message, well within the function's time-out.
const BUDGET: Duration = Duration::from_secs(15);
/// The wait of a message whose notification another delivery has claimed: until after that claim ends.
const CLAIM_PAUSE: Duration = Duration::from_secs(75);
/// The wait of a message when the store is too busy.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// The wait of a message when an operator has to act first.
const FAULT_PAUSE: Duration = Duration::from_secs(5 * 60);
/// How long the sweep leaves a notification alone whose failure could not be recorded.
const UNRECORDED_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest wait that a queue takes (SQS: 12 hours), less the time spent on the message.
const VISIBILITY_S_MAX: u64 = 43_000;

/// The handler's configuration and clients.
pub struct Notifier {
    /// The store and the queues.
    pub service: Service,
    /// The channels.
    pub channels: Channels,
    /// Slack's token and the key of outgoing webhooks, read for each message so that a new one soon takes
    /// effect.
    pub secrets: Secrets,
    /// The secret with Slack's token; `None` without Slack.
    pub slack_secret_id: Option<String>,
    /// The secret with the key of outgoing webhooks; `None` without webhooks.
    pub webhook_secret_id: Option<String>,
    /// The targets of links.
    pub links: Links,
    /// The queue that messages come from, to change their visibility.
    pub queue_url: String,
    /// Its client.
    pub sqs: aws_sdk_sqs::Client,
    /// The queue for messages that no attempt can help.
    pub dead_letters: Queue,
}

/// Why a message returns to the queue.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// It is not a message of this queue. After a few deliveries it ends in the dead-letter queue.
    #[error("the message cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
    /// A queue did not accept the message.
    #[error("the queue did not accept the message")]
    Queue(#[from] QueueError),
    /// The channel's secret could not be read.
    #[error("the channel's secret could not be read")]
    Secret(#[from] SecretError),
    /// Another delivery of the same notification is under way.
    #[error("another delivery of the notification is under way")]
    Claimed,
    /// It was not sent. It returns later, or goes to the dead-letter queue.
    #[error("not sent")]
    NotSent(#[source] GaveUp),
}

impl Notifier {
    /// Delivers one message.
    ///
    /// # Errors
    /// [`DeliverError`]: the message returns to the queue.
    pub async fn deliver(&self, record: Record<'_>, now: DateTime<Utc>) -> Result<(), DeliverError> {
        let Notify::V1 { id } = serde_json::from_str(record.body).map_err(DeliverError::Unreadable)?;
        let mut was_sent_before = false;
        let (is_claimed, delivered) = match self.claim(&id, record, now).await {
            Ok(None) => return Ok(()),
            Ok(Some(claimed)) => {
                was_sent_before = claimed.claim.sent_since.is_some();
                let delivered = self.deliver_claimed(&claimed, record, now).await;
                if delivered.is_err() {
                    claims::release(&self.service.store, &claimed.unsent).await;
                }
                (true, delivered)
            }
            Err(error) => (false, Err(error)),
        };
        if let Err(error) = &delivered {
            let is_sent = match error {
                DeliverError::Secret(_) if !was_sent_before => MaybeSent::No,
                _ => MaybeSent::Unknown,
            };
            self.failed(&id, record, error, is_claimed.then_some(is_sent), now).await;
        }
        delivered
    }

    /// Claims the notification, if it exists and is due. Even withdrawing needs the claim: without it, one
    /// delivery could withdraw what another one is sending.
    async fn claim(
        &self,
        id: &NotificationId,
        record: Record<'_>,
        now: DateTime<Utc>,
    ) -> Result<Option<Claimed>, DeliverError> {
        // No longer in the outbox: it was delivered or given up before.
        let Some(item) = self.service.store.outbox(id).await? else { return Ok(None) };
        if let Some(at) = item.notification.not_before.filter(|at| *at > now) {
            self.wait_until(id, at, now).await?;
            return Ok(None);
        }
        let telling = claims::decide(&self.service.store, &item, now).await?;
        if let DeliveryDecision::IncludedIn(_) = telling {
            // The later message covers this one. It stays in the outbox until that one is recorded.
            return Ok(None);
        }
        let Some(claim) = self.service.store.claim_outbox(id, now, now + CLAIM).await? else {
            self.step_back(id, record).await?;
            return Ok(None);
        };
        let outcome = claims::claim_earlier(&self.service.store, item, claim, telling, now).await;
        if !matches!(outcome, Ok(ClaimOutcome::Claimed(_))) && claim.sent_since.is_none() {
            claims::release(&self.service.store, std::slice::from_ref(id)).await;
        }
        match outcome? {
            ClaimOutcome::Claimed(claimed) => Ok(Some(claimed)),
            ClaimOutcome::Busy { until } => {
                self.service.relay.notify(&[(id.clone(), until)], now).await?;
                Ok(None)
            }
        }
    }

    /// Handles a failure of the store or of a secret: the message returns. Only the holder of a claim gives
    /// it back.
    async fn failed(
        &self,
        id: &NotificationId,
        record: Record<'_>,
        error: &DeliverError,
        claimed: Option<MaybeSent>,
        now: DateTime<Utc>,
    ) {
        let pause = match error {
            // It may have been sent and not recorded: the sooner it returns, the better.
            DeliverError::Store(error) if error.is_retryable() => STORE_PAUSE,
            DeliverError::Store(_) | DeliverError::Secret(_) if record.receive_count >= RECEIVES_MAX => {
                return self.give_up(id, record, error, claimed.is_some(), now).await;
            }
            DeliverError::Store(_) | DeliverError::Secret(_) => FAULT_PAUSE,
            _ => return,
        };
        match claimed {
            Some(is_sent) => self.postpone(id, record, pause, is_sent, now).await,
            None => self.delay(record, pause).await,
        }
    }

    async fn deliver_claimed(
        &self,
        claimed: &Claimed,
        record: Record<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), DeliverError> {
        let Claimed { item, claim, telling, .. } = claimed;
        let told = match telling {
            DeliveryDecision::Send(told) => told,
            DeliveryDecision::Withdraw { reason, earlier } => {
                let result = DeliveryResult::Withdrawn { reason: reason.clone() };
                self.record(claimed, record, result, now).await?;
                // This message was to cover them; now each is delivered separately.
                let earlier: Vec<_> = earlier.iter().map(|id| (id.clone(), now)).collect();
                self.service.relay.notify(&earlier, now).await?;
                return Ok(());
            }
            DeliveryDecision::IncludedIn(_) => return Ok(()),
        };
        let (policy, directory) = futures::future::try_join(
            self.service.store.current_policy(),
            self.service.store.current_directory(),
        )
        .await?;
        let destination = match address::destination(&item.notification.to, &directory) {
            Ok(destination) => destination,
            Err(missing) => {
                let result = unreachable(&item.notification, missing);
                return self.record(claimed, record, result, now).await;
            }
        };
        let context = Context { policy: &policy.policy, directory: &directory, links: &self.links, now };
        let outbound = wording::outbound(&item.notification, told, &item.subject, &context);
        if matches!(destination, Destination::SlackDm { .. } | Destination::SlackChannel { .. }) {
            self.channels.slack.use_token(self.slack_token(now).await?.as_deref());
        }
        let keys = match &self.webhook_secret_id {
            Some(secret) if destination.kind() == "webhook" => self.secrets.signing_keys(secret, now).await?,
            _ => Vec::new(),
        };
        let is_last = record.receive_count >= RECEIVES_MAX;
        let sent_since = Cell::new(claim.sent_since);
        let sent = attempt(IN_PROCESS, BUDGET, async |number, _| {
            let maybe_since = sent_since.get();
            if let Some(since) = maybe_since {
                match self.channels.has(&destination, &outbound, since, now).await {
                    Ok(true) => return Ok(()),
                    Ok(false) => {}
                    // There is no later attempt to search again. Two copies are better than none.
                    Err(_) if is_last && number == 1 => {}
                    Err(error) => return Err(error),
                }
            }
            // The budget may end while the message is on its way.
            sent_since.set(Some(claim.sent_since.unwrap_or(now)));
            let sent = self.channels.send(&destination, &outbound, keys.first(), now).await;
            if sent.as_ref().is_err_and(|error| !error.may_have_arrived()) {
                // This attempt did not arrive, but an earlier one still may.
                sent_since.set(maybe_since);
            }
            sent
        })
        .await;
        match sent {
            Ok(_) => {
                let result =
                    DeliveryResult::Delivered { channel: destination.kind().to_owned(), reference: None };
                self.record(claimed, record, result, now).await
            }
            Err(gave_up) => {
                let is_sent = sent_since.get().map_or(MaybeSent::No, |_| MaybeSent::Unknown);
                self.not_sent(claimed, record, gave_up, is_sent, now).await
            }
        }
    }

    /// Waits for the end of the recipient's quiet hours: in the queue or, if they last too long for it, until
    /// the sweep hands the notification on. The delivery then uses the lead as it is at that time.
    async fn wait_until(
        &self,
        id: &NotificationId,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), DeliverError> {
        let requested = Requested { id: id.clone(), not_before: Some(at) };
        if self.service.store.lease_outbox(id, requested.due(now), MaybeSent::Unknown).await?
            && !requested.is_left_to_the_sweep(now)
        {
            self.service.relay.notify(&[(id.clone(), at)], now).await?;
        }
        Ok(())
    }

    /// Slack's token; a deployment without Slack has no such secret.
    async fn slack_token(&self, now: DateTime<Utc>) -> Result<Option<String>, SecretError> {
        let Some(id) = &self.slack_secret_id else { return Ok(None) };
        match self.secrets.json::<SlackSecret>(id, "an object with `bot_token`", now).await {
            Ok(secret) => Ok(Some(secret.bot_token)),
            Err(SecretError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Steps back for another delivery of the same notification; if that one fails, this message returns.
    async fn step_back(&self, id: &NotificationId, record: Record<'_>) -> Result<(), DeliverError> {
        // After its last delivery this message would go to the dead-letter queue, where it does not belong.
        // The sweep picks up the notification.
        if record.receive_count >= RECEIVES_MAX || self.service.store.outbox(id).await?.is_none() {
            return Ok(());
        }
        self.delay(record, CLAIM_PAUSE).await;
        Err(DeliverError::Claimed)
    }

    /// Records that every delivery failed before it reached a channel. Otherwise the sweep would hand the
    /// notification on forever. Best effort: the same fault may prevent the recording.
    async fn give_up(
        &self,
        id: &NotificationId,
        record: Record<'_>,
        error: &DeliverError,
        is_claimed: bool,
        now: DateTime<Utc>,
    ) {
        // Another delivery may be sending it: then it has not failed.
        if !is_claimed && !matches!(self.service.store.claim_outbox(id, now, now + CLAIM).await, Ok(Some(_)))
        {
            return;
        }
        let result = DeliveryResult::Failed { reason: error.to_string() };
        let recorded = match self.service.store.outbox_subject(id).await {
            Ok(Some(subject)) => self.record_of(id, &subject, record, result, Vec::new(), now).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = recorded {
            tracing::error!(notification = %id, error = %ErrorChain(&error), "could not record the failure");
            self.release_for(id, UNRECORDED_PAUSE, MaybeSent::Unknown, now).await;
        }
    }

    async fn not_sent(
        &self,
        claimed: &Claimed,
        record: Record<'_>,
        gave_up: GaveUp,
        is_sent: MaybeSent,
        now: DateTime<Utc>,
    ) -> Result<(), DeliverError> {
        let item = &claimed.item;
        let reason = gave_up.error.to_string();
        let person = match &item.notification.to {
            Recipient::Person { person, .. } => Some(person.clone()),
            _ => None,
        };
        if let (SendError::UnknownRecipient, Some(person)) = (&gave_up.error, person) {
            let notification = Box::new(item.notification.clone());
            let result = DeliveryResult::Unreachable { person, reason, notification };
            return self.record(claimed, record, result, now).await;
        }
        if !gave_up.error.is_worth_retrying() {
            // In this order: recording removes the notification from the outbox. If this function crashed in
            // between, the returning message would count as done.
            self.dead_letters.send(platform::queue::Message::new(item.id.as_str(), record.body)).await?;
            self.record(claimed, record, DeliveryResult::Failed { reason }, now).await?;
            return Ok(());
        }
        if record.receive_count >= RECEIVES_MAX {
            // The queue moves the message to the dead-letter queue when this delivery fails too.
            self.record(claimed, record, DeliveryResult::Failed { reason }, now).await?;
        } else if let Some(wait) = redeliver_after(record.receive_count, &gave_up.error, fastrand::f64()) {
            self.postpone(&item.id, record, wait, is_sent, now).await;
        }
        Err(DeliverError::NotSent(gave_up))
    }

    /// Delays the message for the wait, and keeps the sweep away from the notification.
    async fn postpone(
        &self,
        id: &NotificationId,
        record: Record<'_>,
        wait: Duration,
        is_sent: MaybeSent,
        now: DateTime<Utc>,
    ) {
        self.release_for(id, wait, is_sent, now).await;
        self.delay(record, wait).await;
    }

    /// Gives the claim back, and keeps the sweep away for the wait plus a lease.
    async fn release_for(&self, id: &NotificationId, wait: Duration, is_sent: MaybeSent, now: DateTime<Utc>) {
        let wait = TimeDelta::from_std(wait).unwrap_or(OUTBOX_LEASE);
        if let Err(error) = self.service.store.lease_outbox(id, now + wait + OUTBOX_LEASE, is_sent).await {
            tracing::warn!(notification = %id, error = %ErrorChain(&error), "could not extend the lease");
        }
    }

    /// Delays the queue's next delivery of the message.
    async fn delay(&self, record: Record<'_>, wait: Duration) {
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
            // The message returns when the queue's own time-out ends.
            tracing::warn!(message_id = record.message_id, error = %ErrorChain(&error), "could not delay the message");
        }
    }

    /// Records the result for the notification and for the earlier ones that its message covers.
    async fn record(
        &self,
        claimed: &Claimed,
        record: Record<'_>,
        result: DeliveryResult,
        now: DateTime<Utc>,
    ) -> Result<(), DeliverError> {
        let OutboxItem { id, subject, .. } = &claimed.item;
        self.record_of(id, subject, record, result, claimed.earlier.clone(), now).await
    }

    async fn record_of(
        &self,
        id: &NotificationId,
        subject: &Subject,
        record: Record<'_>,
        result: DeliveryResult,
        with: Vec<NotificationId>,
        now: DateTime<Utc>,
    ) -> Result<(), DeliverError> {
        let delivery = Delivery { id: id.clone(), attempts: record.receive_count, result, with };
        let (actor, cause) = (Actor::system("notify"), format!("delivery/{id}"));
        match subject {
            Subject::Lead(lead) => {
                let command = Command { lead: lead.clone(), actor, cause, input: Input::Delivery(delivery) };
                self.service.lead(&command, None, now).await?;
            }
            Subject::Account(account) => {
                let input = AccountInput::Delivery(delivery);
                let command = AccountCommand { account: account.clone(), actor, cause, input };
                self.service.account(&command, None, now).await?;
            }
            Subject::Publication(publication) => {
                let input = PublicationInput::Delivery(delivery);
                let command = PublicationCommand { publication: *publication, cause, input };
                self.service.publication(&command, now).await?;
            }
            Subject::Rep(rep) => {
                let input = RepInput::Delivery(delivery);
                self.service.rep(&RepCommand { rep: rep.clone(), actor, cause, input }, None, now).await?;
            }
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
struct SlackSecret {
    bot_token: String,
}

fn unreachable(notification: &Notification, missing: NoDestination) -> DeliveryResult {
    match missing {
        NoDestination::Person(person) => DeliveryResult::Unreachable {
            person,
            reason: "not in the directory, or without a channel there".to_owned(),
            notification: Box::new(notification.clone()),
        },
        NoDestination::Team => {
            DeliveryResult::Failed { reason: "the team is not in the directory".to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../../../template.yaml");

    /// An assumption of the store's model (`shared/store/tests/model`).
    #[test]
    fn a_claim_outlasts_the_function_and_a_message_that_met_it_comes_after_it() {
        let (_, notify) = TEMPLATE.split_once("\n  Notify:\n").unwrap();
        let (_, timeout) = notify.split_once("Timeout: ").unwrap();
        let timeout_s: i64 = timeout.lines().next().unwrap().trim().parse().unwrap();
        assert!(CLAIM >= TimeDelta::seconds(timeout_s), "{CLAIM} and {timeout_s} s");
        let pause = TimeDelta::from_std(CLAIM_PAUSE).unwrap();
        assert!(pause > CLAIM && OUTBOX_LEASE > pause);
    }
}
