//! `leadctl audit show`: prints the history of one subject, each entry with its number and its hash.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use audit::ChainedCommit;
use contracts::sight;
use contracts::sight::Reader;
use policy::ids::Subject;
use serde_json::Value;
use store::PAGE_MAX;

use super::compression::lines;
use super::export::{LIVE, Source};
use super::format::{COMMIT, written};
use super::tables::open;
use super::verify::{Finding, Findings, History, Place, read_export};
use crate::entries::line;
use crate::output::{print, say};

/// Options of `leadctl audit show`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The subject, such as lead/L-1, account/A-7, rep/rep-ana or policy/3
    subject: Subject,
    #[command(flatten)]
    source: Source,
}

/// Prints a history. Returns false if there is none, or its chain is broken.
///
/// # Errors
/// When a file cannot be read, or the tables do not answer.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { subject, source } = arguments;
    let mut history = History::of(subject.clone());
    if source.from == Path::new(LIVE) {
        let live = open(root, &source.tables).await?;
        let mut after = None;
        loop {
            let page = live.store.chained_audit(subject, after.as_ref(), PAGE_MAX).await?;
            for commit in page.items {
                let text = String::from_utf8(written(COMMIT, &commit)?)?;
                if !show(&mut history, &text, commit.commit)? {
                    return Ok(false);
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    } else {
        let name = source.from.display().to_string();
        let file = File::open(&source.from).with_context(|| format!("cannot read {name}"))?;
        let mut findings = Findings::default();
        let export =
            read_export(lines(file).with_context(|| format!("cannot read {name}"))?, &name, &mut findings)?;
        let Some(mut export) = export else {
            say(&findings.first_text());
            return Ok(false);
        };
        while let Some(commit) = export.commits.next()? {
            if commit.subject == subject.to_string() && !show(&mut history, &commit.text, commit.line)? {
                return Ok(false);
            }
        }
        // The unreadable part may have had more of it.
        if let Some((place, problem)) = export.end.take() {
            findings.add(place, problem);
        }
        if findings.count > 0 {
            say(&findings.first_text());
            return Ok(false);
        }
    }
    if history.commits == 0 {
        say(&format!("There is no history of {subject}."));
        return Ok(false);
    }
    print(&format!("head {} after commit {}", history.head, history.commits));
    Ok(true)
}

/// Prints the entries of a commit. Returns false if the chain is broken.
fn show(history: &mut History, text: &str, line_number: u64) -> anyhow::Result<bool> {
    let before = history.seq;
    if let Err(found) = history.take(text, line_number) {
        let place = Place { line: None, ..found.place };
        say(&Finding { place, problem: found.problem }.to_string());
        return Ok(false);
    }
    let commit: ChainedCommit = serde_json::from_str(text)?;
    let entries: Vec<Value> = serde_json::from_str(commit.entries.get())?;
    let entries = sight::commit(entries, &[Reader::Export]);
    for ((seq, entry), hash) in (before + 1..).zip(&entries).zip(commit.links()?.entries) {
        print(&format!("{seq:>5} {hash} {}", line(entry)));
    }
    Ok(true)
}
