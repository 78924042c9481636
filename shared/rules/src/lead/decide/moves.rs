//! Moves a lead from one state to another, with what follows from it.

use crate::lead::decide::deciding::Deciding;
use crate::lead::event::LeadFact;
use crate::lead::workflows::stuck_lead;
use chrono::{DateTime, Utc};
use policy::StateKind;
use policy::ids::StateId;

/// The circumstances of a move to another state.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Transition {
    /// It goes on where it was before a hold.
    pub resumed: bool,
    /// Until when it is on hold.
    pub hold_until: Option<DateTime<Utc>>,
    /// Thresholds passed until then are history.
    pub history_until: Option<DateTime<Utc>>,
    /// When the source says so, by its own clock; absent where Leadwatch moves it by itself.
    pub said_of: Option<DateTime<Utc>>,
}

/// A hold that had an end is over: the lead goes on in the state it left, or begins in the first
/// one if it came here on hold, so that it does not rest for ever.
pub(crate) fn end_hold(d: &mut Deciding<'_>) {
    let left = d.lead().and_then(|l| l.left.as_ref()).map(|left| left.state.clone());
    let (resumed, first) = (left.is_some(), d.rules.policy().first_state().cloned());
    let at = d.at();
    if let Some(state) = left.or(first) {
        change_state(d, state, StateKind::Working, at, Transition { resumed, ..Transition::default() });
    }
}

/// Moves the lead to another state.
pub(crate) fn change_state(
    d: &mut Deciding<'_>,
    to: StateId,
    kind: StateKind,
    entered_at: DateTime<Utc>,
    rest: Transition,
) {
    let Some(from) = d.lead().map(|l| l.state.clone()) else {
        return;
    };
    let Transition { resumed, hold_until, history_until, said_of } = rest;
    let (occurred_at, ours) = (said_of.filter(|said_of| *said_of != entered_at), said_of.is_none());
    d.fact(
        None,
        LeadFact::StateChanged {
            from,
            to,
            kind,
            entered_at,
            resumed,
            hold_until,
            history_until,
            occurred_at,
            ours,
        },
    );
    d.follow_state();
    // An old move that is told late brings nobody running.
    if history_until.is_none() {
        stuck_lead::note_return(d);
    }
}
