//! Records what became of a notification; where somebody cannot be reached, somebody else is told.

use crate::deciding::Deciding;
use crate::ids::{NotificationId, PersonId};
use crate::input::{Delivery, DeliveryResult, Outcome};
use crate::lead_fact::LeadFact;
use crate::notification::{Notification, NotificationFact, Particulars};
use crate::policy::WorkflowId;

/// Records a delivery.
pub(super) fn apply(d: &mut Deciding<'_>, delivery: &Delivery) -> Outcome {
    if d.lead.is_none() {
        return Outcome::UnknownLead;
    }
    d.fact(None, LeadFact::Notification(NotificationFact::of(delivery)));
    match &delivery.result {
        DeliveryResult::Delivered { .. } | DeliveryResult::Withdrawn { .. } => {}
        DeliveryResult::Failed { .. } => d.queue_for_failed(&delivery.id),
        DeliveryResult::Unreachable { person, notification, .. } => {
            let is_over = d.lead.as_ref().is_some_and(|lead| lead.is_held() || lead.is_closed());
            // Of a lead that is held or over, only compliance has something left to say.
            if !is_over || notification.message.workflow() == Some(WorkflowId::ComplianceFlag) {
                pass_on(d, &delivery.id, person, notification);
            }
        }
    }
    Outcome::Applied
}

/// The manager is told instead; where that is the one who cannot be reached, operations looks.
fn pass_on(d: &mut Deciding<'_>, id: &NotificationId, person: &PersonId, notification: &Notification) {
    let team = d.world.directory.team_of(person).cloned().or_else(|| d.team());
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
