//! Warnings about a policy's windows, and about the thresholds that they measure.

use super::warning::{Lint, Warnings};
use policy::calendar::{Calendar, WorkingTime};
use policy::directory::Directory;
use policy::ids::{MarketId, Source, StateId};
use policy::measure::{Window, spelled};
use policy::{EffectiveStep, Ladder, Policy, StateKind, WindowRow, WorkflowId};

/// A sweep runs every minute, so it sees two thresholds that are closer together as one.
const SWEEP_SECS: i64 = 60;
/// Calendars look at most fifty years ahead, see `Calendar::add`.
const HORIZON_SECS: i64 = 18_263 * 86_400;

pub(super) fn check(warnings: &mut Warnings, policy: &Policy, directory: Option<&Directory>) {
    let ladders = policy.ladders();
    for (n, row) in policy.states.iter().enumerate() {
        let has_window = |rows: &[WindowRow]| rows.iter().any(|window| window.state == row.state);
        if row.kind == StateKind::Working && !ladders.iter().any(|ladder| has_window(ladder.windows)) {
            let text = format!("no window covers `{}`; no lead is ever late or stuck in it", row.state);
            warnings.policy(Lint::UncoveredState, format!("states[{n}]"), text);
        } else if row.kind == StateKind::Working {
            check_gaps(warnings, &format!("states[{n}]"), &row.state, policy, directory);
        }
    }
    for Ladder { workflow, windows: rows, .. } in ladders {
        let at = format!("workflows.{workflow}.windows");
        for (n, row) in rows.iter().enumerate() {
            check_row(warnings, &format!("{at}[{n}]"), row, workflow, policy, directory);
            if let Some(directory) = directory {
                check_shadow(warnings, &format!("{at}[{n}]"), row, rows, directory);
            }
        }
    }
    check_covered(warnings, policy, directory);
}

/// Finds markets and sources without a window in a state that has others. A market without any window has
/// its own warning.
fn check_gaps(
    warnings: &mut Warnings,
    at: &str,
    state: &StateId,
    policy: &Policy,
    directory: Option<&Directory>,
) {
    let rows = policy.ladders().into_iter().flat_map(|ladder| ladder.windows).collect::<Vec<_>>();
    let markets: Vec<Option<&MarketId>> = match directory {
        Some(directory) => directory.document().markets.keys().map(Some).collect(),
        None => vec![None],
    };
    for market in markets {
        // Without a directory, a row of any market may be the one that covers it.
        let applies = |row: &&&WindowRow| market.is_none_or(|market| applies_in(row, market));
        let in_market: Vec<&&WindowRow> = rows.iter().filter(applies).collect();
        let of_state = || in_market.iter().filter(|row| row.state == *state);
        let place = market.map_or_else(String::new, |market| format!(" in market `{market}`"));
        if in_market.is_empty() || of_state().any(|row| row.source.is_none()) {
            continue;
        }
        let mut sources: Vec<&str> =
            of_state().filter_map(|row| row.source.as_ref()).map(Source::as_str).collect();
        sources.sort_unstable();
        sources.dedup();
        let text = if sources.is_empty() {
            format!("no window covers `{state}`{place}; no lead is ever late or stuck in it there")
        } else {
            format!(
                "only leads from {} have a window in `{state}`{place}; leads from other sources are never late or \
                 stuck there",
                sources.join(", ")
            )
        };
        warnings.policy(Lint::UncoveredState, at, text);
    }
}

/// A workflow needs a window to fire, in each market.
fn check_covered(warnings: &mut Warnings, policy: &Policy, directory: Option<&Directory>) {
    let w = &policy.workflows;
    let sla = w.sla_breach.windows.iter();
    for (workflow, rows) in [
        (WorkflowId::SlaBreach, sla.clone().collect::<Vec<_>>()),
        (WorkflowId::StuckLead, sla.chain(&w.stuck_lead.windows).collect()),
    ] {
        let at = format!("workflows.{workflow}");
        if rows.is_empty() {
            warnings.policy(
                Lint::NeverFires,
                format!("{at}.steps"),
                "the workflow has no windows; it never reaches a step",
            );
            continue;
        }
        let markets = directory.into_iter().flat_map(|d| d.document().markets.keys());
        for market in markets.filter(|market| !rows.iter().any(|row| applies_in(row, market))) {
            let text =
                format!("market `{market}` has no window in any state; `{workflow}` never fires there");
            warnings.policy(Lint::MarketWithoutWindows, format!("{at}.windows"), text);
        }
    }
}

fn applies_in(row: &WindowRow, market: &MarketId) -> bool {
    row.market.as_ref().is_none_or(|own| own == market)
}

/// Finds thresholds of a row's clock that are too close together, or too far ahead.
fn check_row(
    warnings: &mut Warnings,
    at: &str,
    row: &WindowRow,
    workflow: WorkflowId,
    policy: &Policy,
    directory: Option<&Directory>,
) {
    let markets: Vec<Option<&MarketId>> = match (&row.market, directory) {
        (Some(market), _) => vec![Some(market)],
        (None, Some(directory)) => directory.document().markets.keys().map(Some).collect(),
        (None, None) => vec![None],
    };
    for market in markets {
        let calendar = calendar_of(row, market, directory);
        let secs = match (row.window, calendar) {
            (Window::Working(time), _) => time.secs(),
            (Window::BusinessDays(_), Some(calendar)) => row.window.on(calendar).secs(),
            (Window::BusinessDays(_), None) => continue,
        };
        // An unknown market has no overrides.
        let any_market = MarketId::new("");
        let steps = policy.steps_in(workflow, market.unwrap_or(&any_market));
        let has_warned =
            check_distances(warnings, at, row, &steps, secs) | check_horizon(warnings, at, row, &steps, secs);
        if has_warned {
            return;
        }
    }
}

fn calendar_of<'a>(
    row: &WindowRow,
    market: Option<&MarketId>,
    directory: Option<&'a Directory>,
) -> Option<&'a Calendar> {
    let directory = directory?;
    let of_market = || market.and_then(|id| directory.market(id)).map(|market| &market.calendar);
    directory.calendar(row.calendar.as_ref().or_else(of_market)?)
}

fn check_distances(
    warnings: &mut Warnings,
    at: &str,
    row: &WindowRow,
    steps: &[EffectiveStep<'_>],
    secs: i64,
) -> bool {
    if secs < SWEEP_SECS {
        let text = format!("`{}` is shorter than the minute between two sweeps", row.window);
        warnings.policy(Lint::CrowdedSteps, format!("{at}.window"), text);
        return true;
    }
    let share = |step: &EffectiveStep<'_>| secs.saturating_mul(i64::from(step.percent)) / 100;
    let pairs = steps.iter().zip(steps.iter().skip(1));
    let close = pairs.map(|(a, b)| (share(b) - share(a), a.step, b.step)).min();
    let Some((distance, first, second)) = close.filter(|(distance, ..)| *distance < SWEEP_SECS) else {
        return false;
    };
    let text = format!(
        "`{first}` and `{second}` are {} apart in a window of `{}`; a sweep runs every minute",
        spelled(WorkingTime::from_secs(distance)),
        row.window
    );
    warnings.policy(Lint::CrowdedSteps, format!("{at}.window"), text);
    true
}

fn check_horizon(
    warnings: &mut Warnings,
    at: &str,
    row: &WindowRow,
    steps: &[EffectiveStep<'_>],
    secs: i64,
) -> bool {
    let beyond =
        |step: &&EffectiveStep<'_>| secs.saturating_mul(i64::from(step.percent)) / 100 > HORIZON_SECS;
    let Some(step) = steps.iter().find(beyond) else { return false };
    let text = format!(
        "`{}` is more than fifty years away, at {}% of `{}`; no lead ever reaches it",
        step.step, step.percent, row.window
    );
    warnings.policy(Lint::NeverFires, format!("{at}.window"), text);
    true
}

/// Finds a row that more specific rows override in every market, for each of its sources.
fn check_shadow(
    warnings: &mut Warnings,
    at: &str,
    row: &WindowRow,
    rows: &[WindowRow],
    directory: &Directory,
) {
    let has = |market: &MarketId, source: Option<&Source>, state: &StateId| {
        rows.iter().any(|other| {
            other.market.as_ref() == Some(market) && other.source.as_ref() == source && other.state == *state
        })
    };
    let is_overridden_in = |market: &MarketId| {
        has(market, None, &row.state) || row.source.as_ref().is_some_and(|s| has(market, Some(s), &row.state))
    };
    let mut markets = directory.document().markets.keys().peekable();
    if row.market.is_none() && markets.peek().is_some() && markets.all(is_overridden_in) {
        let text = "every market has its own row, which takes precedence; no lead uses this one";
        warnings.policy(Lint::ShadowedWindow, at, text);
    }
}
