//! Assigns leads to reps by routing. A rep who is passed over is recorded with the reason, and a lead that nobody
//! can take goes to the operations queue.

use crate::aggregate::Undecided;
use crate::draft::Tag;
use crate::lead::decide::deciding::{Deciding, RoutingResult};
use crate::lead::event::{AssignmentReason, LeadFact};
use crate::lead::queue::OperationsReason;
use crate::notification::{Particulars, Recipient, Role};
use crate::outcome::Outcome;
use crate::routing::PassedOver;
use policy::Message;
use policy::ids::PersonId;

/// Assigns an unowned lead to the next rep of its market's team, and notifies them if `tell`.
pub(crate) fn assign_if_unowned(
    d: &mut Deciding<'_>,
    reason: AssignmentReason,
    tell: bool,
) -> Result<(), Undecided> {
    if d.lead().is_none_or(|l| l.owner.is_some() || l.is_closed() || l.is_held()) {
        return Ok(());
    }
    match assign_next(d, reason)? {
        // Recorded once, however often it is tried.
        Some(considered) if !d.is_queued_for(OperationsReason::NoRepAvailable) => {
            nobody(d, considered);
            if tell {
                tell_manager(d, None);
            }
        }
        Some(_) => {}
        None => {
            if tell {
                tell_assigned(d, None);
            }
            if d.lead().is_some_and(|l| l.owner.is_some()) {
                d.settle_operations(OperationsReason::NoRepAvailable);
            }
        }
    }
    Ok(())
}

/// Offers a waiting lead to a rep who may have room.
pub(crate) fn take_offer(d: &mut Deciding<'_>) -> Result<Outcome, Undecided> {
    let Some(lead) = d.lead() else { return Ok(Outcome::NotFound) };
    if lead.waits_for_rep() {
        assign_if_unowned(d, AssignmentReason::Unowned, true)?;
    }
    Ok(Outcome::Applied)
}

/// Tells the owner that they own the lead: they may learn of it nowhere else.
pub(crate) fn tell_assigned(d: &mut Deciding<'_>, previous_owner: Option<PersonId>) {
    let owner = d.lead().and_then(|l| l.owner.clone());
    if let Some(person) = owner.filter(|person| d.rules.directory().person(person).is_some()) {
        let particulars = Particulars { previous_owner, ..d.particulars() };
        d.notify(None, Recipient::Person { role: Role::Owner, person }, Message::LeadGiven, particulars);
    }
}

/// Assigns it to the next rep or queues it for operations, without a message: a digest covers all leads of
/// the same owner.
pub(crate) fn give_to_next(d: &mut Deciding<'_>, reason: AssignmentReason) -> Result<(), Undecided> {
    if let Some(considered) = assign_next(d, reason)? {
        nobody(d, considered);
    }
    Ok(())
}

/// Assigns it to the rep that routing chooses; returns the reps considered if there is none. A lead without a
/// market is quarantined in the operations queue already.
pub(super) fn assign_next(
    d: &mut Deciding<'_>,
    reason: AssignmentReason,
) -> Result<Option<Vec<PassedOver>>, Undecided> {
    match d.route(false)? {
        RoutingResult::To { rep, team } => {
            let by_digest = reason == AssignmentReason::OwnerLeft;
            let told_from = by_digest.then(|| d.told_by_digest_from(&rep)).flatten();
            d.fact(None, LeadFact::Assigned { to: rep, team, reason, told_from });
            Ok(None)
        }
        RoutingResult::Nobody { considered } => Ok(Some(considered)),
        RoutingResult::NoTeam => Ok(None),
    }
}

pub(super) fn tell_manager(d: &mut Deciding<'_>, tag: Tag<'_>) {
    if let Some(to) = d.manager() {
        let reasons = vec!["no rep on the team can take it".to_owned()];
        let particulars = Particulars { reasons, ..d.particulars() };
        d.notify(tag, to, Message::ReassignmentImpossible, particulars);
    }
}

pub(super) fn nobody(d: &mut Deciding<'_>, considered: Vec<PassedOver>) {
    let reason = OperationsReason::NoRepAvailable;
    d.fact(None, LeadFact::ReassignmentImpossible { reason, considered });
    d.queue_for_operations(None, reason);
}
