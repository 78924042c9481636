//! Leads whose owner leaves the directory or is away. The policy decides whether the owner keeps them, the next
//! rep gets them, or operations decides. Each is recorded, so that no lead goes unanswered because of a change
//! elsewhere.

use crate::absence;
use crate::aggregate::Undecided;
use crate::lead::decide::assign::{give_to_next, tell_assigned};
use crate::lead::decide::deciding::{Deciding, RoutingResult};
use crate::lead::event::{AssignmentReason, LeadFact};
use crate::lead::owner::{GoneReason, OwnerGone};
use crate::lead::ownership::{has_left, is_gone};
use crate::lead::queue::OperationsReason;
use crate::lead::state::Lead;
use crate::lead::timers;
use crate::outcome::Outcome;
use chrono::{DateTime, Utc};
use policy::OrphanAction;
use policy::ids::{PersonId, TeamId};

/// Brings a lead whose owner left to what the policy says. The clock begins anew for a new owner.
pub(crate) fn follow_leaver(d: &mut Deciding<'_>, owner: &PersonId) -> Result<(), Undecided> {
    let then = d.rules.policy().owners.left;
    let gone = OwnerGone { owner: owner.clone(), because: GoneReason::Left, until: None };
    d.fact(None, LeadFact::OwnerGone { gone, then });
    match then {
        OrphanAction::Keep => {}
        // Held on arrival, it is nobody's yet.
        OrphanAction::Queue if d.lead().is_some_and(|lead| lead.owner.is_none()) => {}
        OrphanAction::Queue => d.queue_for_operations(None, OperationsReason::OwnerLeft),
        // Compliance holds it: whoever gets it gets it when it is cleared.
        OrphanAction::HandOn if d.lead().is_some_and(Lead::is_held) => {}
        OrphanAction::HandOn => {
            give_to_next(d, AssignmentReason::OwnerLeft)?;
            // Without a market no team can have it. What operations left alone while somebody owned it is news.
            let is_left_alone = |lead: &Lead| lead.is_dismissed(OperationsReason::MarketUnknown);
            if d.lead().is_some_and(is_left_alone) {
                d.queue_for_operations(None, OperationsReason::MarketUnknown);
            }
        }
    }
    Ok(())
}

/// A lead that was closed is open again: closed leads are left alone when their owner leaves.
pub(crate) fn follow_reopened(d: &mut Deciding<'_>, tells: bool) -> Result<(), Undecided> {
    let left = d.lead().filter(|lead| has_left(lead, d.rules)).and_then(|lead| lead.owner.clone());
    let Some(left) = left else { return Ok(()) };
    if d.lead().is_some_and(|lead| is_gone(lead, d.rules, &left)) {
        // It is known, and they still have it: operations decides, or nobody has to.
        if d.rules.policy().owners.left != OrphanAction::Keep {
            d.queue_for_operations(None, OperationsReason::OwnerLeft);
        }
        return Ok(());
    }
    follow_leaver(d, &left)?;
    // No publication's digest tells of it.
    let owner = d.lead().and_then(|lead| lead.owner.clone());
    if tells && owner.is_some_and(|owner| owner != left) {
        tell_assigned(d, Some(left));
    }
    Ok(())
}

/// Follows what is so of the presence of the lead's owner: where they are away for so long that it
/// counts, and the lead's next step is due before they are back, the policy says what is done.
pub(crate) fn follow_presence(d: &mut Deciding<'_>) -> Result<Outcome, Undecided> {
    let Some(lead) = d.lead().cloned() else { return Ok(Outcome::NotFound) };
    let Some(owner) = lead.owner.clone().filter(|_| !lead.is_closed()) else {
        return Ok(Outcome::Unchanged);
    };
    let Some(team) = d.rules.directory().team_of(&owner).cloned() else { return Ok(Outcome::Unchanged) };
    let standing = d.roster(&team)?.standings.get(&owner).cloned().unwrap_or_default();
    let absence = absence::absence(d.rules.directory(), &owner, &standing, d.at());
    let was_away = lead.owner_gone.as_ref().filter(|gone| gone.because == GoneReason::Absent);
    let Some(absence) = absence.filter(|absence| absence.counts(d.rules.policy(), d.at())) else {
        if was_away.is_some() && absence.is_none() {
            d.fact(None, LeadFact::OwnerBack { owner });
        }
        return Ok(Outcome::Applied);
    };
    // While compliance holds it nobody can have it; when it is cleared, whoever is there gets it.
    if lead.is_held() {
        return Ok(Outcome::Unchanged);
    }
    let gone = OwnerGone { owner, because: GoneReason::Absent, until: absence.until };
    let then = d.rules.policy().owners.absent;
    let comes_first = |due: DateTime<Utc>| absence.until.is_none_or(|until| due < until);
    let is_pressing = timers::next_step(&lead, d.rules).is_some_and(comes_first);
    if then == OrphanAction::Keep || !is_pressing {
        return Ok(Outcome::Applied);
    }
    if was_away == Some(&gone) {
        // It waits for operations: nobody could take it then, or the policy said so then.
        if then == OrphanAction::HandOn
            && d.is_queued_for(OperationsReason::OwnerAbsent)
            && let RoutingResult::To { rep, team } = d.route(false)?
        {
            give_from_absent(d, rep, team);
        } else if !d.is_queued_for(OperationsReason::OwnerAbsent)
            && !lead.is_dismissed(OperationsReason::OwnerAbsent)
        {
            // It was closed meanwhile, and with that out of the queue.
            d.queue_for_operations(None, OperationsReason::OwnerAbsent);
        }
        return Ok(Outcome::Applied);
    }
    d.fact(None, LeadFact::OwnerGone { gone, then });
    match then {
        OrphanAction::HandOn => hand_on_from_absent(d)?,
        _ => d.queue_for_operations(None, OperationsReason::OwnerAbsent),
    }
    Ok(Outcome::Applied)
}

/// Looks at the owner's presence if the next step is due sooner than it was: it may be due before they are back.
pub(crate) fn follow_presence_if_sooner(
    d: &mut Deciding<'_>,
    before: Option<DateTime<Utc>>,
) -> Result<(), Undecided> {
    if d.next_due().step.is_some_and(|now| before.is_none_or(|before| now < before)) {
        follow_presence(d)?;
    }
    Ok(())
}

/// The owner who is away keeps it where nobody else can take it, and operations looks.
fn hand_on_from_absent(d: &mut Deciding<'_>) -> Result<(), Undecided> {
    match d.route(false)? {
        RoutingResult::To { rep, team } => give_from_absent(d, rep, team),
        RoutingResult::Nobody { considered } => {
            let reason = OperationsReason::OwnerAbsent;
            d.fact(None, LeadFact::ReassignmentImpossible { reason, considered });
            d.queue_for_operations(None, reason);
        }
        RoutingResult::NoTeam => d.queue_for_operations(None, OperationsReason::OwnerAbsent),
    }
    Ok(())
}

fn give_from_absent(d: &mut Deciding<'_>, to: PersonId, team: TeamId) {
    let previous_owner = d.lead().and_then(|lead| lead.owner.clone());
    d.fact(None, LeadFact::Assigned { to, team, reason: AssignmentReason::OwnerAbsent, told_from: None });
    tell_assigned(d, previous_owner);
}
