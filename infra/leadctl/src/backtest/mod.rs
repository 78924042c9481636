//! `leadctl policy backtest`: replays recorded history under a policy and compares it with the policy in force.

mod chart;
mod figures;
mod html;
mod link;
mod text;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use insight::backtest::{Backtest, BaselineChoice, Report, Trial};
use policy::Policy;
use policy::directory::Directory;

use crate::audit::Order;
use crate::audit::export::Source;
use crate::output::{print, say};
use crate::progress::bar;
use link::LeadLink;

/// Options of `leadctl policy backtest`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The candidate (YAML) [default: the policy in force, compared with history]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The directory (YAML) for the candidate [default: the directories as they were published]
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// Compare the candidate with `in-force`, `history`, a revision number or a policy file [default:
    /// `in-force`; without a candidate, `history`]
    #[arg(long, value_name = "BASELINE")]
    against: Option<Baseline>,
    #[command(flatten)]
    source: Source,
    /// Count from this time on, RFC 3339; the replay itself begins with the first commit
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<Utc>>,
    /// Stop at this time, RFC 3339
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write a report with charts to one self-contained file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Link leads in the report to this address, with `{lead}` for the id
    #[arg(long, value_name = "URL", value_parser = LeadLink::parse)]
    lead_link: Option<LeadLink>,
}

/// The baseline as a person types it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Baseline {
    InForce,
    History,
    Revision(u32),
    File(PathBuf),
}

impl std::str::FromStr for Baseline {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "in-force" => Self::InForce,
            "history" => Self::History,
            _ => text.parse().map_or_else(|_| Self::File(text.into()), Self::Revision),
        })
    }
}

/// Prints the comparison. Returns false if the replay does not reproduce the history, or a document is not valid.
///
/// # Errors
/// When a file cannot be read, or the export is damaged.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<bool> {
    let Some(policy) = document(arguments.policy.as_deref(), "policy", Policy::parse)? else {
        return Ok(false);
    };
    let Some(directory) = document(arguments.directory.as_deref(), "directory", Directory::parse)? else {
        return Ok(false);
    };
    let against = match &arguments.against {
        Some(Baseline::InForce) => BaselineChoice::InForce,
        Some(Baseline::History) => BaselineChoice::History,
        Some(Baseline::Revision(revision)) => BaselineChoice::Revision(*revision),
        Some(Baseline::File(file)) => match document(Some(file), "policy", Policy::parse)? {
            Some(Some(policy)) => BaselineChoice::Policy(Box::new(policy)),
            _ => return Ok(false),
        },
        // Comparing the policy in force with itself shows nothing.
        None if policy.is_none() && directory.is_none() => BaselineChoice::History,
        None => BaselineChoice::InForce,
    };
    let (contents, records) = arguments.source.sorted(root, Order::Time).await?;
    let published = contents.revisions.policies.values().next_back();
    let policy = policy.or_else(|| published.map(|published| published.policy.clone()));
    let policy = policy.context("the audit has no published policy; name one with `--policy FILE`")?;
    let last = contents.revisions.directories.values().next_back();
    if let Some(directory) = directory.as_ref().or(last.map(|last| &**last))
        && let Err(error) = policy.check_against(directory)
    {
        say(&format!("The policy does not fit the directory:\n{error}"));
        return Ok(false);
    }
    let trial = Trial { policy, directory, since: arguments.since, against };
    let mut backtest = Backtest::new(contents.revisions, trial)?;
    let bar = bar(contents.end.commits, "{bar:30} {human_pos} of {human_len} commits, {per_sec}, {eta} left");
    for record in records {
        let record = record?;
        if arguments.until.is_some_and(|until| record.recorded_at > until) {
            break;
        }
        backtest.follow(&record)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let report = backtest.finish(arguments.until)?;
    show(arguments, &report)
}

fn document<T>(
    path: Option<&Path>,
    what: &str,
    parse: impl Fn(&str) -> Result<T, policy::document::DocumentError>,
) -> anyhow::Result<Option<Option<T>>> {
    let Some(path) = path else { return Ok(Some(None)) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    match parse(&text) {
        Ok(document) => Ok(Some(Some(document))),
        Err(error) => {
            say(&format!("{} is not a valid {what}:\n{error}", path.display()));
            Ok(None)
        }
    }
}

fn show(arguments: &Arguments, report: &Report) -> anyhow::Result<bool> {
    let link = arguments.lead_link.as_ref();
    if let Some(path) = &arguments.html {
        std::fs::write(path, html::page(report, link))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if arguments.json {
        print(&serde_json::to_string_pretty(report)?);
    } else {
        print(text::spelled(report, link).trim_end());
    }
    if !report.replay_check.holds() {
        say(&format!(
            "error: replaying {} recorded decisions did not reproduce {} of them. Do not rely on the comparison.",
            report.replay_check.commits, report.replay_check.differences
        ));
        for difference in report.replay_check.first.iter().take(10) {
            say(&format!("  {} commit {}: {}", difference.subject, difference.commit, difference.why));
        }
    }
    Ok(report.replay_check.holds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_a_word_a_number_or_a_file() {
        let typed = ["in-force", "history", "12", "new.yaml"].map(|text| text.parse::<Baseline>().unwrap());
        let meant =
            [Baseline::InForce, Baseline::History, Baseline::Revision(12), Baseline::File("new.yaml".into())];
        assert_eq!(typed, meant);
    }
}
