//! The workflows that have a clock: what it ran, which steps are to come, and why it rests.

use super::{Because, Case, ClockState, Condition, Planned, Readiness, Status, WorkflowExplanation};
use policy::{StateKind, WorkflowId};
use rules::clock::Clock;
use rules::lead::Rest;
use rules::lead::inside::{Idle, Mark, Place, StepDue, ladder, mark, returns_that_count};

/// `sla-breach` or `stuck-lead`.
pub(super) fn of_sales(case: &Case<'_>, workflow: WorkflowId) -> WorkflowExplanation {
    let lead = &case.history.lead;
    let mut part = case.part(workflow);
    if lead.kind == StateKind::Terminal {
        part.because.push(closed(case));
        return part;
    }
    let place = Place::behind_holds(lead);
    // Behind a hold nothing is due: the engine looks at the state the lead is in.
    let is_there = *place.state == lead.state;
    let rests: Vec<Rest> =
        lead.rests().into_iter().filter(|rest| workflow == WorkflowId::SlaBreach || rest.is_hold()).collect();
    part.because.extend(rests.iter().map(|rest| resting(case, *rest)));
    match ladder(lead, place, &case.world.rules, workflow) {
        Ok(ladder) => {
            let (clock, steps) = (ladder.clock, ladder.steps().collect::<Vec<_>>());
            part.clock = steps.first().map(|step| state_of(case, clock, step, true));
            part.steps = to_come(case, clock, &steps, is_there);
            if steps.is_empty() {
                part.because.push(Because::new(Condition::NoSteps, "the policy has no steps for its market"));
            } else if part.steps.is_empty() {
                let text = format!("all {} steps of clock {} were passed", steps.len(), clock.number);
                part.because.push(Because::new(Condition::AllPassed, text));
            } else if part.steps.iter().all(|step| step.readiness == Readiness::TooFar) {
                let text = "its calendar does not hold so much working time in fifty years";
                part.because.push(Because::new(Condition::TooFar, text));
            }
        }
        Err(idle) => part.because.push(why_idle(idle)),
    }
    if let Some(returns) = &case.world.rules.policy().workflows.stuck_lead.returns
        && workflow == WorkflowId::StuckLead
        && is_there
    {
        let times = returns_that_count(lead, returns).len();
        if times > 0 {
            let (state, due, within) = (&lead.state, returns.times, returns.within.to_time().num_days());
            let text = format!("{times} of {due} returns to {state} within {within} days");
            part.because.push(Because::new(Condition::Returns, text));
        }
    }
    let is_armed = part.steps.iter().any(|step| step.readiness == Readiness::Armed);
    part.status = match (is_armed, rests.is_empty()) {
        (true, _) => Status::Armed,
        (false, false) => Status::Paused,
        (false, true) => Status::Not,
    };
    part
}

/// The lead is over.
pub(super) fn closed(case: &Case<'_>) -> Because {
    let lead = &case.history.lead;
    Because::new(Condition::Closed, format!("state {} is terminal", lead.state)).since(Some(lead.entered_at))
}

/// Why a clock rests.
pub(super) fn resting(case: &Case<'_>, rest: Rest) -> Because {
    let lead = &case.history.lead;
    let (condition, text, since) = match rest {
        Rest::ComplianceHold => {
            (Condition::ComplianceHold, "compliance holds the lead", Some(lead.entered_at))
        }
        Rest::OnHold => (Condition::OnHold, "the lead is on hold", Some(lead.entered_at)),
        Rest::WaitingOnCustomer => {
            // A source's clock may be ahead of ours.
            let since = lead.said("waiting_on_customer").unwrap_or(lead.created_at).min(lead.changed_at);
            (Condition::WaitingOnCustomer, "the customer is to act next", Some(since))
        }
        Rest::OutreachPaused => (
            Condition::OutreachPaused,
            "outreach to the account is paused",
            case.history.outreach_paused_since,
        ),
    };
    let until = match rest {
        Rest::OnHold => rules::lead::inside::hold_end(lead),
        Rest::OutreachPaused => {
            case.history.account.as_ref().and_then(|a| a.churn_risk.as_ref()?.outreach_paused_until)
        }
        Rest::ComplianceHold | Rest::WaitingOnCustomer => None,
    };
    Because { until, ..Because::new(condition, text).since(since) }
}

fn why_idle(idle: Idle) -> Because {
    match idle {
        Idle::NoClock => Because::new(Condition::NotBegun, "no clock was begun: it came on hold"),
        Idle::MarketUnknown(None) => {
            Because::new(Condition::MarketUnknown, "no market is known: the lead is quarantined")
        }
        Idle::MarketUnknown(Some(market)) => Because::new(
            Condition::MarketUnknown,
            format!("the directory has no market {market}: the lead is quarantined"),
        ),
        Idle::NoWindow { state, market } => {
            Because::new(Condition::NoWindow, format!("no window for state {state} in market {market}"))
        }
    }
}

/// A clock as it stands. Where each step has its own window, none is the clock's.
pub(super) fn state_of(case: &Case<'_>, clock: &Clock, step: &StepDue<'_>, one_window: bool) -> ClockState {
    let runs = clock.is_running();
    ClockState {
        number: clock.number,
        runs,
        rests_since: clock.ran.last().and_then(|last| last.to),
        elapsed_s: clock.elapsed(step.measure.calendar, case.at).secs(),
        window_s: one_window.then_some(step.measure.window.secs()),
        window_percent: clock.window_percent,
        calendar: step.measure.name.to_owned(),
        history_until: clock.history_until,
    }
}

/// The steps that a clock has not passed, in order of time.
pub(super) fn to_come(case: &Case<'_>, clock: &Clock, steps: &[StepDue<'_>], is_there: bool) -> Vec<Planned> {
    let mut planned: Vec<Planned> = steps
        .iter()
        .filter_map(|step| {
            let mark = mark(clock, step);
            let foreseen = case.forecast.step(step.workflow, step.step, clock.number);
            let (readiness, at) = match (mark, &foreseen) {
                (Mark::Passed, _) => return None,
                (Mark::Due(due), Some(_)) if is_there => (Readiness::Armed, Some(due)),
                (Mark::Due(due), None) if is_there => (Readiness::Preempted, Some(due)),
                (Mark::NotDue, _) if clock.is_running() => (Readiness::TooFar, None),
                (_, foreseen) => (Readiness::Resting, foreseen.as_ref().and_then(|step| step.at)),
            };
            Some(Planned {
                step: Some(step.step.to_owned()),
                percent: Some(step.percent),
                after_s: Some(step.target().secs()),
                readiness,
                at,
                does: foreseen.map(|step| step.does).unwrap_or_default(),
            })
        })
        .collect();
    planned.sort_by_key(|step| (step.at.is_none(), step.at));
    planned
}
