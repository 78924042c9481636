//! Stuck lead.
//!
//! **What**: asks the owner to update a lead or move it on, then notifies the manager, then puts it in
//! the operations queue.
//! **When**: at multiples of the state's window, from when the lead entered the state. Only a transition
//! restarts the clock, a new owner does not; time on hold does not count. Also when a lead comes back to
//! a state more often than the policy allows.
//! **Why**: a lead can be answered within every window and still go nowhere. Every event is
//! recorded with state, market, owner and age, so that the places where leads get stuck show.

use crate::lead::decide::deciding::Deciding;
use crate::lead::event::LeadFact;
use crate::lead::queue::OperationsReason;
use crate::lead::state::Lead;
use crate::lead::visit::Return;
use crate::notification::{Particulars, Role};
use policy::{Action, Message, Returns, StateKind, WorkflowId};

/// The messages to the owner and to the manager.
pub(super) const MESSAGES: (Message, Message) = (Message::StuckAsk, Message::StuckManager);

/// The step under which a lead that keeps coming back to a state is recorded.
const RETURNS: &str = "returns";

/// The returns to the state of a lead that count: those within the policy's time.
pub fn counted<'l>(lead: &'l Lead, returns: &Returns) -> Vec<&'l Return> {
    let since = lead.entered_at - returns.within.to_time();
    lead.returns.iter().filter(|back| back.state == lead.state && back.at > since).collect()
}

/// Does what the policy says about a lead that has come back to its state just now.
pub(crate) fn note_return(d: &mut Deciding<'_>) {
    let Some(lead) = d.lead() else { return };
    let Some(returns) = d.rules.policy().workflows.stuck_lead.returns.clone() else { return };
    let back = counted(lead, &returns);
    let times = u32::try_from(back.len()).unwrap_or(u32::MAX);
    let is_back_now = back.last().is_some_and(|last| last.at == lead.entered_at);
    let (true, Some(first)) = (is_back_now && times >= returns.times, back.first()) else { return };
    if lead.kind != StateKind::Working {
        return;
    }
    let tag = Some((WorkflowId::StuckLead, Some(RETURNS)));
    let (state, since) = (lead.state.clone(), first.at);
    d.fact(tag, LeadFact::Bounced { state: state.clone(), times, since });
    let said = format!("{times} times within {} days", returns.within.to_time().num_days());
    for action in returns.actions {
        let to = match action {
            Action::TellOwner => d.owner(Role::Owner),
            Action::TellManager => d.manager(),
            Action::QueueForOperations => {
                d.queue_for_operations(tag, OperationsReason::Bounces);
                None
            }
            Action::RecordBreach | Action::Reassign => None,
        };
        if let Some(to) = to {
            let step = Some(RETURNS.into());
            let particulars = Particulars { step, reasons: vec![said.clone()], ..d.particulars() };
            d.notify(tag, to, Message::Bounced, particulars);
        }
    }
}
