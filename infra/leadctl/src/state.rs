//! The running stack, for the other commands to find: `.leadwatch/state.json`, and the lock that proves that it runs.
//!
//! The lock is the kernel's: it is released the moment its holder ends, however it ends. So whether a stack runs is never
//! a guess from a process id in a file.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The directory of all local files, in the project's root.
pub const DIRECTORY: &str = ".leadwatch";

const STATE: &str = "state.json";
const LOCK: &str = "lock";

/// A member of staff in the local user pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// The name to sign in with.
    pub name: String,
    /// Their email address.
    pub email: String,
    /// Their groups, which give them their permissions.
    pub groups: Vec<String>,
}

/// A running local stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The process that runs it.
    pub pid: u32,
    /// The address of the AWS emulator.
    pub endpoint: String,
    /// Its AWS region.
    pub region: String,
    /// The name under which it is deployed.
    pub stack_name: String,
    /// The address of the API, without `/v1`.
    pub api_url: String,
    /// The address of the message sink, with a page that shows the messages.
    pub sink_url: String,
    /// The template's outputs: names of tables, URLs of queues and so on.
    pub outputs: BTreeMap<String, String>,
    /// The key that signs posts to `/v1/hooks/generic`: `whsec_…`.
    pub hook_secret: String,
    /// Staff who can sign in.
    pub users: Vec<User>,
    /// The password of every user.
    pub password: String,
}

impl State {
    /// Loads the stack that runs with this state directory.
    ///
    /// # Errors
    /// When none runs, or its file cannot be read.
    pub fn load(state_dir: &Path) -> anyhow::Result<Self> {
        let running = Lock::holder(state_dir)?.is_some();
        let file = state_dir.join(STATE);
        if !running {
            anyhow::bail!("no stack is running here: start one with `cargo leadctl up`");
        }
        if !file.exists() {
            anyhow::bail!(
                "the local stack is still starting: wait until `cargo leadctl up` prints its addresses"
            );
        }
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
        serde_json::from_str(&text).with_context(|| {
            format!(
                "`{}` was written by another version: run `cargo leadctl down`, then `up`",
                file.display()
            )
        })
    }

    /// An output of the template.
    ///
    /// # Errors
    /// When the template has no output of that name.
    pub fn output(&self, name: &str) -> anyhow::Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the stack has no output `{name}`; run `cargo leadctl down`, then `up`"))
    }

    /// A member of the local staff.
    ///
    /// # Errors
    /// When there is no such user; the error lists the users.
    pub fn user(&self, name: &str) -> anyhow::Result<&User> {
        self.users.iter().find(|user| user.name == name).with_context(|| {
            let names: Vec<_> = self.users.iter().map(|user| user.name.as_str()).collect();
            format!("no user `{name}`; use one of {}", names.join(", "))
        })
    }

    /// Writes the state file. Only this user can read it: it holds local secrets.
    pub(crate) fn save(&self, state_dir: &Path) -> anyhow::Result<()> {
        let file = state_dir.join(STATE);
        let fresh = state_dir.join("state.json.new");
        let _ = std::fs::remove_file(&fresh);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)
            .and_then(|mut to| to.write_all(serde_json::to_string_pretty(self)?.as_bytes()))
            .and_then(|()| std::fs::rename(&fresh, &file))
            .with_context(|| format!("cannot write `{}`", file.display()))
    }

    /// Removes the state file, right before the lock is released.
    pub(crate) fn remove(state_dir: &Path) {
        let _ = std::fs::remove_file(state_dir.join(STATE));
    }
}

/// The right to run a stack with a state directory. Only one process holds it.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or returns the id of the process that holds it.
    pub(crate) fn take(state_dir: &Path) -> anyhow::Result<Result<Self, u32>> {
        let path = state_dir.join(LOCK);
        let mut file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)
                    .and_then(|()| file.rewind())
                    .and_then(|()| write!(file, "{}", std::process::id()))
                    .with_context(|| format!("cannot write `{}`", path.display()))?;
                Ok(Ok(Self { _file: file }))
            }
            Err(TryLockError::WouldBlock) => Ok(Err(read_pid(&mut file))),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
            }
        }
    }

    /// The id of the process that holds the lock, if one does; zero while it is just starting.
    pub(crate) fn holder(state_dir: &Path) -> anyhow::Result<Option<u32>> {
        let path = state_dir.join(LOCK);
        if !path.exists() {
            return Ok(None);
        }
        let mut file = open(&path)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(read_pid(&mut file))),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
            }
        }
    }
}

fn open(path: &PathBuf) -> anyhow::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("cannot open `{}`", path.display()))
}

/// Zero if the holder has not written its id yet.
fn read_pid(file: &mut File) -> u32 {
    let mut text = String::new();
    let _ = file.read_to_string(&mut text);
    text.trim().parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_by_one_and_names_its_holder() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Lock::holder(directory.path()).unwrap(), None);
        let lock = Lock::take(directory.path()).unwrap().unwrap();
        assert_eq!(Lock::take(directory.path()).unwrap().unwrap_err(), std::process::id());
        assert_eq!(Lock::holder(directory.path()).unwrap(), Some(std::process::id()));
        drop(lock);
        assert_eq!(Lock::holder(directory.path()).unwrap(), None);
    }

    #[test]
    fn the_state_file_of_a_killed_process_is_no_running_stack() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(STATE), "{}").unwrap();
        std::fs::write(directory.path().join(LOCK), "4242").unwrap();
        let error = State::load(directory.path()).unwrap_err();
        assert_eq!(error.to_string(), "no stack is running here: start one with `cargo leadctl up`");
    }
}
