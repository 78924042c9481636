//! `leadctl audit export`, and the live tables as a source: every commit with what it answered, and
//! every revision it was decided under, read in bounded memory.

use std::io::{BufReader, BufWriter, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use audit::ChainedCommit;
use aws_config::BehaviorVersion;
use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use policy::ids::{PublicationId, PublicationKind};
use rules::record::{DirectoryLine, End, FORMAT_VERSION, Header, PolicyLine};
use sealing::KmsWrap;
use serde_json::value::RawValue;
use store::{ScanCursor, Store};
use tokio::sync::mpsc;

use super::file::Contents;
use super::opened::Opener;
use super::{Order, Reader, Sorted, Writer, sorted};
use crate::output::say;
use crate::seed;
use crate::state::{DIRECTORY, State};

/// The audit is read in so many segments side by side.
const SEGMENTS: u16 = 4;
/// So many pages wait to be written; memory holds no more.
const PAGES_MAX: usize = 8;
/// How `--from` names the live tables.
pub(super) const LIVE: &str = "live";

/// Which tables.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Tables {
    /// The table of leads of a deployment in AWS; default: what `up` runs here
    #[arg(long, value_name = "NAME", env = "LEADS_TABLE", requires = "audit_table")]
    leads_table: Option<String>,
    /// The table of its audit; credentials and region come from the environment
    #[arg(long, value_name = "NAME", env = "AUDIT_TABLE", requires = "leads_table")]
    audit_table: Option<String>,
    /// Its name, as its checkpoints have it: the stack's
    #[arg(long, value_name = "NAME", env = "DEPLOYMENT", requires = "leads_table")]
    deployment: Option<String>,
}

/// What `export` is given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where to write it; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// Adds lines with what sealed texts say, where their keys still are; it needs the permission
    /// to use the data key
    #[arg(long)]
    with_personal: bool,
    #[command(flatten)]
    tables: Tables,
    /// The table of data keys of a deployment in AWS
    #[arg(long, value_name = "NAME", env = "KEYS_TABLE", requires = "data_key")]
    keys_table: Option<String>,
    /// The key of KMS that wraps them
    #[arg(long, value_name = "ARN", env = "DATA_KEY", requires = "keys_table")]
    data_key: Option<String>,
}

/// Where a record comes from.
#[derive(Debug, Clone, clap::Args)]
pub struct Source {
    /// An export, or `live` for the tables themselves
    #[arg(long, value_name = "EXPORT", default_value = LIVE)]
    pub(super) from: PathBuf,
    #[command(flatten)]
    pub(super) tables: Tables,
}

/// A deployment's tables, open.
pub struct Live {
    /// The store over them.
    pub store: Store,
    /// What to call it.
    pub deployment: String,
    /// The table of leads.
    pub leads_table: String,
    /// The table of the audit.
    pub audit_table: String,
}

/// Writes the export.
///
/// # Errors
/// When the tables do not answer, or it cannot be written.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<()> {
    let mut live = open(root, &arguments.tables).await?;
    if let (Some(table), Some(key)) = (&arguments.keys_table, &arguments.data_key)
        && arguments.tables.leads_table.is_some()
    {
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        live.store = live.store.with_keys(table, Arc::new(KmsWrap::new(aws_sdk_kms::Client::new(&sdk), key)));
    } else if arguments.with_personal && arguments.tables.leads_table.is_some() {
        anyhow::bail!("to read what is personal, name its keys: --keys-table and --data-key");
    }
    let out: Box<dyn Write + Send> = if arguments.out == Path::new("-") {
        Box::new(std::io::stdout())
    } else {
        let file = std::fs::File::create(&arguments.out)
            .with_context(|| format!("cannot write {}", arguments.out.display()))?;
        Box::new(file)
    };
    let (_, end) = export(&live, BufWriter::new(out), arguments.with_personal).await?;
    say(&format!("{} commits, {} policies, {} directories", end.commits, end.policies, end.directories));
    Ok(())
}

/// Opens them.
///
/// # Errors
/// When nothing runs here, or its state cannot be read.
pub(crate) async fn open(
    root: impl Fn() -> anyhow::Result<PathBuf>,
    tables: &Tables,
) -> anyhow::Result<Live> {
    if let (Some(leads), Some(audit)) = (&tables.leads_table, &tables.audit_table) {
        let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let client = aws_sdk_dynamodb::Client::new(&sdk);
        let region = sdk.region().map(ToString::to_string).unwrap_or_default();
        return Ok(Live {
            store: Store::new(client, leads, audit),
            deployment: tables
                .deployment
                .clone()
                .unwrap_or_else(|| format!("aws {region}").trim_end().to_owned()),
            leads_table: leads.clone(),
            audit_table: audit.clone(),
        });
    }
    let state = State::load(&root()?.join(DIRECTORY))?;
    Ok(Live {
        store: seed::local_store(&state).await?,
        deployment: state.stack_name.clone(),
        leads_table: state.output("LeadsTableName")?.to_owned(),
        audit_table: state.output("AuditTableName")?.to_owned(),
    })
}

/// Exports a deployment; with what is personal in lines of its own, if that is asked for.
///
/// # Errors
/// When the tables do not answer, or it cannot be written.
pub async fn export<W: Write>(live: &Live, out: W, personal: bool) -> anyhow::Result<(W, End)> {
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
            if personal && let Some(opened) = opener.open(&record).await? {
                writer.opened(&opened)?;
            }
            bar.inc(1);
        }
    }
    for reader in readers {
        reader.await.context("a reader of the audit stopped")??;
    }
    bar.finish_and_clear();
    // After the commits, so that whatever they were decided under is there.
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

/// The text of a revision, as it was stored.
async fn document(
    live: &Live,
    kind: PublicationKind,
    revision: u32,
) -> anyhow::Result<(Box<RawValue>, DateTime<Utc>)> {
    let id = PublicationId { kind, revision };
    let text = live.store.revision_text(&id).await?;
    text.with_context(|| format!("{id} is missing in the table, and later revisions are there"))
}

async fn read_segment(
    store: Store,
    segment: u16,
    pages: mpsc::Sender<Vec<ChainedCommit>>,
) -> anyhow::Result<()> {
    let mut after: Option<ScanCursor> = None;
    loop {
        let (page, next) = store.scan_audit(segment, SEGMENTS, after).await?;
        // Nobody listens any more: whoever wrote it says why.
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
    /// Reads the record and sorts it.
    ///
    /// # Errors
    /// An export that is damaged; tables that do not answer.
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
        anyhow::ensure!(contents.end.commits > 0, "the record holds no commits: there is nothing to replay");
        Ok((contents, sorted))
    }
}

fn read(file: std::fs::File, name: &str, order: Order) -> anyhow::Result<(Contents, Sorted)> {
    let bar = Arc::new(bar(file.metadata()?.len(), "{bar:30} {percent:>3} % of the record read, {eta} left"));
    let file = bar.wrap_read(file);
    let contents = sorted(Reader::new(BufReader::with_capacity(1 << 20, file), name), order);
    bar.finish_and_clear();
    contents
}

/// A bar on a terminal; nothing anywhere else.
pub(crate) fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn counter(template: &str) -> ProgressBar {
    let bar = ProgressBar::no_length();
    bar.with_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()),
    )
}
