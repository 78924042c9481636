//! The figures of a report in words, the same in text and on the page.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use insight::backtest::{Baseline, Group, Metric, Pair, QueueRow, Report, Span};
use policy::WorkflowId;
use policy::measure::grouped;

/// Figures by group.
pub(super) struct Table {
    pub title: &'static str,
    /// The columns: what is counted.
    pub columns: Vec<Metric>,
    /// Each group's name, with a number per column.
    pub rows: Vec<(String, Vec<Pair>)>,
}

/// The outcome of the check that the history replays identically, in one line.
pub(super) fn identity(report: &Report) -> String {
    let identity = &report.replay_check;
    let decisions = grouped(identity.commits);
    let mut line = if identity.holds() {
        format!("Check passed: replaying {decisions} recorded decisions reproduced every one.")
    } else {
        let differences = grouped(identity.differences);
        format!(
            "Check failed: replaying {decisions} recorded decisions did not reproduce {differences} of them."
        )
    };
    if identity.without_input > 0 {
        let more = grouped(identity.without_input);
        line.push_str(&format!(
            " {more} more were recorded without their input; the check cannot replay those."
        ));
    }
    line
}

/// The two sides of the comparison, in a sentence.
pub(super) fn compared(report: &Report) -> String {
    let candidate = &report.policy;
    match &report.against {
        Baseline::History { revisions } => {
            let revisions: Vec<String> = revisions.iter().map(ToString::to_string).collect();
            let s = if revisions.len() == 1 { "" } else { "s" };
            format!(
                "Compares “{candidate}” with history, recorded under policy revision{s} {}.",
                revisions.join(", ")
            )
        }
        Baseline::InForce { revision } => format!(
            "Compares “{candidate}” with the policy in force (revision {revision}), both replayed over the same history."
        ),
        Baseline::Revision { revision } => format!(
            "Compares “{candidate}” with policy revision {revision}, both replayed over the same history."
        ),
        Baseline::Policy { name } => {
            format!("Compares “{candidate}” with “{name}”, both replayed over the same history.")
        }
    }
}

/// The heading of the differences between the two policies.
pub(super) fn changes_heading(report: &Report) -> String {
    match &report.against {
        Baseline::History { .. } => "Policy changes since the revision in force".to_owned(),
        against => format!("Policy changes from {}", against.spelled()),
    }
}

/// The workflows that get a new version, in a sentence.
pub(super) fn rising(workflows: &[WorkflowId]) -> Option<String> {
    let names: Vec<String> = workflows.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("{one} gets a new version.")),
        many => Some(format!("New versions: {}.", many.join(", "))),
    }
}

/// The totals, without those that are zero on both sides.
pub(super) fn totals(report: &Report) -> Vec<(&'static str, Pair)> {
    let all = Metric::ALL.into_iter().map(|metric| (metric, report.total(metric)));
    all.filter(|(metric, total)| *metric == Metric::Message || *total != Pair::default())
        .map(|(metric, total)| (metric.spelled(), total))
        .collect()
}

/// The queues: their names, their largest length, and their length at the end.
pub(super) fn queues(report: &Report) -> [(&'static str, Pair, Pair); 2] {
    let of = |name, queue: fn(&QueueRow) -> Pair| {
        let most =
            |side: fn(Pair) -> u64| report.queues.iter().map(|row| side(queue(row))).max().unwrap_or(0);
        let at_most = Pair { baseline: most(|p| p.baseline), candidate: most(|p| p.candidate) };
        (name, at_most, report.queues.last().map(queue).unwrap_or_default())
    };
    [of("operations queue", |row| row.operations), of("compliance reviews", |row| row.reviews)]
}

/// The tables by workflow, market, team and rep, without empty ones.
pub(super) fn tables(report: &Report) -> Vec<Table> {
    use Metric::{Assignment, Breach, Held, HighValue, Message, QueuedForOperations, Reassignment};
    let groups = report.figures_by_group();
    type Pick<'p> = &'p dyn Fn(&Group) -> Option<String>;
    let table = |title, columns: &[Metric], pick: Pick<'_>| -> Option<Table> {
        let mut rows: Vec<(String, &BTreeMap<Metric, Pair>)> =
            groups.iter().filter_map(|(group, counts)| Some((pick(group)?, counts))).collect();
        rows.retain(|(_, counts)| columns.iter().any(|column| counts.contains_key(column)));
        let used: Vec<Metric> = columns
            .iter()
            .copied()
            .filter(|column| rows.iter().any(|(_, counts)| counts.contains_key(column)))
            .collect();
        let row = |(name, counts): (String, &BTreeMap<Metric, Pair>)| {
            (name, used.iter().map(|column| counts.get(column).copied().unwrap_or_default()).collect())
        };
        let rows: Vec<(String, Vec<Pair>)> = rows.into_iter().map(row).collect();
        let columns = used.clone();
        (!rows.is_empty()).then_some(Table { title, columns, rows })
    };
    let all = [Message, Breach, Reassignment, QueuedForOperations, Held, HighValue];
    let of_reps = [Message, Breach, Reassignment, Assignment];
    [
        table("By workflow", &all, &|group| match group {
            Group::Workflow { workflow } => Some(workflow.to_string()),
            _ => None,
        }),
        table("By market", &all, &|group| match group {
            Group::Market { market } => Some(market.to_string()),
            _ => None,
        }),
        table("By team", &of_reps, &|group| match group {
            Group::Team { team } => Some(team.to_string()),
            _ => None,
        }),
        table("By rep", &of_reps, &|group| match group {
            Group::Rep { team, rep } => Some(format!("{} ({team})", report.person(rep))),
            _ => None,
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The heading of a column. A rep has leads taken and given.
pub(super) fn column(title: &str, metric: Metric) -> &'static str {
    match (title, metric) {
        ("By rep", Metric::Reassignment) => "leads taken",
        ("By rep", Metric::Assignment) => "leads given",
        (_, metric) => metric.spelled(),
    }
}

/// Recipients whose messages change, the largest change first.
pub(super) fn changed_recipients(report: &Report) -> Vec<&str> {
    let per_span = report.messages_per_span();
    let recipients: BTreeSet<&str> = per_span.keys().map(|(recipient, _)| *recipient).collect();
    let mut changed: Vec<(u64, &str)> = recipients
        .into_iter()
        .map(|recipient| {
            let spans = per_span.iter().filter(|((to, _), _)| *to == recipient);
            (spans.map(|(_, count)| count.more().unsigned_abs()).sum(), recipient)
        })
        .filter(|(change, _)| *change > 0)
        .collect();
    changed.sort_by_key(|(change, recipient)| (std::cmp::Reverse(*change), *recipient));
    changed.into_iter().map(|(_, recipient)| recipient).collect()
}

/// The difference with its sign.
pub(super) fn change(pair: Pair) -> String {
    match pair.more() {
        0 => "=".to_owned(),
        more if more > 0 => format!("+{}", grouped(more.unsigned_abs())),
        fewer => format!("−{}", grouped(fewer.unsigned_abs())),
    }
}

/// Both numbers in one cell; one number if they are equal.
pub(super) fn cell(pair: Pair) -> String {
    match (pair.baseline, pair.candidate) {
        (0, 0) => "–".to_owned(),
        (same, candidate) if same == candidate => grouped(same),
        (baseline, candidate) => format!("{} → {}", grouped(baseline), grouped(candidate)),
    }
}

/// A span by its beginning, as short as the other spans permit.
pub(super) fn short(span: Span, begin: DateTime<Utc>, among: &[DateTime<Utc>]) -> String {
    let is_one_day = among.iter().all(|other| other.date_naive() == begin.date_naive());
    let text = match span {
        Span::Hour if is_one_day => begin.format("%H:00"),
        Span::Hour => begin.format("%b %-d %H:00"),
        Span::Day | Span::Week => begin.format("%b %-d"),
    };
    text.to_string()
}

/// A span by its beginning, in full.
pub(super) fn long(span: Span, begin: DateTime<Utc>) -> String {
    match span {
        Span::Hour => begin.format("%b %-d, %Y, %H:00 UTC").to_string(),
        Span::Day => begin.format("%b %-d, %Y").to_string(),
        Span::Week => format!("week of {}", begin.format("%b %-d, %Y")),
    }
}
