//! What a fact does to a lead. The lead in the store is nothing but the fold of its entries
//! through this function.

use crate::aggregate::FoldError;

mod clocks;
mod compliance;
mod moves;

use crate::clock::Clock;
use crate::entry::Entry;
use crate::lead::applied::{APPLIED_MAX, PassedStep};
use crate::lead::breach::{BREACHES_MAX, Breach};
use crate::lead::event::{AssignmentReason, LeadFact, PUBLICATION};
use crate::lead::owner::GoneReason;
use crate::lead::pending;
use crate::lead::pending::UnnotifiedOwner;
use crate::lead::profile::Profile;
use crate::lead::queue::{Dismissal, OperationsReason, OperationsReview, Queued};
use crate::lead::review::Review;
use crate::lead::state::{BEFORE_HOLD, Lead, since};
use crate::lead::visit::StateVisit;
use crate::personal::{Personal, PersonalKind};
use chrono::{DateTime, Utc};
use clocks::{begin_visit, restart_clocks, restart_sla, settle_clocks};
use moves::{change_state, enter_hold_from};
use policy::ids::{LeadId, StateId, Subject};
use policy::{InForce, OrphanAction, StateKind, WorkflowId};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// What the first entry makes: a lead.
pub(super) fn begin(entry: &Entry<LeadFact>) -> Result<Lead, FoldError> {
    FoldError::require_next(entry, 0)?;
    let (LeadFact::Created { state, kind, entered_at, history_until, .. }, Subject::Lead(id)) =
        (&entry.fact, &entry.subject)
    else {
        return Err(FoldError::beginning(entry));
    };
    let mut lead = created(id, entry.at, state, *kind, *entered_at, *history_until);
    fold_in(&mut lead, entry);
    Ok(lead)
}

/// What a later entry makes of a lead.
pub(super) fn follow(lead: &mut Lead, entry: &Entry<LeadFact>) -> Result<(), FoldError> {
    FoldError::require_next(entry, lead.seq)?;
    if matches!(entry.fact, LeadFact::Created { .. }) || !matches!(entry.subject, Subject::Lead(_)) {
        return Err(FoldError::beginning(entry));
    }
    fold_in(lead, entry);
    Ok(())
}

fn fold_in(lead: &mut Lead, entry: &Entry<LeadFact>) {
    lead.seq = entry.seq;
    lead.commit = entry.commit;
    lead.changed_at = entry.at;
    lead.in_force = InForce { policy: entry.policy_revision, directory: entry.directory_revision };
    apply(lead, entry);
}

fn created(
    id: &LeadId,
    at: DateTime<Utc>,
    state: &StateId,
    kind: StateKind,
    entered_at: DateTime<Utc>,
    history_until: Option<DateTime<Utc>>,
) -> Lead {
    let mut lead = Lead {
        id: id.clone(),
        seq: 0,
        commit: 0,
        created_at: at,
        changed_at: at,
        in_force: InForce::default(),
        applied: Vec::new(),
        profile: Profile::default(),
        personal: Personal::default(),
        personal_kinds: BTreeSet::new(),
        erased_at: None,
        said_at: BTreeMap::new(),
        state: state.clone(),
        kind,
        entered_at,
        hold_until: None,
        waiting_on_customer: false,
        left: None,
        hold_ended: None,
        held_from: None,
        owner: None,
        owner_gone: None,
        untold: None,
        owner_team: None,
        crm_owner: None,
        crm_market: None,
        visit: StateVisit::default(),
        visited: BTreeSet::new(),
        returns: Vec::new(),
        breaches: Vec::new(),
        undelivered: Vec::new(),
        sla_clocks: 0,
        stuck_clocks: 0,
        priority: crate::lead::profile::Priority::Normal,
        high_value: Vec::new(),
        window_percent: 100,
        account_view: crate::account_view::AccountView::default(),
        review: None,
        clearances: Vec::new(),
        unanswered: Vec::new(),
        unanswered_flagged_by: Vec::new(),
        rejection: None,
        operations: None,
        dismissed: None,
    };
    if kind == StateKind::Working {
        lead.visited.insert(state.clone());
        begin_visit(&mut lead, entered_at, history_until);
    }
    lead
}

fn apply(lead: &mut Lead, entry: &Entry<LeadFact>) {
    let at = entry.at;
    match &entry.fact {
        LeadFact::Updated { changes, confirmed, crm_owner, occurred_at, personal } => {
            update(lead, changes, *occurred_at);
            changes.market.apply_to(&mut lead.crm_market);
            if !crm_owner.is_keep() {
                crm_owner.apply_to(&mut lead.crm_owner);
                lead.said_at.insert(SmolStr::new_static("owner"), *occurred_at);
            }
            if !personal.contact.is_keep() {
                personal.contact.apply_to(&mut lead.personal.contact);
                lead.personal_kinds.extend(personal.contact.as_set().map(|_| PersonalKind::Contact));
                lead.said_at.insert(SmolStr::new_static("contact"), *occurred_at);
                lead.said_at.insert(since("contact"), *occurred_at);
            }
            if !changes.company.is_keep() {
                lead.said_at.insert(since("company"), *occurred_at);
            }
            for field in confirmed {
                lead.said_at.insert(SmolStr::new(field), *occurred_at);
                // The source says itself that the hold is over: what it says of a hold later is of another one.
                if field == BEFORE_HOLD {
                    lead.hold_ended = None;
                }
            }
            follow_breaches(lead, *occurred_at);
            let same_place = changes.country.is_keep() && changes.market.is_keep();
            let same_party = changes.company.is_keep() && personal.contact.is_keep();
            if !(same_place && same_party) {
                compliance::follow_premises(lead, entry.seq);
            }
        }
        LeadFact::Created { entered_at, occurred_at, ours, .. } => {
            // As a transition does, it says anew what was said of the lead in another state.
            if !ours {
                let said_of = occurred_at.unwrap_or(*entered_at);
                lead.said_at.insert(SmolStr::new_static("state"), said_of);
                lead.say_anew("hold_until", false, said_of);
                lead.say_anew("waiting_on_customer", false, said_of);
            }
        }
        LeadFact::StateChanged { .. } => change_state(lead, entry),
        LeadFact::WaitingChanged { waiting_on_customer, since, occurred_at } => {
            let said_of = occurred_at.unwrap_or(*since);
            lead.waiting_on_customer = *waiting_on_customer;
            lead.said_at.insert(SmolStr::new_static("waiting_on_customer"), said_of);
            settle_clocks(lead, *since);
            follow_breaches(lead, said_of);
        }
        LeadFact::HoldChanged { hold_until, since, occurred_at } => {
            match (&mut lead.hold_ended, hold_until) {
                (Some(ended), Some(until)) if *until <= at => ended.at = *until,
                _ => lead.hold_until = *hold_until,
            }
            lead.said_at.insert(SmolStr::new_static("hold_until"), occurred_at.unwrap_or(*since));
        }
        LeadFact::HoldEnteredFrom { state, kind, since, occurred_at } => {
            enter_hold_from(lead, state, *kind, *since, occurred_at.unwrap_or(*since));
        }
        LeadFact::OwnerSet { from, to, team } => {
            lead.untold = None;
            lead.owner_team.clone_from(team);
            lead.owner.clone_from(to);
            if to.is_some() {
                relieve(lead, &[OperationsReason::NoRepAvailable, OperationsReason::MaxReassignments]);
            }
            // Its first owner takes it with the time that has passed; a further one begins anew.
            if from.is_some() && to.is_some() {
                restart_sla(lead, at);
                lead.visit.taken_from.extend(from.clone());
            }
        }
        LeadFact::OwnerGone { gone, then } => {
            lead.owner_gone = Some(gone.clone());
            if gone.because == GoneReason::Left && *then == OrphanAction::HandOn {
                lead.owner = None;
            }
        }
        LeadFact::OwnerBack { .. } => lead.owner_gone = None,
        LeadFact::Assigned { to, team, reason, told_from } => {
            lead.owner_team = Some(team.clone());
            lead.untold = told_from.map(|from| UnnotifiedOwner { person: to.clone(), from: Some(from) });
            // Whoever loses it to an assignment does not get it back in this state either.
            lead.visit.taken_from.extend(lead.owner.replace(to.clone()).filter(|had| had != to));
            relieve(lead, &[OperationsReason::NoRepAvailable]);
            // An assignment on arrival does not stop the clock that began with the lead.
            if *reason != AssignmentReason::Arrival {
                restart_sla(lead, at);
            }
        }
        LeadFact::Reassigned { from, to, team, reassignments } => {
            lead.owner_team = Some(team.clone());
            lead.visit.taken_from.extend(from.clone());
            lead.visit.reassignments = *reassignments;
            lead.owner = Some(to.clone());
            lead.untold = None;
            relieve(lead, &[OperationsReason::NoRepAvailable]);
            restart_sla(lead, at);
        }
        LeadFact::ThresholdReached(_) | LeadFact::ThresholdSuperseded { .. } => pass_step(lead, entry),
        LeadFact::BreachRecorded { .. } => remember_breach(lead, entry),
        LeadFact::BreachExcused { breach, breached_at, .. } => {
            lead.breaches.retain(|known| known.seq != *breach);
            pending::excuse(&mut lead.undelivered, *breached_at);
        }
        LeadFact::OperationsQueued { .. }
        | LeadFact::OperationsSettled { .. }
        | LeadFact::OperationsResolved { .. } => apply_operations(lead, entry),
        // What was seen to is not counted again.
        LeadFact::Bounced { state, .. } => lead.returns.retain(|back| back.state != *state),
        LeadFact::MarketSet { to, .. } => {
            lead.profile.market = Some(to.clone());
            compliance::follow_premises(lead, entry.seq);
        }
        LeadFact::ClocksRestarted {} => restart_clocks(lead, at),
        LeadFact::HighValueFlagged { criteria, window_percent } => {
            lead.high_value.clone_from(criteria);
            lead.window_percent = *window_percent;
        }
        LeadFact::HighValueRearmed {} => {
            lead.high_value.clear();
            lead.window_percent = 100;
        }
        LeadFact::PriorityRaised { to } | LeadFact::PriorityLowered { to } => lead.priority = *to,
        LeadFact::RulesApplied(applied) => {
            for PassedStep { workflow, step } in &applied.rearmed {
                if let Some(clock) = clock_behind_holds(lead, *workflow) {
                    clock.rearm(step);
                }
            }
            if lead.applied.len() >= APPLIED_MAX {
                lead.applied.remove(0);
            }
            lead.applied.push(applied.clone());
        }
        LeadFact::Erased { .. } => {
            lead.personal = Personal::default();
            lead.personal_kinds.clear();
            lead.erased_at = Some(at);
        }
        LeadFact::AccountApplied { view } => {
            lead.account_view = view.clone();
            settle_clocks(lead, at);
        }
        LeadFact::ComplianceHeld { .. }
        | LeadFact::ComplianceMatched { .. }
        | LeadFact::WouldBeOwnerNamed { .. }
        | LeadFact::ReviewVoted { .. }
        | LeadFact::ReviewDecided { .. }
        | LeadFact::ReopeningAsked { .. }
        | LeadFact::ComplianceMatchRemembered { .. }
        | LeadFact::ReviewReopened { .. } => compliance::apply(lead, entry),
        LeadFact::Notification(fact) => {
            if let Some(untold) = pending::untold_after(&lead.undelivered, fact) {
                lead.untold = untold;
            }
            pending::follow(&mut lead.undelivered, fact, at);
        }
        LeadFact::InputStale { fields, occurred_at } => forget_since(lead, fields, *occurred_at),
        LeadFact::InputRefused { .. }
        | LeadFact::InputNotUnderstood(_)
        | LeadFact::ReassignmentImpossible { .. } => {}
    }
}

/// What the operations queue holds of it, and what operations left alone.
fn apply_operations(lead: &mut Lead, entry: &Entry<LeadFact>) {
    match &entry.fact {
        LeadFact::OperationsQueued { reason, notification } => {
            let is_owned = lead.owner.is_some();
            lead.visit.keep_for_operations(*reason, is_owned);
            Dismissal::forget(&mut lead.dismissed, *reason);
            let notification = notification.clone();
            let queued = Queued { reason: *reason, since: entry.at, seq: entry.seq, notification };
            OperationsReview::add(&mut lead.operations, queued);
        }
        LeadFact::OperationsSettled { reason, notification } => {
            Dismissal::forget(&mut lead.dismissed, *reason);
            OperationsReview::keep(&mut lead.operations, |known| {
                known.reason != *reason || known.notification != *notification
            });
        }
        LeadFact::OperationsResolved { reasons, seen, dismissed, note, .. } => {
            OperationsReview::keep(&mut lead.operations, |known| seen.is_some_and(|seen| known.seq > seen));
            let later: Vec<OperationsReason> =
                lead.operations.iter().flat_map(|review| &review.reasons).map(|known| known.reason).collect();
            let is_done = |reason: &OperationsReason| {
                (reasons.is_empty() || reasons.contains(reason)) && !later.contains(reason)
            };
            let left = lead.left.as_mut().map(|left| &mut left.visit);
            for visit in left.into_iter().chain([&mut lead.visit]) {
                visit.for_operations.retain(|reason| !is_done(reason) || dismissed.contains(reason));
            }
            lead.dismissed = (!dismissed.is_empty()).then(|| Dismissal {
                reasons: dismissed.clone(),
                at: entry.at,
                by: Some(entry.actor.id.clone()),
                note: note.clone(),
            });
        }
        _ => {}
    }
}

/// A new owner ends what operations was to see to for want of one. On hold it stands in the state
/// that was left.
fn relieve(lead: &mut Lead, reasons: &[OperationsReason]) {
    let left = lead.left.as_mut().map(|left| &mut left.visit);
    for visit in left.into_iter().chain([&mut lead.visit]) {
        visit.for_operations.retain(|reason| !reasons.contains(reason));
    }
    lead.owner_gone = None;
}

fn update(lead: &mut Lead, changes: &crate::lead::profile::ProfileChanges, occurred_at: DateTime<Utc>) {
    let (profile, said_at) = (&mut lead.profile, &mut lead.said_at);
    macro_rules! apply {
        ($($field:ident),*) => {$(
            if !changes.$field.is_keep() {
                changes.$field.apply_to(&mut profile.$field);
                said_at.insert(SmolStr::new_static(stringify!($field)), occurred_at);
            }
        )*};
    }
    apply!(source, market, country, company, account_id, account_tier, score, deal_size);
}

/// A word that came late may be of another company or contact: whom the lead named at that time, nobody knows any
/// more.
fn forget_since(lead: &mut Lead, fields: &[String], occurred_at: DateTime<Utc>) {
    for field in ["company", "contact"].into_iter().filter(|field| fields.iter().any(|said| said == field)) {
        let is_within = lead.known_since(field).is_none_or(|since| since <= occurred_at);
        if let Some(said) = lead.said(field).filter(|_| is_within) {
            lead.said_at.insert(since(field), said);
        }
    }
}

fn pass_step(lead: &mut Lead, entry: &Entry<LeadFact>) {
    let Some(workflow) = &entry.workflow else {
        return;
    };
    if let (Some(clock), Some(step)) = (clock(lead, workflow.id), &workflow.step)
        && !clock.passed.contains(step)
    {
        clock.passed.push(step.clone());
        if matches!(&entry.fact, LeadFact::ThresholdSuperseded { by, .. } if by == PUBLICATION) {
            clock.unheard.push(step.clone());
        }
    }
}

fn clock(lead: &mut Lead, workflow: WorkflowId) -> Option<&mut Clock> {
    clock_of(&mut lead.visit, &mut lead.review, workflow)
}

/// The clock of where a lead is, or where it was before it came to rest.
fn clock_behind_holds(lead: &mut Lead, workflow: WorkflowId) -> Option<&mut Clock> {
    let visit = match &mut lead.left {
        Some(left) if lead.kind == StateKind::Hold => &mut left.visit,
        _ => &mut lead.visit,
    };
    clock_of(visit, &mut lead.review, workflow)
}

fn clock_of<'l>(
    visit: &'l mut StateVisit,
    review: &'l mut Option<Review>,
    workflow: WorkflowId,
) -> Option<&'l mut Clock> {
    match workflow {
        WorkflowId::SlaBreach => visit.sla.as_mut(),
        WorkflowId::StuckLead => visit.stuck.as_mut(),
        WorkflowId::ComplianceFlag => review.as_mut().map(|review| &mut review.clock),
        WorkflowId::HighValue | WorkflowId::ChurnRisk => None,
    }
}

/// Only the breaches of the SLA are remembered: a lead that stays too long stays too long.
fn remember_breach(lead: &mut Lead, entry: &Entry<LeadFact>) {
    let Some(workflow) = entry.workflow.as_ref().filter(|workflow| workflow.id == WorkflowId::SlaBreach)
    else {
        return;
    };
    let owner = match &entry.fact {
        LeadFact::BreachRecorded { owner, owner_not_told: false, .. } => owner.clone(),
        _ => None,
    };
    let said = |field: &str| lead.said(field).unwrap_or(lead.entered_at);
    let breach = Breach {
        seq: entry.seq,
        step: workflow.step.clone(),
        due_at: entry.due_at.unwrap_or(entry.at),
        state: lead.state.clone(),
        owner,
        visit: lead.stuck_clocks,
        in_state_at: said("state"),
        in_work_at: said("waiting_on_customer"),
        hold_ended: lead.hold_ended.clone(),
    };
    if lead.breaches.len() >= BREACHES_MAX {
        lead.breaches.remove(0);
    }
    lead.breaches.push(breach);
}

/// What a source confirms of the time before a breach of this visit, nothing older can deny.
fn follow_breaches(lead: &mut Lead, said_of: DateTime<Utc>) {
    if lead.breaches.is_empty() {
        return;
    }
    let here = lead.held_from.as_ref().map_or(&lead.state, |held| &held.state);
    let is_said = |field: &str| lead.said_at.get(field) == Some(&said_of);
    let (state, waiting) = (is_said("state"), is_said("waiting_on_customer") && !lead.waiting_on_customer);
    for breach in &mut lead.breaches {
        if breach.visit != lead.stuck_clocks || said_of >= breach.due_at {
            continue;
        }
        if state && breach.state == *here {
            breach.in_state_at = breach.in_state_at.max(said_of);
        }
        if waiting {
            breach.in_work_at = breach.in_work_at.max(said_of);
        }
    }
}
