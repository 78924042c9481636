//! The whole page in Markdown.

use super::documented::DocumentedPolicy;
use super::format::{cell, code, day};
use super::{prose, workflow};
use policy::calendar::{CalendarDocument, Weekday};
use policy::{OrphanAction, Owners, PublishedPolicy, StateKind, WorkflowId};
use std::fmt::Write as _;

pub(super) fn markdown(documented: &DocumentedPolicy<'_>) -> String {
    let policy = documented.policy();
    let mut text = format!("# {}: what happens to leads, when, and why\n\n", cell(&policy.name));
    text.push_str(&head(documented));
    text.push_str(prose::INTRODUCTION);
    text.push_str("\n| workflow | what it does | version |\n| --- | --- | --- |\n");
    for id in WorkflowId::ALL {
        let what = cell(&policy.about(id).what);
        let version = documented.published.version_of(id);
        _ = writeln!(text, "| [`{id}`](#{id}) | {what} | {version} |");
    }
    text.push_str(&states(documented));
    text.push_str(&time(documented));
    text.push_str(&owners(documented));
    text.push_str("\n## Workflows\n");
    for id in WorkflowId::ALL {
        text.push('\n');
        text.push_str(&workflow::markdown(documented, id));
    }
    text.push_str(prose::AUDIT);
    text.push_str(prose::GLOSSARY);
    text
}

fn head(documented: &DocumentedPolicy<'_>) -> String {
    let from = "Leadwatch generates this page from the policy. Do not edit it by hand.";
    if documented.is_dated {
        let PublishedPolicy { revision, published_at, published_by, .. } = documented.published;
        return format!(
            "Revision {revision}, published {} by {}. {from}\n\n",
            day(*published_at),
            code(published_by)
        );
    }
    format!("{from}\n\n")
}

/// What happens to the leads of an owner who leaves or is away.
fn owners(documented: &DocumentedPolicy<'_>) -> String {
    let Owners { left, absent, .. } = &documented.policy().owners;
    let done = |orphan: &OrphanAction| match orphan {
        OrphanAction::Keep => "stays with the owner",
        OrphanAction::HandOn => "goes to the next available rep of the team, with a new clock",
        OrphanAction::Queue => "goes to the operations queue",
    };
    format!(
        "\n## Owners who leave or are away\n\nIf the owner is no longer a rep, the lead {}. If the owner is away and the \
         lead's next step is due before they return, the lead {}. An absence counts once it has lasted, or is announced \
         for, longer than {}. Leadwatch tells the manager what happened to the leads.\n",
        done(left),
        done(absent),
        documented.policy().owners.absent_after
    )
}

fn states(documented: &DocumentedPolicy<'_>) -> String {
    let mut text = "\n## States\n\nA lead is in one state at a time. The kind of the state decides whether time counts.\n\n\
                    | state | kind | meaning | name in CRMs |\n| --- | --- | --- | --- |\n"
        .to_owned();
    for row in &documented.policy().states {
        let stages: Vec<String> = row.stages.iter().map(code).collect();
        let meaning = match row.kind {
            StateKind::Working => "A rep works the lead: its clocks run.",
            StateKind::Hold => "Nobody works the lead for now: its clocks pause and continue later.",
            StateKind::Terminal => "The lead is closed: Leadwatch does nothing more.",
        };
        _ = writeln!(
            text,
            "| {} | {} | {meaning} | {} |",
            code(&row.state),
            row.kind.as_str(),
            stages.join(", ")
        );
    }
    text.push_str(
        "| `COMPLIANCE_HOLD` | hold | Compliance reviews the lead: no sales action happens. Only `compliance-flag` moves a \
         lead here and back. | |\n| `DISQUALIFIED_COMPLIANCE` | terminal | Compliance rejected the lead. | |\n",
    );
    if let Some(first) = documented.policy().first_state() {
        _ = writeln!(text, "\nA lead that arrives without a state starts in {}.", code(first));
    }
    text
}

fn time(documented: &DocumentedPolicy<'_>) -> String {
    let mut text = prose::TIME.to_owned();
    text.push_str(&markets(documented));
    let policy = documented.policy();
    let late = policy.intake.history_after;
    _ = writeln!(
        text,
        "\nData that arrives more than {late} late is history: Leadwatch records the thresholds that the lead had passed \
         by then, and notifies nobody."
    );
    _ = match &policy.retention {
        Some(retention) => writeln!(
            text,
            "\n**Retention**: Leadwatch erases a lead's personal data {} after the lead closes. A lead that reopens before \
             then keeps it. The decisions stay in the audit.",
            retention.personal_data
        ),
        None => writeln!(
            text,
            "\n**Retention**: Leadwatch keeps personal data until somebody requests its erasure."
        ),
    };
    match &policy.quiet_hours {
        Some(quiet) => {
            let except: Vec<String> = quiet.except.iter().map(|m| format!("`{}`", m.as_str())).collect();
            let except =
                if except.is_empty() { String::new() } else { format!(", except {}", except.join(", ")) };
            _ = writeln!(
                text,
                "\n**Quiet hours**: from {} to {}, in each person's own time zone, nobody gets direct messages{except}. \
                 Their messages wait. Clocks keep running, and channels get messages at any hour. People can have their \
                 own quiet hours.",
                quiet.from, quiet.to
            );
        }
        None => text.push_str("\nThe policy sets no quiet hours; people can have their own.\n"),
    }
    text
}

/// The markets with their calendars, from the directory.
fn markets(documented: &DocumentedPolicy<'_>) -> String {
    let Some(directory) = documented.directory else { return String::new() };
    let mut text =
        "\n| market | team | calendar | time zone | open | business day |\n| --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for (id, market) in &directory.document().markets {
        let calendar = directory.calendar(&market.calendar);
        let zone = calendar.map(|calendar| calendar.time_zone_name()).unwrap_or_default();
        let length =
            calendar.map(|calendar| policy::measure::spelled(calendar.business_day())).unwrap_or_default();
        let document = directory.document().calendars.get(&market.calendar);
        _ = writeln!(
            text,
            "| {} | {} | {} | {zone} | {} | {length} |",
            code(id),
            code(&market.team),
            code(&market.calendar),
            document.map_or_else(|| "around the clock".to_owned(), open_hours)
        );
    }
    text
}

/// The opening hours of a calendar; consecutive days with the same hours form one range.
fn open_hours(document: &CalendarDocument) -> String {
    if document.always {
        return "around the clock".to_owned();
    }
    let hours = |day: Weekday| document.hours.get(&day).map(|blocks| blocks.join(", ")).unwrap_or_default();
    let mut runs: Vec<(Weekday, Weekday, String)> = Vec::new();
    for day in Weekday::ALL {
        let own = hours(day);
        match runs.last_mut() {
            Some((_, last, same)) if *same == own => *last = day,
            _ => runs.push((day, day, own)),
        }
    }
    let open = runs.iter().filter(|(.., hours)| !hours.is_empty()).map(|(first, last, hours)| {
        let days = if first == last {
            first.as_str().to_owned()
        } else {
            format!("{}–{}", first.as_str(), last.as_str())
        };
        format!("{days} {hours}")
    });
    open.collect::<Vec<_>>().join("; ")
}
