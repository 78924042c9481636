//! Watches one lead: which notices are open, and what ends them.

use super::figures::{Counts, Key};
use chrono::{DateTime, Utc};
use policy::calendar::{Calendar, WorkingTime};
use policy::ids::MarketId;
use policy::{PublishedPolicy, Rulebook, WorkflowId};
use rules::clock::Clock;
use rules::entry::Entry;
use rules::lead::inside::{Mark, Measure, Place, ladder, mark};
use rules::lead::{Lead, LeadFact};
use std::collections::BTreeMap;

/// The notices of a lead that nothing has followed yet.
#[derive(Debug, Default)]
pub(super) struct Watch {
    open: Vec<Notice>,
}

#[derive(Debug)]
struct Notice {
    key: Key,
    clock: u32,
    at: DateTime<Utc>,
    window: WorkingTime,
    /// Percent points up to the next threshold; `None`: there is none.
    gap: Option<u16>,
}

/// The policies that an entry is seen under.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policies<'a> {
    /// In force when the entry was recorded.
    pub then: &'a PublishedPolicy,
    /// In force by now.
    pub in_force: &'a PublishedPolicy,
}

impl Policies<'_> {
    /// Whether a step was at the same share of the window as it is by now, and the next one too.
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

impl Watch {
    /// Takes the next entry of the lead, as it was before it.
    pub fn see(
        &mut self,
        lead: &Lead,
        entry: &Entry<LeadFact>,
        policies: Policies<'_>,
        rules: &Rulebook,
        counts: &mut BTreeMap<Key, Counts>,
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
                // Those before it were not followed by anything in time.
                self.end(
                    |notice| notice.key.workflow == workflow,
                    |notice| {
                        counts.entry(notice.key.clone()).or_default().not_followed();
                    },
                );
                if !policies.is_as_in_force(workflow, &market, &step) {
                    return;
                }
                let key = Key { workflow, step, market };
                counts.entry(key.clone()).or_default().noticed(own.percent, next);
                self.open.push(Notice {
                    key,
                    clock: threshold.clock,
                    at: entry.at,
                    window: WorkingTime::from_secs(threshold.window_s),
                    gap: next.map(|next| next.saturating_sub(own.percent)),
                });
            }
            // What a timer does is no action of anybody.
            LeadFact::StateChanged { entered_at, .. } if entry.due_at.is_none() => {
                self.acted(lead, *entered_at, policies, rules, counts);
            }
            LeadFact::WaitingChanged { waiting_on_customer: true, since, .. } => {
                self.acted(lead, *since, policies, rules, counts);
            }
            // The clock ended, and nobody can say what would have come.
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

    /// Somebody moved the lead, or waits for the customer now.
    fn acted(
        &mut self,
        lead: &Lead,
        at: DateTime<Utc>,
        policies: Policies<'_>,
        rules: &Rulebook,
        counts: &mut BTreeMap<Key, Counts>,
    ) {
        for workflow in [WorkflowId::SlaBreach, WorkflowId::StuckLead] {
            let Ok(ladder) = ladder(lead, Place::of(lead), rules, workflow) else {
                continue;
            };
            let (clock, steps) = (ladder.clock, ladder.steps().collect::<Vec<_>>());
            let (Some(measure), Some(market)) = (steps.first().map(|s| s.measure), &lead.profile.market)
            else {
                continue;
            };
            let share = share_of(clock, &measure, at);
            for step in &steps {
                // Moved without the notice, shortly before it.
                let is_current = policies.is_as_in_force(workflow, market, step.step);
                if is_current && mark(clock, step) != Mark::Passed {
                    let key = Key { workflow, step: step.step.to_owned(), market: market.clone() };
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

/// Working time from a notice to what followed; what was so before it took no time.
fn elapsed(calendar: &Calendar, from: DateTime<Utc>, to: DateTime<Utc>) -> WorkingTime {
    if to <= from { WorkingTime::from_secs(0) } else { calendar.elapsed(from, to) }
}

/// How much of its window a clock had run, in hundredths of a percent.
fn share_of(clock: &Clock, measure: &Measure<'_>, at: DateTime<Utc>) -> i64 {
    let window = measure.window.secs().max(1);
    clock.elapsed(measure.calendar, at).secs().saturating_mul(10_000) / window
}
