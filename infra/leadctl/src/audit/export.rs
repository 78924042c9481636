//! `leadctl audit export`: writes every commit with its input, and every revision, in bounded memory. Other commands read
//! an export, or make a temporary one of the live tables.

use std::io::{BufWriter, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use audit::ChainedCommit;
use aws_config::BehaviorVersion;
use chrono::{DateTime, Utc};
use policy::ids::{PublicationId, PublicationKind};
use rules::record::{DirectoryLine, End, FORMAT_VERSION, Header, PolicyLine};
use sealing::KmsWrap;
use serde_json::value::RawValue;
use store::{ScanCursor, Store};
use tokio::sync::mpsc;

use super::compression::{self, Output};
use super::format::{Contents, Reader, Writer};
use super::opened::Opener;
use super::sort::{Order, Sorted, sorted};
use super::tables::{Tables, open};
use crate::output::say;
use crate::progress::{bar, counter};

pub use super::tables::Live;

/// How many segments of the audit are read in parallel.
const SEGMENTS: u16 = 4;
/// How many pages may wait to be written.
const PAGES_MAX: usize = 8;
/// Stands for the live tables in `--from`.
pub(super) const LIVE: &str = "live";

/// Options of `leadctl audit export`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file to write, compressed if its name ends in `.zst`; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// Add lines with the opened personal data; needs permission to use the data key
    #[arg(long)]
    with_personal: bool,
    #[command(flatten)]
    tables: Tables,
    /// The table of data keys of a deployment in AWS
    #[arg(long, value_name = "NAME", env = "KEYS_TABLE", requires = "data_key")]
    keys_table: Option<String>,
    /// The KMS key that wraps the data keys
    #[arg(long, value_name = "ARN", env = "DATA_KEY", requires = "keys_table")]
    data_key: Option<String>,
}

/// The options that say where the audit comes from.
#[derive(Debug, Clone, clap::Args)]
pub struct Source {
    /// An export, or `live` for the live tables
    #[arg(long, value_name = "EXPORT", default_value = LIVE)]
    pub(super) from: PathBuf,
    #[command(flatten)]
    pub(super) tables: Tables,
}

/// Writes an export.
///
/// # Errors
/// When the tables do not answer, or the file cannot be written.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<()> {
    let mut live = open(root, &arguments.tables).await?;
    if let (Some(table), Some(key)) = (&arguments.keys_table, &arguments.data_key)
        && arguments.tables.leads_table.is_some()
    {
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        live.store = live.store.with_keys(table, Arc::new(KmsWrap::new(aws_sdk_kms::Client::new(&sdk), key)));
    } else if arguments.with_personal && arguments.tables.leads_table.is_some() {
        anyhow::bail!("`--with-personal` needs `--keys-table` and `--data-key` for a deployment in AWS");
    }
    let failed = || format!("cannot write {}", arguments.out.display());
    let out = if arguments.out == Path::new("-") {
        Output::Stdout(std::io::stdout())
    } else {
        Output::create(&arguments.out).with_context(failed)?
    };
    let (out, end) = export(&live, BufWriter::new(out), arguments.with_personal).await?;
    let out = out.into_inner().map_err(|error| error.into_error()).with_context(failed)?;
    out.finish().with_context(failed)?;
    say(&format!(
        "Exported {} commits, {} policies and {} directories.",
        end.commits, end.policies, end.directories
    ));
    Ok(())
}

/// Exports a deployment, with opened personal data in lines of its own if `with_personal`.
///
/// # Errors
/// When the tables do not answer, or `out` cannot be written.
pub async fn export<W: Write>(live: &Live, out: W, with_personal: bool) -> anyhow::Result<(W, End)> {
    let header = Header {
        format_version: FORMAT_VERSION,
        deployment: live.deployment.clone(),
        leads_table: live.leads_table.clone(),
        audit_table: live.audit_table.clone(),
        exported_at: platform::clock::instant(SystemTime::now()),
    };
    let mut writer = Writer::begin(out, &header)?;
    let mut opener = Opener::new(&live.store);
    let bar = counter("{spinner} {human_pos} commits read, {per_sec}");
    let (send, mut pages) = mpsc::channel(PAGES_MAX);
    let readers: Vec<_> = (0..SEGMENTS)
        .map(|segment| tokio::spawn(read_segment(live.store.clone(), segment, send.clone())))
        .collect();
    drop(send);
    while let Some(page) = pages.recv().await {
        for record in page {
            writer.commit(&record)?;
            if with_personal && let Some(opened) = opener.open(&record).await? {
                writer.opened(&opened)?;
            }
            bar.inc(1);
        }
    }
    for reader in readers {
        reader.await.context("reading the audit stopped")??;
    }
    bar.finish_and_clear();
    // After the commits, so that every revision that a commit names is there.
    for revision in 1..=live.store.current_policy().await?.revision {
        let (policy, _) = document(live, PublicationKind::Policy, revision).await?;
        writer.policy(&PolicyLine { policy })?;
    }
    for revision in 1..=live.store.current_directory().await?.revision() {
        let (directory, published_at) = document(live, PublicationKind::Directory, revision).await?;
        writer.directory(&DirectoryLine { revision, published_at, directory })?;
    }
    writer.finish()
}

/// The stored text of a revision, and when it was published.
async fn document(
    live: &Live,
    kind: PublicationKind,
    revision: u32,
) -> anyhow::Result<(Box<RawValue>, DateTime<Utc>)> {
    let id = PublicationId { kind, revision };
    let text = live.store.revision_text(&id).await?;
    text.with_context(|| format!("{id} is missing in the table although later revisions exist"))
}

async fn read_segment(
    store: Store,
    segment: u16,
    pages: mpsc::Sender<Vec<ChainedCommit>>,
) -> anyhow::Result<()> {
    let mut after: Option<ScanCursor> = None;
    loop {
        let (page, next) = store.scan_audit(segment, SEGMENTS, after).await?;
        // The receiver has stopped and reports why.
        if pages.send(page).await.is_err() {
            return Ok(());
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

impl Source {
    /// Reads the audit and sorts its commits.
    ///
    /// # Errors
    /// When the export is damaged, or the tables do not answer.
    pub async fn sorted(
        &self,
        root: impl Fn() -> anyhow::Result<PathBuf>,
        order: Order,
    ) -> anyhow::Result<(Contents, Sorted)> {
        let (contents, sorted) = if self.from == Path::new(LIVE) {
            let live = open(root, &self.tables).await?;
            let (out, _) = export(&live, BufWriter::new(tempfile::tempfile()?), false).await?;
            let mut file = out.into_inner().map_err(|error| error.into_error())?;
            file.rewind()?;
            read(file, "the live tables", order)?
        } else {
            let name = self.from.display().to_string();
            let file = std::fs::File::open(&self.from).with_context(|| format!("cannot read {name}"))?;
            read(file, &name, order)?
        };
        anyhow::ensure!(contents.end.commits > 0, "the audit has no commits: there is nothing to replay");
        Ok((contents, sorted))
    }
}

fn read(file: std::fs::File, name: &str, order: Order) -> anyhow::Result<(Contents, Sorted)> {
    let bar = Arc::new(bar(file.metadata()?.len(), "{bar:30} {percent:>3} % of the audit read, {eta} left"));
    let file = bar.wrap_read(file);
    let contents = compression::lines(file)
        .with_context(|| format!("cannot read {name}"))
        .and_then(|lines| sorted(Reader::new(lines, name), order));
    bar.finish_and_clear();
    contents
}
