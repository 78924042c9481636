//! The operations queue: why a lead is in it, and since when.

use chrono::{DateTime, Utc};
use policy::ids::NotificationId;
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
    /// The lead has no market, or one that the directory lacks.
    MarketUnknown,
    /// The policy no longer has the state of the lead, so no window covers it.
    StateUnknown,
    /// The owner that the CRM names is not in the directory.
    OwnerUnknown,
    /// No rep on the team can take it.
    NoRepAvailable,
    /// It reached the policy's limit of reassignments.
    MaxReassignments,
    /// It has been in its state far too long.
    Stuck,
    /// A notification reached nobody.
    NotificationFailed,
    /// A step of its SLA clock put it in the queue.
    Overdue,
    /// Its owner is no longer a rep.
    OwnerLeft,
    /// Its owner is away, it cannot wait, and nobody else can take it.
    OwnerAbsent,
    /// It keeps coming back to the same state.
    Bounces,
}

impl OperationsReason {
    /// The reasons that stand for as long as the lead stays in its state: the visit keeps them.
    pub(super) fn is_of_visit(self) -> bool {
        matches!(self, Self::Stuck | Self::MaxReassignments | Self::Overdue)
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

/// Reasons that operations dismissed although they still hold. They return to the queue when new information
/// about the lead arrives.
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
