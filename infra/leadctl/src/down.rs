//! `leadctl down`: ends the local stack from another terminal.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

use crate::output::say;
use crate::stack::emulator;
use crate::state::{DIRECTORY, Lock, State};

/// How long it may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(100);

/// Ends the stack of this project, and processes that an earlier one left behind.
///
/// # Errors
/// When a process cannot be ended.
pub async fn run(root: &Path) -> anyhow::Result<()> {
    let state_dir = root.join(DIRECTORY);
    let Some(pid) = Lock::holder(&state_dir)? else {
        let orphans = emulator::end_orphans(&state_dir).await?;
        State::remove(&state_dir);
        say(&match orphans {
            0 => "No stack is running here.".to_owned(),
            count => format!("Stopped {count} processes that an earlier run left behind."),
        });
        return Ok(());
    };
    let process = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .context("the stack is just starting; try again in a moment")?;
    say(&format!("Stopping process {pid} …"));
    kill_process(process, Signal::TERM).with_context(|| format!("cannot stop process {pid}"))?;
    if !free_within(&state_dir, PATIENCE).await? {
        kill_process(process, Signal::KILL).with_context(|| format!("cannot stop process {pid}"))?;
        free_within(&state_dir, PATIENCE).await?;
        emulator::end_orphans(&state_dir).await?;
        State::remove(&state_dir);
    }
    say("Stopped everything.");
    Ok(())
}

async fn free_within(state_dir: &Path, patience: Duration) -> anyhow::Result<bool> {
    let start = Instant::now();
    while start.elapsed() < patience {
        if Lock::holder(state_dir)?.is_none() {
            return Ok(true);
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(false)
}
