//! What a lead waits for: every instant at which a workflow has something to do with it.

use crate::calendar::{Calendar, WorkingTime};
use crate::clock::Clock;
use crate::directory::ALWAYS;
use crate::ids::CalendarId;
use crate::input::World;
use crate::lead::Lead;
use crate::policy::{Action, StateKind, StepView, WindowRow, WorkflowId, most_specific};
use chrono::{DateTime, Utc};

/// An instant at which something is to be done.
#[derive(Debug, Clone)]
pub(crate) struct Timer<'a> {
    pub due: DateTime<Utc>,
    pub what: What<'a>,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) enum What<'a> {
    /// The hold ends; the lead goes back.
    HoldEnd,
    /// A threshold of a clock.
    Step(StepDue<'a>),
}

/// A threshold of a clock that was not passed yet.
#[derive(Debug, Clone)]
pub(crate) struct StepDue<'a> {
    pub workflow: WorkflowId,
    pub step: &'a str,
    pub percent: u16,
    pub actions: &'a [Action],
    pub window: WorkingTime,
    pub calendar: &'a Calendar,
}

/// The window of a clock and the calendar that it is measured on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure<'a> {
    pub window: WorkingTime,
    pub calendar: &'a Calendar,
}

/// All that a lead waits for, in no order.
pub(crate) fn timers<'a>(lead: &Lead, world: &World<'a>) -> Vec<Timer<'a>> {
    let mut timers = Vec::new();
    if lead.kind == StateKind::Hold
        && !lead.is_held()
        && let Some(due) = lead.hold_until
    {
        timers.push(Timer { due: due.max(lead.entered_at), what: What::HoldEnd });
    }
    let policy = &world.policy.policy;
    let measured = [
        (WorkflowId::SlaBreach, &lead.visit.sla, sla_measure(lead, world)),
        (WorkflowId::StuckLead, &lead.visit.stuck, stuck_measure(lead, world)),
    ];
    for (workflow, clock, measure) in measured {
        let (Some(clock), Some(measure), Some(market)) = (clock, measure, &lead.profile.market) else {
            continue;
        };
        for step in policy.steps_in(workflow, market) {
            push_step(&mut timers, clock, measure, workflow, step);
        }
    }
    if let Some(review) = &lead.review {
        let calendar = compliance_calendar(world);
        for reminder in &policy.workflows.compliance_flag.reminders {
            let measure = Measure { window: reminder.after.on(calendar), calendar };
            let step = StepView { step: &reminder.step, percent: 100, actions: &[] };
            push_step(&mut timers, &review.clock, measure, WorkflowId::ComplianceFlag, step);
        }
    }
    timers
}

fn push_step<'a>(
    timers: &mut Vec<Timer<'a>>,
    clock: &Clock,
    Measure { window, calendar }: Measure<'a>,
    workflow: WorkflowId,
    StepView { step, percent, actions }: StepView<'a>,
) {
    if clock.passed.iter().any(|passed| passed == step) {
        return;
    }
    let target = WorkingTime::from_secs(share(window.secs(), percent));
    if let Some(due) = clock.due(calendar, target) {
        timers.push(Timer {
            due,
            what: What::Step(StepDue { workflow, step, percent, actions, window, calendar }),
        });
    }
}

fn share(secs: i64, percent: u16) -> i64 {
    (secs.saturating_mul(i64::from(percent)) / 100).max(1)
}

/// The window of the SLA clock that stands.
pub(crate) fn sla_measure<'a>(lead: &Lead, world: &World<'a>) -> Option<Measure<'a>> {
    let clock = lead.visit.sla.as_ref()?;
    let measure = measure(lead, world, &world.policy.policy.workflows.sla_breach.windows)?;
    let window = WorkingTime::from_secs(share(measure.window.secs(), clock.window_percent));
    Some(Measure { window, ..measure })
}

/// The window of the stuck clock: its own, or the SLA window of the state, never a tightened one.
pub(crate) fn stuck_measure<'a>(lead: &Lead, world: &World<'a>) -> Option<Measure<'a>> {
    let workflows = &world.policy.policy.workflows;
    measure(lead, world, &workflows.stuck_lead.windows)
        .or_else(|| measure(lead, world, &workflows.sla_breach.windows))
}

fn measure<'a>(lead: &Lead, world: &World<'a>, rows: &'a [WindowRow]) -> Option<Measure<'a>> {
    let id = lead.profile.market.as_ref()?;
    let market = world.directory.market(id)?;
    let row = most_specific(rows, id, &lead.source(), &lead.state)?;
    let calendar = world.directory.calendar(row.calendar.as_ref().unwrap_or(&market.calendar))?;
    Some(Measure { window: row.window.on(calendar), calendar })
}

/// The compliance desk's working time.
pub(crate) fn compliance_calendar<'a>(world: &World<'a>) -> &'a Calendar {
    static ROUND_THE_CLOCK: std::sync::LazyLock<Calendar> = std::sync::LazyLock::new(Calendar::always);
    let always = CalendarId::from(ALWAYS);
    let id = world.directory.document().compliance.calendar.as_ref().unwrap_or(&always);
    world.directory.calendar(id).unwrap_or(&ROUND_THE_CLOCK)
}

/// The earliest instant at which the lead has to be looked at again.
pub(crate) fn wake_at(lead: &Lead, world: &World<'_>) -> Option<DateTime<Utc>> {
    timers(lead, world).into_iter().map(|timer| timer.due).min()
}
