//! `leadctl audit acknowledge`: records that a person examined a tampering report. While a report is open, no checkpoint is
//! made. An acknowledgment stays with the checkpoints, where nobody can change or delete it, and repairs nothing: a
//! verification still finds the change.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context as _, ensure};
use audit::tampering::{ACKNOWLEDGED, Acknowledgment, TAMPERING};
use aws_config::BehaviorVersion;
use checkpoint::{Archive, S3Archive, s3_client};

use super::checkpoint_dir::CheckpointDir;
use crate::output::say;
use crate::seed;
use crate::state::{DIRECTORY, State};

/// Options of `leadctl audit acknowledge`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The names of the reports
    #[arg(value_name = "REPORT")]
    reports: Vec<String>,
    /// Your finding, and why checkpoints may resume
    #[arg(long, value_name = "TEXT", required_unless_present = "list")]
    why: Option<String>,
    /// The person who examined it
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
    by: String,
    /// List the open reports and acknowledge none
    #[arg(long, conflicts_with_all = ["why", "reports"])]
    list: bool,
    /// The checkpoint bucket of a deployment in AWS [default: the local stack]
    #[arg(long, value_name = "NAME", env = "CHECKPOINT_BUCKET")]
    bucket: Option<String>,
    /// A directory of your own checkpoints, as `audit checkpoint` makes them
    #[arg(long, value_name = "DIR", conflicts_with = "bucket")]
    dir: Option<PathBuf>,
}

/// Acknowledges or lists reports. Returns false if one stays open.
///
/// # Errors
/// When there is no such report, or the bucket does not answer.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<bool> {
    if let Some(dir) = &arguments.dir {
        return update(&CheckpointDir::new(dir), arguments).await;
    }
    let (sdk, bucket) = match &arguments.bucket {
        Some(bucket) => (aws_config::load_defaults(BehaviorVersion::latest()).await, bucket.clone()),
        None => {
            let state = State::load(&root()?.join(DIRECTORY))?;
            (seed::local_sdk(&state).await, state.output("CheckpointBucketName")?.to_owned())
        }
    };
    update(&S3Archive::new(s3_client(&sdk), bucket, None), arguments).await
}

async fn update(archive: &impl Archive, arguments: &Arguments) -> anyhow::Result<bool> {
    if let Some(why) = &arguments.why {
        ensure!(!arguments.reports.is_empty(), "name the reports; `--list` shows the open ones");
        let at = platform::clock::instant(SystemTime::now());
        let acknowledgment = Acknowledgment { by: arguments.by.clone(), at, why: why.clone() };
        acknowledge(archive, &arguments.reports, &acknowledgment).await?;
    }
    let open = open(archive).await?;
    match open.len() {
        0 => say("No report is open; checkpoints resume."),
        1 => say("One report is open; no checkpoint is made until you acknowledge it:"),
        count => say(&format!("{count} reports are open; no checkpoint is made until you acknowledge each:")),
    }
    open.iter().for_each(|name| say(name));
    Ok(open.is_empty())
}

/// The names of the open reports.
///
/// # Errors
/// When the bucket does not answer.
pub async fn open(archive: &impl Archive) -> anyhow::Result<Vec<String>> {
    let acknowledged = archive.list(ACKNOWLEDGED).await?;
    let mut open = archive.list(TAMPERING).await?;
    open.retain(|name| !acknowledged.contains(name));
    open.sort();
    Ok(open)
}

/// Acknowledges reports. An earlier acknowledgment of a report stays.
///
/// # Errors
/// When there is no such report, or the bucket does not answer.
pub async fn acknowledge(
    archive: &impl Archive,
    reports: &[String],
    acknowledgment: &Acknowledgment,
) -> anyhow::Result<()> {
    ensure!(!acknowledgment.why.trim().is_empty(), "`--why` must say what you found");
    for name in reports {
        let report = archive.read(&format!("{TAMPERING}{name}")).await?;
        report.with_context(|| format!("there is no report `{name}`; `--list` shows the open ones"))?;
    }
    for name in reports {
        let path = format!("{ACKNOWLEDGED}{name}");
        if !archive.put_new(&path, serde_json::to_vec(acknowledgment)?).await? {
            say(&format!("`{name}` was acknowledged before; the earlier acknowledgment stays."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_report_is_acknowledged_once_and_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let archive = CheckpointDir::new(dir.path());
        let name = "lead~L-1_000000000003_replaced_77.json".to_owned();
        archive.put_new(&format!("{TAMPERING}{name}"), b"{}".to_vec()).await.unwrap();
        assert_eq!(open(&archive).await.unwrap(), std::slice::from_ref(&name));
        let at = platform::clock::instant(SystemTime::now());
        let said = |why: &str| Acknowledgment { by: "ops".to_owned(), at, why: why.to_owned() };
        let none = acknowledge(&archive, &["other.json".to_owned()], &said("x")).await;
        assert!(none.unwrap_err().to_string().contains("no report `other.json`"));
        assert!(acknowledge(&archive, std::slice::from_ref(&name), &said(" ")).await.is_err());
        acknowledge(&archive, std::slice::from_ref(&name), &said("a restore by hand")).await.unwrap();
        acknowledge(&archive, std::slice::from_ref(&name), &said("something else")).await.unwrap();
        assert_eq!(open(&archive).await.unwrap(), Vec::<String>::new());
        let stands = archive.read(&format!("{ACKNOWLEDGED}{name}")).await.unwrap().unwrap();
        assert_eq!(serde_json::from_slice::<Acknowledgment>(&stands).unwrap(), said("a restore by hand"));
    }
}
