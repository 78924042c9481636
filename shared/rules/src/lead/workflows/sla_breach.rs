//! SLA breach.
//!
//! **What**: warns the owner before a lead's window ends, notifies the manager when it has ended, and
//! reassigns the lead when it ended long ago.
//! **When**: at percentages of the window of the lead's state, in business hours on the market's
//! calendar. The clock starts with the state, restarts for a new owner, and pauses while the
//! lead is on hold, waits on the customer, or outreach to its account is paused.
//! **Why**: a lead that nobody answers is lost within hours. As time passes, different people can
//! still save it.

use crate::aggregate::Undecided;
use crate::lead::decide::deciding::{Deciding, RoutingResult};
use crate::lead::event::{AssignmentReason, LeadFact, Threshold};
use crate::lead::queue::OperationsReason;
use crate::notification::{Particulars, Recipient, Role};
use crate::routing::PassedOver;
use policy::{Message, WorkflowId};

/// The messages to the owner and to the manager.
pub(super) const MESSAGES: (Message, Message) = (Message::SlaWarning, Message::SlaBreached);

/// Gives the lead to the next available rep; if there is none, the owner keeps it, and the
/// manager and operations know.
pub(super) fn reassign(
    d: &mut Deciding<'_>,
    workflow: WorkflowId,
    step: &str,
    threshold: &Threshold,
) -> Result<(), Undecided> {
    let Some(lead) = d.lead() else { return Ok(()) };
    let done = lead.visit.reassignments;
    // Nobody loses a lead that nobody owns: it is given to its first owner, as often as need be.
    if lead.owner.is_some() && done >= d.rules.policy().workflows.sla_breach.max_reassignments {
        give_up(d, workflow, step, threshold, OperationsReason::MaxReassignments, Vec::new());
        return Ok(());
    }
    let from = lead.owner.clone();
    match d.route(false)? {
        RoutingResult::To { rep, team } => {
            let tag = Some((workflow, Some(step)));
            let to = rep.clone();
            let given = if from.is_some() {
                let reassignments = done.saturating_add(1);
                LeadFact::Reassigned { from: from.clone(), to, team, reassignments }
            } else {
                LeadFact::Assigned { to, team, reason: AssignmentReason::Unowned, told_from: None }
            };
            d.fact(tag, given);
            let particulars =
                Particulars { previous_owner: from.clone(), ..d.particulars_at(step, threshold) };
            if let Some(person) = from.filter(|p| d.rules.directory().person(p).is_some()) {
                let to = Recipient::Person { role: Role::PreviousOwner, person };
                d.notify(Some((workflow, Some(step))), to, Message::LeadTaken, particulars.clone());
            }
            let to = Recipient::Person { role: Role::Owner, person: rep };
            d.notify(Some((workflow, Some(step))), to, Message::LeadGiven, particulars);
        }
        RoutingResult::Nobody { considered } => {
            give_up(d, workflow, step, threshold, OperationsReason::NoRepAvailable, considered);
        }
        RoutingResult::NoTeam => {
            d.queue_for_operations(Some((workflow, Some(step))), OperationsReason::MarketUnknown)
        }
    }
    Ok(())
}

fn give_up(
    d: &mut Deciding<'_>,
    workflow: WorkflowId,
    step: &str,
    threshold: &Threshold,
    reason: OperationsReason,
    considered: Vec<PassedOver>,
) {
    let tag = Some((workflow, Some(step)));
    d.fact(tag, LeadFact::ReassignmentImpossible { reason, considered });
    if let Some(to) = d.manager() {
        let why = match reason {
            OperationsReason::MaxReassignments => {
                "it reached the policy's limit of reassignments in one state"
            }
            _ => "no rep on the team can take it",
        };
        let particulars = Particulars { reasons: vec![why.to_owned()], ..d.particulars_at(step, threshold) };
        d.notify(Some((workflow, Some(step))), to, Message::ReassignmentImpossible, particulars);
    }
    d.queue_for_operations(tag, reason);
}
