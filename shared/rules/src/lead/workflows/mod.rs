//! The five workflows, a file each, and the actions that thresholds share.

use crate::lead::ownership;

pub(crate) mod compliance_flag;
pub(crate) mod high_value;
pub(crate) mod sla_breach;
pub(crate) mod stuck_lead;

use crate::aggregate::Undecided;
use crate::lead::decide::deciding::Deciding;
use crate::lead::event::{LeadFact, Threshold};
use crate::lead::queue::OperationsReason;
use crate::notification::Role;
use policy::{Action, Message, WorkflowId};

/// Does an action of a step.
pub(crate) fn act(
    d: &mut Deciding<'_>,
    workflow: WorkflowId,
    step: &str,
    action: Action,
    threshold: &Threshold,
) -> Result<(), Undecided> {
    let (to_owner, to_manager) = step_messages(workflow);
    match action {
        Action::TellOwner => {
            if workflow == WorkflowId::StuckLead && d.is_given_just_now() {
                // The new owner hears in the same moment that it is theirs. How long it has been in its
                // state is not their doing, so the manager hears of that.
                if let Some(to) = d.manager() {
                    d.notify(Some((workflow, Some(step))), to, to_manager, d.particulars_at(step, threshold));
                }
            } else if let Some(to) = d.owner(Role::Owner) {
                d.notify(Some((workflow, Some(step))), to, to_owner, d.particulars_at(step, threshold));
            }
        }
        Action::TellManager => {
            if let Some(to) = d.manager() {
                d.notify(Some((workflow, Some(step))), to, to_manager, d.particulars_at(step, threshold));
            }
        }
        Action::RecordBreach => {
            let owner = threshold.owner.clone();
            let team =
                owner.as_ref().and_then(|o| d.rules.directory().team_of(o)).cloned().or_else(|| d.team());
            let (elapsed_s, window_s) = (threshold.elapsed_s, threshold.window_s);
            // An owner who has not been notified of the lead yet could not act on it.
            let known = d.lead().zip(owner.as_ref());
            let owner_not_told =
                known.is_some_and(|(lead, owner)| ownership::is_yet_to_be_told(lead, owner, d.at()));
            d.fact(
                Some((workflow, Some(step))),
                LeadFact::BreachRecorded { owner, team, elapsed_s, window_s, owner_not_told },
            );
        }
        Action::Reassign => sla_breach::reassign(d, workflow, step, threshold)?,
        Action::QueueForOperations => {
            let reason = if workflow == WorkflowId::StuckLead {
                OperationsReason::Stuck
            } else {
                OperationsReason::Overdue
            };
            d.queue_for_operations(Some((workflow, Some(step))), reason);
        }
    }
    Ok(())
}

/// The messages to the owner and to the manager at the steps of a workflow.
pub fn step_messages(workflow: WorkflowId) -> (Message, Message) {
    match workflow {
        WorkflowId::StuckLead => stuck_lead::MESSAGES,
        _ => sla_breach::MESSAGES,
    }
}
