//! The thresholds of a workflow as they are in one market: the workflow's own, with what the
//! market changes, leaves out and adds.

use super::content::{Action, Step, StepOverride};

/// A threshold as it is in a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveStep<'a> {
    /// Its name in the audit.
    pub step: &'a str,
    /// At which share of the window.
    pub percent: u16,
    /// What is done.
    pub actions: &'a [Action],
}

/// The thresholds of a market, rising. An override that says too little to be a step of its own is
/// none; the policy's checks do not let one pass.
pub(super) fn in_market<'a>(steps: &'a [Step], overrides: &'a [StepOverride]) -> Vec<EffectiveStep<'a>> {
    let of = |step: &str| overrides.iter().find(|o| o.step == step);
    let own = steps.iter().filter_map(|step| {
        let changed = of(&step.step);
        (!changed.is_some_and(|o| o.off)).then(|| EffectiveStep {
            step: &step.step,
            percent: changed.and_then(|o| o.at).unwrap_or(step.at).get(),
            actions: changed.and_then(|o| o.actions.as_deref()).unwrap_or(&step.actions),
        })
    });
    let more = overrides.iter().filter(|o| !o.off && !steps.iter().any(|step| step.step == o.step));
    let more = more.filter_map(|o| {
        Some(EffectiveStep { step: &o.step, percent: o.at?.get(), actions: o.actions.as_deref()? })
    });
    let mut all: Vec<EffectiveStep<'a>> = own.chain(more).collect();
    all.sort_by_key(|step| step.percent);
    all
}
