//! The five workflows, a file each, and the actions that thresholds share.

pub mod churn_risk;
pub(crate) mod compliance_flag;
pub(crate) mod high_value;
pub(crate) mod sla_breach;
pub(crate) mod stuck_lead;

pub use compliance_flag::{Lapse, lapse};

use crate::deciding::{Deciding, Moved};
use crate::input::Need;
use crate::lead::OperationsReason;
use crate::lead_fact::{LeadFact, Threshold};
use crate::notification::{Particulars, Role};
use crate::pending;
use policy::{Action, Message, StateKind, WorkflowId};

/// Does what a step of a clock says.
pub(crate) fn act(
    d: &mut Deciding<'_>,
    workflow: WorkflowId,
    step: &str,
    action: Action,
    threshold: &Threshold,
) -> Result<(), Need> {
    let (to_owner, to_manager) = step_messages(workflow);
    match action {
        Action::TellOwner => {
            if workflow == WorkflowId::StuckLead && d.is_given_just_now() {
                // The new owner hears in the same moment that it is theirs. How long it has been in its
                // state is not their doing, so the manager hears of that.
                if let Some(to) = d.manager() {
                    d.notify(Some((workflow, Some(step))), to, to_manager, told(d, step, threshold));
                }
            } else if let Some(to) = d.owner(Role::Owner) {
                d.notify(Some((workflow, Some(step))), to, to_owner, told(d, step, threshold));
            }
        }
        Action::TellManager => {
            if let Some(to) = d.manager() {
                d.notify(Some((workflow, Some(step))), to, to_manager, told(d, step, threshold));
            }
        }
        Action::RecordBreach => {
            let owner = threshold.owner.clone();
            let team =
                owner.as_ref().and_then(|o| d.world.directory.team_of(o)).cloned().or_else(|| d.team());
            let (elapsed_s, window_s) = (threshold.elapsed_s, threshold.window_s);
            // Whoever has not been told yet that the lead is theirs could not act on it.
            let known = d.lead.as_ref().zip(owner.as_ref());
            let owner_not_told =
                known.is_some_and(|(lead, owner)| pending::is_yet_to_be_told(lead, owner, d.at()));
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

/// What the owner and the manager are told at the steps of a workflow.
pub(crate) fn step_messages(workflow: WorkflowId) -> (Message, Message) {
    match workflow {
        WorkflowId::StuckLead => stuck_lead::MESSAGES,
        _ => sla_breach::MESSAGES,
    }
}

/// What a message about a threshold says.
fn told(d: &Deciding<'_>, step: &str, threshold: &Threshold) -> Particulars {
    Particulars {
        step: Some(step.to_owned()),
        elapsed_s: Some(threshold.elapsed_s),
        window_s: Some(threshold.window_s),
        ..d.particulars()
    }
}

/// A hold that had an end is over: the lead goes on in the state it left, or begins in the first
/// one if it came here on hold, so that it does not rest for ever.
pub(crate) fn end_hold(d: &mut Deciding<'_>) {
    let left = d.lead.as_ref().and_then(|l| l.left.as_ref()).map(|left| left.state.clone());
    let (resumed, first) = (left.is_some(), d.world.policy.policy.first_state().cloned());
    let at = d.at();
    if let Some(state) = left.or(first) {
        d.change_state(state, StateKind::Working, at, Moved { resumed, ..Moved::default() });
    }
}
