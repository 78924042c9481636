//! Publications: between a lead's last fact and now another policy or another directory may have
//! come into force.
//!
//! What was due before that is settled under what was in force then. What the new rules make
//! passed already is recorded as passed, and nobody is told of each: whoever tightens a rule gets
//! one digest. Then the lead goes on under the new rules. That is so for whichever command comes
//! first, so that the record does not hang on who looked at the lead when.

use crate::aggregate::Undecided;
use crate::clock::Clock;
use crate::lead::applied::{AppliedPublication, PassedStep};
use crate::lead::decide::assign::assign_if_unowned;
use crate::lead::decide::deciding::{Deciding, RoutingResult};
use crate::lead::decide::settle::{is_news, pass_at_publication, settle};
use crate::lead::decide::{operations, owners};
use crate::lead::event::{AssignmentReason, LeadFact};
use crate::lead::owner::Orphaned;
use crate::lead::ownership;
use crate::lead::state::{Lead, WorkState};
use crate::lead::timers::{StepDue, What, ladder, next_step, timers};
use crate::lead::workflows::high_value::FlagChange;
use crate::lead::workflows::{compliance_flag, high_value};
use crate::world::{Missing, World};
use chrono::{DateTime, Utc};
use policy::ids::{PersonId, PublicationId, PublicationKind};
use policy::{InForce, OrphanAction, Rulebook, WorkflowId};

/// How a digest names the leads that a publication makes high-value.
const FLAGGED: &str = "flagged";

/// A lead that slept through more revisions of a kind than this was concerned by none of the
/// earlier ones, or it would have been looked at.
const REVISIONS_MAX: u32 = 16;

/// Brings the lead from the rules it was last decided under to those that are in force.
pub(super) fn catch_up(d: &mut Deciding<'_>) -> Result<(), Undecided> {
    let Some(lead) = d.lead() else { return Ok(()) };
    let is = d.world.in_force();
    let mut stands = InForce {
        policy: lead.in_force.policy.max(is.policy.saturating_sub(REVISIONS_MAX)),
        directory: lead.in_force.directory.max(is.directory.saturating_sub(REVISIONS_MAX)),
    };
    while let Some((next, published_at)) = next_publication(d.world, stands)? {
        // Machines' clocks differ: nothing is published after now.
        let published_at = published_at.min(d.now);
        let (before, after) = (d.world.rules_of(stands)?, d.world.rules_of(next)?);
        let current = std::mem::replace(&mut d.rules, before);
        let settled = settle(d, published_at);
        d.rules = after;
        if settled.is_ok() {
            apply(d, before, published_at)?;
        }
        d.rules = current;
        settled?;
        stands = next;
    }
    Ok(())
}

/// The first publication after those that stand, and its instant.
fn next_publication(world: &World, stands: InForce) -> Result<Option<(InForce, DateTime<Utc>)>, Missing> {
    let is = world.in_force();
    let policy = if stands.policy < is.policy {
        let next = InForce { policy: stands.policy.saturating_add(1), ..stands };
        let policy = world.policy(next.policy).ok_or(Missing::Policy(next.policy))?;
        Some((next, policy.published_at))
    } else {
        None
    };
    let directory = if stands.directory < is.directory {
        let next = InForce { directory: stands.directory.saturating_add(1), ..stands };
        let directory = world.directory(next.directory).ok_or(Missing::Directory(next.directory))?;
        Some((next, directory.published_at()))
    } else {
        None
    };
    Ok([policy, directory].into_iter().flatten().min_by_key(|(_, at)| *at))
}

/// Puts the rules of `d.rules` in force, which were published at an instant.
fn apply(d: &mut Deciding<'_>, before: &Rulebook, published_at: DateTime<Utc>) -> Result<(), Undecided> {
    d.begin_publication(published_at);
    let Some(lead) = d.lead() else { return Ok(()) };
    let market = lead.profile.market.as_ref();
    let known = |rules: &Rulebook| market.is_some_and(|market| rules.directory().market(market).is_some());
    let (was_known, is_known) = (known(before), known(d.rules));
    let has_state = |rules: &Rulebook| rules.kind_of(&lead.state).is_some();
    // Of a closed lead nothing waits for its market or its state.
    let follows_state = !lead.is_closed() && has_state(before) != has_state(d.rules);
    let step_before = next_step(lead, before);
    // The clocks of a lead that leaves quarantine begin anew, unless they passed something before it.
    let has_passed = WorkState::behind_holds(lead).visit.has_passed_a_step();
    let is_fresh = is_known && !was_known && d.is_quarantined() && !has_passed;
    let earliest = |rules: &Rulebook| timers(lead, rules).into_iter().map(|timer| timer.due).min();
    let mut passed: Vec<_> = timers(lead, d.rules)
        .into_iter()
        .filter(|timer| matches!(timer.what, What::Step(_)) && timer.due <= published_at && !is_fresh)
        .collect();
    passed.sort_by_key(|timer| timer.due);
    let mut rearmed = unheard_to_come(lead, d.rules, published_at);
    if !rearmed.is_empty() {
        // This publication did not bring back what was to come already.
        let was_to_come = unheard_to_come(lead, before, published_at);
        rearmed.retain(|step| !was_to_come.contains(step));
    }
    let is_moved = follows_state || !lead.is_closed() && was_known != is_known;
    let (had, has) = (&before.policy().workflows, &d.rules.policy().workflows);
    let flag_change = high_value::flag_change(lead, &had.high_value, &has.high_value, d.rules.directory());
    let leaver = ownership::leaves(lead, before, d.rules);
    let queue_is_off = !operations::is_reconciled(lead, d.rules);
    if passed.is_empty()
        && rearmed.is_empty()
        && !is_moved
        && !queue_is_off
        && flag_change.is_none()
        && leaver.is_none()
        && earliest(before) == earliest(d.rules)
    {
        return Ok(());
    }
    let told = passed.iter().filter_map(|timer| match &timer.what {
        What::Step(step) if is_news(d, step, timer.due) => {
            Some(PassedStep { workflow: step.workflow, step: step.step.to_owned() })
        }
        _ => None,
    });
    // Nobody is told of each lead that is high-value by the new rules; the digest tells how many.
    let flagged = (flag_change == Some(FlagChange::Flagged))
        .then(|| PassedStep { workflow: WorkflowId::HighValue, step: FLAGGED.to_owned() });
    let in_force = d.rules.in_force();
    let publication = of(before.in_force(), in_force);
    let passed_steps = told.chain(flagged).collect();
    let orphaned = leaver.as_ref().map(|owner| orphaned(d, before, owner)).transpose()?;
    let applied = AppliedPublication { publication, in_force, passed: passed_steps, rearmed, orphaned };
    d.fact(None, LeadFact::RulesApplied(applied));
    pass_at_publication(d, &passed, published_at);
    d.begin_publication(published_at);
    if follows_state {
        d.follow_state();
    }
    if let Some(owner) = &leaver {
        owners::follow_leaver(d, owner)?;
    }
    if let Some(flag_change) = flag_change {
        high_value::follow(d, flag_change);
    }
    match (was_known, is_known) {
        (false, true) => leave_quarantine(d)?,
        // Its market is gone: nothing can be measured of it any more, and operations has to look.
        (true, false) => d.follow_market(true, false),
        _ => {}
    }
    owners::follow_presence_if_sooner(d, step_before)?;
    operations::reconcile(d, false);
    Ok(())
}

/// What becomes of a lead whose owner left, as the publication's digest tells it.
fn orphaned(d: &mut Deciding<'_>, before: &Rulebook, owner: &PersonId) -> Result<Orphaned, Undecided> {
    let name = before.directory().person(owner).map(|person| person.name.clone());
    let is_handed_on = d.rules.policy().owners.left == OrphanAction::HandOn;
    let is_held = d.lead().is_some_and(Lead::is_held);
    let to = match (is_handed_on && !is_held).then(|| d.route(false)).transpose()? {
        Some(RoutingResult::To { rep, .. }) => Some(rep),
        _ => None,
    };
    Ok(Orphaned { from: owner.clone(), name, to, kept: !is_handed_on })
}

/// The thresholds that an earlier publication made passed, and that are to come under some rules: who takes a
/// mistake back must not have taken the leads in flight their escalations.
fn unheard_to_come(lead: &Lead, rules: &Rulebook, published_at: DateTime<Utc>) -> Vec<PassedStep> {
    let clocks = [WorkflowId::SlaBreach, WorkflowId::StuckLead, WorkflowId::ComplianceFlag];
    // A lead at rest goes on where it was, and its clocks with it.
    let ladders =
        clocks.into_iter().filter_map(|of| ladder(lead, WorkState::behind_holds(lead), rules, of).ok());
    let steps = ladders.flat_map(|ladder| ladder.steps().map(move |step| (ladder.clock, step)));
    let is_to_come = |(clock, step): &(&Clock, StepDue<'_>)| {
        let due = clock.due(step.measure.calendar, step.target());
        clock.unheard.iter().any(|name| name == step.step) && due.is_none_or(|due| due > published_at)
    };
    let name =
        |(_, step): (&Clock, StepDue<'_>)| PassedStep { workflow: step.workflow, step: step.step.to_owned() };
    steps.filter(is_to_come).map(name).collect()
}

/// The publication that brought the one after the other.
fn of(before: InForce, after: InForce) -> PublicationId {
    if before.policy == after.policy {
        PublicationId { kind: PublicationKind::Directory, revision: after.directory }
    } else {
        PublicationId { kind: PublicationKind::Policy, revision: after.policy }
    }
}

/// The directory knows the lead's market at last.
fn leave_quarantine(d: &mut Deciding<'_>) -> Result<(), Undecided> {
    if !d.is_quarantined() {
        return Ok(());
    }
    d.follow_market(false, false);
    compliance_flag::screen_jurisdiction(d)?;
    assign_if_unowned(d, AssignmentReason::Unowned, true)?;
    high_value::evaluate(d)
}
