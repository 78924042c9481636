//! The clocks of a visit: how long a lead has been in its state, and with its owner.

use crate::clock::Clock;
use crate::lead::state::Lead;
use crate::lead::visit::StateVisit;
use chrono::{DateTime, Utc};
use policy::StateKind;

pub(super) fn begin_visit(lead: &mut Lead, from: DateTime<Utc>, history_until: Option<DateTime<Utc>>) {
    lead.stuck_clocks = lead.stuck_clocks.saturating_add(1);
    // A tightened window is the SLA's; how long is too long for a state stays what it is.
    let mut stuck = Clock::start(lead.stuck_clocks, from, 100);
    stuck.history_until = history_until;
    lead.visit = StateVisit { stuck: Some(stuck), ..StateVisit::default() };
    begin_sla(lead, from, history_until);
}

fn begin_sla(lead: &mut Lead, from: DateTime<Utc>, history_until: Option<DateTime<Utc>>) {
    lead.sla_clocks = lead.sla_clocks.saturating_add(1);
    let mut sla = Clock::start(lead.sla_clocks, from, lead.window_percent);
    sla.history_until = history_until;
    if !lead.is_being_worked() {
        sla.pause(from);
    }
    lead.visit.sla = Some(sla);
}

/// The clock of an owner who is new to the lead; the share of the window stays the visit's,
/// since only a transition tightens it. On hold it waits in the state that was left.
pub(super) fn restart_sla(lead: &mut Lead, from: DateTime<Utc>) {
    let in_work = lead.kind == StateKind::Working;
    let visit = if in_work { Some(&lead.visit) } else { lead.left.as_ref().map(|left| &left.visit) };
    let share =
        visit.and_then(|visit| visit.sla.as_ref()).map_or(lead.window_percent, |sla| sla.window_percent);
    if in_work {
        begin_sla(lead, from, None);
        if let Some(sla) = &mut lead.visit.sla {
            sla.window_percent = share;
        }
    } else if let Some(left) = &mut lead.left {
        lead.sla_clocks = lead.sla_clocks.saturating_add(1);
        let mut sla = Clock::start(lead.sla_clocks, from, share);
        sla.pause(from);
        left.visit.sla = Some(sla);
    }
}

/// Begins the clocks of a state anew. Those of a lead at rest wait for its end.
pub(super) fn restart_clocks(lead: &mut Lead, at: DateTime<Utc>) {
    let begin_anew = |lead: &mut Lead| {
        let StateVisit { reassignments, taken_from, for_operations, .. } = std::mem::take(&mut lead.visit);
        begin_visit(lead, at, None);
        lead.visit =
            StateVisit { reassignments, taken_from, for_operations, ..std::mem::take(&mut lead.visit) };
        settle_clocks(lead, at);
    };
    match lead.left.take() {
        Some(mut left) if lead.kind == StateKind::Hold => {
            std::mem::swap(&mut lead.visit, &mut left.visit);
            begin_anew(lead);
            std::mem::swap(&mut lead.visit, &mut left.visit);
            lead.left = Some(left);
        }
        left => {
            lead.left = left;
            let goes_on = lead.held_from.as_ref().map_or(lead.kind, |held| held.kind);
            if goes_on == StateKind::Working {
                begin_anew(lead);
            }
        }
    }
}

pub(super) fn pause_visit(visit: &mut StateVisit, at: DateTime<Utc>) {
    for clock in [&mut visit.sla, &mut visit.stuck].into_iter().flatten() {
        clock.pause(at);
    }
}

/// Lets the clocks run or rest as the lead's circumstances say.
pub(super) fn settle_clocks(lead: &mut Lead, at: DateTime<Utc>) {
    let worked = lead.is_being_worked();
    if let Some(sla) = &mut lead.visit.sla {
        if worked { sla.resume(at) } else { sla.pause(at) }
    }
    let in_work = lead.kind == StateKind::Working;
    if let Some(stuck) = &mut lead.visit.stuck {
        if in_work { stuck.resume(at) } else { stuck.pause(at) }
    }
}
