//! The report as text.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use insight::backtest::{Pair, Report};
use policy::measure::grouped;

use super::figures::{
    Table, cell, change, changes_heading, column, compared, identity, long, queues, rising, tables, totals,
};
use super::link::LeadLink;

/// How many recipients are listed: those with the largest changes. The JSON has all.
const RECIPIENTS_SHOWN: usize = 15;
/// How many rows of a table are listed.
const ROWS_SHOWN: usize = 25;
/// How many first differences are listed.
const DIFFERENCES_SHOWN: usize = 20;
/// How many policy changes are listed.
const CHANGES_SHOWN: usize = 40;
/// The width of the name column.
const NAME: usize = 42;

/// The whole report.
pub(super) fn spelled(report: &Report, link: Option<&LeadLink>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    _ = write(&mut out, report, link);
    out
}

fn write(out: &mut String, report: &Report, link: Option<&LeadLink>) -> std::fmt::Result {
    writeln!(out, "{}", identity(report))?;
    writeln!(out, "{}", compared(report))?;
    let time = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M");
    writeln!(
        out,
        "{} to {} (UTC): {} leads, {} of them differ.\n",
        time(report.since),
        time(report.until),
        grouped(report.leads),
        grouped(report.leads_different)
    )?;
    changes(out, report)?;
    let baseline = report.against.spelled();
    writeln!(out, "{:<NAME$}{baseline:>16}{:>12}{:>12}", "", "candidate", "change")?;
    for (name, total) in totals(report) {
        row(out, name, total)?;
    }
    for (name, at_most, at_the_end) in queues(report) {
        row(out, &format!("{name}, at most"), at_most)?;
        row(out, &format!("{name}, at the end"), at_the_end)?;
    }
    for table in tables(report) {
        self::table(out, &table)?;
    }
    recipients(out, report)?;
    for (what, n) in &report.not_applied {
        writeln!(
            out,
            "\n{} {what} did not fit the candidate's replay and were not applied ({} in the baseline).",
            grouped(n.candidate),
            grouped(n.baseline)
        )?;
    }
    if !report.first_differences.is_empty() {
        writeln!(out, "\nFirst difference per lead")?;
    }
    for first in report.first_differences.iter().take(DIFFERENCES_SHOWN) {
        let at = first.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let side = |what: &Option<String>| what.clone().unwrap_or_else(|| "nothing".to_owned());
        let link = link.map(|link| format!("  {}", link.to(first.lead.as_str()))).unwrap_or_default();
        writeln!(
            out,
            "{at}  {}  {baseline}: {}; candidate: {}{link}",
            first.lead,
            side(&first.baseline),
            side(&first.candidate)
        )?;
    }
    Ok(())
}

fn changes(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "{}", changes_heading(report))?;
    if report.changes.is_empty() {
        writeln!(out, "  none")?;
    }
    for change in report.changes.iter().take(CHANGES_SHOWN) {
        writeln!(out, "  {change}")?;
    }
    if report.changes.len() > CHANGES_SHOWN {
        writeln!(out, "  and {} more; --json and --html list them", report.changes.len() - CHANGES_SHOWN)?;
    }
    if let Some(rising) = rising(&report.versions_that_rise) {
        writeln!(out, "  {rising}")?;
    }
    writeln!(out)
}

fn table(out: &mut String, table: &Table) -> std::fmt::Result {
    writeln!(out)?;
    write!(out, "{:<NAME$}", table.title)?;
    let heads: Vec<&str> = table.columns.iter().map(|metric| column(table.title, *metric)).collect();
    let widths: Vec<usize> = heads.iter().map(|head| head.len().max(12) + 3).collect();
    for (head, width) in heads.iter().zip(&widths) {
        write!(out, "{head:>width$}")?;
    }
    writeln!(out)?;
    for (name, counts) in table.rows.iter().take(ROWS_SHOWN) {
        write!(out, "{name:<NAME$}")?;
        for (count, width) in counts.iter().zip(&widths) {
            write!(out, "{:>width$}", cell(*count))?;
        }
        writeln!(out)?;
    }
    if table.rows.len() > ROWS_SHOWN {
        writeln!(out, "and {} more; --json and --html list them", table.rows.len() - ROWS_SHOWN)?;
    }
    Ok(())
}

fn recipients(out: &mut String, report: &Report) -> std::fmt::Result {
    let mut changed: Vec<_> =
        report.messages_per_span().into_iter().filter(|(_, count)| count.more() != 0).collect();
    changed.sort_by_key(|(_, count)| std::cmp::Reverse(count.more().unsigned_abs()));
    if changed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nMessages per recipient and {}, largest changes first", report.span.spelled())?;
    for ((recipient, from), count) in changed.iter().take(RECIPIENTS_SHOWN) {
        row(out, &format!("{}, {}", report.recipient(recipient), long(report.span, *from)), *count)?;
    }
    if changed.len() > RECIPIENTS_SHOWN {
        writeln!(out, "and {} more; --json and --html list them", changed.len() - RECIPIENTS_SHOWN)?;
    }
    Ok(())
}

fn row(out: &mut String, name: &str, pair: Pair) -> std::fmt::Result {
    let (baseline, candidate) = (grouped(pair.baseline), grouped(pair.candidate));
    writeln!(out, "{name:<NAME$}{baseline:>16}{candidate:>12}{:>12}", change(pair))
}
