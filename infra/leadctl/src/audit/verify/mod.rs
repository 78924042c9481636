//! `leadctl audit verify`: whether an export is the record as it was written, all of it. Offline,
//! and in bounded memory: commits are sorted on disk; what is held is one history at a time, and a
//! leaf a subject of the checkpoints.
//!
//! It never says that something is fine which it did not look at: what was not looked at is told.

mod against;
mod documents;
mod finding;
mod history;
mod live;
mod record;
mod report;
mod series;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::TimeDelta;
use policy::ids::SubjectError;
use rules::record::Header;
use tokio::sync::mpsc;

use self::against::{Against, WRITTEN_WITHIN};
use self::record::Commit;
use self::report::Counts;
use super::export::{Live, Tables, bar, open};

pub(super) use self::finding::Findings;
pub use self::finding::{Finding, Place, Wrong};
pub(super) use self::history::History;
pub(super) use self::record::{Export, read as read_export};
pub use self::report::Report;
pub(super) use self::series::{key, read as read_series};

/// No export reads fewer commits a second: commits that came while it was read are no later.
const READ_A_SECOND: u64 = 100;
/// So many histories wait to be held against the live tables.
const HISTORIES_MAX: usize = 64;
/// Takes a history that is whole.
type Whole<'a> = &'a mut dyn FnMut(&Header, History) -> anyhow::Result<()>;
/// The standard input, as a file is named.
const STANDARD_INPUT: &str = "-";

/// What `verify` is given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Arguments {
    /// The export; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub export: PathBuf,
    /// The checkpoints: a directory with `checkpoints/` and `changes/`
    #[arg(long, value_name = "DIR", requires = "key")]
    pub checkpoints: Option<PathBuf>,
    /// The public key of who signs them (PEM)
    #[arg(long, value_name = "FILE", requires = "checkpoints")]
    pub key: Option<PathBuf>,
    /// A checkpoint that you kept from the last time: the series has to go on from it
    #[arg(long, value_name = "CHECKPOINT", requires = "checkpoints")]
    pub last_seen: Option<PathBuf>,
    /// Hold it against the live tables, too
    #[arg(long)]
    pub live: bool,
    /// Which tables those are.
    #[command(flatten)]
    pub tables: Tables,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// Verifies; whether all is as it was written.
///
/// # Errors
/// A file that cannot be read, tables that do not answer: then nothing is said of them.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<bool> {
    let report = if arguments.live {
        against_live(arguments, &open(root, &arguments.tables).await?).await?
    } else {
        verify(arguments)?
    };
    report.print(arguments.json)?;
    Ok(report.is_intact())
}

/// Verifies, and gives the outcome.
///
/// # Errors
/// As [`run`].
pub fn verify(arguments: &Arguments) -> anyhow::Result<Report> {
    each(arguments, &mut |_, _| Ok(()))
}

/// Verifies, and holds what the histories come to against the live tables.
///
/// # Errors
/// As [`run`].
pub async fn against_live(arguments: &Arguments, tables: &Live) -> anyhow::Result<Report> {
    let (send, mut histories) = mpsc::channel(HISTORIES_MAX);
    let arguments = arguments.clone();
    let verifying = tokio::task::spawn_blocking(move || {
        each(&arguments, &mut |header, history| {
            // Nobody listens any more: whoever listened says why.
            _ = send.blocking_send((header.exported_at, history));
            Ok(())
        })
    });
    let mut live = live::Live::of(tables);
    while let Some((exported_at, history)) = histories.recv().await {
        live.hold(exported_at, history).await?;
    }
    let (findings, counts) = live.finish().await?;
    let mut report = verifying.await.context("the verification stopped")??;
    report.take_live(tables, findings, counts);
    Ok(report)
}

/// Verifies; each history that is whole is handed on.
fn each(arguments: &Arguments, whole: Whole<'_>) -> anyhow::Result<Report> {
    let name = arguments.export.display().to_string();
    let mut findings = Findings::default();
    let read = if arguments.export == Path::new(STANDARD_INPUT) {
        record::read(std::io::stdin().lock(), &name, &mut findings)?
    } else {
        let file = File::open(&arguments.export).with_context(|| format!("cannot read {name}"))?;
        anyhow::ensure!(!file.metadata()?.is_dir(), "cannot read {name}: it is a directory");
        let bar = bar(file.metadata()?.len(), "{bar:30} {percent:>3} % of the export read, {eta} left");
        let input = BufReader::with_capacity(1 << 20, bar.wrap_read(file));
        let read = record::read(input, &name, &mut findings)?;
        bar.finish_and_clear();
        read
    };
    let header = read.as_ref().map(|export| &export.header);
    let mut against = checkpoints(arguments, header, &mut findings)?;
    let (header, counts) = match read {
        Some(export) => {
            let counts = histories(&name, export, &mut against, &mut findings, whole)?;
            (Some(counts.0), counts.1)
        }
        None => (None, Counts::default()),
    };
    Ok(Report::of(header, counts, against, arguments.checkpoints.is_some(), findings))
}

/// Reads the checkpoints, if there are to be any.
fn checkpoints(
    arguments: &Arguments,
    header: Option<&Header>,
    findings: &mut Findings,
) -> anyhow::Result<Option<Against>> {
    let (Some(directory), Some(key)) = (&arguments.checkpoints, &arguments.key) else { return Ok(None) };
    let key = series::key(key)?;
    // Whether it can be read is told before anything that takes time.
    let seen = match &arguments.last_seen {
        Some(file) => Some((file, series::envelope(file)?)),
        None => None,
    };
    let deployment = header.map(|header| header.deployment.as_str());
    let series = series::read(directory, &key, deployment, findings)?;
    if let Some((file, seen)) = seen {
        let held = match (seen, &series) {
            (Err(why), _) => Err(Wrong::Checkpoint { why }),
            (Ok(seen), Some(series)) => series::last_seen(&seen, &key, series),
            (Ok(seen), None) => {
                let why = "there is no series that counts".to_owned();
                Err(Wrong::RolledBack { number: seen.checkpoint.number, why })
            }
        };
        if let Err(wrong) = held {
            findings.add(Place { file: Some(file.display().to_string()), ..Place::default() }, wrong);
        }
    }
    let (Some(series), Some(header)) = (series, header) else { return Ok(None) };
    let against = Against::new(series, key.id(), header.exported_at);
    if let Some(stale) = against.stale() {
        let file = Some(directory.display().to_string());
        findings.add(Place { file, ..Place::default() }, stale);
    }
    Ok(Some(against))
}

/// Goes through every history.
fn histories(
    file: &str,
    export: Export,
    against: &mut Option<Against>,
    findings: &mut Findings,
    whole: Whole<'_>,
) -> anyhow::Result<(Header, Counts)> {
    let Export { header, found, opened, end, mut documents, mut commits } = export;
    let mut counts = Counts::of(&found, opened);
    let within = WRITTEN_WITHIN + reading_time(found.commits);
    let mut told_late = false;
    let bar = bar(found.commits, "{bar:30} {percent:>3} % of the commits verified, {per_sec}, {eta} left");
    let mut at = |place: Place, wrong| findings.add(Place { file: Some(file.to_owned()), ..place }, wrong);
    let mut next = commits.next()?;
    while let Some(Commit { subject: name, line, .. }) = &next {
        let (name, line) = (name.clone(), *line);
        if let Some(against) = against {
            against.pass(Some(&name), &mut at)?;
        }
        let mut history = name.parse().map(History::of).map_err(|error: SubjectError| {
            at(Place { line: Some(line), ..Place::default() }, Wrong::Line { why: error.to_string() });
        });
        while let Some(commit) = next.take_if(|commit| commit.subject == name) {
            next = commits.next()?;
            counts.commits += 1;
            bar.inc(1);
            let Some(history) = history.as_mut().ok().filter(|history| !history.broken) else { continue };
            match history.take(&commit.text, commit.line) {
                Ok(checked) => {
                    // Nobody signed when the export was taken: set back, it would excuse whatever
                    // checkpoints know and it lacks. The first commit tells of them all.
                    if !told_late && checked.recorded_at - header.exported_at > within {
                        told_late = true;
                        at(
                            history.place(commit.line, &checked),
                            Wrong::AfterExport {
                                recorded_at: checked.recorded_at,
                                exported_at: header.exported_at,
                            },
                        );
                    }
                    if let Some(against) = against {
                        against.hold(history, commit.line, &checked, &mut at)?;
                    }
                }
                Err(found) => at(found.place, found.wrong),
            }
        }
        if let Ok(history) = history {
            if let Some(against) = against {
                against.end(&history, &mut at)?;
            }
            counts.take(&history);
            if let Some((place, wrong)) = documents.hold(&history) {
                at(place, wrong);
            }
            if !history.broken {
                whole(&header, history)?;
            }
        }
    }
    if let Some(against) = against {
        against.pass(None, &mut at)?;
    }
    for (place, wrong) in documents.left() {
        at(place, wrong);
    }
    for (what, named, there) in counts.revisions() {
        // The first of them: an entry can name any number.
        if named > there {
            at(Place::default(), Wrong::Revision { what, revision: there + 1 });
        }
    }
    if let Some((place, wrong)) = end {
        at(place, wrong);
    }
    bar.finish_and_clear();
    Ok((header, counts))
}

/// How long an export of so many commits was read at most.
fn reading_time(commits: u64) -> TimeDelta {
    // More than there can be is as long as there is.
    let seconds = i64::try_from(commits / READ_A_SECOND).unwrap_or(i64::MAX);
    TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX)
}
