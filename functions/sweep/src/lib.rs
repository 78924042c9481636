//! A tick: finds everything that falls due and sends it to the due queue, each with a delay until its time.
//! It decides nothing and writes no history.
//!
//! A tick looks two periods ahead, and a cursor keeps how far earlier ticks looked. So each lead is sent
//! once, and a missed tick costs nothing. If an item is still due after a lease (a lost message, a crash),
//! the tick sends it again. The same holds for a notification that was not delivered within its own lease.
//! A notification that waits for the end of quiet hours is sent when they end.

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, TryStreamExt as _, future};
use platform::telemetry::ErrorChain;
use policy::ids::{NotificationId, Subject};
use serde::{Deserialize, Serialize};
use service::Service;
use store::{DueCursor, DueItem, DueSubject, FIRST_LEASE, OUTBOX_LEASE, StoreError};
use tokio::sync::OnceCell;

/// Periods after which an item that was sent counts as a straggler.
const STRAGGLER_PERIODS: i32 = 2;
/// Most items that one tick sends; the next tick continues.
const HANDED_MAX: usize = 20_000;
/// Notifications that are sent again at once.
const CONCURRENT_NOTIFICATIONS_MAX: usize = 8;
/// More messages than this in the queue are a backlog: more than the notifier takes at once.
const BACKLOG_MIN: u64 = 100;

/// The schedule's input. It carries the tick's own time, so that a repeated tick is the same tick.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tick {
    /// When the tick was scheduled.
    pub scheduled_time: DateTime<Utc>,
}

/// The result of a tick.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Leads and accounts sent for the first time.
    pub handed_on: usize,
    /// Those sent again.
    pub stragglers: usize,
    /// Notifications sent: again, or for the end of quiet hours.
    pub notifications: usize,
    /// Whether more was due than one tick sends.
    pub has_more: bool,
}

impl Swept {
    fn handed(self) -> usize {
        self.handed_on + self.stragglers + self.notifications
    }
}

/// Why a tick failed. The schedule repeats it, and the next tick covers its work too.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
    /// The queue did not accept everything.
    #[error("the queue did not accept everything")]
    Queue(#[from] platform::queue::QueueError),
}

/// Does one tick.
///
/// # Errors
/// [`SweepError`]. Items that were sent stay so, and repeating the tick does no harm.
pub async fn sweep(service: &Service, tick: &Tick, now: DateTime<Utc>) -> Result<Swept, SweepError> {
    let (store, relay) = (&service.store, &service.relay);
    let until = tick.scheduled_time.max(now) + relay.period() * service::PERIODS_AHEAD;
    let covered = store.sweep_cursor().await?;
    let lease = relay.period() * STRAGGLER_PERIODS;
    let mut swept = Swept::default();
    let mut reached = covered;
    let mut cursor: Option<DueCursor> = None;
    let backlog = OnceCell::new();
    loop {
        let page = store.due(None, until, cursor.as_ref()).await?;
        let mut wakes: Vec<(Subject, DateTime<Utc>)> = Vec::new();
        let mut notifications: Vec<(&DueItem, &NotificationId)> = Vec::new();
        for item in &page.items {
            match &item.subject {
                DueSubject::Outbox(id) => notifications.push((item, id)),
                DueSubject::Lead(id) => wakes.extend(
                    take(service, item, Subject::Lead(id.clone()), covered, lease, now, &mut swept).await?,
                ),
                // Each tick sends it until the publication has reached every lead.
                DueSubject::Publication(id) => {
                    let handed = item.handed_at.is_some_and(|handed| handed + lease > now);
                    if !handed && store.mark_handed(item, now).await? {
                        swept.stragglers += 1;
                        wakes.push((Subject::Publication(*id), item.wake_at));
                    }
                }
                DueSubject::Rep(id) => wakes.extend(
                    take(service, item, Subject::Rep(id.clone()), covered, lease, now, &mut swept).await?,
                ),
                DueSubject::Account(id) => {
                    wakes.extend(
                        take(service, item, Subject::Account(id.clone()), covered, lease, now, &mut swept)
                            .await?,
                    );
                }
            }
        }
        relay.wake(&wakes, now).await?;
        swept.notifications += futures::stream::iter(notifications)
            .map(|(item, id)| notify(service, item, id, &backlog, now))
            .buffer_unordered(CONCURRENT_NOTIFICATIONS_MAX)
            .try_fold(0, |handed, taken| future::ready(Ok(handed + usize::from(taken))))
            .await?;
        reached = reached.max(Some(page.complete_until));
        cursor = page.next;
        swept.has_more = cursor.is_some() && swept.handed() >= HANDED_MAX;
        if cursor.is_none() || swept.has_more {
            break;
        }
    }
    // If another tick has moved the cursor meanwhile, it has seen at least as much.
    if let Some(to) = reached.map(|to| to.min(until)).filter(|to| covered.is_none_or(|c| *to > c)) {
        store.advance_sweep_cursor(covered, to).await?;
    }
    Ok(swept)
}

/// Decides whether this tick sends a lead, an account or a rep.
async fn take(
    service: &Service,
    item: &DueItem,
    subject: Subject,
    covered: Option<DateTime<Utc>>,
    lease: TimeDelta,
    now: DateTime<Utc>,
    swept: &mut Swept,
) -> Result<Option<(Subject, DateTime<Utc>)>, StoreError> {
    if covered.is_none_or(|covered| item.wake_at > covered) {
        swept.handed_on += 1;
        return Ok(Some((subject, item.wake_at)));
    }
    let handed = item.handed_at.unwrap_or(item.wake_at).max(item.wake_at);
    if handed + lease > now || !service.store.mark_handed(item, now).await? {
        return Ok(None);
    }
    swept.stragglers += 1;
    Ok(Some((subject, item.wake_at)))
}

/// Sends a notification for the end of its quiet hours, or for the end of a lease within which it was not
/// delivered. If it is delivered by then, the message has no effect.
///
/// If that message is lost, the sweep sends the notification again within a minute or two. In a backlog
/// the message most likely still waits in the queue, and a second one would only lengthen the backlog, so the
/// sweep waits for a whole lease.
async fn notify(
    service: &Service,
    item: &DueItem,
    id: &NotificationId,
    backlog: &OnceCell<bool>,
    now: DateTime<Utc>,
) -> Result<bool, SweepError> {
    if item.handed_at.is_some_and(|handed| now - handed < OUTBOX_LEASE)
        && *backlog.get_or_init(|| has_backlog(service)).await
    {
        return Ok(false);
    }
    let at = item.wake_at.max(now);
    if !service.store.lease_found(item, at, at + next_lease(item)).await? {
        return Ok(false);
    }
    service.relay.notify(&[(id.clone(), at)], now).await?;
    Ok(true)
}

/// How long the queue has this time. The first lease is short, because a sweep may crash before it hands the
/// notification on. Each further lease is twice as long.
fn next_lease(item: &DueItem) -> TimeDelta {
    let last = item.handed_at.map_or(TimeDelta::zero(), |handed| item.wake_at - handed);
    (last * 2).clamp(FIRST_LEASE, OUTBOX_LEASE)
}

/// Whether the notification queue has a backlog. If the queue does not answer, assumes that it is idle: an
/// extra message is harmless, a lost one is not.
async fn has_backlog(service: &Service) -> bool {
    match service.relay.notifications_waiting().await {
        Ok(waiting) => waiting > BACKLOG_MIN,
        Err(error) => {
            tracing::warn!(error = %ErrorChain(&error), "could not read the length of the queue");
            false
        }
    }
}
