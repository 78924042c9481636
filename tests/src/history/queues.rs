//! What has to be so of the operations queue after every history, by a model of its own: each reason is
//! there if and only if its condition holds, no open lead is out of sight, and nobody waits for a rep
//! while one of the team could take the lead.

use insight::simulate::Simulation;
use rules::aggregate::Aggregate as _;
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead, OperationsReason};
use std::collections::BTreeSet;

/// Checks the queue of every lead, at the instant of its last entry.
pub fn check(simulation: &Simulation) {
    for lead in simulation.leads().values() {
        check_reasons(simulation, lead);
        check_in_sight(lead);
        check_waits_rightly(simulation, lead);
    }
}

fn check_reasons(simulation: &Simulation, lead: &Lead) {
    let queued = lead.operations.iter().flat_map(|review| &review.reasons).map(|queued| queued.reason);
    let queued: BTreeSet<OperationsReason> = queued.collect();
    let dismissed = lead.dismissed.iter().flat_map(|dismissed| &dismissed.reasons).copied();
    let dismissed: BTreeSet<OperationsReason> = dismissed.collect();
    if lead.is_closed() {
        assert!(queued.is_empty() && dismissed.is_empty(), "{} is over and in the queue: {lead:#?}", lead.id);
        return;
    }
    let (policy, directory) = (&simulation.policy().policy, simulation.directory());
    let has_market = lead.profile.market.as_ref().is_some_and(|market| directory.market(market).is_some());
    let is_known = lead.owner.as_ref().is_none_or(|owner| directory.person(owner).is_some());
    for (reason, holds) in [
        (OperationsReason::MarketUnknown, !has_market),
        (OperationsReason::StateUnknown, policy.kind_of(&lead.state).is_none()),
        (OperationsReason::OwnerUnknown, !is_known),
    ] {
        let is_there = queued.contains(&reason) || dismissed.contains(&reason);
        assert_eq!(is_there, holds, "{reason:?} of {}: {lead:#?}", lead.id);
    }
    // A step that asks operations to look belongs to the visit of the state whose clock passed it.
    if queued.contains(&OperationsReason::Stuck) {
        let passed = lead.visit.stuck.iter().flat_map(|clock| &clock.passed);
        assert!(passed.count() > 0, "{} is stuck in a state where nothing passed: {lead:#?}", lead.id);
    }
    if queued.contains(&OperationsReason::NoRepAvailable) && lead.owner.is_none() {
        assert!(has_market, "{} waits for a rep without a market: {lead:#?}", lead.id);
    }
    let since = lead.operations.iter().flat_map(|review| &review.reasons).map(|queued| queued.since).min();
    assert_eq!(lead.operations.as_ref().map(|review| review.since), since, "{lead:#?}");
}

/// An open lead has an owner, or is in a queue, or is held, or is remembered as dismissed.
fn check_in_sight(lead: &Lead) {
    let in_sight = lead.is_closed()
        || lead.is_held()
        || lead.owner.is_some()
        || lead.operations.is_some()
        || lead.dismissed.is_some();
    assert!(in_sight, "{} is out of sight: {lead:#?}", lead.id);
}

/// Whoever could take it would have been given it when their place became free.
fn check_waits_rightly(simulation: &Simulation, lead: &Lead) {
    if !lead.waits_for_rep() {
        return;
    }
    let (actor, cause) = (Actor::system("test"), "test".to_owned());
    let command = Command { lead: lead.id.clone(), actor, cause, input: Input::Offer };
    let last = simulation.leads().values().map(|lead| lead.changed_at).max().unwrap_or(lead.changed_at);
    let after =
        Lead::decide(Some(lead), simulation.world(), &command, last).expect("the world has all of it");
    assert!(after.changed.is_none_or(|lead| lead.owner.is_none()), "{} waits, and a rep has room", lead.id);
}
