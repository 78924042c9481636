//! What a lead waits for: every instant at which a workflow has something to do with it.

use crate::clock::Clock;
use crate::lead::state::{Lead, Place};
use chrono::{DateTime, Utc};
use policy::calendar::{Calendar, WorkingTime};
use policy::directory::ALWAYS;
use policy::ids::{CalendarId, MarketId, StateId};
use policy::{Action, Rulebook, StateKind, StepView, WindowRow, WorkflowId, most_specific};

/// An instant at which something is to be done.
#[derive(Debug, Clone)]
pub struct Timer<'a> {
    /// When.
    pub due: DateTime<Utc>,
    /// What.
    pub what: What<'a>,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum What<'a> {
    /// The hold ends; the lead goes back.
    HoldEnd,
    /// Its personal data is kept no longer.
    RetentionEnd,
    /// A threshold of a clock.
    Step(StepDue<'a>),
}

/// A threshold of a clock.
#[derive(Debug, Clone)]
pub struct StepDue<'a> {
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// Its name.
    pub step: &'a str,
    /// At which share of the window.
    pub percent: u16,
    /// What is done.
    pub actions: &'a [Action],
    /// What it is measured against.
    pub measure: Measure<'a>,
}

impl StepDue<'_> {
    /// The working time after which it is due.
    pub fn target(&self) -> WorkingTime {
        WorkingTime::from_secs(share(self.measure.window.secs(), self.percent))
    }
}

/// The window of a clock and the calendar that it is measured on.
#[derive(Debug, Clone, Copy)]
pub struct Measure<'a> {
    /// The window.
    pub window: WorkingTime,
    /// The calendar.
    pub calendar: &'a Calendar,
    /// The calendar's name in the directory.
    pub name: &'a str,
}

/// A clock with all of its steps, those that it has passed among them.
#[derive(Debug, Clone)]
pub struct Ladder<'l, 'a> {
    /// The clock.
    pub clock: &'l Clock,
    /// Its steps, rising.
    pub steps: Vec<StepDue<'a>>,
}

/// Why a workflow has no steps to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idle {
    /// No clock was begun.
    NoClock,
    /// The market is not known, or not to the directory.
    MarketUnknown(Option<MarketId>),
    /// The policy has no window there.
    NoWindow {
        /// The state.
        state: StateId,
        /// The market.
        market: MarketId,
    },
}

/// How a clock stands with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It was reached or superseded.
    Passed,
    /// It is due then.
    Due(DateTime<Utc>),
    /// The clock rests short of it, or does not come to it within the calendar's horizon.
    NotDue,
}

/// The workflows that wait on clocks.
const CLOCKED: [WorkflowId; 3] = [WorkflowId::SlaBreach, WorkflowId::StuckLead, WorkflowId::ComplianceFlag];

/// All that a lead waits for, in no order.
pub fn timers<'a>(lead: &Lead, rules: &'a Rulebook) -> Vec<Timer<'a>> {
    timers_where(lead, rules, |_, _| true)
}

/// What of it is due by an instant. The time that has elapsed tells that at once, while the instant
/// of a step has to be searched for: most decisions find nothing due, and search for nothing.
pub fn timers_due<'a>(lead: &Lead, rules: &'a Rulebook, until: DateTime<Utc>) -> Vec<Timer<'a>> {
    let is_due =
        |clock: &Clock, step: &StepDue<'_>| clock.elapsed(step.measure.calendar, until) >= step.target();
    let mut timers = timers_where(lead, rules, is_due);
    timers.retain(|timer| timer.due <= until);
    timers
}

fn timers_where<'a>(
    lead: &Lead,
    rules: &'a Rulebook,
    is_wanted: impl Fn(&Clock, &StepDue<'a>) -> bool,
) -> Vec<Timer<'a>> {
    let mut timers = Vec::new();
    timers.extend(hold_end(lead).map(|due| Timer { due, what: What::HoldEnd }));
    timers.extend(retention_end(lead, rules).map(|due| Timer { due, what: What::RetentionEnd }));
    for workflow in CLOCKED {
        let Ok(Ladder { clock, steps }) = ladder(lead, Place::of(lead), rules, workflow) else { continue };
        let steps = steps.into_iter().filter(|step| is_wanted(clock, step));
        timers.extend(steps.filter_map(|step| match mark(clock, &step) {
            Mark::Due(due) => Some(Timer { due, what: What::Step(step) }),
            Mark::Passed | Mark::NotDue => None,
        }));
    }
    timers
}

/// When the lead goes on by itself.
pub fn hold_end(lead: &Lead) -> Option<DateTime<Utc>> {
    let ends = lead.kind == StateKind::Hold && !lead.is_held();
    lead.hold_until.filter(|_| ends).map(|until| until.max(lead.entered_at))
}

/// When the personal data of a closed lead is kept no longer. It is erased whatever is known of it:
/// an event that was refused may have brought some, too.
pub fn retention_end(lead: &Lead, rules: &Rulebook) -> Option<DateTime<Utc>> {
    let kept = rules.policy().retention.as_ref()?.personal_data;
    lead.entered_at.checked_add_signed(kept.to_time()).filter(|_| lead.is_closed() && !lead.is_erased())
}

/// The clock of a workflow with its steps, each with the window that it is measured against; or why
/// there is nothing to measure.
pub fn ladder<'l, 'a>(
    lead: &'l Lead,
    place: Place<'l>,
    rules: &'a Rulebook,
    workflow: WorkflowId,
) -> Result<Ladder<'l, 'a>, Idle> {
    let policy = rules.policy();
    let (clock, measure) = match workflow {
        WorkflowId::SlaBreach => {
            let clock = place.visit.sla.as_ref().ok_or(Idle::NoClock)?;
            (clock, sla_measure(lead, place.state, clock, rules)?)
        }
        WorkflowId::StuckLead => {
            (place.visit.stuck.as_ref().ok_or(Idle::NoClock)?, stuck_measure(lead, place.state, rules)?)
        }
        WorkflowId::ComplianceFlag => {
            let review = lead.review.as_ref().ok_or(Idle::NoClock)?;
            let calendar = compliance_calendar(rules);
            let reminders = policy.workflows.compliance_flag.reminders.iter();
            let steps = reminders.map(|reminder| StepDue {
                workflow,
                step: &reminder.step,
                percent: 100,
                actions: &[],
                measure: Measure {
                    window: reminder.after.on(calendar),
                    calendar,
                    name: compliance_calendar_name(rules),
                },
            });
            return Ok(Ladder { clock: &review.clock, steps: steps.collect() });
        }
        WorkflowId::HighValue | WorkflowId::ChurnRisk => return Err(Idle::NoClock),
    };
    let market = lead.profile.market.as_ref().ok_or(Idle::MarketUnknown(None))?;
    let steps = policy.steps_in(workflow, market).into_iter();
    let steps = steps.map(|StepView { step, percent, actions }| StepDue {
        workflow,
        step,
        percent,
        actions,
        measure,
    });
    Ok(Ladder { clock, steps: steps.collect() })
}

/// How a clock stands with a step of it.
pub fn mark(clock: &Clock, step: &StepDue<'_>) -> Mark {
    if clock.passed.iter().any(|passed| passed == step.step) {
        return Mark::Passed;
    }
    clock.due(step.measure.calendar, step.target()).map_or(Mark::NotDue, Mark::Due)
}

fn share(secs: i64, percent: u16) -> i64 {
    (secs.saturating_mul(i64::from(percent)) / 100).max(1)
}

/// The window of an SLA clock.
fn sla_measure<'a>(
    lead: &Lead,
    state: &StateId,
    clock: &Clock,
    rules: &'a Rulebook,
) -> Result<Measure<'a>, Idle> {
    let measure = measure(lead, state, rules, &rules.policy().workflows.sla_breach.windows)?;
    let window = WorkingTime::from_secs(share(measure.window.secs(), clock.window_percent));
    Ok(Measure { window, ..measure })
}

/// The window of the stuck clock: its own, or the SLA window of the state, never a tightened one.
fn stuck_measure<'a>(lead: &Lead, state: &StateId, rules: &'a Rulebook) -> Result<Measure<'a>, Idle> {
    let workflows = &rules.policy().workflows;
    measure(lead, state, rules, &workflows.stuck_lead.windows)
        .or_else(|_| measure(lead, state, rules, &workflows.sla_breach.windows))
}

fn measure<'a>(
    lead: &Lead,
    state: &StateId,
    rules: &'a Rulebook,
    rows: &'a [WindowRow],
) -> Result<Measure<'a>, Idle> {
    let id = lead.profile.market.as_ref().ok_or(Idle::MarketUnknown(None))?;
    let market = rules.directory().market(id).ok_or_else(|| Idle::MarketUnknown(Some(id.clone())))?;
    let no_window = || Idle::NoWindow { state: state.clone(), market: id.clone() };
    let row = most_specific(rows, id, &lead.source(), state).ok_or_else(no_window)?;
    let name = row.calendar.as_ref().unwrap_or(&market.calendar);
    // A directory that was checked has every calendar that a checked policy names.
    let calendar = rules.directory().calendar(name).ok_or_else(no_window)?;
    Ok(Measure { window: row.window.on(calendar), calendar, name: name.as_str() })
}

/// The compliance desk's working time.
pub fn compliance_calendar(rules: &Rulebook) -> &Calendar {
    static ROUND_THE_CLOCK: std::sync::LazyLock<Calendar> = std::sync::LazyLock::new(Calendar::always);
    let id = CalendarId::from(compliance_calendar_name(rules));
    rules.directory().calendar(&id).unwrap_or(&ROUND_THE_CLOCK)
}

fn compliance_calendar_name(rules: &Rulebook) -> &str {
    rules.directory().document().compliance.calendar.as_ref().map_or(ALWAYS, CalendarId::as_str)
}

/// The next threshold of a sales clock.
pub fn next_step(lead: &Lead, rules: &Rulebook) -> Option<DateTime<Utc>> {
    let of_sales = [WorkflowId::SlaBreach, WorkflowId::StuckLead].into_iter();
    let ladders = of_sales.filter_map(|workflow| ladder(lead, Place::of(lead), rules, workflow).ok());
    let marks = ladders.flat_map(|Ladder { clock, steps }| {
        steps.into_iter().map(|step| mark(clock, &step)).collect::<Vec<_>>()
    });
    marks.filter_map(|mark| if let Mark::Due(due) = mark { Some(due) } else { None }).min()
}

/// The earliest instant at which the lead has to be looked at again.
pub fn wake_at(lead: &Lead, rules: &Rulebook) -> Option<DateTime<Utc>> {
    let steps = CLOCKED.into_iter().filter_map(|workflow| {
        let Ladder { clock, steps } = ladder(lead, Place::of(lead), rules, workflow).ok()?;
        let mut to_come = steps.iter().map(|step| mark(clock, step)).filter(|mark| *mark != Mark::Passed);
        let due = |mark| if let Mark::Due(due) = mark { Some(due) } else { None };
        match workflow {
            // Reminders are in any order.
            WorkflowId::ComplianceFlag => to_come.filter_map(due).min(),
            // Steps rise: none is due before the first that is to come.
            _ => to_come.next().and_then(due),
        }
    });
    steps.chain(hold_end(lead)).chain(retention_end(lead, rules)).min()
}
