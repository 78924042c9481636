//! Thresholds and windows in Markdown.

use super::{Edition, calendar_name, code};
use policy::ids::{MarketId, Source, StateId};
use policy::{Action, Ladder, StepView, WindowRow, WorkflowId, most_specific};
use rules::lead::inside::step_messages;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The thresholds of a workflow, and what markets do otherwise.
pub(super) fn steps(edition: &Edition<'_>, workflow: WorkflowId, markets: &[&MarketId]) -> String {
    let policy = edition.policy();
    let anywhere = policy.steps_in(workflow, &MarketId::new(""));
    let mut text = "\n#### Steps\n".to_owned();
    text.push_str(&table(edition, workflow, &anywhere));
    for market in markets {
        _ = writeln!(text, "\n#### Steps in market {}\n", code(market));
        let own = policy.steps_in(workflow, market);
        let off: Vec<String> = anywhere
            .iter()
            .filter(|step| !own.iter().any(|other| other.step == step.step))
            .map(|step| code(step.step))
            .collect();
        if !off.is_empty() {
            _ = writeln!(text, "Switched off here: {}.", off.join(", "));
        }
        text.push_str(&table(edition, workflow, &own));
    }
    text
}

fn table(edition: &Edition<'_>, workflow: WorkflowId, steps: &[StepView<'_>]) -> String {
    if steps.is_empty() {
        return "\nThere is none; nothing is done.\n".to_owned();
    }
    let mut text = "\n| step | at | what is done, and who is told |\n| --- | --- | --- |\n".to_owned();
    for StepView { step, percent, actions } in steps {
        let done: Vec<String> = actions.iter().map(|action| done(edition, workflow, *action)).collect();
        _ = writeln!(text, "| {} | {percent} % of the window | {}. |", code(step), done.join("; "));
    }
    text
}

fn done(edition: &Edition<'_>, workflow: WorkflowId, action: Action) -> String {
    let (to_owner, to_manager) = step_messages(workflow);
    let most = edition.policy().workflows.sla_breach.max_reassignments;
    match action {
        Action::TellOwner => format!("the owner is told directly (`{}`)", to_owner.as_str()),
        Action::TellManager => {
            format!("the manager is told on the team's channel (`{}`)", to_manager.as_str())
        }
        Action::RecordBreach => "a breach is recorded against the owner and the team".to_owned(),
        Action::Reassign if most == 0 => "the lead goes to the operations queue, since the policy allows no \
                                          reassignment; the manager is told (`reassignment-impossible`)"
            .to_owned(),
        Action::Reassign => format!(
            "the lead goes to the next available rep of the team; the previous owner (`lead-taken`) and the new one \
             (`lead-given`) are told. If nobody can take it, or after {most} reassignments in one state, it stays where \
             it is and goes to the operations queue, and the manager is told (`reassignment-impossible`)"
        ),
        Action::QueueForOperations => "the lead is put into the operations queue".to_owned(),
    }
}

/// The windows of a workflow: each state by source, and each market's own.
pub(super) fn windows(ladder: Ladder<'_>) -> String {
    let rows = ladder.windows;
    let mut text = "\n#### Windows\n".to_owned();
    if rows.is_empty() {
        text.push_str("\nIt has none of its own and goes by those of `sla-breach`.\n");
        return text;
    }
    if ladder.workflow == WorkflowId::StuckLead {
        text.push_str("\nWhere it has none of its own it goes by those of `sla-breach`.\n");
    }
    text.push_str(&matrix(rows, None));
    let markets: BTreeSet<&MarketId> = rows.iter().filter_map(|row| row.market.as_ref()).collect();
    for market in markets {
        _ = writeln!(text, "\nIn market {}:", code(market));
        text.push_str(&matrix(rows, Some(market)));
    }
    let calendars: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let calendar = calendar_name(row.calendar.as_ref()?.as_str());
            let market =
                row.market.as_ref().map(|market| format!(" in market {}", code(market))).unwrap_or_default();
            let source =
                row.source.as_ref().map(|source| format!(" from {}", code(source))).unwrap_or_default();
            Some(format!("{}{source}{market} {calendar}", code(&row.state)))
        })
        .collect();
    if !calendars.is_empty() {
        _ = writeln!(text, "\nNot on the market's calendar: {}.", calendars.join("; "));
    }
    text
}

/// A row for each state, a column for each source that is named; what a lead goes by in the end.
fn matrix(rows: &[WindowRow], market: Option<&MarketId>) -> String {
    let nowhere = MarketId::new("");
    let in_force = market.unwrap_or(&nowhere);
    let counts = |row: &&WindowRow| row.market.is_none() || row.market.as_ref() == market;
    let rows: Vec<WindowRow> = rows.iter().filter(counts).cloned().collect();
    let sources: BTreeSet<&Source> = rows.iter().filter_map(|row| row.source.as_ref()).collect();
    let mut states: Vec<&StateId> = Vec::new();
    for row in &rows {
        if !states.contains(&&row.state) {
            states.push(&row.state);
        }
    }
    // A source that nobody names gets what all others get.
    let other = Source::new("");
    let named: Vec<String> = sources.iter().map(|source| format!(" {} |", code(source))).collect();
    let lines: Vec<&str> = sources.iter().map(|_| " --- |").collect();
    let others = if sources.is_empty() { "any source" } else { "any other source" };
    let mut text = format!("\n| state |{} {others} |\n| --- |{} --- |\n", named.concat(), lines.concat());
    for state in states {
        _ = write!(text, "| {} |", code(state));
        for source in sources.iter().copied().chain([&other]) {
            let window = most_specific(&rows, in_force, source, state).map(|row| row.window.to_string());
            _ = write!(text, " {} |", window.as_deref().unwrap_or("none"));
        }
        text.push('\n');
    }
    text
}
