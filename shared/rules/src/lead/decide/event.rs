//! Applies what a source says of a lead.

use crate::aggregate::Undecided;
use crate::lead::command::LeadEvent;
use crate::lead::decide::assign::{assign_if_unowned, tell_assigned};
use crate::lead::decide::deciding::Deciding;
use crate::lead::decide::moves::{Transition, change_state};
use crate::lead::decide::order::{is_of_ended_hold, knows_better, measured, said_of};
use crate::lead::decide::{evidence, held, hold, operations, owners};
use crate::lead::event::{AssignmentReason, LeadFact, PersonalChanges};
use crate::lead::profile::ProfileChanges;
use crate::lead::queue::OperationsReason;
use crate::lead::state::{BEFORE_HOLD, Lead};
use crate::lead::workflows::compliance_flag::Screening;
use crate::lead::workflows::{compliance_flag, high_value};
use crate::merge::FieldMerge;
use crate::outcome::Outcome;
use crate::patch::Patch;
use chrono::{DateTime, TimeDelta, Utc};
use policy::StateKind;
use policy::ids::{MarketId, PersonId, StateId};
use std::borrow::Cow;

/// How far ahead of our time a source's time may be.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);

/// Applies an event.
pub(super) fn apply(d: &mut Deciding<'_>, said: &LeadEvent) -> Result<Outcome, Undecided> {
    // A CRM may call a state by one of its own stages.
    let meant = said.state.as_ref().and_then(|state| d.rules.policy().state_named(state));
    let event = match meant.filter(|meant| said.state.as_ref() != Some(*meant)) {
        Some(state) => Cow::Owned(LeadEvent { state: Some(state.clone()), ..said.clone() }),
        None => Cow::Borrowed(said),
    };
    let event = &*event;
    if let Err((field, why)) = check(d, event) {
        let named = &event.named_party();
        let found = Screening { matches: &event.matches, flagged_by: event.flagged_by.as_deref(), named };
        return refuse_at_door(d, field, &why, found);
    }
    let late = is_history(d, event.occurred_at);
    let is_new = d.lead().is_none();
    if is_new {
        // What a screening found is kept even of a lead that nobody told us of.
        if !event.creates && event.matches.is_empty() {
            return Ok(Outcome::NotFound);
        }
        create(d, event, late);
    }
    let (market, was_known) = (market(d), d.team().is_some());
    let named_before = d.lead().and_then(|lead| lead.crm_owner.clone());
    let step_before = d.next_due().step;
    let stale = update(d, event);
    evidence::excuse(d, event);
    follow_account(d)?;
    let market_changed = is_new || market != self::market(d);
    if market_changed {
        d.follow_market(was_known, is_new);
    }
    // What a lead comes with is part of it, held or not.
    if is_new {
        move_state(d, event, late, true);
    }
    compliance_flag::screen(d, event)?;
    let applied = if d.lead().is_some_and(|l| l.is_held() || l.is_disqualified()) {
        compliance_flag::name_would_be_owner(d);
        held::take_first_word(d, event);
        if let Some(why) = held::refuse_moves(d, event, is_new, &stale) {
            held::forget_refused_owner(d, event, is_new, named_before);
            note_stale(d, stale, event);
            return Ok(Outcome::Refused { why });
        }
        if let Some(why) = closed_by_compliance(d).filter(|_| !event.matches.is_empty()) {
            note_stale(d, stale, event);
            return Ok(Outcome::Recorded { why });
        }
        true
    } else {
        let was_closed = d.lead().is_some_and(Lead::is_closed);
        let moved = move_state(d, event, late, is_new);
        operations::reconcile(d, false);
        let owned = set_owner(d, event);
        if was_closed && d.lead().is_some_and(|lead| !lead.is_closed()) {
            owners::follow_reopened(d, !late)?;
            if !late {
                tell_untold(d);
            }
        }
        // An owner who is away cannot take it, and one who is away cannot go on with it.
        if (owned || moved || market_changed) && !late {
            owners::follow_presence(d)?;
        } else if !late {
            owners::follow_presence_if_sooner(d, step_before)?;
        }
        // Somebody may have room by now for one that nobody could take. One that operations left
        // alone stays alone until something new is said of it.
        let is_left_alone = d.lead().is_some_and(|lead| lead.is_dismissed(OperationsReason::NoRepAvailable));
        if is_new || market_changed || owned || !is_left_alone || d.has_news() {
            let reason = if is_new { AssignmentReason::Arrival } else { AssignmentReason::Unowned };
            // An old lead is assigned without a word: an import is no reason to tell anybody.
            assign_if_unowned(d, reason, !late)?;
        }
        if is_new && late {
            high_value::evaluate_quietly(d);
        } else {
            high_value::evaluate(d)?;
        }
        moved || owned
    };
    let all_stale = !applied && !stale.is_empty() && d.entries.iter().all(|e| e.due_at.is_some());
    note_stale(d, stale, event);
    Ok(if all_stale { Outcome::Stale } else { Outcome::Applied })
}

/// What became of a lead that compliance has rejected, for whoever flags it again.
fn closed_by_compliance(d: &Deciding<'_>) -> Option<String> {
    let lead = d.lead().filter(|lead| lead.is_disqualified())?;
    let on = lead.entered_at.format("%Y-%m-%d");
    Some(format!(
        "compliance rejected the lead on {on}, so it stays closed; the match was recorded, and two officers can \
         reopen the review"
    ))
}

/// Records what nobody here understood of an event, where there is a lead.
pub(super) fn note_unread(d: &mut Deciding<'_>, event: &LeadEvent) {
    if !event.unread.is_empty() && d.lead().is_some() {
        d.fact(None, LeadFact::InputNotUnderstood(event.unread.clone()));
    }
}

fn note_stale(d: &mut Deciding<'_>, fields: Vec<String>, event: &LeadEvent) {
    if !fields.is_empty() {
        d.fact(None, LeadFact::InputStale { fields, occurred_at: event.occurred_at });
    }
}

fn market(d: &Deciding<'_>) -> Option<MarketId> {
    d.lead()?.profile.market.clone()
}

/// Records that a source said something that is no event. What a screening found is part of no
/// mistake: it holds the lead all the same.
pub(super) fn refuse_at_door(
    d: &mut Deciding<'_>,
    field: &str,
    why: &str,
    found: Screening<'_>,
) -> Result<Outcome, Undecided> {
    // A match is kept even of a lead that nobody told us of: whoever does so later finds it held.
    if d.lead().is_none() && !found.matches.is_empty() {
        create(d, &LeadEvent::at(d.now), false);
        d.follow_market(false, true);
    }
    if d.lead().is_some() {
        compliance_flag::flag(d, found.flagged(), None)?;
        d.fact(None, LeadFact::InputRefused { what: field.to_owned(), why: why.to_owned() });
    }
    Ok(Outcome::Invalid { field: field.to_owned(), why: why.to_owned() })
}

/// Takes over what the account says now.
pub(super) fn apply_account(d: &mut Deciding<'_>) -> Result<Outcome, Undecided> {
    if d.lead().is_none() {
        return Ok(Outcome::NotFound);
    }
    let step_before = d.next_due().step;
    follow_account_always(d)?;
    owners::follow_presence_if_sooner(d, step_before)?;
    high_value::evaluate(d)?;
    Ok(Outcome::Applied)
}

fn check(d: &Deciding<'_>, event: &LeadEvent) -> Result<(), (&'static str, String)> {
    if event.occurred_at > d.now + AHEAD_MAX {
        return Err((
            "occurred_at",
            format!(
                "`{}` is more than 5 minutes in the future; check the source's clock",
                event.occurred_at.to_rfc3339()
            ),
        ));
    }
    let Some(state) = &event.state else {
        return Ok(());
    };
    // A full copy of the lead names the state it is in; only a move into the reserved ones is refused.
    let is_there = d.lead().is_some_and(|l| l.state == *state);
    if state.is_reserved() && !is_there {
        return Err((
            "lead.state",
            format!("only compliance can move a lead to `{state}`; send another state"),
        ));
    }
    if d.rules.kind_of(state).is_none() {
        let known: Vec<&str> = d.rules.policy().states.iter().map(|s| s.state.as_str()).collect();
        return Err((
            "lead.state",
            format!("`{state}` is not a state in the policy; send one of: {}", known.join(", ")),
        ));
    }
    Ok(())
}

fn is_history(d: &Deciding<'_>, occurred_at: DateTime<Utc>) -> bool {
    let after = match d.rules.policy().intake.history_after {
        policy::measure::Window::Working(time) => time.secs(),
        policy::measure::Window::BusinessDays(days) => i64::from(days) * 86_400,
    };
    d.now - occurred_at > TimeDelta::seconds(after)
}

fn create(d: &mut Deciding<'_>, event: &LeadEvent, late: bool) {
    let policy = d.rules.policy();
    let said = event.state.as_ref().filter(|s| !s.is_reserved());
    let state = said.or_else(|| policy.first_state());
    let Some((state, kind)) = state.and_then(|s| Some((s.clone(), policy.kind_of(s)?))) else {
        return;
    };
    let entered_at = measured(event.occurred_at).min(d.now);
    let history_until = late.then_some(d.now);
    let occurred_at = said.and_then(|_| said_of(event, entered_at));
    let ours = said.is_none();
    d.fact(None, LeadFact::Created { state, kind, entered_at, history_until, occurred_at, ours });
}

/// Whether something newer is known of whether the customer is to act next.
fn is_waiting_stale(d: &Deciding<'_>, lead: &Lead, event: &LeadEvent) -> bool {
    let kind_of = |state: &StateId| d.rules.kind_of(state);
    // It was said of a state that the lead has left for one in which work began anew.
    let is_of_another = event.state.as_ref().is_some_and(|state| {
        *state != lead.state && kind_of(state).is_some_and(|kind| kind != StateKind::Hold)
    });
    let has_left = lead.said("state").is_some_and(|said| said > event.occurred_at);
    knows_better("waiting_on_customer", lead, event, Some(&lead.state))
        || lead.kind == StateKind::Working && is_of_another && has_left
}

/// Updates the fields; gives the names of those that the event knows less well than we do.
fn update(d: &mut Deciding<'_>, event: &LeadEvent) -> Vec<String> {
    let Some(lead) = d.lead() else {
        return Vec::new();
    };
    let mut merge = FieldMerge::new(&lead.said_at, event.occurred_at);
    let mut changes = ProfileChanges::default();
    macro_rules! sort {
        ($($field:ident),*) => {$(
            changes.$field = merge.merge(stringify!($field), &event.changes.$field, lead.profile.$field.as_ref());
        )*};
    }
    sort!(source, country, company, account_id, account_tier, score, deal_size);
    // Held against what the source said before: operations may know the market better by now.
    changes.market = merge.merge("market", &event.changes.market, lead.crm_market.as_ref());
    let contact = merge.merge("contact", &event.contact, lead.personal.contact.as_ref());
    let mut crm_owner = merge.merge("owner", &event.owner, lead.crm_owner.as_ref());
    if held::is_owner_refused(lead, event) {
        // Nobody took it over; said again when the lead is free, it is news.
        crm_owner = Patch::Keep;
    }
    if let Some(state) = &event.state {
        let here = lead.held_from.as_ref().map_or(&lead.state, |held| &held.state);
        let repeats_hold = is_of_ended_hold(lead, event);
        match merge.is_stale("state") {
            true => merge.stale.push("state".to_owned()),
            false if state == here || *state == lead.state || repeats_hold => {
                merge.confirm("state");
                // The word is of the time after a hold that ended, so no older word is of the time before it.
                if lead.hold_ended.is_some() && *state == lead.state && !repeats_hold {
                    merge.confirm(BEFORE_HOLD);
                }
            }
            false => {}
        }
    }
    // A transition says anew what is not said with it; what is said with it is said all the same.
    let will_move =
        !merge.is_stale("state") && event.state.as_ref().is_some_and(|state| *state != lead.state);
    if let Some(waiting) = event.waiting_on_customer {
        match is_waiting_stale(d, lead, event) {
            true => merge.stale.push("waiting_on_customer".to_owned()),
            false if waiting == lead.waiting_on_customer || !waiting && will_move => {
                merge.confirm("waiting_on_customer");
            }
            false => {}
        }
    }
    if let Some(until) = event.hold_until.outcome() {
        match hold::is_stale(lead, event) {
            true => merge.stale.push("hold_until".to_owned()),
            false if until == lead.hold_until.as_ref() || until.is_none() && will_move => {
                merge.confirm("hold_until");
            }
            false if until.is_some() && until == lead.hold_ended.as_ref().map(|ended| &ended.at) => {
                merge.confirm("hold_until");
            }
            false => {}
        }
    }
    let FieldMerge { stale, confirmed, .. } = merge;
    let says_something = changes != ProfileChanges::default()
        || !contact.is_keep()
        || !crm_owner.is_keep()
        || !confirmed.is_empty();
    if says_something {
        let personal = PersonalChanges { contact };
        d.fact(
            None,
            LeadFact::Updated { changes, confirmed, crm_owner, occurred_at: event.occurred_at, personal },
        );
    }
    stale
}

/// Takes over what the account says when the lead comes to belong to it.
fn follow_account(d: &mut Deciding<'_>) -> Result<(), Undecided> {
    let linked_now = d
        .entries
        .iter()
        .rev()
        .take_while(|e| e.due_at.is_none())
        .any(|e| matches!(&e.fact, LeadFact::Updated { changes, .. } if !changes.account_id.is_keep()));
    if linked_now { follow_account_always(d) } else { Ok(()) }
}

fn follow_account_always(d: &mut Deciding<'_>) -> Result<(), Undecided> {
    let Some(lead) = d.lead().cloned() else { return Ok(()) };
    let view = match &lead.profile.account_id {
        Some(id) => d.account(id)?.clone(),
        None => crate::account_view::AccountView::default(),
    };
    let differs =
        (view.tier, view.outreach_paused) != (lead.account_view.tier, lead.account_view.outreach_paused);
    if differs {
        d.fact(None, LeadFact::AccountApplied { view });
    }
    Ok(())
}

/// Moves the lead as the event says; whether it did.
fn move_state(d: &mut Deciding<'_>, event: &LeadEvent, late: bool, is_new: bool) -> bool {
    let says_nothing =
        event.state.is_none() && event.hold_until.is_keep() && event.waiting_on_customer.is_none();
    let Some(lead) = d.lead().filter(|_| !says_nothing).cloned() else {
        return false;
    };
    let since = measured(event.occurred_at).clamp(lead.entered_at.min(d.now), d.now);
    let occurred_at = said_of(event, since);
    let is_fresh = is_new || lead.said("state").is_none_or(|said| said <= event.occurred_at);
    let mut moved = hold::enter_from(d, &lead, event);
    moved |= hold::prolong(d, &lead, event, since);
    if let Some(to) = event.state.as_ref().filter(|_| !is_of_ended_hold(&lead, event))
        && *to != lead.state
        && is_fresh
        && let Some(kind) = d.rules.kind_of(to)
    {
        let resumed =
            lead.kind == StateKind::Hold && lead.left.as_ref().is_some_and(|left| left.state == *to);
        let hold_until = if kind == StateKind::Hold { event.hold_until.as_set().copied() } else { None };
        let history_until = late.then_some(d.now);
        let said_of = Some(event.occurred_at);
        change_state(d, to.clone(), kind, since, Transition { resumed, hold_until, history_until, said_of });
        moved = true;
    }
    moved |= hold::begin_anew(d, &lead, event, since);
    moved |= hold::change_end(d, event, since);
    if let Some(waiting) = event.waiting_on_customer
        && d.lead().is_some_and(|now| {
            now.waiting_on_customer != waiting && (is_new || !is_waiting_stale(d, now, event))
        })
    {
        d.fact(None, LeadFact::WaitingChanged { waiting_on_customer: waiting, since, occurred_at });
        moved = true;
    }
    moved
}

/// A lead that was closed before its owner was told that it is theirs is open again.
fn tell_untold(d: &mut Deciding<'_>) {
    let is_untold = |lead: &Lead| {
        let person = lead.untold.as_ref().filter(|untold| untold.from.is_none()).map(|u| &u.person);
        person.is_some() && person == lead.owner.as_ref()
    };
    if d.lead().is_some_and(is_untold) {
        tell_assigned(d, None);
    }
}

/// Sets the owner if the source says a new one; whether it did.
fn set_owner(d: &mut Deciding<'_>, event: &LeadEvent) -> bool {
    // What the source repeats is an echo: it does not undo what was decided meanwhile.
    let said_anew = d
        .entries
        .iter()
        .rev()
        .take_while(|e| e.due_at.is_none())
        .any(|e| matches!(&e.fact, LeadFact::Updated { crm_owner, .. } if !crm_owner.is_keep()));
    let Some(lead) = d.lead() else { return false };
    let to: Option<PersonId> = event.owner.as_set().cloned();
    if !said_anew || lead.owner == to {
        return false;
    }
    let from = lead.owner.clone();
    let unknown = to.as_ref().is_some_and(|owner| d.rules.directory().person(owner).is_none());
    let team = to.as_ref().and_then(|to| d.rules.directory().team_of(to)).cloned();
    d.fact(None, LeadFact::OwnerSet { from, to, team });
    if unknown {
        d.queue_for_operations(None, OperationsReason::OwnerUnknown);
    } else {
        d.settle_operations(OperationsReason::OwnerUnknown);
    }
    true
}
