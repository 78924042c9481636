//! A backtest's report as one page that needs nothing else: charts inline, no script, light and dark.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{NaiveDate, SecondsFormat};
use rules::backtest::{Happening, Pair, Report};
use rules::measure::grouped;

use super::LeadLink;
use super::chart::{Point, bars, escape, lines};
use super::text::{change, changed_recipients, identity, messages, queues};

const STYLE: &str = include_str!("page.css");
/// So many recipients are shown; the JSON has all of them.
const RECIPIENTS_SHOWN: usize = 40;

/// The page.
pub(super) fn page(report: &Report, link: Option<&LeadLink>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    _ = write(&mut out, report, link);
    out
}

fn write(out: &mut String, report: &Report, link: Option<&LeadLink>) -> std::fmt::Result {
    let policy = escape(&report.policy);
    let revisions: Vec<String> = report.recorded_policies.iter().map(ToString::to_string).collect();
    let (since, until) = (report.since.format("%-d %B %Y"), report.until.format("%-d %B %Y"));
    let proof = if report.identity.holds() { "good" } else { "bad" };
    write!(
        out,
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Backtest of {policy}</title><style>{STYLE}</style></head><body><main>
<header><h1>Backtest of “{policy}”</h1>
<p>What it would have made of {since} to {until}, beside what was recorded under policy revision {}.</p>
<p class="proof {proof}">{}</p></header>
"#,
        revisions.join(", "),
        escape(&identity(report))
    )?;
    if !report.identity.holds() {
        out.push_str("<p class=\"proof bad\">The record could not be reproduced; nothing below can be relied on.</p><ul>");
        for d in &report.identity.first {
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
    totals(out, report)?;
    out.push_str(r#"<p class="legend"><span class="recorded"></span>recorded <span class="replayed"></span>replayed</p>"#);
    figure(out, "Messages per week", &bars("Messages per week", &weeks(report, None)))?;
    for happening in [Happening::Breach, Happening::Reassignment] {
        let points = weeks(report, Some(happening));
        if points.iter().any(|(_, pair)| *pair != Pair::default()) {
            let title = format!("{} per week", capital(happening.spelled()));
            figure(out, &title, &bars(&title, &points))?;
        }
    }
    for (title, queue) in [
        (
            "Operations queue at the end of each day",
            (|day| day.operations) as fn(&rules::backtest::QueueDay) -> Pair,
        ),
        ("Compliance reviews at the end of each day", |day| day.reviews),
    ] {
        let points: Vec<Point> = report.queues.iter().map(|day| (day.day.to_string(), queue(day))).collect();
        figure(out, title, &lines(title, &points))?;
    }
    recipients(out, report)?;
    differences(out, report, link)?;
    for (what, n) in &report.not_applied {
        write!(
            out,
            "<p>{} {} made no sense in the replay and were not applied.</p>",
            grouped(*n),
            escape(what)
        )?;
    }
    out.push_str("</main></body></html>\n");
    Ok(())
}

fn totals(out: &mut String, report: &Report) -> std::fmt::Result {
    write!(
        out,
        "<p>{} leads, <strong>{}</strong> of them different.</p><div class=\"wide\"><table><thead><tr><th></th><th>recorded</th><th>replayed</th><th>change</th></tr></thead><tbody>",
        grouped(report.leads),
        grouped(report.leads_different)
    )?;
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
    out.push_str("</tbody></table></div>");
    Ok(())
}

fn row(out: &mut String, name: &str, pair: Pair) -> std::fmt::Result {
    write!(
        out,
        "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
        escape(name),
        grouped(pair.recorded),
        grouped(pair.replayed),
        change(pair)
    )
}

/// Weeks with what happened in them; messages, if nothing is named.
fn weeks(report: &Report, of: Option<Happening>) -> Vec<Point> {
    let all = report.messages.iter().map(|row| row.week).chain(report.happenings.iter().map(|row| row.week));
    let mut weeks: BTreeMap<NaiveDate, Pair> = all.map(|week| (week, Pair::default())).collect();
    match of {
        None => report.messages.iter().for_each(|row| weeks.entry(row.week).or_default().add(row.count)),
        Some(of) => {
            let rows = report.happenings.iter().filter(|row| row.happening == of);
            rows.for_each(|row| weeks.entry(row.week).or_default().add(row.count));
        }
    }
    weeks.into_iter().map(|(week, pair)| (week.to_string(), pair)).collect()
}

fn recipients(out: &mut String, report: &Report) -> std::fmt::Result {
    let changed = changed_recipients(report);
    if changed.is_empty() {
        out.push_str("<p>Nobody would have got more or fewer messages in any week.</p>");
        return Ok(());
    }
    let weeks: Vec<String> = self::weeks(report, None).into_iter().map(|(week, _)| week).collect();
    let per_week = report.messages_per_week();
    out.push_str("<h2>Messages more and fewer, by recipient and week</h2><div class=\"wide\"><table><thead><tr><th></th>");
    for week in &weeks {
        write!(out, "<th>week of {week}</th>")?;
    }
    out.push_str("</tr></thead><tbody>");
    for recipient in changed.iter().take(RECIPIENTS_SHOWN) {
        write!(out, "<tr><th>{}</th>", escape(recipient))?;
        for week in &weeks {
            let day = week.parse::<NaiveDate>().unwrap_or_default();
            let pair = per_week.get(&(*recipient, day)).copied().unwrap_or_default();
            let numbers = format!("{} recorded, {} replayed", grouped(pair.recorded), grouped(pair.replayed));
            write!(out, "<td title=\"{numbers}\">{}</td>", change(pair))?;
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    if changed.len() > RECIPIENTS_SHOWN {
        write!(out, "<p>And {} more, in the JSON.</p>", changed.len() - RECIPIENTS_SHOWN)?;
    }
    Ok(())
}

fn differences(out: &mut String, report: &Report, link: Option<&LeadLink>) -> std::fmt::Result {
    if report.first_differences.is_empty() {
        return Ok(());
    }
    out.push_str("<h2>Where histories part first</h2><div class=\"wide\"><table class=\"words\"><thead><tr><th>lead</th><th>at</th><th>recorded</th><th>replayed</th></tr></thead><tbody>");
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
            side(&first.recorded),
            side(&first.replayed)
        )?;
    }
    out.push_str("</tbody></table></div>");
    Ok(())
}

fn figure(out: &mut String, title: &str, chart: &str) -> std::fmt::Result {
    write!(out, "<figure><figcaption>{}</figcaption>{chart}</figure>", escape(title))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
