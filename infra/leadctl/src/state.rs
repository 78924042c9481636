//! What runs, for the other commands to find: `.leadwatch/state.json`, and the lock that proves it.
//!
//! The lock is the kernel's: it is free the moment its holder is gone, however that ended. So whether something runs is
//! never a guess from a number in a file.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The directory of everything local, in the project's root.
pub const DIRECTORY: &str = ".leadwatch";

const STATE: &str = "state.json";
const LOCK: &str = "lock";

/// A member of staff in the local user pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// The name to sign in with.
    pub name: String,
    /// Where messages to them go.
    pub email: String,
    /// What they may do.
    pub groups: Vec<String>,
}

/// A running local stack.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The process that runs it.
    pub pid: u32,
    /// Where AWS's APIs are emulated.
    pub endpoint: String,
    /// The region that everything is in.
    pub region: String,
    /// The name it is deployed under.
    pub stack_name: String,
    /// Where our own API answers; routes start with `/v1`.
    pub api_url: String,
    /// Where outgoing messages land, with a page to look at them.
    pub sink_url: String,
    /// The template's outputs: names of tables, URLs of queues and so on.
    pub outputs: BTreeMap<String, String>,
    /// Signs what is posted to `/v1/hooks/generic`; `whsec_…`.
    pub hook_secret: String,
    /// Staff who can sign in.
    pub users: Vec<User>,
    /// The password of each of them.
    pub password: String,
}

impl State {
    /// The stack that runs with this state directory.
    ///
    /// # Errors
    /// When none does, or its file cannot be read.
    pub fn load(state_dir: &Path) -> anyhow::Result<Self> {
        let running = Lock::holder(state_dir)?.is_some();
        let file = state_dir.join(STATE);
        if !running {
            anyhow::bail!("nothing runs here: start it with `cargo leadctl up`");
        }
        if !file.exists() {
            anyhow::bail!(
                "the local stack is still starting: wait until `cargo leadctl up` says that it runs"
            );
        }
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
        serde_json::from_str(&text).with_context(|| {
            format!("`{}` is of another version: run `cargo leadctl down`, then `up`", file.display())
        })
    }

    /// One of the template's outputs.
    ///
    /// # Errors
    /// When the template has none of that name.
    pub fn output(&self, name: &str) -> anyhow::Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the stack has no output `{name}`"))
    }

    /// The member of staff of that name.
    ///
    /// # Errors
    /// When there is none; it names those there are.
    pub fn user(&self, name: &str) -> anyhow::Result<&User> {
        self.users.iter().find(|user| user.name == name).with_context(|| {
            let names: Vec<_> = self.users.iter().map(|user| user.name.as_str()).collect();
            format!("no user `{name}` here; there are {}", names.join(", "))
        })
    }

    /// Writes it where only this user can read it: it holds secrets, if only local ones.
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

    /// Takes it away, as the last thing before the lock is let go.
    pub(crate) fn remove(state_dir: &Path) {
        let _ = std::fs::remove_file(state_dir.join(STATE));
    }
}

/// The right to run a stack with a state directory. Only one process has it.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says which process has it.
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

    /// The process that has the lock now, if one has.
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

/// Zero when the holder has not written its number yet.
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
    fn a_state_left_behind_by_a_killed_process_is_not_taken_for_a_running_one() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(STATE), "{}").unwrap();
        std::fs::write(directory.path().join(LOCK), "4242").unwrap();
        let error = State::load(directory.path()).unwrap_err();
        assert_eq!(error.to_string(), "nothing runs here: start it with `cargo leadctl up`");
    }
}
