//! Holds: when one began and when it ends may be told late, in pieces, and out of order, also of one that
//! has ended by itself meanwhile. Whatever comes, the lead is where the source's own order says.

use crate::lead::command::LeadEvent;
use crate::lead::decide::deciding::Deciding;
use crate::lead::decide::moves::{Transition, change_state};
use crate::lead::decide::order::{is_of_ended_hold, knows_better, measured, said_of};
use crate::lead::event::LeadFact;
use crate::lead::state::{BEFORE_HOLD, Lead};
use chrono::{DateTime, Utc};
use policy::StateKind;
use policy::ids::StateId;

/// Takes over from which state the lead went on hold, where the source says so late; whether it did. A
/// hold that has ended by itself went on where it seemed to have begun.
pub(super) fn enter_from(d: &mut Deciding<'_>, lead: &Lead, event: &LeadEvent) -> bool {
    let is_about_hold = lead.kind == StateKind::Hold || lead.hold_ended.is_some();
    let is_before_hold = lead.said("state").is_some_and(|said| event.occurred_at < said);
    let is_news = lead.said(BEFORE_HOLD).is_none_or(|said| said < event.occurred_at);
    if !is_about_hold || !is_before_hold || !is_news {
        return false;
    }
    let policy = d.rules.policy();
    let Some(state) = event.state.clone().filter(|state| !state.is_reserved()) else { return false };
    let Some(kind) = policy.kind_of(&state).filter(|kind| *kind != StateKind::Hold) else { return false };
    let goes_on = if kind == StateKind::Working { Some(&state) } else { policy.first_state() }.cloned();
    let since = measured(event.occurred_at).min(lead.entered_at);
    let occurred_at = said_of(event, since);
    // The end that came was said of a hold before; the one since then has none.
    let is_back =
        lead.said_itself("hold_until").is_some_and(|said| said < event.occurred_at) && go_back(d, lead);
    d.fact(None, LeadFact::HoldEnteredFrom { state, kind, since, occurred_at });
    let is_at_work = lead.kind == StateKind::Working && !is_back;
    if let Some(to) = goes_on.filter(|to| is_at_work && *to != lead.state) {
        change_state(d, to, StateKind::Working, lead.entered_at, Transition::default());
    }
    true
}

/// Puts a lead on hold again that had come off it by itself, if an event says that the hold lasts longer;
/// whether it did.
pub(super) fn prolong(d: &mut Deciding<'_>, lead: &Lead, event: &LeadEvent, since: DateTime<Utc>) -> bool {
    if !is_prolonged(d, lead, event) || !go_back(d, lead) {
        return false;
    }
    let hold_until = event.hold_until.as_set().copied();
    d.fact(None, LeadFact::HoldChanged { hold_until, since, occurred_at: said_of(event, since) });
    true
}

/// Sets a hold apart from the one before it, if the lead is on hold after the time until which the earlier
/// one was to last; whether it did. Of the later one nobody has said an end yet: that is of the time
/// at which the end of the earlier one was said.
pub(super) fn begin_anew(d: &mut Deciding<'_>, lead: &Lead, event: &LeadEvent, since: DateTime<Utc>) -> bool {
    let hold = is_on_hold_in(lead);
    if event.state.is_none() || event.state.as_ref() != hold {
        return false;
    }
    let said_state = lead.said("state");
    let said = match event.hold_until.outcome() {
        None if said_state.is_none_or(|said| said <= event.occurred_at)
            && lead.hold_until.is_some_and(|until| until < event.occurred_at) =>
        {
            lead.said_itself("hold_until")
        }
        Some(Some(until)) if said_state.is_some_and(|said| *until <= said) => {
            Some(event.occurred_at).filter(|_| !knows_better("hold_until", lead, event, hold))
        }
        _ => None,
    };
    let Some(said) = said else { return false };
    go_back(d, lead);
    let occurred_at = Some(said).filter(|said| *said != since);
    d.fact(None, LeadFact::HoldChanged { hold_until: None, since, occurred_at });
    true
}

/// Takes over until when a hold lasts, which may be heard of before the hold and after its end; whether it
/// did.
pub(super) fn change_end(d: &mut Deciding<'_>, event: &LeadEvent, since: DateTime<Utc>) -> bool {
    let (Some(until), Some(now)) = (event.hold_until.outcome(), d.lead()) else { return false };
    // It may have ended by itself at another time than the source had said.
    let ended = now.hold_ended.as_ref().filter(|_| is_of_ended_hold(now, event)).map(|ended| ended.at);
    let speaks_of_hold = now.kind == StateKind::Hold || event.state.is_none() || ended.is_some();
    if !speaks_of_hold || until.copied() == ended.or(now.hold_until) || is_stale(now, event) {
        return false;
    }
    let hold_until = until.copied();
    d.fact(None, LeadFact::HoldChanged { hold_until, since, occurred_at: said_of(event, since) });
    true
}

/// Whether something newer is known of until when the lead is on hold. A later word of a state
/// that is no hold has ended it.
pub(super) fn is_stale(lead: &Lead, event: &LeadEvent) -> bool {
    let hold = is_on_hold_in(lead);
    let said = lead.said("state").filter(|said| *said > event.occurred_at);
    // On hold after it was to end, it is on hold again, or for longer.
    let is_outlasted = |said: DateTime<Utc>| event.hold_until.as_set().is_some_and(|until| *until <= said);
    knows_better("hold_until", lead, event, hold)
        || said.is_some_and(|said| hold.is_none() || is_outlasted(said))
}

/// Whether an event says that a hold that ended by itself lasts longer.
fn is_prolonged(d: &Deciding<'_>, lead: &Lead, event: &LeadEvent) -> bool {
    let Some(ended) = lead.hold_ended.as_ref().filter(|ended| event.occurred_at <= ended.at) else {
        return false;
    };
    let is_that = event.state.as_ref().is_none_or(|state| *state == ended.state);
    let lasts = event.hold_until.outcome().is_some_and(|until| until.is_none_or(|until| *until > d.now));
    is_that && lasts && !is_stale(lead, event)
}

/// The state that the lead was put on hold in last, if no word has ended that since. One that ended by
/// itself was ended by no word.
fn is_on_hold_in(lead: &Lead) -> Option<&StateId> {
    match &lead.hold_ended {
        Some(ended) => Some(&ended.state),
        None => (lead.kind == StateKind::Hold).then_some(&lead.state),
    }
}

/// Puts a lead on hold again that had come off it by itself; whether it had. What the source said last of
/// its state stands.
fn go_back(d: &mut Deciding<'_>, lead: &Lead) -> bool {
    let Some(ended) = lead.hold_ended.as_ref().filter(|_| lead.kind == StateKind::Working) else {
        return false;
    };
    let rest = Transition { said_of: lead.said("state"), ..Transition::default() };
    change_state(d, ended.state.clone(), StateKind::Hold, lead.entered_at, rest);
    true
}
