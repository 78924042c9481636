//! The operations queue: why a lead is in it, since when, and what ends that.
//!
//! Each reason has a condition over the lead and the documents. It enters the queue with its
//! condition and leaves with it; each occurrence has an age of its own, so that no reason hides
//! another. After whatever happens to a lead, [`reconcile`] holds the queue against the conditions.

use crate::deciding::Deciding;
use crate::input::World;
use crate::lead::{Lead, Visit};
use crate::lead_fact::LeadFact;
use crate::orphans;
use chrono::{DateTime, Utc};
use policy::ids::{NotificationId, PersonId};
use serde::{Deserialize, Serialize};

/// How many occurrences a lead keeps in the queue. All of them are in its record.
const QUEUED_MAX: usize = 16;

/// Why a lead is in the operations queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredReview")]
pub struct OperationsReview {
    /// Since when the oldest occurrence is in the queue.
    pub since: DateTime<Utc>,
    /// Why, the oldest first.
    pub reasons: Vec<Queued>,
}

/// An occurrence of a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Why.
    pub reason: OperationsReason,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The entry that put it into the queue; 0 where that was not kept.
    pub seq: u64,
    /// The notification that failed. Each that fails is an occurrence of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification: Option<NotificationId>,
}

/// A review as it is stored: reasons without an age of their own are as old as the review.
#[derive(Deserialize)]
struct StoredReview {
    since: DateTime<Utc>,
    reasons: Vec<StoredReason>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum StoredReason {
    Occurrence(Queued),
    Name(OperationsReason),
}

impl From<StoredReview> for OperationsReview {
    fn from(StoredReview { since, reasons }: StoredReview) -> Self {
        let reasons = reasons.into_iter().map(|stored| match stored {
            StoredReason::Occurrence(queued) => queued,
            StoredReason::Name(reason) => Queued { reason, since, seq: 0, notification: None },
        });
        Self { since, reasons: reasons.collect() }
    }
}

/// Why a lead needs a person in operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationsReason {
    /// No market, or one that the directory does not have.
    MarketUnknown,
    /// A state that the policy does not have any more: no window covers it.
    StateUnknown,
    /// The CRM's owner is not in the directory.
    OwnerUnknown,
    /// Nobody of the team can take it.
    NoRepAvailable,
    /// It was given to somebody else often enough.
    MaxReassignments,
    /// It has been in its state far too long.
    Stuck,
    /// Somebody could not be told.
    NotificationFailed,
    /// A step of its SLA clock asks operations to look.
    Overdue,
    /// Its owner is no rep any more.
    OwnerLeft,
    /// Its owner is away for longer than it can wait, and nobody else can take it.
    OwnerAbsent,
    /// It keeps coming back to the same state.
    Bounces,
}

impl OperationsReason {
    /// The reasons that stand for as long as the lead stays in its state: the visit keeps them.
    fn is_of_visit(self) -> bool {
        matches!(self, Self::Stuck | Self::MaxReassignments | Self::Overdue)
    }

    /// The condition in words, as it is for a lead.
    pub fn told(self, lead: &Lead) -> String {
        let (state, owner) = (&lead.state, lead.owner.as_ref());
        match (self, &lead.profile.market) {
            (Self::MarketUnknown, Some(market)) => format!("the directory has no market {market}"),
            (Self::MarketUnknown, None) => "no market is known".to_owned(),
            (Self::StateUnknown, _) => format!("the policy has no state {state}"),
            (Self::OwnerUnknown, _) => {
                format!("the directory has nobody called {}", owner.map_or("that", PersonId::as_str))
            }
            (Self::NoRepAvailable, _) if owner.is_none() => "no rep of the team can take it".to_owned(),
            (Self::NoRepAvailable, _) => "no other rep of the team can take it over".to_owned(),
            (Self::MaxReassignments, _) => {
                format!("it was reassigned as often as the policy allows in {state}")
            }
            (Self::Stuck, _) => format!("it has been in {state} far too long"),
            (Self::NotificationFailed, _) => "a notification did not reach its recipient".to_owned(),
            (Self::Overdue, _) => format!("its SLA window in {state} is long over"),
            (Self::Bounces, _) => "it keeps coming back to the same state".to_owned(),
            (Self::OwnerAbsent, _) => "its owner is away for longer than it can wait".to_owned(),
            (Self::OwnerLeft, _) => "its owner is no longer a rep of any team".to_owned(),
        }
    }

    /// What takes it out of the queue, beside a person who resolves it and the end of the lead.
    pub fn ends_when(self, lead: &Lead) -> &'static str {
        match self {
            Self::MarketUnknown => "its market is known",
            Self::StateUnknown => "it moves to a state of the policy, or the policy has the state again",
            Self::OwnerUnknown => "somebody of the directory owns it",
            Self::NoRepAvailable if lead.owner.is_none() => "somebody owns it",
            Self::NoRepAvailable => "somebody else owns it, or it moves to another state",
            Self::MaxReassignments => "it moves to another state, or its source names another owner",
            Self::Stuck | Self::Overdue => "it moves to another state",
            Self::NotificationFailed | Self::Bounces => "a person resolves it",
            Self::OwnerAbsent => "its owner is back, or somebody else owns it",
            Self::OwnerLeft => "somebody else owns it, or its owner is a rep again",
        }
    }
}

impl OperationsReview {
    /// Adds an occurrence, unless the same one is there.
    pub(crate) fn add(review: &mut Option<Self>, queued: Queued) {
        let review = review.get_or_insert_with(|| Self { since: queued.since, reasons: Vec::new() });
        if review.has(queued.reason, queued.notification.as_ref()) {
            return;
        }
        if review.reasons.len() >= QUEUED_MAX {
            review.reasons.remove(0);
        }
        review.reasons.push(queued);
        review.date();
    }

    /// Keeps some of the occurrences; without any, the lead leaves the queue.
    pub(crate) fn keep(review: &mut Option<Self>, wanted: impl Fn(&Queued) -> bool) {
        if let Some(review) = review {
            review.reasons.retain(wanted);
            review.date();
        }
        *review = review.take().filter(|review| !review.reasons.is_empty());
    }

    /// Whether an occurrence is there.
    pub(crate) fn has(&self, reason: OperationsReason, notification: Option<&NotificationId>) -> bool {
        self.reasons.iter().any(|q| q.reason == reason && q.notification.as_ref() == notification)
    }

    /// It is as old as the oldest occurrence that is there.
    fn date(&mut self) {
        self.since = self.reasons.iter().map(|queued| queued.since).min().unwrap_or(self.since);
    }
}

/// What operations decided to leave alone although its condition holds. It comes back into the queue
/// when anything new is said of the lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissal {
    /// The reasons that still hold.
    pub reasons: Vec<OperationsReason>,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, in words.
    pub note: String,
}

impl Dismissal {
    /// Takes a reason out; without any, nothing is dismissed.
    pub(crate) fn forget(dismissal: &mut Option<Self>, reason: OperationsReason) {
        if let Some(dismissal) = dismissal {
            dismissal.reasons.retain(|known| *known != reason);
        }
        *dismissal = dismissal.take().filter(|dismissal| !dismissal.reasons.is_empty());
    }
}

/// Whether the condition of a reason holds.
pub(crate) fn holds(lead: &Lead, world: &World<'_>, reason: OperationsReason) -> bool {
    if lead.is_closed() {
        return false;
    }
    let market = lead.profile.market.as_ref().and_then(|market| world.directory.market(market));
    let stands = lead.visit.for_operations.contains(&reason);
    match reason {
        OperationsReason::MarketUnknown => market.is_none(),
        OperationsReason::StateUnknown => world.policy.policy.kind_of(&lead.state).is_none(),
        OperationsReason::OwnerUnknown => {
            lead.owner.as_ref().is_some_and(|owner| world.directory.person(owner).is_none())
        }
        // Where nobody owns it, it waits for a rep; where somebody does, they could not be relieved.
        OperationsReason::NoRepAvailable => (lead.owner.is_none() && market.is_some()) || stands,
        OperationsReason::MaxReassignments | OperationsReason::Stuck | OperationsReason::Overdue => stands,
        OperationsReason::NotificationFailed | OperationsReason::Bounces => true,
        OperationsReason::OwnerAbsent => orphans::is_away(lead),
        OperationsReason::OwnerLeft => {
            lead.owner.as_ref().is_some_and(|owner| orphans::is_gone(lead, world, owner))
        }
    }
}

/// Whether a reason that a person dismisses still holds: it is left alone, and nothing but news of the
/// lead brings it back.
pub(crate) fn is_left_alone(lead: &Lead, world: &World<'_>, reason: OperationsReason) -> bool {
    let is_event = matches!(reason, OperationsReason::NotificationFailed | OperationsReason::Bounces);
    let is_owned = reason == OperationsReason::NoRepAvailable && lead.owner.is_some();
    !is_event && !is_owned && holds(lead, world, reason)
}

/// Whether a lead comes into the queue for a reason by its condition alone. The others come with
/// what brings them about: a step, a failure, a rep who was looked for in vain.
fn enters_by_itself(lead: &Lead, reason: OperationsReason) -> bool {
    match reason {
        OperationsReason::MarketUnknown
        | OperationsReason::StateUnknown
        | OperationsReason::OwnerUnknown
        | OperationsReason::MaxReassignments
        | OperationsReason::Stuck
        | OperationsReason::Overdue => true,
        OperationsReason::NoRepAvailable => lead.visit.for_operations.contains(&reason),
        OperationsReason::NotificationFailed
        | OperationsReason::Bounces
        | OperationsReason::OwnerLeft
        | OperationsReason::OwnerAbsent => false,
    }
}

/// The reasons that a lead can come into the queue for by their conditions alone.
const STANDING: [OperationsReason; 7] = [
    OperationsReason::MarketUnknown,
    OperationsReason::StateUnknown,
    OperationsReason::OwnerUnknown,
    OperationsReason::NoRepAvailable,
    OperationsReason::MaxReassignments,
    OperationsReason::Stuck,
    OperationsReason::Overdue,
];

/// Whether the queue holds what the conditions say.
pub(crate) fn is_reconciled(lead: &Lead, world: &World<'_>) -> bool {
    let queued = lead.operations.iter().flat_map(|review| &review.reasons).map(|queued| queued.reason);
    let dismissed = lead.dismissed.iter().flat_map(|dismissal| &dismissal.reasons).copied();
    let is_in = |reason| lead.operations.as_ref().is_some_and(|review| review.has(reason, None));
    let is_missing = |reason: &OperationsReason| {
        let enters = enters_by_itself(lead, *reason) && holds(lead, world, *reason);
        enters && !is_in(*reason) && !lead.is_dismissed(*reason)
    };
    queued.chain(dismissed).all(|reason| holds(lead, world, reason)) && !STANDING.iter().any(is_missing)
}

/// Holds the queue against the conditions: what does not hold any more is settled, what holds is
/// queued. Where something new was said of the lead, what was dismissed counts again.
pub(crate) fn reconcile(d: &mut Deciding<'_>, is_news: bool) {
    let Some(lead) = &d.lead else { return };
    let queued = lead.operations.iter().flat_map(|review| &review.reasons);
    let mut over: Vec<(OperationsReason, Option<NotificationId>)> = queued
        .filter(|queued| !holds(lead, &d.world, queued.reason))
        .map(|queued| (queued.reason, queued.notification.clone()))
        .collect();
    let dismissed = lead.dismissed.iter().flat_map(|dismissal| &dismissal.reasons);
    let is_over = dismissed.filter(|reason| !holds(lead, &d.world, **reason)).map(|reason| (*reason, None));
    over.extend(is_over);
    for (reason, notification) in over {
        d.fact(None, LeadFact::OperationsSettled { reason, notification });
    }
    let again: Vec<OperationsReason> =
        d.lead.iter().filter_map(|lead| lead.dismissed.as_ref()).flat_map(|d| d.reasons.clone()).collect();
    for reason in STANDING.into_iter().chain(again) {
        let Some(lead) = &d.lead else { return };
        let enters = if lead.is_dismissed(reason) { is_news } else { enters_by_itself(lead, reason) };
        if enters && holds(lead, &d.world, reason) {
            d.queue_for_operations(None, reason);
        }
    }
}

impl Visit {
    /// Keeps a reason for as long as the lead stays in its state.
    pub(crate) fn keep_for_operations(&mut self, reason: OperationsReason, is_owned: bool) {
        if reason.is_of_visit() || (reason == OperationsReason::NoRepAvailable && is_owned) {
            self.for_operations.insert(reason);
        }
    }
}

impl Lead {
    /// Whether operations left a reason alone that still holds.
    pub fn is_dismissed(&self, reason: OperationsReason) -> bool {
        self.dismissed.as_ref().is_some_and(|dismissal| dismissal.reasons.contains(&reason))
    }

    /// Whether it waits for a rep who has room.
    pub fn waits_for_rep(&self) -> bool {
        self.waits_for_rep_since().is_some()
    }

    /// Since when it waits for a rep who has room, if it does.
    pub fn waits_for_rep_since(&self) -> Option<DateTime<Utc>> {
        let mut queued = self.operations.iter().flat_map(|review| &review.reasons);
        let waits = queued.find(|queued| queued.reason == OperationsReason::NoRepAvailable)?;
        (self.owner.is_none() && !self.is_held() && !self.is_closed()).then_some(waits.since)
    }
}
