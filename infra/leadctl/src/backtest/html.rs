//! The report as one self-contained page: inline charts, no script, light and dark.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use insight::backtest::{Metric, Pair, QueueRow, Report, Span};
use policy::measure::grouped;

use super::chart::{Point, bars, escape, lines};
use super::figures::{
    Table, cell, change, changed_recipients, changes_heading, column, compared, identity, long, queues,
    rising, short, tables, totals,
};
use super::link::LeadLink;

const STYLE: &str = include_str!("page.css");
/// How many recipients are listed. The JSON has all.
const RECIPIENTS_SHOWN: usize = 40;
/// How many spans fit beside each other: the last ones.
const SPANS_SHOWN: usize = 16;

/// The whole page.
pub(super) fn page(report: &Report, link: Option<&LeadLink>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    _ = write(&mut out, report, link);
    out
}

fn write(out: &mut String, report: &Report, link: Option<&LeadLink>) -> std::fmt::Result {
    let policy = escape(&report.policy);
    let time = |at: chrono::DateTime<chrono::Utc>| at.format("%B %-d, %Y, %H:%M");
    let proof = if report.replay_check.holds() { "good" } else { "bad" };
    write!(
        out,
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Backtest of {policy}</title><style>{STYLE}</style></head><body><main>
<header><h1>Backtest of “{policy}”</h1>
<p>{}</p>
<p>{} to {} (UTC): {} leads, <strong>{}</strong> of them differ.</p>
<p class="proof {proof}">{}</p></header>
"#,
        escape(&compared(report)),
        time(report.since),
        time(report.until),
        grouped(report.leads),
        grouped(report.leads_different),
        escape(&identity(report))
    )?;
    if !report.replay_check.holds() {
        out.push_str("<p class=\"proof bad\">Do not rely on the comparison below.</p><ul>");
        for d in &report.replay_check.first {
            write!(
                out,
                "<li>{} commit {}: {}</li>",
                escape(&d.subject.to_string()),
                d.commit,
                escape(&d.why)
            )?;
        }
        out.push_str("</ul>");
    }
    changes(out, report)?;
    overview(out, report)?;
    charts(out, report)?;
    for table in tables(report) {
        self::table(out, &table)?;
    }
    recipients(out, report)?;
    differences(out, report, link)?;
    for (what, n) in &report.not_applied {
        write!(
            out,
            "<p>{} {} did not fit the candidate's replay and were not applied ({} in the baseline).</p>",
            grouped(n.candidate),
            escape(what),
            grouped(n.baseline)
        )?;
    }
    out.push_str("</main></body></html>\n");
    Ok(())
}

fn changes(out: &mut String, report: &Report) -> std::fmt::Result {
    write!(out, "<h2>{}</h2>", escape(&changes_heading(report)))?;
    if report.changes.is_empty() {
        out.push_str("<p>None.</p>");
    } else {
        out.push_str("<ul class=\"changes\">");
        for change in &report.changes {
            write!(out, "<li>{}</li>", escape(change))?;
        }
        out.push_str("</ul>");
    }
    if let Some(rising) = rising(&report.versions_that_rise) {
        write!(out, "<p>{}</p>", escape(&rising))?;
    }
    Ok(())
}

fn overview(out: &mut String, report: &Report) -> std::fmt::Result {
    write!(
        out,
        "<h2>What changes</h2><div class=\"wide\"><table><thead><tr><th></th><th>{}</th><th>candidate</th><th>change</th></tr></thead><tbody>",
        escape(&report.against.spelled())
    )?;
    for (name, total) in totals(report) {
        row(out, name, total)?;
    }
    for (name, at_most, at_the_end) in queues(report) {
        row(out, &format!("{name}, at most"), at_most)?;
        row(out, &format!("{name}, at the end"), at_the_end)?;
    }
    out.push_str("</tbody></table></div>");
    Ok(())
}

fn row(out: &mut String, name: &str, pair: Pair) -> std::fmt::Result {
    write!(
        out,
        "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
        escape(name),
        grouped(pair.baseline),
        grouped(pair.candidate),
        change(pair)
    )
}

fn charts(out: &mut String, report: &Report) -> std::fmt::Result {
    let baseline = report.against.spelled();
    write!(
        out,
        r#"<p class="legend"><span class="baseline"></span>{} <span class="candidate"></span>candidate</p>"#,
        escape(&baseline)
    )?;
    let per = report.span.spelled();
    for metric in [Metric::Message, Metric::Breach, Metric::Reassignment] {
        let title = format!("{} per {per}", capital(metric.spelled()));
        let spans = report.per_span(metric);
        let begins: Vec<_> = spans.keys().copied().collect();
        let points: Vec<Point> =
            spans.iter().map(|(begin, pair)| (short(report.span, *begin, &begins), *pair)).collect();
        figure(out, &title, &points, &baseline, bars)?;
    }
    let span = report.span.min(Span::Day);
    let begins: Vec<_> = report.queues.iter().map(|row| row.from).collect();
    for (title, queue) in [
        ("Operations queue", (|row| row.operations) as fn(&QueueRow) -> Pair),
        ("Compliance reviews", |row| row.reviews),
    ] {
        let title = format!("{title} at the end of each {}", span.spelled());
        let point = |row: &QueueRow| (short(span, row.from, &begins), queue(row));
        let points: Vec<Point> = report.queues.iter().map(point).collect();
        figure(out, &title, &points, &baseline, lines)?;
    }
    Ok(())
}

/// A chart, or a sentence if it would be empty or have one point.
fn figure(
    out: &mut String,
    title: &str,
    points: &[Point],
    baseline: &str,
    draw: impl Fn(&str, &[Point], &str) -> String,
) -> std::fmt::Result {
    write!(out, "<figure><figcaption>{}</figcaption>", escape(title))?;
    match points {
        _ if points.iter().all(|(_, pair)| *pair == Pair::default()) => {
            out.push_str("<p>None on either side.</p>");
        }
        [(name, pair)] => write!(
            out,
            "<p>{}: {} {}, {} candidate.</p>",
            escape(name),
            grouped(pair.baseline),
            escape(baseline),
            grouped(pair.candidate)
        )?,
        _ => out.push_str(&draw(title, points, baseline)),
    }
    out.push_str("</figure>");
    Ok(())
}

fn table(out: &mut String, table: &Table) -> std::fmt::Result {
    write!(out, "<h2>{}</h2><div class=\"wide\"><table><thead><tr><th></th>", escape(table.title))?;
    for metric in &table.columns {
        write!(out, "<th>{}</th>", column(table.title, *metric))?;
    }
    out.push_str("</tr></thead><tbody>");
    for (name, counts) in &table.rows {
        write!(out, "<tr><th>{}</th>", escape(name))?;
        for count in counts {
            let class = if count.more() == 0 { "" } else { " class=\"changed\"" };
            write!(out, "<td{class}>{}</td>", cell(*count))?;
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    Ok(())
}

fn recipients(out: &mut String, report: &Report) -> std::fmt::Result {
    let changed = changed_recipients(report);
    let per = report.span.spelled();
    if changed.is_empty() {
        return write!(out, "<p>Nobody gets more or fewer messages in any {per}.</p>");
    }
    let per_span = report.messages_per_span();
    let all: Vec<_> = {
        let changed_in = per_span.iter().filter(|(_, pair)| pair.more() != 0).map(|((_, from), _)| *from);
        changed_in.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    };
    let shown: Vec<_> = all.iter().skip(all.len().saturating_sub(SPANS_SHOWN)).copied().collect();
    write!(
        out,
        "<h2>More and fewer messages, by recipient and {per}</h2><div class=\"wide\"><table><thead><tr><th></th>"
    )?;
    for from in &shown {
        write!(out, "<th title=\"{}\">{}</th>", long(report.span, *from), short(report.span, *from, &shown))?;
    }
    out.push_str("</tr></thead><tbody>");
    for recipient in changed.iter().take(RECIPIENTS_SHOWN) {
        write!(out, "<tr><th>{}</th>", escape(&report.recipient(recipient)))?;
        for from in &shown {
            let pair = per_span.get(&(*recipient, *from)).copied().unwrap_or_default();
            let numbers = format!("{} → {}", grouped(pair.baseline), grouped(pair.candidate));
            write!(out, "<td title=\"{numbers}\">{}</td>", change(pair))?;
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    if all.len() > shown.len() {
        write!(
            out,
            "<p>The last {} {per}s with a change; the JSON lists all {}.</p>",
            shown.len(),
            all.len()
        )?;
    }
    if changed.len() > RECIPIENTS_SHOWN {
        write!(out, "<p>And {} more recipients, in the JSON.</p>", changed.len() - RECIPIENTS_SHOWN)?;
    }
    Ok(())
}

fn differences(out: &mut String, report: &Report, link: Option<&LeadLink>) -> std::fmt::Result {
    if report.first_differences.is_empty() {
        return Ok(());
    }
    write!(
        out,
        "<h2>First difference per lead</h2><div class=\"wide\"><table class=\"words\"><thead><tr><th>lead</th><th>at (UTC)</th><th>{}</th><th>candidate</th></tr></thead><tbody>",
        escape(&report.against.spelled())
    )?;
    for first in &report.first_differences {
        let lead = escape(first.lead.as_str());
        let lead = match link {
            Some(link) => format!("<a href=\"{}\">{lead}</a>", escape(&link.to(first.lead.as_str()))),
            None => lead,
        };
        let side = |what: &Option<String>| what.as_deref().map_or_else(|| "–".to_owned(), escape);
        write!(
            out,
            "<tr><td>{lead}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            first.at.to_rfc3339_opts(SecondsFormat::Secs, true),
            side(&first.baseline),
            side(&first.candidate)
        )?;
    }
    out.push_str("</tbody></table></div>");
    let shown = report.first_differences.len() as u64;
    if report.leads_different > shown {
        write!(out, "<p>The first {shown} of {} leads.</p>", grouped(report.leads_different))?;
    }
    Ok(())
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
