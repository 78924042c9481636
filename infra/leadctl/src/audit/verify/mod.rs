//! `leadctl audit verify`: checks offline that an export is complete and unchanged, in bounded memory. It sorts commits on
//! disk, and keeps one history at a time and one leaf per subject of the checkpoints.
//!
//! The report lists everything that it could not check.

mod coverage;
mod documents;
mod export_file;
mod finding;
mod history;
mod live;
mod report;
mod series;

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::TimeDelta;
use policy::ids::SubjectError;
use rules::record::Header;
use tokio::sync::mpsc;

use self::coverage::{Coverage, WRITTEN_WITHIN};
use self::export_file::Commit;
use self::live::LiveCheck;
use self::report::Counts;
use super::compression::lines;
use super::tables::{Live, Tables, open};
use crate::progress::bar;

pub(super) use self::export_file::{Export, read as read_export};
pub(super) use self::finding::Findings;
pub use self::finding::{Finding, Place, Problem};
pub(super) use self::history::History;
pub use self::report::Report;
pub(super) use self::series::{key, read as read_series};

/// The slowest reading of an export: commits that were added during it are no later than that.
const READ_PER_S_MIN: u64 = 100;
/// How many histories may wait for the comparison with the live tables.
const HISTORIES_MAX: usize = 64;
/// Receives complete histories.
type Whole<'a> = &'a mut dyn FnMut(&Header, History) -> anyhow::Result<()>;
/// Stands for standard input as a file name.
const STANDARD_INPUT: &str = "-";

/// Options of `leadctl audit verify`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Arguments {
    /// The export; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub export: PathBuf,
    /// The directory of checkpoints, as `audit checkpoints` writes it
    #[arg(long, value_name = "DIR", requires = "key")]
    pub checkpoints: Option<PathBuf>,
    /// The public key of the checkpoints (PEM)
    #[arg(long, value_name = "FILE", requires = "checkpoints")]
    pub key: Option<PathBuf>,
    /// A checkpoint that you kept from an earlier time; the series must contain it
    #[arg(long, value_name = "CHECKPOINT", requires = "checkpoints")]
    pub last_seen: Option<PathBuf>,
    /// Also compare the export with the live tables
    #[arg(long)]
    pub live: bool,
    /// The live tables.
    #[command(flatten)]
    pub tables: Tables,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Verifies an export and prints the outcome. Returns false if it is not intact.
///
/// # Errors
/// When a file cannot be read, or the tables do not answer.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<bool> {
    let report = if arguments.live {
        against_live(arguments, &open(root, &arguments.tables).await?).await?
    } else {
        verify(arguments)?
    };
    report.print(arguments.json)?;
    Ok(report.is_intact())
}

/// Verifies an export.
///
/// # Errors
/// Those of [`run`].
pub fn verify(arguments: &Arguments) -> anyhow::Result<Report> {
    each(arguments, &mut |_, _| Ok(()))
}

/// Verifies an export and compares it with the live tables.
///
/// # Errors
/// Those of [`run`].
pub async fn against_live(arguments: &Arguments, tables: &Live) -> anyhow::Result<Report> {
    let (send, mut histories) = mpsc::channel(HISTORIES_MAX);
    let arguments = arguments.clone();
    let verifying = tokio::task::spawn_blocking(move || {
        each(&arguments, &mut |header, history| {
            // The receiver has stopped and reports why.
            _ = send.blocking_send((header.exported_at, history));
            Ok(())
        })
    });
    let mut live = LiveCheck::of(tables);
    while let Some((exported_at, history)) = histories.recv().await {
        live.check(exported_at, history).await?;
    }
    let (findings, counts) = live.finish().await?;
    let mut report = verifying.await.context("the verification stopped")??;
    report.add_live(tables, findings, counts);
    Ok(report)
}

/// Verifies an export and passes on each intact history.
fn each(arguments: &Arguments, whole: Whole<'_>) -> anyhow::Result<Report> {
    let name = arguments.export.display().to_string();
    let mut findings = Findings::default();
    let read = if arguments.export == Path::new(STANDARD_INPUT) {
        let input = lines(std::io::stdin().lock()).with_context(|| format!("cannot read {name}"))?;
        export_file::read(input, &name, &mut findings)?
    } else {
        let file = File::open(&arguments.export).with_context(|| format!("cannot read {name}"))?;
        anyhow::ensure!(!file.metadata()?.is_dir(), "cannot read {name}: it is a directory");
        let bar = bar(file.metadata()?.len(), "{bar:30} {percent:>3} % of the export read, {eta} left");
        let input = lines(bar.wrap_read(file)).with_context(|| format!("cannot read {name}"))?;
        let read = export_file::read(input, &name, &mut findings)?;
        bar.finish_and_clear();
        read
    };
    let header = read.as_ref().map(|export| &export.header);
    let mut coverage = checkpoints(arguments, header, &mut findings)?;
    let (header, counts) = match read {
        Some(export) => {
            let counts = histories(&name, export, &mut coverage, &mut findings, whole)?;
            (Some(counts.0), counts.1)
        }
        None => (None, Counts::default()),
    };
    Ok(Report::of(header, counts, coverage, arguments.checkpoints.is_some(), findings))
}

/// Reads the checkpoints, if the options name any.
fn checkpoints(
    arguments: &Arguments,
    header: Option<&Header>,
    findings: &mut Findings,
) -> anyhow::Result<Option<Coverage>> {
    let (Some(directory), Some(key)) = (&arguments.checkpoints, &arguments.key) else { return Ok(None) };
    let key = series::key(key)?;
    // Fails before anything that takes time.
    let seen = match &arguments.last_seen {
        Some(file) => Some((file, series::envelope(file)?)),
        None => None,
    };
    let deployment = header.map(|header| header.deployment.as_str());
    let series = series::read(directory, &key, deployment, findings)?;
    if let Some((file, seen)) = seen {
        let checked = match (seen, &series) {
            (Err(why), _) => Err(Problem::Checkpoint { why }),
            (Ok(seen), Some(series)) => series::last_seen(&seen, &key, series),
            (Ok(seen), None) => {
                let why = "no checkpoint is valid".to_owned();
                Err(Problem::RolledBack { number: seen.checkpoint.number, why })
            }
        };
        if let Err(problem) = checked {
            findings.add(Place { file: Some(file.display().to_string()), ..Place::default() }, problem);
        }
    }
    let (Some(series), Some(header)) = (series, header) else { return Ok(None) };
    let coverage = Coverage::new(series, key.id(), header.exported_at);
    if let Some(stale) = coverage.stale() {
        let file = Some(directory.display().to_string());
        findings.add(Place { file, ..Place::default() }, stale);
    }
    Ok(Some(coverage))
}

/// Checks every history.
fn histories(
    file: &str,
    export: Export,
    coverage: &mut Option<Coverage>,
    findings: &mut Findings,
    whole: Whole<'_>,
) -> anyhow::Result<(Header, Counts)> {
    let Export { header, found, opened, end, mut documents, mut commits } = export;
    let mut counts = Counts::of(&found, opened);
    let within = WRITTEN_WITHIN + reading_time(found.commits);
    let mut is_late_reported = false;
    let bar = bar(found.commits, "{bar:30} {percent:>3} % of the commits verified, {per_sec}, {eta} left");
    let mut at =
        |place: Place, problem| findings.add(Place { file: Some(file.to_owned()), ..place }, problem);
    let mut next = commits.next()?;
    while let Some(Commit { subject: name, line, .. }) = &next {
        let (name, line) = (name.clone(), *line);
        if let Some(coverage) = coverage {
            coverage.pass(Some(&name), &mut at)?;
        }
        let mut history = name.parse().map(History::of).map_err(|error: SubjectError| {
            at(Place { line: Some(line), ..Place::default() }, Problem::Line { why: error.to_string() });
        });
        while let Some(commit) = next.take_if(|commit| commit.subject == name) {
            next = commits.next()?;
            counts.commits += 1;
            bar.inc(1);
            let Some(history) = history.as_mut().ok().filter(|history| !history.broken) else { continue };
            match history.take(&commit.text, commit.line) {
                Ok(checked) => {
                    // The export's time is not signed. If it were set back, every checkpoint would be newer than the
                    // export, and missing commits would not show. One finding is enough.
                    if !is_late_reported && checked.recorded_at - header.exported_at > within {
                        is_late_reported = true;
                        at(
                            history.place(commit.line, &checked),
                            Problem::AfterExport {
                                recorded_at: checked.recorded_at,
                                exported_at: header.exported_at,
                            },
                        );
                    }
                    if let Some(coverage) = coverage {
                        coverage.check(history, commit.line, &checked, &mut at)?;
                    }
                }
                Err(found) => at(found.place, found.problem),
            }
        }
        if let Ok(history) = history {
            if let Some(coverage) = coverage {
                coverage.end(&history, &mut at)?;
            }
            counts.add(&history);
            if let Some((place, problem)) = documents.check(&history) {
                at(place, problem);
            }
            if !history.broken {
                whole(&header, history)?;
            }
        }
    }
    if let Some(coverage) = coverage {
        coverage.pass(None, &mut at)?;
    }
    for (place, problem) in documents.without_history() {
        at(place, problem);
    }
    for (what, named, there) in counts.revisions() {
        // Only the first missing one: an entry can name any number.
        if named > there {
            at(Place::default(), Problem::Revision { what, revision: there + 1 });
        }
    }
    if let Some((place, problem)) = end {
        at(place, problem);
    }
    bar.finish_and_clear();
    Ok((header, counts))
}

/// The longest time that an export of this many commits took.
fn reading_time(commits: u64) -> TimeDelta {
    // An impossible number of commits takes the longest possible time.
    let seconds = i64::try_from(commits / READ_PER_S_MIN).unwrap_or(i64::MAX);
    TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX)
}
