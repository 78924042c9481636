//! `leadctl audit acknowledge`: what an operator says to a report that the audit was changed. While
//! one is not acknowledged, no checkpoint is made. An acknowledgment lies with the checkpoints, where
//! nobody can change or delete it, and undoes nothing: whoever verifies an export still finds what
//! was changed.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context as _, ensure};
use audit::tampering::{ACKNOWLEDGED, Acknowledgment, TAMPERING};
use aws_config::BehaviorVersion;
use checkpoint::{Archive, S3Archive, s3_client};

use super::directory::Directory;
use crate::output::say;
use crate::seed;
use crate::state::{DIRECTORY, State};

/// What `acknowledge` is given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The reports, by name; none: lists those that wait
    #[arg(value_name = "REPORT")]
    reports: Vec<String>,
    /// What was found, and why checkpoints may go on
    #[arg(long, value_name = "TEXT", required_unless_present = "list")]
    why: Option<String>,
    /// Who looked at it
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
    by: String,
    /// List the reports that wait, and acknowledge none
    #[arg(long, conflicts_with_all = ["why", "reports"])]
    list: bool,
    /// The bucket of a deployment in AWS; default: what `up` runs here
    #[arg(long, value_name = "NAME", env = "CHECKPOINT_BUCKET")]
    bucket: Option<String>,
    /// A directory of checkpoints of your own, as of `audit checkpoint`
    #[arg(long, value_name = "DIR", conflicts_with = "bucket")]
    dir: Option<PathBuf>,
}

/// Acknowledges, or lists; whether nothing waits any more.
///
/// # Errors
/// There is no such report, or the bucket does not answer.
pub async fn run(root: impl Fn() -> anyhow::Result<PathBuf>, arguments: &Arguments) -> anyhow::Result<bool> {
    if let Some(dir) = &arguments.dir {
        return answer(&Directory::new(dir), arguments).await;
    }
    let (sdk, bucket) = match &arguments.bucket {
        Some(bucket) => (aws_config::load_defaults(BehaviorVersion::latest()).await, bucket.clone()),
        None => {
            let state = State::load(&root()?.join(DIRECTORY))?;
            (seed::local_sdk(&state).await, state.output("CheckpointBucketName")?.to_owned())
        }
    };
    answer(&S3Archive::new(s3_client(&sdk), bucket, None), arguments).await
}

async fn answer(archive: &impl Archive, arguments: &Arguments) -> anyhow::Result<bool> {
    if let Some(why) = &arguments.why {
        ensure!(!arguments.reports.is_empty(), "name the reports; `--list` shows those that wait");
        let at = platform::clock::instant(SystemTime::now());
        let said = Acknowledgment { by: arguments.by.clone(), at, why: why.clone() };
        acknowledge(archive, &arguments.reports, &said).await?;
    }
    let open = open(archive).await?;
    match open.len() {
        0 => say("no report waits; checkpoints go on"),
        waiting => {
            say(&format!("{waiting} reports wait, and no checkpoint is made until each is acknowledged"))
        }
    }
    open.iter().for_each(|name| say(name));
    Ok(open.is_empty())
}

/// The reports that nobody acknowledged, by name.
///
/// # Errors
/// The bucket does not answer.
pub async fn open(archive: &impl Archive) -> anyhow::Result<Vec<String>> {
    let acknowledged = archive.list(ACKNOWLEDGED).await?;
    let mut open = archive.list(TAMPERING).await?;
    open.retain(|name| !acknowledged.contains(name));
    open.sort();
    Ok(open)
}

/// Acknowledges reports; what was said before to one of them stands.
///
/// # Errors
/// There is no such report, or the bucket does not answer.
pub async fn acknowledge(
    archive: &impl Archive,
    reports: &[String],
    said: &Acknowledgment,
) -> anyhow::Result<()> {
    ensure!(!said.why.trim().is_empty(), "`--why` must say what was found");
    for name in reports {
        let report = archive.read(&format!("{TAMPERING}{name}")).await?;
        report.with_context(|| format!("there is no report `{name}`; `--list` shows those that wait"))?;
    }
    for name in reports {
        let path = format!("{ACKNOWLEDGED}{name}");
        if !archive.put_new(&path, serde_json::to_vec(said)?).await? {
            say(&format!("`{name}` was acknowledged before; what was said then stands"));
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
        let archive = Directory::new(dir.path());
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
