//! Follows one lead: its open notices, and what ends them.

use super::figures::{Counts, StepKey};
use chrono::{DateTime, Utc};
use policy::calendar::{Calendar, WorkingTime};
use policy::ids::MarketId;
use policy::{PublishedPolicy, Rulebook, WorkflowId};
use rules::clock::Clock;
use rules::entry::Entry;
use rules::lead::inside::{Mark, Measure, WorkState, ladder, mark};
use rules::lead::{Lead, LeadFact};
use std::collections::BTreeMap;

/// The notices of a lead that nobody has acted on yet.
#[derive(Debug, Default)]
pub(super) struct OpenNotices {
    open: Vec<Notice>,
}

#[derive(Debug)]
struct Notice {
    key: StepKey,
    clock: u32,
    at: DateTime<Utc>,
    window: WorkingTime,
    /// Percentage points up to the next threshold, if there is one.
    gap: Option<u16>,
}

/// The policies that matter for an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policies<'a> {
    /// The policy in force when the entry was recorded.
    pub then: &'a PublishedPolicy,
    /// The policy in force now.
    pub in_force: &'a PublishedPolicy,
}

impl Policies<'_> {
    /// Whether a step and the next one had the same shares of the window as now.
    fn is_as_in_force(&self, workflow: WorkflowId, market: &MarketId, step: &str) -> bool {
        let shares = |policy: &PublishedPolicy| {
            let steps = policy.policy.steps_in(workflow, market);
            let own = steps.iter().find(|s| s.step == step)?.percent;
            Some((own, steps.iter().map(|s| s.percent).filter(|p| *p > own).min()))
        };
        let (was, is) = (shares(self.then), shares(self.in_force));
        is.is_some() && was == is
    }
}

impl OpenNotices {
    /// Takes the next entry. `lead` is the lead before it.
    pub fn follow(
        &mut self,
        lead: &Lead,
        entry: &Entry<LeadFact>,
        policies: Policies<'_>,
        rules: &Rulebook,
        counts: &mut BTreeMap<StepKey, Counts>,
    ) {
        let policy = policies.then;
        match &entry.fact {
            LeadFact::ThresholdReached(threshold) => {
                let Some((workflow, step, market)) = entry
                    .workflow
                    .as_ref()
                    .and_then(|w| Some((w.id, w.step.clone()?, threshold.market.clone()?)))
                else {
                    return;
                };
                let steps = policy.policy.steps_in(workflow, &market);
                let Some(own) = steps.iter().find(|s| s.step == step) else { return };
                let next = steps.iter().map(|s| s.percent).filter(|p| *p > own.percent).min();
                // Nobody acted on the earlier notices in time.
                self.end(
                    |notice| notice.key.workflow == workflow,
                    |notice| {
                        counts.entry(notice.key.clone()).or_default().not_followed();
                    },
                );
                if !policies.is_as_in_force(workflow, &market, &step) {
                    return;
                }
                let key = StepKey { workflow, step, market };
                counts.entry(key.clone()).or_default().noticed(own.percent, next);
                self.open.push(Notice {
                    key,
                    clock: threshold.clock,
                    at: entry.at,
                    window: WorkingTime::from_secs(threshold.window_s),
                    gap: next.map(|next| next.saturating_sub(own.percent)),
                });
            }
            // A change by a timer is no action of a person.
            LeadFact::StateChanged { entered_at, .. } if entry.due_at.is_none() => {
                self.acted(lead, *entered_at, policies, rules, counts);
            }
            LeadFact::WaitingChanged { waiting_on_customer: true, since, .. } => {
                self.acted(lead, *since, policies, rules, counts);
            }
            // The clock ended, so the open notices say nothing.
            LeadFact::StateChanged { .. }
            | LeadFact::Reassigned { .. }
            | LeadFact::Assigned { .. }
            | LeadFact::OwnerSet { .. }
            | LeadFact::ComplianceHeld { .. }
            | LeadFact::ClocksRestarted {}
            | LeadFact::AccountApplied { .. } => self.open.clear(),
            _ => {}
        }
    }

    /// A person moved the lead, or now waits for the customer.
    fn acted(
        &mut self,
        lead: &Lead,
        at: DateTime<Utc>,
        policies: Policies<'_>,
        rules: &Rulebook,
        counts: &mut BTreeMap<StepKey, Counts>,
    ) {
        for workflow in [WorkflowId::SlaBreach, WorkflowId::StuckLead] {
            let Ok(ladder) = ladder(lead, WorkState::of(lead), rules, workflow) else {
                continue;
            };
            let (clock, steps) = (ladder.clock, ladder.steps().collect::<Vec<_>>());
            let (Some(measure), Some(market)) = (steps.first().map(|s| s.measure), &lead.profile.market)
            else {
                continue;
            };
            let share = share_of(clock, &measure, at);
            for step in &steps {
                // A move without the notice, shortly before it.
                let is_current = policies.is_as_in_force(workflow, market, step.step);
                if is_current && mark(clock, step) != Mark::Passed {
                    let key = StepKey { workflow, step: step.step.to_owned(), market: market.clone() };
                    counts.entry(key).or_default().moved_without(share, step.percent);
                }
            }
            self.end(
                |notice| notice.key.workflow == workflow && notice.clock == clock.number,
                |notice| {
                    let took = elapsed(measure.calendar, notice.at, at);
                    let own = counts.entry(notice.key.clone()).or_default();
                    own.followed(took, notice.window, notice.gap);
                },
            );
        }
        self.open.clear();
    }

    fn end(&mut self, which: impl Fn(&Notice) -> bool, mut how: impl FnMut(&Notice)) {
        self.open.retain(|notice| {
            let ends = which(notice);
            if ends {
                how(notice);
            }
            !ends
        });
    }
}

/// Working time from a notice to the action; zero if the action came first.
fn elapsed(calendar: &Calendar, from: DateTime<Utc>, to: DateTime<Utc>) -> WorkingTime {
    if to <= from { WorkingTime::from_secs(0) } else { calendar.elapsed(from, to) }
}

/// The elapsed share of the window, in hundredths of a percent.
fn share_of(clock: &Clock, measure: &Measure<'_>, at: DateTime<Utc>) -> i64 {
    let window = measure.window.secs().max(1);
    clock.elapsed(measure.calendar, at).secs().saturating_mul(10_000) / window
}
