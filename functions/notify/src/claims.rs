//! Decides whether a notification is still true, and claims it together with the earlier ones that its message covers.
//! One message at a time goes to a recipient about a lead, in the order in which things happened.

use chrono::{DateTime, TimeDelta, Utc};
use platform::telemetry::ErrorChain;
use policy::Rulebook;
use policy::ids::{NotificationId, Subject};
use rules::still_true;
use rules::still_true::DeliveryDecision;
use store::{Claim, OutboxItem, Store, StoreError};

/// How long one delivery holds a notification: longer than a delivery takes, so that no other one sends it meanwhile,
/// and no longer than need be after a crash.
pub const CLAIM: TimeDelta = TimeDelta::seconds(60);
/// How soon a message returns that met an earlier one in delivery. Sending takes less than that.
const BUSY_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// A claim older than this probably belongs to a function that crashed: the message waits until the claim ends.
const LONG_CLAIM: TimeDelta = TimeDelta::seconds(10);
/// Later messages without a notification that are skipped. A lead has such messages only after a repair by hand.
const LEFT_OVER_MAX: usize = 8;

/// A claimed notification, with the earlier ones that its message covers.
pub struct Claimed {
    /// The notification.
    pub item: OutboxItem,
    /// The claim on it.
    pub claim: Claim,
    /// Whether to send it, and with which facts.
    pub telling: DeliveryDecision,
    /// The earlier notifications, claimed too.
    pub earlier: Vec<NotificationId>,
    /// The earlier ones that no delivery may have sent before: their claims can be given back.
    pub unsent: Vec<NotificationId>,
}

/// The result of claiming the earlier notifications of a message.
#[expect(clippy::large_enum_variant, reason = "there is one a message")]
pub enum ClaimOutcome {
    /// This delivery holds all of them.
    Claimed(Claimed),
    /// Another message is being sent to the same recipient.
    Busy {
        /// The end of that delivery.
        until: DateTime<Utc>,
    },
}

enum EarlierClaim {
    Claimed(Claim),
    Gone,
    Busy { until: DateTime<Utc> },
}

/// Decides what to do with a notification, as everything stands now.
///
/// # Errors
/// [`StoreError`] if the store does not answer.
pub async fn decide(
    store: &Store,
    item: &OutboxItem,
    now: DateTime<Utc>,
) -> Result<DeliveryDecision, StoreError> {
    match &item.subject {
        Subject::Lead(id) => {
            let (policy, directory) =
                futures::future::try_join(store.current_policy(), store.current_directory()).await?;
            let Some(mut lead) = store.lead(id).await? else {
                return Ok(still_true::of_report(&item.notification));
            };
            let rules = Rulebook::new(policy, directory);
            for _ in 0..LEFT_OVER_MAX {
                let telling = still_true::of_lead(&lead, &rules, &item.notification, now);
                match &telling {
                    DeliveryDecision::IncludedIn(later) if store.outbox(later).await?.is_none() => {
                        lead.undelivered.retain(|p| p.id != *later);
                    }
                    _ => return Ok(telling),
                }
            }
            Ok(still_true::of_lead(&lead, &rules, &item.notification, now))
        }
        Subject::Account(id) => Ok(match store.account(id).await? {
            Some(account) => still_true::of_account(&account, &item.notification),
            None => still_true::of_report(&item.notification),
        }),
        Subject::Rep(_) | Subject::Publication(_) => Ok(still_true::of_report(&item.notification)),
    }
}

/// Claims the earlier notifications that a message covers, all of them or none.
///
/// # Errors
/// [`StoreError`] if the store does not answer; the claims made so far are given back.
pub async fn claim_earlier(
    store: &Store,
    item: OutboxItem,
    claim: Claim,
    mut telling: DeliveryDecision,
    now: DateTime<Utc>,
) -> Result<ClaimOutcome, StoreError> {
    let (mut covered, mut unsent) = (Vec::new(), Vec::new());
    if let DeliveryDecision::Send(told) = &mut telling {
        let mut with = Vec::new();
        for earlier in std::mem::take(&mut told.with) {
            let id = &earlier.id;
            match claim_one(store, id, now).await {
                Ok(EarlierClaim::Claimed(claim)) => {
                    unsent.extend(claim.sent_since.is_none().then(|| id.clone()));
                    covered.push(id.clone());
                    with.push(earlier);
                }
                // Another message covered it a moment ago.
                Ok(EarlierClaim::Gone) => {}
                Ok(EarlierClaim::Busy { until }) => {
                    release(store, &unsent).await;
                    return Ok(ClaimOutcome::Busy { until });
                }
                Err(error) => {
                    release(store, &unsent).await;
                    return Err(error);
                }
            }
        }
        told.with = with;
    }
    Ok(ClaimOutcome::Claimed(Claimed { item, claim, telling, earlier: covered, unsent }))
}

async fn claim_one(
    store: &Store,
    id: &NotificationId,
    now: DateTime<Utc>,
) -> Result<EarlierClaim, StoreError> {
    if let Some(claim) = store.claim_outbox(id, now, now + CLAIM).await? {
        return Ok(EarlierClaim::Claimed(claim));
    }
    let Some(item) = store.outbox(id).await? else { return Ok(EarlierClaim::Gone) };
    let ends = item.claimed_until.unwrap_or(now);
    let until = if ends - now > CLAIM - LONG_CLAIM { now } else { ends };
    Ok(EarlierClaim::Busy { until: until + BUSY_PAUSE })
}

/// Gives back claims under which nothing was sent.
pub async fn release(store: &Store, ids: &[NotificationId]) {
    for id in ids {
        if let Err(error) = store.release_outbox(id).await {
            // The claim ends by itself.
            tracing::warn!(notification = %id, error = %ErrorChain(&error), "could not give the claim back");
        }
    }
}
