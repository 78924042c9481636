//! The workflows that fire on a condition: which is met, and which is not, by how much.

use super::clocks::{closed, resting, state_of, to_come};
use super::{Because, Case, Condition, Planned, Readiness, Status, WorkflowExplanation};
use policy::{StateKind, WorkflowId};
use rules::lead::inside::{Place, has_cleared, judge, jurisdiction, ladder, rearmed_at};
use rules::lead::{Lapse, Rest, UnderReview, lapse};
use rules::screening::Criterion;

pub(super) fn high_value(case: &Case<'_>) -> WorkflowExplanation {
    let (lead, policy) = (&case.history.lead, &case.world.rules.policy().workflows.high_value);
    let mut part = case.part(WorkflowId::HighValue);
    let judged = judge(lead, policy);
    let is_met = judged.iter().any(|criterion| criterion.is_met());
    let blocked = (lead.is_held().then(|| resting(case, Rest::ComplianceHold)))
        .or_else(|| (lead.kind == StateKind::Terminal).then(|| closed(case)));
    part.because = judged
        .into_iter()
        .map(|criterion| {
            let met = if criterion.is_met() { Condition::CriterionMet } else { Condition::CriterionNotMet };
            Because::new(met, criterion.to_string())
        })
        .collect();
    part.status = match (lead.high_value.is_empty(), is_met, &blocked) {
        (false, _, _) => {
            let score = rearmed_at(policy);
            let text = format!("armed again when no criterion is met and the score is at or under {score}");
            part.because.push(Because::new(Condition::Rearms, text));
            Status::Fired
        }
        (true, true, Some(_)) if lead.is_held() => Status::Paused,
        (true, true, None) => {
            part.steps.push(with_next_input(Vec::new()));
            Status::Armed
        }
        (true, ..) => Status::Not,
    };
    part.because.extend(blocked);
    part
}

fn with_next_input(does: Vec<super::Does>) -> Planned {
    let readiness = Readiness::WithNextInput;
    Planned { step: None, percent: None, after_s: None, readiness, at: None, does }
}

pub(super) fn compliance(case: &Case<'_>) -> WorkflowExplanation {
    let lead = &case.history.lead;
    let mut part = case.part(WorkflowId::ComplianceFlag);
    if let Some(review) = &lead.review {
        let opened = Some(review.opened_at);
        part.because.push(resting(case, Rest::ComplianceHold).since(opened));
        part.because.extend(review.criteria.iter().map(|found| match_open(case, found)));
        if let Ok(ladder) = ladder(lead, Place::of(lead), &case.world.rules, WorkflowId::ComplianceFlag) {
            let (clock, steps) = (ladder.clock, ladder.steps().collect::<Vec<_>>());
            part.clock = steps.first().map(|step| state_of(case, clock, step, false));
            part.steps = to_come(case, clock, &steps, true);
        }
        let is_armed = part.steps.iter().any(|step| step.readiness == Readiness::Armed);
        part.status = if is_armed { Status::Armed } else { Status::Fired };
        return part;
    }
    if lead.is_disqualified() {
        part.because.push(closed(case));
        return part;
    }
    part.because.push(Because::new(Condition::NoMatchOpen, "no match is open"));
    match lead.clearances.len() {
        0 => {}
        1 => part.because.push(Because::new(Condition::MatchesCleared, "1 match was cleared")),
        n => part.because.push(Because::new(Condition::MatchesCleared, format!("{n} matches were cleared"))),
    }
    let unlicensed = jurisdiction(lead, case.world.rules.directory());
    let is_cleared = unlicensed.as_ref().is_some_and(|found| has_cleared(lead, found));
    part.because.push(Because::new(Condition::Jurisdiction, licence(case, unlicensed.is_some(), is_cleared)));
    if unlicensed.is_some() && !is_cleared && lead.kind != StateKind::Terminal {
        part.status = Status::Armed;
        part.steps.push(with_next_input(case.forecast.hold()));
    }
    part
}

fn match_open(case: &Case<'_>, found: &UnderReview) -> Because {
    let what = spelled(&found.criterion);
    let text = match lapse(found, &case.history.lead, case.world.rules.directory()) {
        None => what,
        Some(Lapse::Licensed) => format!("{what}; the market is licensed for the lead's country now"),
        Some(Lapse::OtherParty) => format!("{what}; the lead names another company now"),
    };
    Because::new(Condition::MatchOpen, text)
}

fn spelled(found: &Criterion) -> String {
    let kind = serde_json::to_value(found.kind).unwrap_or_default();
    let kind = kind.as_str().unwrap_or_default().replace('_', " ");
    let Criterion { match_id, list, list_version, .. } = found;
    let strength = found.strength.map(|percent| format!(", strength {percent} %")).unwrap_or_default();
    format!("{kind} match {match_id} on {list} ({list_version}){strength}")
}

fn licence(case: &Case<'_>, is_unlicensed: bool, is_cleared: bool) -> String {
    let profile = &case.history.lead.profile;
    match (&profile.market, &profile.country) {
        (None, _) => "no market is known, so that no licence can be looked at".to_owned(),
        (_, None) => "no country is known, so that no licence can be looked at".to_owned(),
        (Some(market), Some(country)) if is_cleared => {
            format!("market {market} is not licensed for {country}, which was cleared")
        }
        (Some(market), Some(country)) if is_unlicensed => {
            format!("market {market} is not licensed for {country}")
        }
        (Some(market), Some(_)) if case.world.rules.directory().market(market).is_none() => {
            format!("the directory has no market {market}, so that no licence can be looked at")
        }
        (Some(market), Some(country)) => format!("market {market} is licensed for {country}"),
    }
}

pub(super) fn churn(case: &Case<'_>) -> WorkflowExplanation {
    let mut part = case.part(WorkflowId::ChurnRisk);
    let Some(id) = &case.history.lead.profile.account_id else {
        part.because.push(Because::new(Condition::NoAccount, "the lead belongs to no account"));
        return part;
    };
    let Some(risk) = case.history.account.as_ref().and_then(|account| account.churn_risk.as_ref()) else {
        let text = format!("no signal stands against account {id}");
        part.because.push(Because::new(Condition::NoSignal, text));
        return part;
    };
    for signal in &risk.signals {
        let doubt = if signal.false_positive { " (a false positive)" } else { "" };
        let text = format!("{}{doubt}", signal.signal.spelled());
        part.because.push(Because::new(Condition::SignalStands, text).since(Some(risk.since)));
    }
    part.steps = case.forecast.of_account();
    part.status = if part.steps.is_empty() { Status::Fired } else { Status::Armed };
    part
}
