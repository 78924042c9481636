//! Sends what a commit requests: notifications to their queue, and a wake that the next tick would see too
//! late to the due queue.

use aws_config::SdkConfig;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::queue::{Due, Notify};
use platform::config::{ConfigError, Env};
use platform::queue::{Message, Queue};
use platform::telemetry::ErrorChain;
use policy::ids::{NotificationId, Subject};
use store::Requested;

/// The usual lag of an index behind its table.
const INDEX_LAG: TimeDelta = TimeDelta::seconds(2);
/// The longest lag of an index behind its table.
const INDEX_LAG_MAX: TimeDelta = TimeDelta::seconds(60);
/// Periods that a tick looks ahead, so that a missed tick does no harm.
pub const PERIODS_AHEAD: i32 = 2;
/// A commit looks this much further ahead than a tick, so that no wake is missed between the commit and a
/// tick that reads the index slightly too early.
const MARGIN: TimeDelta = TimeDelta::seconds(30);

/// The queues that a commit sends to.
#[derive(Clone)]
pub struct Relay {
    /// `None` for a function whose commits cannot move a wake.
    due: Option<Queue>,
    notifications: Queue,
    period: TimeDelta,
}

impl Relay {
    /// Builds the relay from the environment.
    ///
    /// # Errors
    /// If a variable is missing or invalid.
    pub fn from_env(env: &Env, sdk: &SdkConfig) -> Result<Self, ConfigError> {
        let client = aws_sdk_sqs::Client::new(sdk);
        Ok(Self::new(
            env.optional("DUE_QUEUE_URL").map(|url| Queue::new(client.clone(), url)),
            Queue::new(client, env.require("NOTIFICATION_QUEUE_URL")?),
            TimeDelta::seconds(env.number("SWEEP_PERIOD_S", 60, 1..=300)?),
        ))
    }

    /// Builds the relay from its queues and the period between ticks. Without a due queue, commits here
    /// cannot move a wake.
    pub fn new(due: Option<Queue>, notifications: Queue, period: TimeDelta) -> Self {
        Self { due, notifications, period }
    }

    /// The period between ticks.
    pub fn period(&self) -> TimeDelta {
        self.period
    }

    /// Sends what a commit requests. The commit is already written, and the sweep finds anything that is not
    /// sent now in the due index. So a failure here does not fail the request.
    pub async fn dispatch(
        &self,
        subject: &Subject,
        notifications: &[Requested],
        wake_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        // The sweep sends notifications that wait for long.
        let notifications: Vec<(NotificationId, DateTime<Utc>)> = notifications
            .iter()
            .filter(|requested| !requested.is_left_to_the_sweep(now))
            .map(|requested| (requested.id.clone(), requested.not_before.unwrap_or(now)))
            .collect();
        if let Err(error) = self.notify(&notifications, now).await {
            tracing::warn!(%subject, error = %ErrorChain(&error), "could not send the notifications; the sweep will send them");
        }
        if let Some(due) = wake_at.filter(|at| self.is_soon(*at, now))
            && let Err(error) = self.wake(&[(subject.clone(), due)], now).await
        {
            tracing::warn!(%subject, error = %ErrorChain(&error), "could not send the wake; the sweep will send it");
        }
    }

    /// Requests a check of a subject after the usual lag of the indexes, so that they show the state before a
    /// change. If the message is lost, the sweep sends it again.
    pub async fn dispatch_after_lag(&self, subject: Subject, change: u64, now: DateTime<Utc>) {
        self.send_delayed(subject, change, false, now).await;
    }

    /// Does the same after the longest lag of the indexes.
    pub async fn dispatch_after_longest_lag(&self, subject: Subject, change: u64, now: DateTime<Utc>) {
        self.send_delayed(subject, change, true, now).await;
    }

    async fn send_delayed(&self, subject: Subject, change: u64, last: bool, now: DateTime<Utc>) {
        let due = now + if last { INDEX_LAG_MAX } else { INDEX_LAG };
        let message = Due::V1 { subject: subject.clone(), due, indexed: Some(change), last };
        if let Err(error) = self.send_due(vec![due_message(&subject, &message, due, now)]).await {
            tracing::warn!(%subject, error = %ErrorChain(&error), "could not send the wake; the sweep will send it");
        }
    }

    /// Whether a time comes before the next tick could see it.
    pub fn is_soon(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        at <= now + self.period * PERIODS_AHEAD + MARGIN
    }

    /// Sends notifications, each at its time, as [`Relay::wake`] does.
    ///
    /// # Errors
    /// If the queue does not accept some of them.
    pub async fn notify(
        &self,
        notifications: &[(NotificationId, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> Result<(), platform::queue::QueueError> {
        let messages = notifications.iter().map(|(id, at)| {
            let message = Message::new(id.as_str(), body(&Notify::V1 { id: id.clone() }));
            message.delayed(whole_seconds_until(*at, now))
        });
        self.notifications.send_all(messages.collect()).await
    }

    /// The approximate number of notifications in their queue.
    ///
    /// # Errors
    /// If the queue does not answer.
    pub async fn notifications_waiting(&self) -> Result<u64, platform::queue::QueueError> {
        self.notifications.waiting().await
    }

    /// Sends wakes, each at its time. A queue delays a message by at most fifteen minutes; a function that
    /// receives one early sends it on.
    ///
    /// # Errors
    /// If the queue does not accept some of them.
    pub async fn wake(
        &self,
        wakes: &[(Subject, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> Result<(), platform::queue::QueueError> {
        let messages = wakes.iter().map(|(subject, due)| {
            let message = Due::V1 { subject: subject.clone(), due: *due, indexed: None, last: false };
            due_message(subject, &message, *due, now)
        });
        self.send_due(messages.collect()).await
    }

    async fn send_due(&self, messages: Vec<Message>) -> Result<(), platform::queue::QueueError> {
        match &self.due {
            Some(queue) => queue.send_all(messages).await,
            None => Ok(()),
        }
    }
}

fn due_message(subject: &Subject, message: &Due, due: DateTime<Utc>, now: DateTime<Utc>) -> Message {
    Message::new(subject.to_string(), body(message)).delayed(whole_seconds_until(due, now))
}

/// Rounded up, because a message that comes early has to be sent on.
fn whole_seconds_until(due: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    let millis = u64::try_from((due - now).num_milliseconds()).unwrap_or(0);
    millis.div_ceil(1000)
}

/// These messages are plain data, which can always be written as JSON.
fn body(message: &impl serde::Serialize) -> String {
    serde_json::to_string(message).unwrap_or_default()
}
