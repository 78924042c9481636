//! The workflows that fire on a condition: which conditions are met, and by how much the others are not.

use super::action::WorkflowAction;
use super::clocks::{closed, paused, state_of, upcoming_steps};
use super::context::Context;
use super::explanation::{Condition, PlannedStep, Readiness, Reason, Status, WorkflowExplanation};
use policy::{StateKind, WorkflowId};
use rules::lead::inside::{WorkState, has_cleared, judge, jurisdiction, ladder, rearmed_at};
use rules::lead::{LapseReason, PauseReason, UnderReview, lapse};
use rules::screening::Criterion;

pub(super) fn high_value(context: &Context<'_>) -> WorkflowExplanation {
    let (lead, policy) = (&context.history.lead, &context.world.rules.policy().workflows.high_value);
    let mut explanation = context.workflow(WorkflowId::HighValue);
    let judged = judge(lead, policy);
    let is_met = judged.iter().any(|criterion| criterion.is_met());
    let blocked = (lead.is_held().then(|| paused(context, PauseReason::ComplianceHold)))
        .or_else(|| (lead.kind == StateKind::Terminal).then(|| closed(context)));
    explanation.because = judged
        .into_iter()
        .map(|criterion| {
            let met = if criterion.is_met() { Condition::CriterionMet } else { Condition::CriterionNotMet };
            Reason::new(met, criterion.to_string())
        })
        .collect();
    explanation.status = match (lead.high_value.is_empty(), is_met, &blocked) {
        (false, _, _) => {
            let score = rearmed_at(policy);
            let text =
                format!("can fire again when no criterion is met and the score is at or under {score}");
            explanation.because.push(Reason::new(Condition::Rearms, text));
            Status::Fired
        }
        (true, true, Some(_)) if lead.is_held() => Status::Paused,
        (true, true, None) => {
            explanation.steps.push(with_next_input(Vec::new()));
            Status::Armed
        }
        (true, ..) => Status::Inactive,
    };
    explanation.because.extend(blocked);
    explanation
}

fn with_next_input(does: Vec<WorkflowAction>) -> PlannedStep {
    let readiness = Readiness::WithNextInput;
    PlannedStep { step: None, percent: None, after_s: None, readiness, at: None, does }
}

pub(super) fn compliance(context: &Context<'_>) -> WorkflowExplanation {
    let lead = &context.history.lead;
    let mut explanation = context.workflow(WorkflowId::ComplianceFlag);
    if let Some(review) = &lead.review {
        let opened = Some(review.opened_at);
        explanation.because.push(paused(context, PauseReason::ComplianceHold).since(opened));
        explanation.because.extend(review.criteria.iter().map(|found| match_open(context, found)));
        if let Ok(ladder) =
            ladder(lead, WorkState::of(lead), &context.world.rules, WorkflowId::ComplianceFlag)
        {
            let (clock, steps) = (ladder.clock, ladder.steps().collect::<Vec<_>>());
            explanation.clock = steps.first().map(|step| state_of(context, clock, step, false));
            explanation.steps = upcoming_steps(context, clock, &steps, true);
        }
        let is_armed = explanation.steps.iter().any(|step| step.readiness == Readiness::Armed);
        explanation.status = if is_armed { Status::Armed } else { Status::Fired };
        return explanation;
    }
    if lead.is_disqualified() {
        explanation.because.push(closed(context));
        return explanation;
    }
    explanation.because.push(Reason::new(Condition::NoMatchOpen, "no match is open"));
    match lead.clearances.len() {
        0 => {}
        1 => explanation.because.push(Reason::new(Condition::MatchesCleared, "compliance cleared 1 match")),
        n => explanation
            .because
            .push(Reason::new(Condition::MatchesCleared, format!("compliance cleared {n} matches"))),
    }
    let unlicensed = jurisdiction(lead, context.world.rules.directory());
    let is_cleared = unlicensed.as_ref().is_some_and(|found| has_cleared(lead, found));
    explanation
        .because
        .push(Reason::new(Condition::Jurisdiction, licensing(context, unlicensed.is_some(), is_cleared)));
    if unlicensed.is_some() && !is_cleared && lead.kind != StateKind::Terminal {
        explanation.status = Status::Armed;
        explanation.steps.push(with_next_input(context.forecast.hold()));
    }
    explanation
}

fn match_open(context: &Context<'_>, found: &UnderReview) -> Reason {
    let text = spelled(&found.criterion);
    let text = match lapse(found, &context.history.lead, context.world.rules.directory()) {
        None => text,
        Some(LapseReason::Licensed) => format!("{text}; the market is licensed for the lead's country now"),
        Some(LapseReason::OtherParty) => format!("{text}; the lead names another company now"),
    };
    Reason::new(Condition::MatchOpen, text)
}

fn spelled(found: &Criterion) -> String {
    let kind = serde_json::to_value(found.kind).unwrap_or_default();
    let kind = kind.as_str().unwrap_or_default().replace('_', " ");
    let Criterion { match_id, list, list_version, .. } = found;
    let strength = found.strength.map(|percent| format!(", strength {percent} %")).unwrap_or_default();
    format!("{kind} match {match_id} on {list} ({list_version}){strength}")
}

fn licensing(context: &Context<'_>, is_unlicensed: bool, is_cleared: bool) -> String {
    let profile = &context.history.lead.profile;
    match (&profile.market, &profile.country) {
        (None, _) => "the market is unknown, so licenses cannot be checked".to_owned(),
        (_, None) => "the country is unknown, so licenses cannot be checked".to_owned(),
        (Some(market), Some(country)) if is_cleared => {
            format!("market {market} is not licensed for {country}, but compliance cleared it")
        }
        (Some(market), Some(country)) if is_unlicensed => {
            format!("market {market} is not licensed for {country}")
        }
        (Some(market), Some(_)) if context.world.rules.directory().market(market).is_none() => {
            format!("the directory has no market {market}, so licenses cannot be checked")
        }
        (Some(market), Some(country)) => format!("market {market} is licensed for {country}"),
    }
}

pub(super) fn churn(context: &Context<'_>) -> WorkflowExplanation {
    let mut explanation = context.workflow(WorkflowId::ChurnRisk);
    let Some(id) = &context.history.lead.profile.account_id else {
        explanation.because.push(Reason::new(Condition::NoAccount, "the lead belongs to no account"));
        return explanation;
    };
    let Some(risk) = context.history.account.as_ref().and_then(|account| account.churn_risk.as_ref()) else {
        let text = format!("account {id} has no risk signal");
        explanation.because.push(Reason::new(Condition::NoSignal, text));
        return explanation;
    };
    for signal in &risk.signals {
        let doubt = if signal.false_positive { " (a false positive)" } else { "" };
        let text = format!("{}{doubt}", signal.signal.spelled());
        explanation.because.push(Reason::new(Condition::SignalStands, text).since(Some(risk.since)));
    }
    explanation.steps = context.forecast.of_account();
    explanation.status = if explanation.steps.is_empty() { Status::Fired } else { Status::Armed };
    explanation
}
