//! What moves a lead from one state to another, and what it remembers of the one it left.

use crate::entry::Entry;
use crate::lead::event::LeadFact;
use crate::lead::evolve::clocks::{begin_visit, pause_visit, settle_clocks};
use crate::lead::state::{BEFORE_HOLD, BEFORE_STATE, Lead};
use crate::lead::visit::{HeldFrom, HoldEnded, Left, RETURNS_MAX, Return, StateVisit};
use chrono::{DateTime, Utc};
use policy::StateKind;
use policy::ids::StateId;
use smol_str::SmolStr;

/// Moves it to another state. A source's word of a transition says anew until when a hold lasts and,
/// of another working state, that nothing is waited for, unless it said something else of a later
/// time: it may be heard of late. What Leadwatch does by itself changes nothing that was said.
pub(super) fn change_state(lead: &mut Lead, entry: &Entry<LeadFact>) {
    let LeadFact::StateChanged {
        to,
        kind,
        entered_at,
        resumed,
        hold_until,
        history_until,
        occurred_at,
        ours,
        ..
    } = &entry.fact
    else {
        return;
    };
    let said_of = occurred_at.unwrap_or(*entered_at);
    let before = (lead.state.clone(), lead.kind);
    if *ours {
        let until = std::mem::replace(&mut lead.hold_until, *hold_until);
        if before.1 == StateKind::Hold {
            // As the source said, also if the lead was put on hold here when that was over.
            let at = until.or(entry.due_at).unwrap_or(entry.at);
            lead.hold_ended = Some(HoldEnded { state: before.0.clone(), at });
        }
    } else {
        let outlasted = |field: &str| lead.said(field).is_some_and(|said| said > said_of);
        let (hold, waiting) = (outlasted("hold_until"), outlasted("waiting_on_customer"));
        let itself = |field: &str| lead.said_itself(field) == Some(said_of);
        let (says_hold, says_waiting) =
            (hold_until.is_some() || itself("hold_until"), itself("waiting_on_customer"));
        let said_before = lead.said_at.insert(SmolStr::new_static("state"), said_of);
        let is_news = said_before != Some(said_of);
        // After a hold that ended by itself, the lead is where it was before that hold.
        let ended = lead.hold_ended.take();
        let is_on_hold_again = ended.as_ref().is_some_and(|ended| ended.state == *to);
        if is_news && before.0 != *to && !is_on_hold_again {
            remember_before(lead, BEFORE_STATE, said_before);
        }
        // A hold that is prolonged was said before.
        if is_news && *kind == StateKind::Hold && before.1 != StateKind::Hold && ended.is_none() {
            remember_before(lead, BEFORE_HOLD, said_before);
        }
        if !hold {
            lead.hold_until = *hold_until;
            // When the end of a hold was said counts as long as it is the same hold that is spoken of.
            if says_hold || !is_on_hold_again {
                lead.say_anew("hold_until", says_hold, said_of);
            }
        }
        if *kind == StateKind::Working && !resumed && !waiting {
            lead.waiting_on_customer = false;
            lead.say_anew("waiting_on_customer", says_waiting, said_of);
        }
    }
    enter(lead, before, to, *kind, *entered_at, *resumed, *history_until);
}

/// Remembers when the source had last said the state that the lead was in until now.
fn remember_before(lead: &mut Lead, name: &str, said: Option<DateTime<Utc>>) {
    match said {
        Some(said) => lead.said_at.insert(SmolStr::new(name), said),
        None => lead.said_at.remove(name),
    };
}

/// Where a lead that is on hold, or held, goes on, as it turns out. If the hold is over already, only when that
/// was said is remembered.
pub(super) fn enter_hold_from(
    lead: &mut Lead,
    state: &StateId,
    kind: StateKind,
    since: DateTime<Utc>,
    said_of: DateTime<Utc>,
) {
    if let Some(held_from) = &mut lead.held_from {
        // Compliance took it before its source had said where it was.
        *held_from = HeldFrom { state: state.clone(), kind, entered_at: since };
        lead.said_at.insert(SmolStr::new_static("state"), said_of);
        if kind == StateKind::Working {
            lead.visited.insert(state.clone());
        } else {
            lead.visit = StateVisit::default();
        }
        return;
    }
    lead.said_at.insert(SmolStr::new_static(BEFORE_HOLD), said_of);
    if lead.kind == StateKind::Hold {
        lead.said_at.insert(SmolStr::new_static(BEFORE_STATE), said_of);
        // Until when it lasts was said of an earlier hold.
        if lead.said_itself("hold_until").is_none_or(|said| said < said_of) {
            lead.hold_until = None;
            lead.say_anew("hold_until", false, said_of);
        }
    }
    if lead.left.as_ref().is_some_and(|left| left.state == *state) {
        return;
    }
    if kind == StateKind::Working && lead.said("waiting_on_customer").is_none_or(|said| said < said_of) {
        lead.waiting_on_customer = false;
        lead.said_at.insert(SmolStr::new_static("waiting_on_customer"), said_of);
    }
    if lead.kind != StateKind::Hold {
        return;
    }
    lead.left = (kind == StateKind::Working).then(|| {
        let resting = std::mem::take(&mut lead.visit);
        begin_visit(lead, since, None);
        let mut visit = std::mem::replace(&mut lead.visit, resting);
        pause_visit(&mut visit, lead.entered_at);
        Left { state: state.clone(), visit }
    });
}

fn enter(
    lead: &mut Lead,
    before: (StateId, StateKind),
    to: &StateId,
    kind: StateKind,
    entered_at: DateTime<Utc>,
    resumed: bool,
    history_until: Option<DateTime<Utc>>,
) {
    lead.state = to.clone();
    lead.kind = kind;
    lead.entered_at = entered_at;
    match kind {
        StateKind::Working => match lead.left.take() {
            Some(left) if resumed => {
                // A rep who lost the lead during the hold counts as having lost it in this state.
                let StateVisit { reassignments, taken_from, .. } = std::mem::take(&mut lead.visit);
                lead.visit = StateVisit { reassignments, taken_from, ..left.visit };
                settle_clocks(lead, entered_at);
            }
            _ => {
                if !lead.visited.insert(to.clone()) {
                    if lead.returns.len() >= RETURNS_MAX {
                        lead.returns.remove(0);
                    }
                    lead.returns.push(Return { state: to.clone(), at: entered_at });
                }
                begin_visit(lead, entered_at, history_until);
            }
        },
        StateKind::Hold => {
            let mut visit = std::mem::take(&mut lead.visit);
            pause_visit(&mut visit, entered_at);
            lead.visit.reassignments = visit.reassignments;
            lead.visit.taken_from.clone_from(&visit.taken_from);
            if before.1 == StateKind::Working {
                lead.left = Some(Left { state: before.0, visit });
            }
        }
        StateKind::Terminal => {
            lead.visit = StateVisit::default();
            lead.left = None;
        }
    }
}
