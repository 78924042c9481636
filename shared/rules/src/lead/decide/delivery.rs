//! Records what became of a notification; where somebody cannot be reached, somebody else is told.

use crate::lead::breach::Breach;
use crate::lead::decide::deciding::Deciding;
use crate::lead::event::{EvidenceKind, LateEvidence, LeadFact};
use crate::notification::{Delivery, DeliveryResult, Notification, NotificationFact, Particulars};
use crate::outcome::Outcome;
use chrono::{DateTime, Utc};
use policy::ids::{NotificationId, PersonId};
use policy::{Message, WorkflowId};

/// Records a delivery.
pub(super) fn apply(d: &mut Deciding<'_>, delivery: &Delivery) -> Outcome {
    if d.lead().is_none() {
        return Outcome::NotFound;
    }
    excuse_what_nobody_was_told(d, delivery);
    d.fact(None, LeadFact::Notification(NotificationFact::of(delivery)));
    // One that is recorded already was told by somebody else.
    let is_pending =
        |id: &&NotificationId| d.lead().is_some_and(|lead| lead.undelivered.iter().any(|p| p.id == **id));
    let with: Vec<NotificationId> = delivery.with.iter().filter(is_pending).cloned().collect();
    let left_over: Vec<Message> = d
        .lead()
        .into_iter()
        .flat_map(|lead| &lead.undelivered)
        .filter(|p| with.contains(&p.id))
        .map(|p| p.message)
        .collect();
    for fact in NotificationFact::told_with(delivery, with) {
        d.fact(None, LeadFact::Notification(fact));
    }
    match &delivery.result {
        DeliveryResult::Delivered { .. } | DeliveryResult::Withdrawn { .. } => {}
        DeliveryResult::Failed { .. } => d.queue_for_failed(&delivery.id),
        DeliveryResult::Unreachable { person, notification, .. } => {
            let is_over = d.lead().is_some_and(|lead| lead.is_held() || lead.is_closed());
            // Of a lead that is held or over, only compliance has something left to say.
            if !is_over || notification.message.workflow() == Some(WorkflowId::ComplianceFlag) {
                // The manager hears in the same order what the person would have been told.
                for message in left_over {
                    let particulars = d.particulars();
                    pass_on(
                        d,
                        &delivery.id,
                        person,
                        &Notification { message, particulars, ..(**notification).clone() },
                    );
                }
                pass_on(d, &delivery.id, person, notification);
            }
        }
    }
    Outcome::Applied
}

/// Nobody's breach is counted before they were told that the lead is theirs. That they were told late,
/// or never, shows when that is recorded.
fn excuse_what_nobody_was_told(d: &mut Deciding<'_>, delivery: &Delivery) {
    let Some(lead) = d.lead() else { return };
    let settled = |id: &NotificationId| *id == delivery.id || delivery.with.contains(id);
    let given = lead.undelivered.iter().filter(|p| p.gives() && settled(&p.id));
    let mut excused: Vec<(Breach, DateTime<Utc>)> = Vec::new();
    for (person, asked_at) in given.filter_map(|p| Some((p.person()?, p.asked_at?))) {
        let theirs = lead.breaches.iter().filter(|b| b.owner.as_ref() == Some(person));
        let meanwhile = theirs.filter(|b| b.due_at >= asked_at && b.due_at <= d.now);
        excused.extend(meanwhile.map(|breach| (breach.clone(), asked_at)));
    }
    for (breach, asked_at) in excused {
        let evidence = LateEvidence {
            what: EvidenceKind::OwnerNotTold,
            state: None,
            occurred_at: asked_at,
            late_s: (d.now - asked_at).num_seconds(),
        };
        let tag = Some((WorkflowId::SlaBreach, breach.step.as_deref()));
        let (breached_at, breach) = (breach.due_at, breach.seq);
        d.fact(tag, LeadFact::BreachExcused { breach, breached_at, evidence });
    }
}

/// The manager is told instead; where that is the one who cannot be reached, operations looks.
fn pass_on(d: &mut Deciding<'_>, id: &NotificationId, person: &PersonId, notification: &Notification) {
    let team = d.rules.directory().team_of(person).cloned().or_else(|| d.team());
    match team.and_then(|team| d.manager_of(team)) {
        Some(to) if notification.to != to => {
            let particulars =
                Particulars { instead_of: Some(person.clone()), ..notification.particulars.clone() };
            let tag = notification.message.workflow().map(|workflow| (workflow, None));
            d.notify(tag, to, notification.message, particulars);
        }
        _ => d.queue_for_failed(id),
    }
}
