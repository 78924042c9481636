//! `leadctl policy suggest`: whether people act on each threshold, with the figures.

use std::path::PathBuf;

use insight::suggest::Suggest;

use crate::audit::Order;
use crate::audit::export::Source;
use crate::output::print;
use crate::progress::bar;

/// Options of `leadctl policy suggest`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Print JSON, with all figures
    #[arg(long)]
    json: bool,
}

/// Prints one line per threshold.
///
/// # Errors
/// When the export is damaged, or the tables do not answer.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<()> {
    let (contents, records) = arguments.source.sorted(root, Order::Subject).await?;
    let mut suggest = Suggest::new(&contents.revisions);
    let bar = bar(contents.end.commits, "{bar:30} {human_pos} of {human_len} commits, {per_sec}, {eta} left");
    for record in records {
        suggest.follow(&record?)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let steps = suggest.finish();
    if arguments.json {
        print(&serde_json::to_string_pretty(&steps)?);
    } else if steps.is_empty() {
        print("No lead in the audit came near a threshold of the policy in force.");
    } else {
        for step in steps {
            print(&format!("{}/{} at {} %: {}", step.workflow, step.step, step.percent, step.spelled()));
        }
    }
    Ok(())
}
