//! The AWS emulator: a process group of its own, which never outlives `leadctl`.
//!
//! It ends in one of three ways: `leadctl` stops it; `leadctl` dies, the pipe between them closes, and the emulator ends
//! itself; or, if both fail, the next start finds its group in a file and ends it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStdin, Command};

use crate::isolation;

/// How long it may take to answer, on a slow machine under load.
const START_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
/// How long it may take to end before it is killed.
const STOP_MAX: Duration = Duration::from_secs(3);

const SCRIPT: &str = "infra/local/emulator.py";
/// Holds the id of its process group.
const GROUP_FILE: &str = "emulator.pid";

/// A running emulator.
#[derive(Debug)]
pub(crate) struct Emulator {
    pub(crate) endpoint: String,
    child: Child,
    group: Pid,
    /// Open as long as `leadctl` lives; the script ends when it closes.
    leash: Option<ChildStdin>,
    state_dir: PathBuf,
}

/// The file with the log lines of all functions.
pub(crate) fn function_log(state_dir: &Path) -> PathBuf {
    state_dir.join("log/functions.log")
}

impl Emulator {
    /// Starts it on `port` and waits until it answers.
    ///
    /// # Errors
    /// When it does not start, or does not answer in time.
    pub(crate) async fn start(
        python: &Path,
        root: &Path,
        state_dir: &Path,
        port: u16,
    ) -> anyhow::Result<Self> {
        let scratch = scratch(state_dir);
        let _ = std::fs::remove_dir_all(&scratch);
        std::fs::create_dir_all(&scratch)
            .with_context(|| format!("cannot create `{}`", scratch.display()))?;
        let functions = function_log(state_dir);
        File::create(&functions).with_context(|| format!("cannot write `{}`", functions.display()))?;
        let log_path = state_dir.join("log/emulator.log");
        let log =
            File::create(&log_path).with_context(|| format!("cannot write `{}`", log_path.display()))?;
        let endpoint = format!("http://127.0.0.1:{port}");

        let mut command = Command::new(python);
        isolation::environment(&mut command)
            .arg(root.join(SCRIPT))
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            // Functions inherit it; without it they would call the real AWS.
            .env("AWS_ENDPOINT_URL", &endpoint)
            .env("LEADWATCH_FUNCTION_LOG", &functions)
            // It unpacks and runs the functions there.
            .env("TMPDIR", &scratch)
            .env("S3_DATA_DIR", scratch.join("s3"))
            .env("STATE_DIR", scratch.join("state"))
            // Each function may do only what its role in the template allows.
            .env("AUTH", "true")
            .env("RUST_BACKTRACE", "1")
            // Services with fixed ports, which a second stack could not share.
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().context("cannot share the emulator's log")?)
            .stderr(log)
            .process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot run `{}`", python.display()))?;
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()))
            .context("the emulator ended at once")?;
        let leash = child.stdin.take();
        std::fs::write(state_dir.join(GROUP_FILE), group.as_raw_nonzero().to_string())
            .with_context(|| format!("cannot write `{}`", state_dir.join(GROUP_FILE).display()))?;
        let mut emulator = Self { endpoint, child, group, leash, state_dir: state_dir.to_owned() };
        emulator.wait_until_it_answers(&log_path).await?;
        Ok(emulator)
    }

    async fn wait_until_it_answers(&mut self, log: &Path) -> anyhow::Result<()> {
        let client = isolation::local_client()?;
        let health = format!("{}/_ministack/health", self.endpoint);
        let answers = async {
            loop {
                if client.get(&health).send().await.is_ok_and(|response| response.status().is_success()) {
                    return;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            () = answers => Ok(()),
            status = self.child.wait() => {
                anyhow::bail!("the emulator ended ({}); read `{}`", status.context("cannot wait for it")?, log.display())
            }
            () = tokio::time::sleep(START_MAX) => {
                anyhow::bail!("the emulator does not answer after {} s; read `{}`", START_MAX.as_secs(), log.display())
            }
        }
    }

    /// Returns when it has ended by itself, which it should not.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        self.child.wait().await.context("cannot wait for the emulator")
    }

    /// Ends it and all functions, and removes their files.
    pub(crate) async fn stop(mut self) {
        drop(self.leash.take());
        let _ = tokio::time::timeout(STOP_MAX, self.child.wait()).await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Also ends processes of the group whose leader is gone.
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.try_wait();
        let _ = std::fs::remove_file(self.state_dir.join(GROUP_FILE));
        let _ = std::fs::remove_dir_all(scratch(&self.state_dir));
    }
}

fn scratch(state_dir: &Path) -> PathBuf {
    state_dir.join("tmp")
}

/// Ends an emulator that an earlier run left behind, and its functions. Returns the number of processes.
///
/// The system may have reused the group's id. So only processes count that are in the group **and** run the emulator's
/// script or a binary from the scratch directory.
///
/// # Errors
/// When `ps` does not run.
pub(crate) async fn end_orphans(state_dir: &Path) -> anyhow::Result<usize> {
    let file = state_dir.join(GROUP_FILE);
    let Ok(text) = std::fs::read_to_string(&file) else { return Ok(0) };
    let Some(group) = text.trim().parse().ok().and_then(Pid::from_raw) else { return Ok(0) };
    let found = members(group, state_dir).await?;
    if found > 0 {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = std::fs::remove_file(&file);
    let _ = std::fs::remove_dir_all(scratch(state_dir));
    Ok(found)
}

async fn members(group: Pid, state_dir: &Path) -> anyhow::Result<usize> {
    let mut command = Command::new("ps");
    command.args(["-A", "-ww", "-o", "pgid=,args="]).kill_on_drop(true);
    let output =
        command.output().await.context("cannot run `ps`, which finds processes of an earlier run")?;
    let (ours, group) = (scratch(state_dir).display().to_string(), group.as_raw_nonzero().to_string());
    let count = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.trim_start().split_once(' '))
        .filter(|(pgid, args)| *pgid == group && (args.contains(SCRIPT) || args.contains(&ours)))
        .count();
    Ok(count)
}
