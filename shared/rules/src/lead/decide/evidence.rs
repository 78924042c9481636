//! Late evidence: a source says after a breach what had happened before it. The breach is excused,
//! with the evidence; it stays in the record, and so does whatever was done because of it.
//!
//! What counts is what the source has not denied: of a time at or after it said that the lead was
//! still in the state (or that nothing was waited for), and before the step was due. A clock that
//! rested from then on had not reached the step by the breach, since it reaches it no sooner than
//! when it is due. It counts of a lead that compliance holds, too: the past is nothing that is done.

use crate::lead::breach::Breach;
use crate::lead::command::LeadEvent;
use crate::lead::decide::deciding::Deciding;
use crate::lead::event::{EvidenceKind, LateEvidence, LeadFact};
use policy::ids::StateId;
use policy::{StateKind, WorkflowId};

/// Excuses the breaches that an event shows not to have been any, each once.
pub(super) fn excuse(d: &mut Deciding<'_>, event: &LeadEvent) {
    let breaches = d.lead().map_or_else(Vec::new, |lead| lead.breaches.clone());
    for breach in breaches {
        let Some((what, state)) = shows(d, event, &breach) else { continue };
        let evidence = LateEvidence {
            what,
            state,
            occurred_at: event.occurred_at,
            late_s: (d.now - event.occurred_at).num_seconds().max(0),
        };
        let tag = Some((WorkflowId::SlaBreach, breach.step.as_deref()));
        let (breach, breached_at) = (breach.seq, breach.due_at);
        d.fact(tag, LeadFact::BreachExcused { breach, breached_at, evidence });
    }
}

/// What an event shows of the time before a breach, if anything.
fn shows(d: &Deciding<'_>, event: &LeadEvent, breach: &Breach) -> Option<(EvidenceKind, Option<StateId>)> {
    let said_of = event.occurred_at;
    if said_of >= breach.due_at {
        return None;
    }
    if let Some(state) = &event.state
        // What compliance does is not the source's to say.
        && !state.is_reserved()
        && *state != breach.state
        && said_of >= breach.in_state_at
        && !is_of_ended_hold(event, state, breach)
    {
        let is_hold = d.rules.kind_of(state) == Some(StateKind::Hold);
        let what = if is_hold { EvidenceKind::PutOnHold } else { EvidenceKind::StateChanged };
        return Some((what, Some(state.clone())));
    }
    (event.waiting_on_customer == Some(true) && said_of >= breach.in_work_at)
        .then_some((EvidenceKind::WaitingOnCustomer, None))
}

/// Whether an event repeats that the lead was on hold, which ended before the breach as it had been said.
fn is_of_ended_hold(event: &LeadEvent, state: &StateId, breach: &Breach) -> bool {
    breach.hold_ended.as_ref().is_some_and(|ended| {
        let lasted =
            event.hold_until.outcome().is_some_and(|until| until.is_none_or(|until| *until > ended.at));
        ended.state == *state && event.occurred_at <= ended.at && !lasted
    })
}
