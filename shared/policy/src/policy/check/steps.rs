//! What makes thresholds sound, a workflow's own and those of its markets.

use super::names::check_name;
use crate::document::{Problems, hint};
use crate::ids::MarketId;
use crate::policy::content::{Action, Step, StepOverride};
use crate::policy::steps::in_market;
use std::collections::{BTreeMap, BTreeSet};

/// Thresholds of a clock at most. All of them may fall due in one decision, and one commit of the
/// store holds a hundred items.
const STEPS_MAX: usize = 10;

pub(super) fn check(problems: &mut Problems, at: &str, steps: &[Step]) {
    let mut names = BTreeSet::new();
    let mut before = None;
    for (n, step) in steps.iter().enumerate() {
        let at = format!("{at}.steps[{n}]");
        if !names.insert(step.step.as_str()) {
            problems.add(format!("{at}.step"), format!("`{}` appears twice; rename one", step.step));
        }
        check_name(problems, format!("{at}.step"), &step.step);
        if before.is_some_and(|b| step.at <= b) {
            problems.add(format!("{at}.at"), format!("`{}` must be higher than the step before it", step.at));
        }
        check_actions(problems, &format!("{at}.do"), &step.actions);
        before = Some(step.at);
    }
    check_number(problems, &format!("{at}.steps"), steps.len());
}

pub(super) fn check_markets(
    problems: &mut Problems,
    at: &str,
    steps: &[Step],
    markets: &BTreeMap<MarketId, Vec<StepOverride>>,
) {
    for (market, overrides) in markets {
        let at = format!("{at}.markets.{market}");
        let mut names = BTreeSet::new();
        for (n, own) in overrides.iter().enumerate() {
            let at = format!("{at}[{n}]");
            check_name(problems, format!("{at}.step"), &own.step);
            if !names.insert(own.step.as_str()) {
                problems.add(format!("{at}.step"), format!("`{}` appears twice; remove one", own.step));
            }
            if let Some(actions) = &own.actions {
                check_actions(problems, &format!("{at}.do"), actions);
            }
            check_override(problems, &at, own, steps);
        }
        let effective = in_market(steps, overrides);
        for (lower, upper) in effective.iter().zip(effective.iter().skip(1)) {
            if lower.percent == upper.percent {
                let is_own = |name: &str| overrides.iter().position(|own| own.step == name);
                let (n, own, other) = match (is_own(upper.step), is_own(lower.step)) {
                    (Some(n), _) => (n, upper.step, lower.step),
                    (None, Some(n)) => (n, lower.step, upper.step),
                    // Both are the workflow's own steps, and its check reports them.
                    (None, None) => continue,
                };
                problems.add(
                    format!("{at}[{n}].at"),
                    format!("`{own}` and `{other}` are both at {}% in this market; give each step its own percentage", lower.percent),
                );
            }
        }
        check_number(problems, &at, effective.len());
    }
}

/// An override changes a step of the workflow, switches it off, or is a whole step of its own.
fn check_override(problems: &mut Problems, at: &str, own: &StepOverride, steps: &[Step]) {
    let base = steps.iter().find(|step| step.step == own.step);
    let says_something = own.at.is_some() || own.actions.is_some();
    let names = || steps.iter().map(|step| step.step.as_str());
    match (base, own.off) {
        (None, true) => problems.unknown(format!("{at}.step"), "step of this workflow", &own.step, names()),
        (Some(_), true) if says_something => {
            problems.add(format!("{at}.off"), "a step that is off has no `at` or `do`; remove them");
        }
        (Some(_), true) => {}
        (Some(_), false) if !says_something => problems.add(
            at,
            format!("changes nothing about step `{}`; set `at` or `do`, or write `off: true`", own.step),
        ),
        (Some(_), false) => {}
        (None, false) if own.at.is_none() || own.actions.is_none() => {
            let missing = if own.at.is_none() { "at" } else { "do" };
            let names: Vec<&str> = names().collect();
            problems.add(
                format!("{at}.{missing}"),
                format!(
                    "is missing; `{}` is not a step of this workflow, so it is a new step and needs both `at` and `do` ({})",
                    own.step,
                    hint(&own.step, &names)
                ),
            );
        }
        (None, false) => {}
    }
}

pub(super) fn check_actions(problems: &mut Problems, at: &str, actions: &[Action]) {
    if actions.is_empty() {
        problems.add(at, "is empty; name at least one action");
    }
    for (n, action) in actions.iter().enumerate() {
        if actions.iter().take(n).any(|earlier| earlier == action) {
            problems.add(format!("{at}[{n}]"), "this action appears twice; name each action once");
        }
    }
}

fn check_number(problems: &mut Problems, at: &str, steps: usize) {
    if steps > STEPS_MAX {
        problems.add(at, format!("has {steps} steps; write at most {STEPS_MAX}"));
    }
}
