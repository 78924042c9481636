//! `leadctl policy backtest`: what another policy would have made of what really happened.

mod chart;
mod html;
mod text;

use std::path::PathBuf;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use rules::backtest::{Backtest, Report, Trial};
use rules::directory::Directory;
use rules::policy::Policy;

use crate::audit::Order;
use crate::audit::export::{Source, bar};
use crate::progress::{print, say};

/// What `backtest` is given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The policy to try (YAML); default: the published one, which has to reproduce the record
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The directory to try it with (YAML); default: as they were published
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    /// Count what happened from here on, RFC 3339; the policy is in force from the first record on
    #[arg(long, value_name = "INSTANT")]
    since: Option<DateTime<Utc>>,
    /// Stop here, RFC 3339
    #[arg(long, value_name = "INSTANT")]
    until: Option<DateTime<Utc>>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
    /// Write a report with charts, one file that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Where a lead is looked at, with `{lead}` for its identifier
    #[arg(long, value_name = "URL", value_parser = LeadLink::parse)]
    lead_link: Option<LeadLink>,
}

/// Where a lead is looked at.
#[derive(Debug, Clone)]
struct LeadLink(String);

/// What stands for the lead in a link.
const LEAD: &str = "{lead}";

impl LeadLink {
    fn parse(text: &str) -> Result<Self, String> {
        let is_web = text.starts_with("https://") || text.starts_with("http://");
        if is_web && text.contains(LEAD) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("expected a web address with `{LEAD}` in it, as in https://crm.example/leads/{LEAD}"))
        }
    }

    /// The link of a lead. Identifiers hold letters, digits and `.` `_` `:` `@` `-`, all of which
    /// may stand in a path.
    fn to(&self, lead: &str) -> String {
        self.0.replace(LEAD, lead)
    }
}

/// Runs it; false when the record could not be reproduced, or a document is not sound.
///
/// # Errors
/// What could not be run: a file that cannot be read, a record that is damaged.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<bool> {
    let Some(policy) = document(arguments.policy.as_deref(), "policy", Policy::parse)? else {
        return Ok(false);
    };
    let Some(directory) = document(arguments.directory.as_deref(), "directory", Directory::parse)? else {
        return Ok(false);
    };
    let (contents, records) = arguments.source.sorted(root, Order::Time).await?;
    let published = contents.revisions.policies.values().next_back();
    let policy = policy.or_else(|| published.map(|published| published.policy.clone()));
    let policy = policy.context("the record holds no published policy")?;
    let last = contents.revisions.directories.values().next_back();
    if let Some(directory) = directory.as_ref().or(last.map(|last| &**last))
        && let Err(error) = policy.check_against(directory)
    {
        say(&format!("the policy does not fit the directory:\n{error}"));
        return Ok(false);
    }
    let mut backtest =
        Backtest::new(&contents.revisions, Trial { policy, directory, since: arguments.since });
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
    path: Option<&std::path::Path>,
    what: &str,
    parse: impl Fn(&str) -> Result<T, rules::document::DocumentError>,
) -> anyhow::Result<Option<Option<T>>> {
    let Some(path) = path else { return Ok(Some(None)) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    match parse(&text) {
        Ok(document) => Ok(Some(Some(document))),
        Err(error) => {
            say(&format!("{} is not a sound {what}:\n{error}", path.display()));
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
    if !report.identity.holds() {
        say(&format!(
            "error: the record could not be reproduced: {} of {} commits come out otherwise under the very revisions \
             they were decided under. What is said of the policy that was tried cannot be relied on.",
            report.identity.differences, report.identity.commits
        ));
        for difference in report.identity.first.iter().take(10) {
            say(&format!("  {} commit {}: {}", difference.subject, difference.commit, difference.why));
        }
    }
    Ok(report.identity.holds())
}
