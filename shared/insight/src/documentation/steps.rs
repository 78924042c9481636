//! Thresholds and windows in Markdown.

use super::documented::DocumentedPolicy;
use super::format::{calendar_name, code};
use policy::ids::{MarketId, Source, StateId};
use policy::{Action, EffectiveStep, Ladder, WindowRow, WorkflowId, most_specific};
use rules::lead::inside::step_messages;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The thresholds of a workflow, and the markets that override them.
pub(super) fn steps(
    documented: &DocumentedPolicy<'_>,
    workflow: WorkflowId,
    markets: &[&MarketId],
) -> String {
    let policy = documented.policy();
    let anywhere = policy.steps_in(workflow, &MarketId::new(""));
    let mut text = "\n#### Steps\n".to_owned();
    text.push_str(&table(documented, workflow, &anywhere));
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
        text.push_str(&table(documented, workflow, &own));
    }
    text
}

fn table(documented: &DocumentedPolicy<'_>, workflow: WorkflowId, steps: &[EffectiveStep<'_>]) -> String {
    if steps.is_empty() {
        return "\nThe workflow has no steps and does nothing here.\n".to_owned();
    }
    let mut text = "\n| step | at | what happens, and who is notified |\n| --- | --- | --- |\n".to_owned();
    for EffectiveStep { step, percent, actions } in steps {
        let done: Vec<String> = actions.iter().map(|action| done(documented, workflow, *action)).collect();
        _ = writeln!(text, "| {} | {percent} % of the window | {}. |", code(step), done.join("; "));
    }
    text
}

fn done(documented: &DocumentedPolicy<'_>, workflow: WorkflowId, action: Action) -> String {
    let (to_owner, to_manager) = step_messages(workflow);
    let most = documented.policy().workflows.sla_breach.max_reassignments;
    match action {
        Action::TellOwner => format!("the owner gets a direct message (`{}`)", to_owner.as_str()),
        Action::TellManager => {
            format!("the manager gets a message on the team's channel (`{}`)", to_manager.as_str())
        }
        Action::RecordBreach => "a breach is recorded for the owner and the team".to_owned(),
        Action::Reassign if most == 0 => {
            "the lead goes to the operations queue, because the policy allows no \
             reassignment; the manager is notified (`reassignment-impossible`)"
                .to_owned()
        }
        Action::Reassign => format!(
            "the lead goes to the next available rep of the team; the previous owner (`lead-taken`) and the new one \
             (`lead-given`) are notified. If no rep can take it, or after {most} reassignments in one state, the owner \
             keeps it, it goes to the operations queue, and the manager is notified (`reassignment-impossible`)"
        ),
        Action::QueueForOperations => "the lead goes to the operations queue".to_owned(),
    }
}

/// The windows of a workflow, by state and source, then those of single markets.
pub(super) fn windows(ladder: Ladder<'_>) -> String {
    let rows = ladder.windows;
    let mut text = "\n#### Windows\n".to_owned();
    if rows.is_empty() {
        text.push_str("\nThe workflow uses the windows of `sla-breach`.\n");
        return text;
    }
    if ladder.workflow == WorkflowId::StuckLead {
        text.push_str("\nWithout a window here, a state uses the window of `sla-breach`.\n");
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

/// A table with a row for each state and a column for each source; each cell has the window that applies.
fn matrix(rows: &[WindowRow], market: Option<&MarketId>) -> String {
    let any_market = MarketId::new("");
    let own_market = market.unwrap_or(&any_market);
    let counts = |row: &&WindowRow| row.market.is_none() || row.market.as_ref() == market;
    let rows: Vec<WindowRow> = rows.iter().filter(counts).cloned().collect();
    let sources: BTreeSet<&Source> = rows.iter().filter_map(|row| row.source.as_ref()).collect();
    let mut states: Vec<&StateId> = Vec::new();
    for row in &rows {
        if !states.contains(&&row.state) {
            states.push(&row.state);
        }
    }
    // An unnamed source gets the window of all other sources.
    let other = Source::new("");
    let named: Vec<String> = sources.iter().map(|source| format!(" {} |", code(source))).collect();
    let lines: Vec<&str> = sources.iter().map(|_| " --- |").collect();
    let others = if sources.is_empty() { "any source" } else { "any other source" };
    let mut text = format!("\n| state |{} {others} |\n| --- |{} --- |\n", named.concat(), lines.concat());
    for state in states {
        _ = write!(text, "| {} |", code(state));
        for source in sources.iter().copied().chain([&other]) {
            let window = most_specific(&rows, own_market, source, state).map(|row| row.window.to_string());
            _ = write!(text, " {} |", window.as_deref().unwrap_or("none"));
        }
        text.push('\n');
    }
    text
}
