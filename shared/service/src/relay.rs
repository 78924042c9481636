//! Hands on what a commit brought about: notifications to their queue, and a wake that comes
//! before the next tick could see it to the due queue.

use aws_config::SdkConfig;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::queue::{Due, Notify};
use platform::config::{ConfigError, Env};
use platform::queue::{Message, Queue};
use platform::telemetry::ErrorChain;
use policy::ids::{NotificationId, Subject};
use store::Requested;

/// How far an index is behind its table as a rule.
const INDEX_LAG: TimeDelta = TimeDelta::seconds(2);
/// How far an index may be behind its table.
const INDEX_LAG_MAX: TimeDelta = TimeDelta::seconds(60);
/// A tick hands on what falls due within so many periods, so that a missed tick is harmless.
pub const PERIODS_AHEAD: i32 = 2;
/// What a commit adds to the look-ahead, so that no wake falls between it and a tick that reads
/// the index a little too early.
const MARGIN: TimeDelta = TimeDelta::seconds(30);

/// The queues that a commit is handed on to.
#[derive(Clone)]
pub struct Relay {
    /// Absent where nothing that is committed can move a wake.
    due: Option<Queue>,
    notifications: Queue,
    period: TimeDelta,
}

impl Relay {
    /// Builds it from the environment.
    ///
    /// # Errors
    /// A variable that is missing or wrong.
    pub fn from_env(env: &Env, sdk: &SdkConfig) -> Result<Self, ConfigError> {
        let client = aws_sdk_sqs::Client::new(sdk);
        Ok(Self::new(
            env.optional("DUE_QUEUE_URL").map(|url| Queue::new(client.clone(), url)),
            Queue::new(client, env.require("NOTIFICATION_QUEUE_URL")?),
            TimeDelta::seconds(env.number("SWEEP_PERIOD_S", 60, 1..=300)?),
        ))
    }

    /// Builds it from its queues and the time from tick to tick. No due queue: nothing that is
    /// committed here can move a wake.
    pub fn new(due: Option<Queue>, notifications: Queue, period: TimeDelta) -> Self {
        Self { due, notifications, period }
    }

    /// The time from tick to tick.
    pub fn period(&self) -> TimeDelta {
        self.period
    }

    /// Hands on what a commit brought about. It is committed: whatever is not handed on now, the
    /// sweep finds in the due index, so that a failure here is no failure of the request.
    pub async fn hand_on(
        &self,
        subject: &Subject,
        notifications: &[Requested],
        wake_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        // What waits for long is no business of the queue yet.
        let notifications: Vec<(NotificationId, DateTime<Utc>)> = notifications
            .iter()
            .filter(|requested| !requested.is_left_to_the_sweep(now))
            .map(|requested| (requested.id.clone(), requested.not_before.unwrap_or(now)))
            .collect();
        if let Err(error) = self.notify(&notifications, now).await {
            tracing::warn!(%subject, error = %ErrorChain(&error), "the sweep will hand on the notifications");
        }
        if let Some(due) = wake_at.filter(|at| self.is_soon(*at, now))
            && let Err(error) = self.wake(&[(subject.clone(), due)], now).await
        {
            tracing::warn!(%subject, error = %ErrorChain(&error), "the sweep will hand on the wake");
        }
    }

    /// Asks for a subject to be looked at once the indexes show, as a rule, what was there before a change
    /// of it. What is lost of this is found by the sweep.
    pub async fn hand_on_indexed(&self, subject: Subject, change: u64, now: DateTime<Utc>) {
        self.hold_back(subject, change, false, now).await;
    }

    /// As [`Relay::hand_on_indexed`], once the indexes show it, however far they are behind.
    pub async fn hand_on_once_more(&self, subject: Subject, change: u64, now: DateTime<Utc>) {
        self.hold_back(subject, change, true, now).await;
    }

    async fn hold_back(&self, subject: Subject, change: u64, last: bool, now: DateTime<Utc>) {
        let due = now + if last { INDEX_LAG_MAX } else { INDEX_LAG };
        let message = Due::V1 { subject: subject.clone(), due, indexed: Some(change), last };
        if let Err(error) = self.send_due(vec![due_message(&subject, &message, due, now)]).await {
            tracing::warn!(%subject, error = %ErrorChain(&error), "the sweep will hand on the wake");
        }
    }

    /// Whether an instant comes before the next tick could see it.
    pub fn is_soon(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        at <= now + self.period * PERIODS_AHEAD + MARGIN
    }

    /// Asks for notifications to be sent, each at its instant, as [`Relay::wake`] does.
    ///
    /// # Errors
    /// The queue did not take some of them.
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

    /// About how many notifications wait in their queue.
    ///
    /// # Errors
    /// The queue does not say.
    pub async fn notifications_waiting(&self) -> Result<u64, platform::queue::QueueError> {
        self.notifications.waiting().await
    }

    /// Asks for subjects to be looked at, each at its instant. A queue holds a message back for
    /// fifteen minutes at most; whoever receives one early sends it on.
    ///
    /// # Errors
    /// The queue did not take some of them.
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

/// Rounded up: a message that comes early would have to be sent on.
fn whole_seconds_until(due: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    let millis = u64::try_from((due - now).num_milliseconds()).unwrap_or(0);
    millis.div_ceil(1000)
}

/// These messages are plain data; writing them as JSON cannot fail.
fn body(message: &impl serde::Serialize) -> String {
    serde_json::to_string(message).unwrap_or_default()
}
