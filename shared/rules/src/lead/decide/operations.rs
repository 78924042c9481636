//! The operations queue: why a lead is in it, since when, and what ends that.
//!
//! Each reason has a condition on the lead and the documents, and stays in the queue while the condition holds.
//! Each occurrence has its own age, so that no reason hides another. After every change of a lead, [`reconcile`]
//! brings the queue in line with the conditions.

use crate::lead::decide::deciding::Deciding;
use crate::lead::event::LeadFact;
use crate::lead::ownership;
use crate::lead::queue::OperationsReason;
use crate::lead::state::Lead;
use policy::Rulebook;
use policy::ids::NotificationId;

impl OperationsReason {
    /// The condition in words.
    pub fn told(self, lead: &Lead) -> String {
        let (state, owner) = (&lead.state, lead.owner.as_ref());
        match (self, &lead.profile.market) {
            (Self::MarketUnknown, Some(market)) => format!("the directory has no market {market}"),
            (Self::MarketUnknown, None) => "no market is known".to_owned(),
            (Self::StateUnknown, _) => format!("the policy has no state {state}"),
            (Self::OwnerUnknown, _) => {
                let name = owner.map_or_else(String::new, |owner| format!(" {owner}"));
                format!("its owner{name} is not in the directory")
            }
            (Self::NoRepAvailable, _) if owner.is_none() => "no rep on the team can take it".to_owned(),
            (Self::NoRepAvailable, _) => "no other rep on the team can take it".to_owned(),
            (Self::MaxReassignments, _) => {
                format!("it reached the policy's limit of reassignments in {state}")
            }
            (Self::Stuck, _) => format!("it has been in {state} far too long"),
            (Self::NotificationFailed, _) => "a notification did not reach its recipient".to_owned(),
            (Self::Overdue, _) => format!("its SLA window in {state} ended long ago"),
            (Self::Bounces, _) => "it keeps coming back to the same state".to_owned(),
            (Self::OwnerAbsent, _) => "its owner is away, and it cannot wait until they are back".to_owned(),
            (Self::OwnerLeft, _) => "its owner is no longer a rep of any team".to_owned(),
        }
    }

    /// What takes it out of the queue, besides a person who resolves it and the end of the lead.
    pub fn ends_when(self, lead: &Lead) -> &'static str {
        match self {
            Self::MarketUnknown => "its market is known",
            Self::StateUnknown => "it moves to a state in the policy, or the policy adds its state",
            Self::OwnerUnknown => "someone in the directory owns it",
            Self::NoRepAvailable if lead.owner.is_none() => "someone owns it",
            Self::NoRepAvailable => "someone else owns it, or it moves to another state",
            Self::MaxReassignments => "it moves to another state, or its source names another owner",
            Self::Stuck | Self::Overdue => "it moves to another state",
            Self::NotificationFailed | Self::Bounces => "a person resolves it",
            Self::OwnerAbsent => "its owner is back, or someone else owns it",
            Self::OwnerLeft => "someone else owns it, or its owner is a rep again",
        }
    }
}

/// Whether the condition of a reason holds.
pub(crate) fn holds(lead: &Lead, rules: &Rulebook, reason: OperationsReason) -> bool {
    if lead.is_closed() {
        return false;
    }
    let has_market = || lead.profile.market.as_ref().is_some_and(|market| rules.market(market).is_some());
    let stands = || lead.visit.for_operations.contains(&reason);
    match reason {
        OperationsReason::MarketUnknown => !has_market(),
        OperationsReason::StateUnknown => rules.kind_of(&lead.state).is_none(),
        OperationsReason::OwnerUnknown => {
            lead.owner.as_ref().is_some_and(|owner| rules.directory().person(owner).is_none())
        }
        // Where nobody owns it, it waits for a rep; where somebody does, they could not be relieved.
        OperationsReason::NoRepAvailable => (lead.owner.is_none() && has_market()) || stands(),
        OperationsReason::MaxReassignments | OperationsReason::Stuck | OperationsReason::Overdue => stands(),
        OperationsReason::NotificationFailed | OperationsReason::Bounces => true,
        OperationsReason::OwnerAbsent => ownership::is_away(lead),
        OperationsReason::OwnerLeft => {
            lead.owner.as_ref().is_some_and(|owner| ownership::is_gone(lead, rules, owner))
        }
    }
}

/// Whether a reason that a person dismisses still holds: it is left alone, and nothing but news of the
/// lead brings it back.
pub(crate) fn is_left_alone(lead: &Lead, rules: &Rulebook, reason: OperationsReason) -> bool {
    let is_event = matches!(reason, OperationsReason::NotificationFailed | OperationsReason::Bounces);
    let is_owned = reason == OperationsReason::NoRepAvailable && lead.owner.is_some();
    !is_event && !is_owned && holds(lead, rules, reason)
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
pub(crate) fn is_reconciled(lead: &Lead, rules: &Rulebook) -> bool {
    let queued = lead.operations.iter().flat_map(|review| &review.reasons).map(|queued| queued.reason);
    let dismissed = lead.dismissed.iter().flat_map(|dismissal| &dismissal.reasons).copied();
    let is_in = |reason| lead.operations.as_ref().is_some_and(|review| review.has(reason, None));
    let is_missing = |reason: &OperationsReason| {
        let enters = enters_by_itself(lead, *reason) && holds(lead, rules, *reason);
        enters && !is_in(*reason) && !lead.is_dismissed(*reason)
    };
    queued.chain(dismissed).all(|reason| holds(lead, rules, reason)) && !STANDING.iter().any(is_missing)
}

/// Holds the queue against the conditions: what does not hold any more is settled, what holds is
/// queued. Where something new was said of the lead, what was dismissed counts again.
pub(crate) fn reconcile(d: &mut Deciding<'_>, is_news: bool) {
    let Some(lead) = d.lead() else { return };
    if is_as_it_was(d, lead) && !(is_news && lead.dismissed.is_some()) {
        debug_assert!(is_reconciled(lead, d.rules), "left unreconciled: {lead:#?}");
        return;
    }
    let queued = lead.operations.iter().flat_map(|review| &review.reasons);
    let mut over: Vec<(OperationsReason, Option<NotificationId>)> = queued
        .filter(|queued| !holds(lead, d.rules, queued.reason))
        .map(|queued| (queued.reason, queued.notification.clone()))
        .collect();
    let dismissed = lead.dismissed.iter().flat_map(|dismissal| &dismissal.reasons);
    let is_over = dismissed.filter(|reason| !holds(lead, d.rules, **reason)).map(|reason| (*reason, None));
    over.extend(is_over);
    for (reason, notification) in over {
        d.fact(None, LeadFact::OperationsSettled { reason, notification });
    }
    let again: Vec<OperationsReason> = d
        .lead()
        .into_iter()
        .filter_map(|lead| lead.dismissed.as_ref())
        .flat_map(|d| d.reasons.clone())
        .collect();
    for reason in STANDING.into_iter().chain(again) {
        let Some(lead) = d.lead() else { return };
        let enters = if lead.is_dismissed(reason) { is_news } else { enters_by_itself(lead, reason) };
        if enters && holds(lead, d.rules, reason) {
            d.queue_for_operations(None, reason);
        }
    }
    d.reconciled = Some(d.as_of_now(()));
}

/// Whether the lead and the documents, which all conditions are over, are as they were when the queue was held
/// against them last: in this decision, or in the one before.
fn is_as_it_was(d: &Deciding<'_>, lead: &Lead) -> bool {
    let (facts, in_force) = (d.entries.len(), d.rules.in_force());
    match d.reconciled {
        Some(known) => known.facts == facts && known.in_force == in_force,
        None => facts == 0 && lead.in_force == in_force,
    }
}
