//! Settles what was due: in order of time, each threshold once.
//!
//! After an outage only the highest threshold that was passed is acted on; the lower ones are
//! recorded as superseded. Within the sweep's own precision nothing was missed, so each is acted
//! on, as of its own instant.

use crate::aggregate::{Defect, Undecided};
use crate::clock::{Clock, MISSED_AFTER};
use crate::lead::decide::deciding::Deciding;
use crate::lead::decide::moves::end_hold;
use crate::lead::decide::{operations, owners};
use crate::lead::event::{LeadFact, PUBLICATION, Threshold};
use crate::lead::state::{Lead, WorkState};
use crate::lead::timers::{self, StepDue, Timer, What, timers_due};
use crate::lead::workflows;
use crate::lead::workflows::compliance_flag;
use chrono::{DateTime, Utc};
use policy::{Action, WorkflowId};

/// A threshold that was passed before the lead came here.
const HISTORY: &str = "history";

/// Far more timers than one lead can have due at once; a policy of any shape ends here.
const ROUNDS_MAX: usize = 512;

/// Does whatever is due up to an instant.
pub(super) fn settle(d: &mut Deciding<'_>, until: DateTime<Utc>) -> Result<(), Undecided> {
    settle_those(d, until, |_| true)
}

/// Does what an input brought about that is due at once: it may tell of an old lead, or of a state that was
/// entered long ago. Personal data whose time is over by that is erased by the wake that follows: most
/// functions that take inputs may not erase, and without the input nothing would be due.
pub(super) fn settle_after_input(d: &mut Deciding<'_>) -> Result<(), Undecided> {
    if d.of_input().next().is_none() {
        // What was due is done, and the input brought nothing about.
        return Ok(());
    }
    let until = d.now;
    settle_those(d, until, |what| !matches!(what, What::RetentionEnd))
}

fn settle_those(
    d: &mut Deciding<'_>,
    until: DateTime<Utc>,
    is_for_now: impl Fn(&What<'_>) -> bool,
) -> Result<(), Undecided> {
    for _ in 0..ROUNDS_MAX {
        let next = d.next_due().wake_at;
        let Some(lead) = d.lead().filter(|_| next.is_some_and(|next| next <= until)) else { return Ok(()) };
        let mut due = timers_due(lead, d.rules, until);
        due.retain(|timer| is_for_now(&timer.what));
        due.sort_by_key(|t| (t.due, order(&t.what)));
        let Some(next) = due.first().cloned() else {
            return Ok(());
        };
        // It takes effect at its own instant, unless it was missed: then nobody could have acted
        // on it before now.
        let effective = if d.now - next.due > MISSED_AFTER { d.now } else { next.due };
        d.begin_timer(next.due, effective);
        match &next.what {
            What::HoldEnd => {
                end_hold(d);
                owners::follow_presence(d)?;
            }
            What::RetentionEnd => super::staff::end_retention(d),
            What::Step(step) => settle_step(d, step, next.due, &due)?,
        }
        operations::reconcile(d, false);
    }
    Err(Defect::Endless { what: "something is due", rounds: ROUNDS_MAX }.into())
}

/// Records the thresholds that are passed at a publication's instant, by the rules it brought, as
/// passed: nobody is told of each, or a rule that is tightened would be a storm.
pub(super) fn pass_at_publication(d: &mut Deciding<'_>, passed: &[Timer<'_>], at: DateTime<Utc>) {
    for timer in passed {
        let What::Step(step) = &timer.what else { continue };
        d.begin_timer(timer.due, at);
        let by = if is_history(d, step.workflow, timer.due) {
            HISTORY.to_owned()
        } else {
            passed_above(d, step).unwrap_or_else(|| PUBLICATION.to_owned())
        };
        let threshold = threshold(d, step);
        d.fact(Some((step.workflow, Some(step.step))), LeadFact::ThresholdSuperseded { threshold, by });
    }
}

/// Whether somebody would be told of a threshold, had a publication not made it passed.
pub(super) fn is_news(d: &Deciding<'_>, step: &StepDue<'_>, due: DateTime<Utc>) -> bool {
    !is_history(d, step.workflow, due) && passed_above(d, step).is_none()
}

fn is_history(d: &Deciding<'_>, workflow: WorkflowId, due: DateTime<Utc>) -> bool {
    let until = d.lead().and_then(|lead| clock(lead, workflow)?.history_until);
    until.is_some_and(|until| due <= until)
}

/// Whether a threshold that a clock had passed when it came to rest is one only by rules that were
/// published during that rest: whatever was due by the rules before them was settled then. On hold
/// nothing is written of it; so it is told apart when the lead comes back.
fn is_passed_by_rules_of_a_rest(d: &Deciding<'_>, workflow: WorkflowId, due: DateTime<Utc>) -> bool {
    let published = [d.rules.published().published_at, d.rules.directory().published_at()];
    let rest = d.lead().and_then(|lead| clock(lead, workflow)?.rest_after(due));
    rest.is_some_and(|(from, to)| published.iter().any(|at| *at > from && to.is_none_or(|to| *at <= to)))
}

fn settle_step(
    d: &mut Deciding<'_>,
    step: &StepDue<'_>,
    due: DateTime<Utc>,
    all: &[Timer<'_>],
) -> Result<(), Undecided> {
    let threshold = threshold(d, step);
    let tag = Some((step.workflow, Some(step.step)));
    let higher = all
        .iter()
        .filter_map(|t| match &t.what {
            What::Step(other) if other.workflow == step.workflow && other.step != step.step => {
                Some(other.step)
            }
            _ => None,
        })
        .next_back();
    if is_history(d, step.workflow, due) {
        d.fact(tag, LeadFact::ThresholdSuperseded { threshold, by: HISTORY.to_owned() });
        return Ok(());
    }
    if is_passed_by_rules_of_a_rest(d, step.workflow, due) {
        let by = passed_above(d, step).unwrap_or_else(|| PUBLICATION.to_owned());
        d.fact(tag, LeadFact::ThresholdSuperseded { threshold, by });
        return Ok(());
    }
    if let Some(higher) = higher
        && d.now - due > MISSED_AFTER
    {
        let by = higher.to_owned();
        d.fact(tag, LeadFact::ThresholdSuperseded { threshold: threshold.clone(), by });
        // Whom to tell has changed while nobody could be told; that the window was broken has not.
        // What is history was broken before we watched, and what a policy makes late was not late.
        if step.actions.contains(&Action::RecordBreach) {
            workflows::act(d, step.workflow, step.step, Action::RecordBreach, &threshold)?;
        }
        return Ok(());
    }
    // A policy that was published since can bring a step below one that has been acted on.
    if let Some(higher) = passed_above(d, step) {
        d.fact(tag, LeadFact::ThresholdSuperseded { threshold, by: higher });
        return Ok(());
    }
    d.fact(tag, LeadFact::ThresholdReached(threshold.clone()));
    match step.workflow {
        WorkflowId::ComplianceFlag => compliance_flag::remind(d, step.step, &threshold),
        workflow => {
            for action in step.actions {
                workflows::act(d, workflow, step.step, *action, &threshold)?;
            }
        }
    }
    Ok(())
}

/// The highest step above this one that its clock has passed.
fn passed_above(d: &Deciding<'_>, step: &StepDue<'_>) -> Option<String> {
    let lead = d.lead()?;
    let passed = clock(lead, step.workflow)?;
    let steps = match (step.workflow, &lead.profile.market) {
        (WorkflowId::ComplianceFlag, _) => d.rules.reviews().reminders.as_slice(),
        (workflow, Some(market)) => d.rules.market(market)?.steps(workflow),
        (_, None) => return None,
    };
    let mut above = steps.iter().rev().map(|step| &step.name).take_while(|name| *name != step.step);
    above.find(|name| passed.has_passed(name)).cloned()
}

fn clock(lead: &Lead, workflow: WorkflowId) -> Option<&Clock> {
    timers::clock(lead, WorkState::of(lead), workflow)
}

fn threshold(d: &Deciding<'_>, step: &StepDue<'_>) -> Threshold {
    let lead = d.lead();
    let clock = lead.and_then(|lead| clock(lead, step.workflow));
    Threshold {
        clock: clock.map_or(0, |c| c.number),
        percent: step.percent,
        elapsed_s: clock.map_or(0, |c| c.elapsed(step.measure.calendar, d.at()).secs()),
        window_s: step.measure.window.secs(),
        state: lead.map_or_else(|| "".into(), |l| l.state.clone()),
        market: lead.and_then(|l| l.profile.market.clone()),
        owner: lead.and_then(|l| l.owner.clone()),
    }
}

/// What comes first at the same instant: the end of a hold, then compliance, then the rest.
fn order(what: &What<'_>) -> (u8, u16) {
    match what {
        What::HoldEnd => (0, 0),
        // Whatever else is due is done first: it may open the lead again.
        What::RetentionEnd => (4, 0),
        What::Step(step) => match step.workflow {
            WorkflowId::ComplianceFlag => (1, step.percent),
            WorkflowId::SlaBreach => (2, step.percent),
            _ => (3, step.percent),
        },
    }
}
