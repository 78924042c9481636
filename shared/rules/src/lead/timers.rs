//! What a lead waits for: every instant at which a workflow has something to do with it.

use crate::clock::Clock;
use crate::draft::NextDue;
use crate::lead::event::LeadFact;
use crate::lead::state::{Lead, WorkState};
use chrono::{DateTime, Utc};
use policy::calendar::{Calendar, WorkingTime};
use policy::ids::{MarketId, StateId};
use policy::{Action, MarketRules, ReviewRules, RuleStep, RuleWindows, Rulebook, StateKind, WorkflowId};

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
#[derive(Debug, Clone, Copy)]
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
        share(self.measure.window, self.percent)
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
#[derive(Debug, Clone, Copy)]
pub struct Ladder<'l, 'a> {
    /// The clock.
    pub clock: &'l Clock,
    /// What it is measured against. Reminders have windows of their own.
    pub measure: Measure<'a>,
    workflow: WorkflowId,
    steps: &'a [RuleStep],
}

impl<'a> Ladder<'_, 'a> {
    /// Its steps. Those of sales rise; reminders are in any order.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = StepDue<'a>> + use<'a> {
        let (workflow, measure) = (self.workflow, self.measure);
        self.steps.iter().map(move |RuleStep { name, percent, actions, window }| StepDue {
            workflow,
            step: name,
            percent: *percent,
            actions,
            measure: Measure { window: window.unwrap_or(measure.window), ..measure },
        })
    }

    /// When its next step is due, where that may be earlier than an instant at which something else is.
    fn next_due(&self, unless_after: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let to_come = self.steps().filter(|step| !self.clock.has_passed(step.step));
        let due = |step: StepDue<'_>| {
            let target = step.target();
            // Usually another clock is due long before, so the calendar is not asked.
            let is_sooner =
                |other| self.clock.due_not_before(target).is_some_and(|earliest| earliest < other);
            unless_after.is_none_or(is_sooner).then(|| self.clock.due(step.measure.calendar, target))?
        };
        match self.workflow {
            WorkflowId::ComplianceFlag => to_come.filter_map(due).min(),
            // Steps rise: none is due before the first that is to come.
            _ => to_come.take(1).find_map(due),
        }
    }
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

/// All that a lead waits for, in no order.
pub fn timers<'a>(lead: &Lead, rules: &'a Rulebook) -> Vec<Timer<'a>> {
    timers_within(lead, rules, None)
}

/// What of it is due by an instant. The time that has elapsed tells that at once: most decisions find
/// nothing due, and compute no instant of a step.
pub fn timers_due<'a>(lead: &Lead, rules: &'a Rulebook, until: DateTime<Utc>) -> Vec<Timer<'a>> {
    let mut timers = timers_within(lead, rules, Some(until));
    timers.retain(|timer| timer.due <= until);
    timers
}

/// What a lead waits for; with an instant, only what can be due by then.
fn timers_within<'a>(lead: &Lead, rules: &'a Rulebook, until: Option<DateTime<Utc>>) -> Vec<Timer<'a>> {
    let mut timers = Vec::new();
    timers.extend(hold_end(lead).map(|due| Timer { due, what: What::HoldEnd }));
    timers.extend(retention_end(lead, rules).map(|due| Timer { due, what: What::RetentionEnd }));
    for ladder in ladders(lead, rules).into_iter().flatten() {
        let clock = ladder.clock;
        let elapsed = until.map(|until| clock.elapsed(ladder.measure.calendar, until));
        let steps = ladder.steps().filter(|step| elapsed.is_none_or(|elapsed| elapsed >= step.target()));
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

/// The clock of a workflow with its steps and the window that it is measured against; or why there is
/// nothing to measure.
pub fn ladder<'l, 'a>(
    lead: &'l Lead,
    place: WorkState<'l>,
    rules: &'a Rulebook,
    workflow: WorkflowId,
) -> Result<Ladder<'l, 'a>, Idle> {
    let clock = clock(lead, place, workflow).ok_or(Idle::NoClock)?;
    match workflow {
        WorkflowId::ComplianceFlag => Ok(review_ladder(clock, rules)),
        _ => SalesRules::of(lead, place, rules)?.ladder(clock, workflow),
    }
}

/// The ladders of the SLA, of a stuck lead, and of the review. The rules of the two sales clocks are found once.
fn ladders<'l, 'a>(lead: &'l Lead, rules: &'a Rulebook) -> [Option<Ladder<'l, 'a>>; 3] {
    let place = WorkState::of(lead);
    let sales = SalesRules::of(lead, place, rules).ok();
    let sales = |workflow| sales.as_ref()?.ladder(clock(lead, place, workflow)?, workflow).ok();
    let review = clock(lead, place, WorkflowId::ComplianceFlag).map(|clock| review_ladder(clock, rules));
    [sales(WorkflowId::SlaBreach), sales(WorkflowId::StuckLead), review]
}

fn review_ladder<'l, 'a>(clock: &'l Clock, rules: &'a Rulebook) -> Ladder<'l, 'a> {
    let ReviewRules { calendar, name, reminders } = rules.reviews();
    let measure = Measure { window: WorkingTime::ZERO, calendar, name: name.as_str() };
    Ladder { clock, measure, workflow: WorkflowId::ComplianceFlag, steps: reminders }
}

/// The clock of a workflow, where the lead is or was.
pub fn clock<'l>(lead: &'l Lead, place: WorkState<'l>, workflow: WorkflowId) -> Option<&'l Clock> {
    match workflow {
        WorkflowId::SlaBreach => place.visit.sla.as_ref(),
        WorkflowId::StuckLead => place.visit.stuck.as_ref(),
        WorkflowId::ComplianceFlag => lead.review.as_ref().map(|review| &review.clock),
        WorkflowId::HighValue | WorkflowId::ChurnRisk => None,
    }
}

/// What counts for the sales clocks of a lead where it is.
struct SalesRules<'l, 'a> {
    state: &'l StateId,
    id: &'l MarketId,
    market: &'a MarketRules,
    windows: Option<&'a RuleWindows>,
}

impl<'l, 'a> SalesRules<'l, 'a> {
    fn of(lead: &'l Lead, place: WorkState<'l>, rules: &'a Rulebook) -> Result<Self, Idle> {
        let id = lead.profile.market.as_ref().ok_or(Idle::MarketUnknown(None))?;
        let market = rules.market(id).ok_or_else(|| Idle::MarketUnknown(Some(id.clone())))?;
        let windows = market.windows(place.state, lead.profile.source.as_ref());
        Ok(Self { state: place.state, id, market, windows })
    }

    fn ladder<'c>(&self, clock: &'c Clock, workflow: WorkflowId) -> Result<Ladder<'c, 'a>, Idle> {
        let no_window = || Idle::NoWindow { state: self.state.clone(), market: self.id.clone() };
        let window = self.windows.and_then(|windows| windows.of(workflow)).ok_or_else(no_window)?;
        // How long is too long for a state stays what it is; the window of the SLA can be tightened.
        let length = match workflow {
            WorkflowId::SlaBreach => share(window.length, clock.window_percent),
            _ => window.length,
        };
        let measure = Measure { window: length, calendar: &window.calendar, name: window.name.as_str() };
        Ok(Ladder { clock, measure, workflow, steps: self.market.steps(workflow) })
    }
}

/// How a clock stands with a step of it.
pub fn mark(clock: &Clock, step: &StepDue<'_>) -> Mark {
    if clock.has_passed(step.step) {
        return Mark::Passed;
    }
    clock.due(step.measure.calendar, step.target()).map_or(Mark::NotDue, Mark::Due)
}

fn share(time: WorkingTime, percent: u16) -> WorkingTime {
    if percent == 100 {
        return time.max(WorkingTime::from_secs(1));
    }
    WorkingTime::from_secs((time.secs().saturating_mul(i64::from(percent)) / 100).max(1))
}

/// The next threshold of a sales clock.
pub fn next_step(lead: &Lead, rules: &Rulebook) -> Option<DateTime<Utc>> {
    next_due(lead, rules).step
}

/// What the lead waits for next.
pub fn next_due(lead: &Lead, rules: &Rulebook) -> NextDue {
    let [sla, stuck, review] = ladders(lead, rules);
    let next = |ladder: Option<Ladder<'_, '_>>, unless_after| ladder?.next_due(unless_after);
    let sla = next(sla, None);
    let step = earlier(sla, next(stuck, sla));
    let reminder = next(review, step);
    let wake_at = earlier(earlier(step, reminder), earlier(hold_end(lead), retention_end(lead, rules)));
    NextDue { step, wake_at }
}

fn earlier(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The earliest instant at which the lead has to be looked at again.
pub fn wake_at(lead: &Lead, rules: &Rulebook) -> Option<DateTime<Utc>> {
    next_due(lead, rules).wake_at
}

/// Whether a lead may wait for other instants after a fact.
pub fn are_moved_by(fact: &LeadFact) -> bool {
    match fact {
        LeadFact::Updated { changes, .. } => !changes.market.is_keep() || !changes.source.is_keep(),
        LeadFact::InputStale { .. }
        | LeadFact::InputRefused { .. }
        | LeadFact::InputNotUnderstood(_)
        | LeadFact::Notification(_) => false,
        _ => true,
    }
}
