//! Checks a policy beyond its shape. A policy that passes never makes `decide` fail.

mod messages;
mod names;
mod steps;

use super::content::{Action, Policy, Returns, StateRow, WindowRow};
use crate::directory::Directory;
use crate::document::{DocumentError, Problems};
use crate::ids::{CalendarId, MarketId, StateId};
use crate::measure::{Window, whole_day};
use crate::vocabulary::{StateKind, WorkflowId};
use names::check_name;
use std::collections::{BTreeMap, BTreeSet};

/// More reassignments of one lead in one state than any team has reps.
const REASSIGNMENTS_MAX: u32 = 100;
/// A lead keeps no more returns than these.
const RETURNS_MAX: u32 = 16;
/// Reminders of one review at most; like the thresholds of a clock.
const REMINDERS_MAX: usize = 10;

impl Policy {
    /// Checks the policy by itself.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn check(&self) -> Result<(), DocumentError> {
        let mut problems = Problems::default();
        self.check_states(&mut problems);
        let w = &self.workflows;
        for ladder in self.ladders() {
            let at = format!("workflows.{}", ladder.workflow);
            steps::check(&mut problems, &at, ladder.steps);
            steps::check_markets(&mut problems, &at, ladder.steps, ladder.markets);
            self.check_rows(&mut problems, &format!("{at}.windows"), ladder.windows);
        }
        for id in WorkflowId::ALL {
            messages::check(&mut problems, id, self.messages(id));
        }
        if w.sla_breach.max_reassignments > REASSIGNMENTS_MAX {
            problems.add(
                "workflows.sla-breach.max_reassignments",
                format!(
                    "`{}` is too many; write at most {REASSIGNMENTS_MAX}",
                    w.sla_breach.max_reassignments
                ),
            );
        }
        if let Some(quiet) = &self.quiet_hours
            && quiet.from == quiet.to
        {
            problems.add("quiet_hours.to", whole_day(quiet.to));
        }
        if let Some(returns) = &w.stuck_lead.returns {
            check_returns(&mut problems, returns);
        }
        let high = &w.high_value;
        if high.score_margin >= high.score {
            problems.add(
                "workflows.high-value.score_margin",
                format!(
                    "`{}` must be less than the score (`{}`), or the workflow could never fire again",
                    high.score_margin, high.score
                ),
            );
        }
        if high.later_windows.get() > 100 {
            problems.add(
                "workflows.high-value.later_windows",
                format!("`{}` would make the windows longer; write at most `100%`", high.later_windows),
            );
        }
        let mut currencies = BTreeSet::new();
        for (n, money) in high.deal_size_over.iter().enumerate() {
            if !currencies.insert(money.currency()) {
                problems.add(
                    format!("workflows.high-value.deal_size_over[{n}]"),
                    format!("`{}` appears twice; keep one threshold per currency", money.currency()),
                );
            }
        }
        let flag = &w.compliance_flag;
        if !(1..=2).contains(&flag.officers) {
            problems.add(
                "workflows.compliance-flag.officers",
                format!("must be 1 or 2, not `{}`", flag.officers),
            );
        }
        if flag.reason_codes.is_empty() {
            problems.add(
                "workflows.compliance-flag.reason_codes",
                "is empty; add at least one, because every decision names a reason code",
            );
        }
        for (code, reason) in &flag.reason_codes {
            if !(1..=2).contains(&reason.officers) {
                problems.add(
                    format!("workflows.compliance-flag.reason_codes.{code}.officers"),
                    format!("must be 1 or 2, not `{}`", reason.officers),
                );
            }
        }
        let mut names = BTreeSet::new();
        let mut before: Option<Window> = None;
        for (n, reminder) in flag.reminders.iter().enumerate() {
            let at = format!("workflows.compliance-flag.reminders[{n}]");
            check_name(&mut problems, format!("{at}.step"), &reminder.step);
            // Hours and business days compare on a calendar alone.
            let same_unit = before.is_some_and(|b| {
                matches!(b, Window::Working(_)) == matches!(reminder.after, Window::Working(_))
            });
            if same_unit && before.is_some_and(|b| reminder.after <= b) {
                problems.add(
                    format!("{at}.after"),
                    format!("`{}` must be later than the reminder before it", reminder.after),
                );
            }
            before = Some(reminder.after);
            if !names.insert(reminder.step.as_str()) {
                problems.add(format!("{at}.step"), format!("`{}` appears twice; rename one", reminder.step));
            }
        }
        if flag.reminders.len() > REMINDERS_MAX {
            problems.add(
                "workflows.compliance-flag.reminders",
                format!("has {} reminders; write at most {REMINDERS_MAX}", flag.reminders.len()),
            );
        }
        problems.into_result(())
    }

    /// Checks that the directory has every market and calendar that the policy names.
    ///
    /// # Errors
    /// Every name that the directory lacks.
    pub fn check_against(&self, directory: &Directory) -> Result<(), DocumentError> {
        let mut problems = Problems::default();
        let known_market = |problems: &mut Problems, at: String, market: &MarketId| {
            if directory.market(market).is_none() {
                let known = directory.document().markets.keys().map(MarketId::as_str);
                problems.unknown(at, "market", market.as_str(), known);
            }
        };
        let calendar = |problems: &mut Problems, at: String, id: Option<&CalendarId>| {
            if let Some(id) = id
                && directory.calendar(id).is_none()
            {
                problems.unknown(at, "calendar", id.as_str(), directory.calendar_names());
            }
        };
        for ladder in self.ladders() {
            for (n, row) in ladder.windows.iter().enumerate() {
                let at = format!("workflows.{}.windows[{n}]", ladder.workflow);
                calendar(&mut problems, format!("{at}.calendar"), row.calendar.as_ref());
                if let Some(market) = &row.market {
                    known_market(&mut problems, format!("{at}.market"), market);
                }
            }
            for market in ladder.markets.keys() {
                known_market(
                    &mut problems,
                    format!("workflows.{}.markets.{market}", ladder.workflow),
                    market,
                );
            }
        }
        let of_churn = self.workflows.churn_risk.calendar.as_ref();
        calendar(&mut problems, "workflows.churn-risk.calendar".to_owned(), of_churn);
        problems.into_result(())
    }

    fn check_states(&self, problems: &mut Problems) {
        let mut seen = BTreeSet::new();
        for (n, row) in self.states.iter().enumerate() {
            let at = format!("states[{n}].state");
            if row.state.is_reserved() {
                problems
                    .add(&at, format!("`{}` is built in for the compliance workflow; remove it", row.state));
            }
            check_name(problems, at.clone(), row.state.as_str());
            if !seen.insert(&row.state) {
                problems.add(at, format!("`{}` appears twice; remove one", row.state));
            }
        }
        let mut stages: BTreeMap<&StateId, &StateId> = BTreeMap::new();
        for (n, row) in self.states.iter().enumerate() {
            for (m, stage) in row.stages.iter().enumerate() {
                let at = format!("states[{n}].stages[{m}]");
                check_name(problems, at.clone(), stage.as_str());
                if stage.is_reserved() {
                    problems
                        .add(&at, format!("`{stage}` is reserved for the compliance workflow; remove it"));
                } else if seen.contains(stage) {
                    problems.add(
                        &at,
                        format!("`{stage}` is already a state; remove this stage, or rename the state"),
                    );
                }
                if let Some(other) = stages.insert(stage, &row.state) {
                    problems
                        .add(at, format!("`{stage}` is already a stage of `{other}`; keep it in one state"));
                }
            }
        }
        if self.first_state().is_none() {
            problems.add("states", "no state is of kind `working`; add one, because a new lead starts in the first working state");
        }
    }

    fn check_rows(&self, problems: &mut Problems, at: &str, rows: &[WindowRow]) {
        let mut seen = BTreeSet::new();
        for (n, row) in rows.iter().enumerate() {
            match self.kind_of(&row.state) {
                Some(StateKind::Working) => {}
                Some(_) => problems.add(
                    format!("{at}[{n}].state"),
                    format!("`{}` is not a working state, so no clock runs in it; remove the row", row.state),
                ),
                None => problems.unknown(
                    format!("{at}[{n}].state"),
                    "state",
                    row.state.as_str(),
                    self.states.iter().map(|s: &StateRow| StateId::as_str(&s.state)),
                ),
            }
            if !seen.insert((&row.market, &row.source, &row.state)) {
                problems.add(
                    format!("{at}[{n}]"),
                    "an earlier row has the same market, source, and state; remove one of them",
                );
            }
        }
    }
}

fn check_returns(problems: &mut Problems, returns: &Returns) {
    let at = "workflows.stuck-lead.returns";
    if !(1..=RETURNS_MAX).contains(&returns.times) {
        problems
            .add(format!("{at}.times"), format!("must be from 1 to {RETURNS_MAX}, not `{}`", returns.times));
    }
    steps::check_actions(problems, &format!("{at}.do"), &returns.actions);
    for (n, action) in returns.actions.iter().enumerate() {
        if matches!(action, Action::RecordBreach | Action::Reassign) {
            let said = format!(
                "`{}` cannot be used here; write `tell-owner`, `tell-manager`, or `queue-for-operations`",
                action.as_str()
            );
            problems.add(format!("{at}.do[{n}]"), said);
        }
    }
}
