//! The workflows with a clock: elapsed time, steps to come, and reasons for a pause.

use super::context::Context;
use super::explanation::{
    ClockState, Condition, PlannedStep, Readiness, Reason, Status, WorkflowExplanation,
};
use policy::{StateKind, WorkflowId};
use rules::clock::Clock;
use rules::lead::PauseReason;
use rules::lead::inside::{Idle, Mark, StepDue, WorkState, ladder, mark, returns_that_count};

/// Explains `sla-breach` or `stuck-lead`.
pub(super) fn explain_sales(context: &Context<'_>, workflow: WorkflowId) -> WorkflowExplanation {
    let lead = &context.history.lead;
    let mut explanation = context.workflow(workflow);
    if lead.kind == StateKind::Terminal {
        explanation.because.push(closed(context));
        return explanation;
    }
    let place = WorkState::behind_holds(lead);
    // During a hold nothing is due: the engine looks at the current state of the lead.
    let is_current_state = *place.state == lead.state;
    let rests: Vec<PauseReason> =
        lead.rests().into_iter().filter(|rest| workflow == WorkflowId::SlaBreach || rest.is_hold()).collect();
    explanation.because.extend(rests.iter().map(|rest| paused(context, *rest)));
    match ladder(lead, place, &context.world.rules, workflow) {
        Ok(ladder) => {
            let (clock, steps) = (ladder.clock, ladder.steps().collect::<Vec<_>>());
            explanation.clock = steps.first().map(|step| state_of(context, clock, step, true));
            explanation.steps = upcoming_steps(context, clock, &steps, is_current_state);
            if steps.is_empty() {
                explanation
                    .because
                    .push(Reason::new(Condition::NoSteps, "the policy has no steps for the market"));
            } else if explanation.steps.is_empty() {
                let text = format!("clock {1} passed all {0} steps", steps.len(), clock.number);
                explanation.because.push(Reason::new(Condition::AllPassed, text));
            } else if explanation.steps.iter().all(|step| step.readiness == Readiness::TooFar) {
                let text = "the calendar does not have that much working time in fifty years";
                explanation.because.push(Reason::new(Condition::TooFar, text));
            }
        }
        Err(idle) => explanation.because.push(why_idle(idle)),
    }
    if let Some(returns) = &context.world.rules.policy().workflows.stuck_lead.returns
        && workflow == WorkflowId::StuckLead
        && is_current_state
    {
        let times = returns_that_count(lead, returns).len();
        if times > 0 {
            let (state, due, within) = (&lead.state, returns.times, returns.within.to_time().num_days());
            let text = format!("{times} of {due} returns to {state} within {within} days");
            explanation.because.push(Reason::new(Condition::Returns, text));
        }
    }
    let is_armed = explanation.steps.iter().any(|step| step.readiness == Readiness::Armed);
    explanation.status = match (is_armed, rests.is_empty()) {
        (true, _) => Status::Armed,
        (false, false) => Status::Paused,
        (false, true) => Status::Inactive,
    };
    explanation
}

/// The reason that the lead is closed.
pub(super) fn closed(context: &Context<'_>) -> Reason {
    let lead = &context.history.lead;
    Reason::new(Condition::Closed, format!("state {} is terminal", lead.state)).since(Some(lead.entered_at))
}

/// The reason for a paused clock.
pub(super) fn paused(context: &Context<'_>, rest: PauseReason) -> Reason {
    let lead = &context.history.lead;
    let (condition, text, since) = match rest {
        PauseReason::ComplianceHold => {
            (Condition::ComplianceHold, "compliance holds the lead", Some(lead.entered_at))
        }
        PauseReason::OnHold => (Condition::OnHold, "the lead is on hold", Some(lead.entered_at)),
        PauseReason::WaitingOnCustomer => {
            // The source's clock can be ahead of ours.
            let since = lead.said("waiting_on_customer").unwrap_or(lead.created_at).min(lead.changed_at);
            (Condition::WaitingOnCustomer, "the customer must act next", Some(since))
        }
        PauseReason::OutreachPaused => (
            Condition::OutreachPaused,
            "outreach to the account is paused",
            context.history.outreach_paused_since,
        ),
    };
    let until = match rest {
        PauseReason::OnHold => rules::lead::inside::hold_end(lead),
        PauseReason::OutreachPaused => {
            context.history.account.as_ref().and_then(|a| a.churn_risk.as_ref()?.outreach_paused_until)
        }
        PauseReason::ComplianceHold | PauseReason::WaitingOnCustomer => None,
    };
    Reason { until, ..Reason::new(condition, text).since(since) }
}

fn why_idle(idle: Idle) -> Reason {
    match idle {
        Idle::NoClock => Reason::new(Condition::NotBegun, "no clock was started: the lead arrived on hold"),
        Idle::MarketUnknown(None) => {
            Reason::new(Condition::MarketUnknown, "the market is unknown: the lead is in quarantine")
        }
        Idle::MarketUnknown(Some(market)) => Reason::new(
            Condition::MarketUnknown,
            format!("the directory has no market {market}: the lead is in quarantine"),
        ),
        Idle::NoWindow { state, market } => {
            Reason::new(Condition::NoWindow, format!("no window for state {state} in market {market}"))
        }
    }
}

/// The state of a clock. If each step has its own window, the clock has none.
pub(super) fn state_of(
    context: &Context<'_>,
    clock: &Clock,
    step: &StepDue<'_>,
    one_window: bool,
) -> ClockState {
    let runs = clock.is_running();
    ClockState {
        number: clock.number,
        runs,
        rests_since: clock.ran.last().and_then(|last| last.to),
        elapsed_s: clock.elapsed(step.measure.calendar, context.at).secs(),
        window_s: one_window.then_some(step.measure.window.secs()),
        window_percent: clock.window_percent,
        calendar: step.measure.name.to_owned(),
        history_until: clock.history_until,
    }
}

/// The steps that a clock has not passed yet, in order of time.
pub(super) fn upcoming_steps(
    context: &Context<'_>,
    clock: &Clock,
    steps: &[StepDue<'_>],
    is_current_state: bool,
) -> Vec<PlannedStep> {
    let mut planned: Vec<PlannedStep> = steps
        .iter()
        .filter_map(|step| {
            let mark = mark(clock, step);
            let predicted = context.forecast.step(step.workflow, step.step, clock.number);
            let (readiness, at) = match (mark, &predicted) {
                (Mark::Passed, _) => return None,
                (Mark::Due(due), Some(_)) if is_current_state => (Readiness::Armed, Some(due)),
                (Mark::Due(due), None) if is_current_state => (Readiness::Preempted, Some(due)),
                (Mark::NotDue, _) if clock.is_running() => (Readiness::TooFar, None),
                (_, predicted) => (Readiness::Resting, predicted.as_ref().and_then(|step| step.at)),
            };
            Some(PlannedStep {
                step: Some(step.step.to_owned()),
                percent: Some(step.percent),
                after_s: Some(step.target().secs()),
                readiness,
                at,
                does: predicted.map(|step| step.does).unwrap_or_default(),
            })
        })
        .collect();
    planned.sort_by_key(|step| (step.at.is_none(), step.at));
    planned
}
