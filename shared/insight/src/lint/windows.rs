//! What shows in the windows of a policy, and at the thresholds that are measured by them.

use super::{Lint, Warnings};
use policy::calendar::{Calendar, WorkingTime};
use policy::directory::Directory;
use policy::ids::{MarketId, Source, StateId};
use policy::measure::{Window, spelled};
use policy::{Ladder, Policy, StateKind, StepView, WindowRow, WorkflowId};

/// A sweep comes every minute: closer than this two thresholds are one.
const SWEEP_SECS: i64 = 60;
/// What is further ahead than fifty years is never reached, see `Calendar::add`.
const HORIZON_SECS: i64 = 18_263 * 86_400;

pub(super) fn check(warnings: &mut Warnings, policy: &Policy, directory: Option<&Directory>) {
    let ladders = policy.ladders();
    for (n, row) in policy.states.iter().enumerate() {
        let has_window = |rows: &[WindowRow]| rows.iter().any(|window| window.state == row.state);
        if row.kind == StateKind::Working && !ladders.iter().any(|ladder| has_window(ladder.windows)) {
            let said = format!("no window covers `{}`; no lead is ever late or stuck in it", row.state);
            warnings.policy(Lint::UncoveredState, format!("states[{n}]"), said);
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

/// A state can have windows that leave out a market, or every source without a row of its own. A
/// market without any window at all has a warning of its own.
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
        let said = if sources.is_empty() {
            format!("no window covers `{state}`{place}; no lead is ever late or stuck in it there")
        } else {
            format!(
                "only leads from {} have a window in `{state}`{place}; leads from other sources are never late or \
                 stuck there",
                sources.join(", ")
            )
        };
        warnings.policy(Lint::UncoveredState, at, said);
    }
}

/// Without any window nothing of a workflow fires, in a market or anywhere.
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
                "there is no window; no step is ever reached",
            );
            continue;
        }
        let markets = directory.into_iter().flat_map(|d| d.document().markets.keys());
        for market in markets.filter(|market| !rows.iter().any(|row| applies_in(row, market))) {
            let said =
                format!("market `{market}` has no window in any state; `{workflow}` never fires there");
            warnings.policy(Lint::MarketWithoutWindows, format!("{at}.windows"), said);
        }
    }
}

fn applies_in(row: &WindowRow, market: &MarketId) -> bool {
    row.market.as_ref().is_none_or(|own| own == market)
}

/// Thresholds of a row's clock: too close together, or too far ahead.
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
        // A market that nobody has says nothing of its own.
        let nowhere = MarketId::new("");
        let steps = policy.steps_in(workflow, market.unwrap_or(&nowhere));
        let told =
            check_distances(warnings, at, row, &steps, secs) | check_horizon(warnings, at, row, &steps, secs);
        if told {
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
    steps: &[StepView<'_>],
    secs: i64,
) -> bool {
    if secs < SWEEP_SECS {
        let said = format!("`{}` is shorter than the minute between two sweeps", row.window);
        warnings.policy(Lint::CrowdedSteps, format!("{at}.window"), said);
        return true;
    }
    let share = |step: &StepView<'_>| secs.saturating_mul(i64::from(step.percent)) / 100;
    let pairs = steps.iter().zip(steps.iter().skip(1));
    let close = pairs.map(|(a, b)| (share(b) - share(a), a.step, b.step)).min();
    let Some((apart, one, two)) = close.filter(|(apart, ..)| *apart < SWEEP_SECS) else {
        return false;
    };
    let said = format!(
        "`{one}` and `{two}` are {} apart in a window of `{}`; a sweep comes every minute",
        spelled(WorkingTime::from_secs(apart)),
        row.window
    );
    warnings.policy(Lint::CrowdedSteps, format!("{at}.window"), said);
    true
}

fn check_horizon(
    warnings: &mut Warnings,
    at: &str,
    row: &WindowRow,
    steps: &[StepView<'_>],
    secs: i64,
) -> bool {
    let beyond = |step: &&StepView<'_>| secs.saturating_mul(i64::from(step.percent)) / 100 > HORIZON_SECS;
    let Some(step) = steps.iter().find(beyond) else { return false };
    let said = format!(
        "`{}` is more than fifty years away, at {}% of `{}`; it is never reached",
        step.step, step.percent, row.window
    );
    warnings.policy(Lint::NeverFires, format!("{at}.window"), said);
    true
}

/// A row that others win over in every market, for every source that it is for.
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
    let wins_over = |market: &MarketId| {
        has(market, None, &row.state) || row.source.as_ref().is_some_and(|s| has(market, Some(s), &row.state))
    };
    let mut markets = directory.document().markets.keys().peekable();
    if row.market.is_none() && markets.peek().is_some() && markets.all(wins_over) {
        let said = "every market has a row of its own that wins over this one; no lead goes by it";
        warnings.policy(Lint::ShadowedWindow, at, said);
    }
}
