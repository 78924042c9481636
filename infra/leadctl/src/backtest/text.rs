//! A backtest's report as a table.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::SecondsFormat;
use rules::backtest::{Happening, Pair, Report};
use rules::measure::grouped;

use super::LeadLink;

/// So many weeks of recipients are shown, those that change most; all of them are in the JSON.
const WEEKS_SHOWN: usize = 15;
/// So many first differences.
const DIFFERENCES_SHOWN: usize = 20;

/// All of it in words.
pub(super) fn spelled(report: &Report, link: Option<&LeadLink>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    _ = write(&mut out, report, link);
    out
}

fn write(out: &mut String, report: &Report, link: Option<&LeadLink>) -> std::fmt::Result {
    writeln!(out, "{}", identity(report))?;
    let revisions: Vec<String> = report.recorded_policies.iter().map(ToString::to_string).collect();
    writeln!(
        out,
        "\"{}\" against the record, decided under policy revision {}\n{} to {}: {} leads, {} of them different\n",
        report.policy,
        revisions.join(", "),
        report.since.format("%Y-%m-%d %H:%M"),
        report.until.format("%Y-%m-%d %H:%M"),
        grouped(report.leads),
        grouped(report.leads_different)
    )?;
    writeln!(out, "{:<42}{:>12}{:>12}{:>12}", "", "recorded", "replayed", "change")?;
    row(out, "messages", messages(report))?;
    for happening in Happening::ALL {
        let total = report.total(happening);
        if total != Pair::default() {
            row(out, happening.spelled(), total)?;
        }
    }
    for (name, at_most, at_the_end) in queues(report) {
        row(out, &format!("{name}, at most"), at_most)?;
        row(out, &format!("{name}, at the end"), at_the_end)?;
    }
    let mut changed: Vec<_> =
        report.messages_per_week().into_iter().filter(|(_, count)| count.more() != 0).collect();
    changed.sort_by_key(|(_, count)| std::cmp::Reverse(count.more().unsigned_abs()));
    if !changed.is_empty() {
        writeln!(out, "\nmessages per recipient and week, where they change most")?;
        for ((recipient, week), count) in changed.iter().take(WEEKS_SHOWN) {
            row(out, &format!("{recipient}, week of {week}"), *count)?;
        }
    }
    if changed.len() > WEEKS_SHOWN {
        writeln!(out, "and {} more; --json and --html have them", changed.len() - WEEKS_SHOWN)?;
    }
    for (what, n) in &report.not_applied {
        writeln!(out, "\n{} {what} made no sense in the replay and were not applied", grouped(*n))?;
    }
    if !report.first_differences.is_empty() {
        writeln!(out, "\nfirst differences")?;
    }
    for first in report.first_differences.iter().take(DIFFERENCES_SHOWN) {
        let at = first.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let side = |what: &Option<String>| what.clone().unwrap_or_else(|| "nothing".to_owned());
        let link = link.map(|link| format!("  {}", link.to(first.lead.as_str()))).unwrap_or_default();
        writeln!(
            out,
            "{at}  {}  recorded: {}; replayed: {}{link}",
            first.lead,
            side(&first.recorded),
            side(&first.replayed)
        )?;
    }
    Ok(())
}

/// The proof, in one line.
pub(super) fn identity(report: &Report) -> String {
    let identity = &report.identity;
    let mut line = format!(
        "identity: {} commits, {} differences",
        grouped(identity.commits),
        grouped(identity.differences)
    );
    if identity.without_input > 0 {
        line.push_str(&format!(
            "; {} more were recorded without their input and taken as they are",
            grouped(identity.without_input)
        ));
    }
    line
}

/// All messages.
pub(super) fn messages(report: &Report) -> Pair {
    let mut sum = Pair::default();
    report.messages.iter().for_each(|row| sum.add(row.count));
    sum
}

/// The queues: their names, the most that was in them, and what is in the end.
pub(super) fn queues(report: &Report) -> [(&'static str, Pair, Pair); 2] {
    let of = |name, queue: fn(&rules::backtest::QueueDay) -> Pair| {
        let most =
            |side: fn(Pair) -> u64| report.queues.iter().map(|day| side(queue(day))).max().unwrap_or(0);
        let at_most = Pair { recorded: most(|p| p.recorded), replayed: most(|p| p.replayed) };
        (name, at_most, report.queues.last().map(queue).unwrap_or_default())
    };
    [of("operations queue", |day| day.operations), of("compliance reviews", |day| day.reviews)]
}

/// Recipients whose messages change, those first that change most.
pub(super) fn changed_recipients(report: &Report) -> Vec<&str> {
    let per_week = report.messages_per_week();
    let mut changed: Vec<(u64, &str)> = per_week
        .keys()
        .map(|(recipient, _)| *recipient)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|recipient| {
            let weeks = per_week.iter().filter(|((to, _), _)| *to == recipient);
            (weeks.map(|(_, count)| count.more().unsigned_abs()).sum(), recipient)
        })
        .filter(|(change, _)| *change > 0)
        .collect();
    changed.sort_by_key(|(change, recipient)| (std::cmp::Reverse(*change), *recipient));
    changed.into_iter().map(|(_, recipient)| recipient).collect()
}

fn row(out: &mut String, name: &str, pair: Pair) -> std::fmt::Result {
    let (recorded, replayed) = (grouped(pair.recorded), grouped(pair.replayed));
    writeln!(out, "{name:<42}{recorded:>12}{replayed:>12}{:>12}", change(pair))
}

/// How many more or fewer.
pub(super) fn change(pair: Pair) -> String {
    match pair.more() {
        0 => "=".to_owned(),
        more if more > 0 => format!("+{}", grouped(more.unsigned_abs())),
        fewer => format!("−{}", grouped(fewer.unsigned_abs())),
    }
}
