//! What is told: whether a notification is still true, and which others the same message tells. One
//! message at a time goes to a recipient about a lead, in the order in which things happened.

use crate::deliver::{CLAIM, DeliverError, Notifier};
use chrono::{DateTime, TimeDelta, Utc};
use platform::telemetry::ErrorChain;
use policy::Rulebook;
use policy::ids::{NotificationId, Subject};
use rules::still_true;
use rules::still_true::Telling;
use store::{Claim, OutboxItem, StoreError};

/// How soon a message comes again that met an earlier one on its way. A send takes less than that.
const ON_ITS_WAY_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// A claim that is older than this is taken for one of a function that crashed: its end is waited for.
const LONG_CLAIM: TimeDelta = TimeDelta::seconds(10);
/// Later messages that are left over without a notification; there are none but after a repair by hand.
const LEFT_OVER_MAX: usize = 8;

/// A notification that this message sees through, with those that are told with it.
pub struct Claimed {
    /// The notification.
    pub item: OutboxItem,
    /// The claim on it.
    pub claim: Claim,
    /// What becomes of it.
    pub telling: Telling,
    /// The others; each is claimed, too.
    pub others: Vec<NotificationId>,
    /// Of these, those that nobody may have sent before: their claims can be given back.
    pub unsent: Vec<NotificationId>,
}

/// What became of the claims on others that the same message tells.
#[expect(clippy::large_enum_variant, reason = "there is one a message")]
pub enum Others {
    /// All are this message's.
    Claimed(Claimed),
    /// Another message is being sent to the same recipient; it is over by then.
    Busy {
        /// When.
        until: DateTime<Utc>,
    },
}

impl Claimed {
    /// The notifications that are told with it.
    pub fn with(&self) -> &[NotificationId] {
        &self.others
    }
}

impl Notifier {
    /// What becomes of a notification, as everything stands now.
    pub(crate) async fn telling(&self, item: &OutboxItem, now: DateTime<Utc>) -> Result<Telling, StoreError> {
        let store = &self.service.store;
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
                        Telling::With(later) if store.outbox(later).await?.is_none() => {
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

    /// Claims the others that the message tells, or none of them.
    pub(crate) async fn claim_others(
        &self,
        item: OutboxItem,
        claim: Claim,
        mut telling: Telling,
        now: DateTime<Utc>,
    ) -> Result<Others, DeliverError> {
        let (mut others, mut unsent) = (Vec::new(), Vec::new());
        if let Telling::Tell(told) = &mut telling {
            let mut with = Vec::new();
            for earlier in std::mem::take(&mut told.with) {
                let id = &earlier.id;
                match self.claim_one(id, now).await {
                    Ok(One::Claimed(claim)) => {
                        unsent.extend(claim.sent_since.is_none().then(|| id.clone()));
                        others.push(id.clone());
                        with.push(earlier);
                    }
                    // It was told a moment ago.
                    Ok(One::Gone) => {}
                    Ok(One::Busy { until }) => {
                        self.release(&unsent).await;
                        return Ok(Others::Busy { until });
                    }
                    Err(error) => {
                        self.release(&unsent).await;
                        return Err(error.into());
                    }
                }
            }
            told.with = with;
        }
        Ok(Others::Claimed(Claimed { item, claim, telling, others, unsent }))
    }

    async fn claim_one(&self, id: &NotificationId, now: DateTime<Utc>) -> Result<One, StoreError> {
        let store = &self.service.store;
        if let Some(claim) = store.claim_outbox(id, now, now + CLAIM).await? {
            return Ok(One::Claimed(claim));
        }
        let Some(item) = store.outbox(id).await? else { return Ok(One::Gone) };
        let ends = item.claimed_until.unwrap_or(now);
        let until = if ends - now > CLAIM - LONG_CLAIM { now } else { ends };
        Ok(One::Busy { until: until + ON_ITS_WAY_PAUSE })
    }

    /// Gives claims back under which nothing was sent.
    pub(crate) async fn release(&self, ids: &[NotificationId]) {
        for id in ids {
            if let Err(error) = self.service.store.release_outbox(id).await {
                // It ends by itself.
                tracing::warn!(notification = %id, error = %ErrorChain(&error), "the claim was not given back");
            }
        }
    }
}

enum One {
    Claimed(Claim),
    Gone,
    Busy { until: DateTime<Utc> },
}
