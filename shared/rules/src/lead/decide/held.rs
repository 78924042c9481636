//! What a source says of a lead that compliance holds or has closed: attempts to move or work it are
//! refused, what only says where it is counts.

use crate::lead::command::LeadEvent;
use crate::lead::decide::deciding::Deciding;
use crate::lead::decide::order::{is_of_ended_hold, measured, said_of};
use crate::lead::event::{LeadFact, PersonalChanges};
use crate::lead::profile::ProfileChanges;
use crate::lead::state::Lead;
use crate::patch::Patch;
use policy::StateKind;
use policy::ids::PersonId;

/// A lead can be held before its source has said in which state it is: a screening was faster. The first
/// word is no attempt to move it; it is where the lead was taken from, and goes on when it is cleared.
pub(super) fn take_first_word(d: &mut Deciding<'_>, event: &LeadEvent) {
    let Some(lead) = d.lead().filter(|lead| lead.is_held() && lead.said("state").is_none()) else {
        return;
    };
    let Some(state) = event.state.clone().filter(|state| !state.is_reserved()) else { return };
    let Some(kind) = d.rules.kind_of(&state) else { return };
    let since = measured(event.occurred_at).min(lead.entered_at);
    let occurred_at = said_of(event, since);
    let is_first = |field: &str| lead.said(field).is_none();
    let until = event.hold_until.as_set().copied();
    let until = until.filter(|_| kind == StateKind::Hold && is_first("hold_until"));
    let waits = event.waiting_on_customer.filter(|waits| *waits != lead.waiting_on_customer);
    let waits = waits.filter(|_| is_first("waiting_on_customer"));
    d.fact(None, LeadFact::HoldEnteredFrom { state, kind, since, occurred_at });
    if until.is_some() {
        d.fact(None, LeadFact::HoldChanged { hold_until: until, since, occurred_at });
    }
    if let Some(waiting_on_customer) = waits {
        d.fact(None, LeadFact::WaitingChanged { waiting_on_customer, since, occurred_at });
    }
}

/// Whether an event names another owner for a lead that compliance holds or has closed. Where nobody is
/// named yet, it says who would have it.
pub(super) fn is_owner_refused(lead: &Lead, event: &LeadEvent) -> bool {
    let names_another = event.owner.outcome().is_some_and(|said| is_another(lead, said));
    names_another && (lead.is_disqualified() || lead.is_held() && would_be_owner(lead).is_some())
}

/// Whom the lead goes to when it is cleared.
fn would_be_owner(lead: &Lead) -> Option<&PersonId> {
    lead.review.as_ref()?.would_be_owner.as_ref()
}

/// Whether an owner that a source names is not the one that the lead has, or would have.
fn is_another(lead: &Lead, owner: Option<&PersonId>) -> bool {
    owner != lead.owner.as_ref() && owner != would_be_owner(lead)
}

/// An owner who was refused in the event that brought the match is not what the source said last either.
pub(super) fn forget_refused_owner(
    d: &mut Deciding<'_>,
    event: &LeadEvent,
    is_new: bool,
    named_before: Option<PersonId>,
) {
    let Some(lead) = d.lead() else { return };
    let Some(said) = event.owner.outcome().filter(|_| !is_new) else { return };
    if is_another(lead, said) && said == lead.crm_owner.as_ref() && lead.crm_owner != named_before {
        let crm_owner = named_before.map_or(Patch::Clear, Patch::Set);
        let (changes, personal) = (ProfileChanges::default(), PersonalChanges::default());
        let occurred_at = event.occurred_at;
        d.fact(None, LeadFact::Updated { changes, confirmed: Vec::new(), crm_owner, occurred_at, personal });
    }
}

/// Refuses attempts to move or work a lead that compliance holds or has closed; why, if there were
/// any.
pub(super) fn refuse_moves(
    d: &mut Deciding<'_>,
    event: &LeadEvent,
    is_new: bool,
    stale: &[String],
) -> Option<String> {
    let lead = d.lead()?;
    let why = if lead.is_held() { "compliance holds the lead" } else { "compliance closed the lead" };
    let here = lead.held_from.as_ref().map_or(&lead.state, |held| &held.state);
    // What is older than what is known is no attempt.
    let news = |field: &str| !stale.iter().any(|known_better| known_better == field);
    let mut refused = Vec::new();
    if let Some(state) = &event.state
        && news("state")
        && state != here
        && *state != lead.state
        && !is_of_ended_hold(lead, event)
    {
        refused.push(format!("state {state}"));
    }
    // The owner that a new lead comes with is the would-be owner, not an attempt.
    if let Some(owner) = event.owner.outcome()
        && !is_new
        && news("owner")
        && is_another(lead, owner)
    {
        refused.push(owner.map_or_else(|| "no owner".to_owned(), |o| format!("owner {o}")));
    }
    if event.waiting_on_customer.is_some_and(|waiting| waiting != lead.waiting_on_customer)
        && news("waiting_on_customer")
    {
        refused.push("waiting_on_customer".to_owned());
    }
    if event.hold_until.outcome().is_some_and(|until| until.copied() != lead.hold_until) && news("hold_until")
    {
        refused.push("hold_until".to_owned());
    }
    let told = format!("{why}; not applied: {}", refused.join(", "));
    let is_refused = !refused.is_empty();
    for what in refused {
        d.fact(None, LeadFact::InputRefused { what, why: why.to_owned() });
    }
    is_refused.then_some(told)
}
