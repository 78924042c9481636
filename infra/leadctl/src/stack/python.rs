//! The Python environment of the local stack: the machine's interpreter, and packages inside the project.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

const MINOR_MIN: u32 = 10;
const CANDIDATES: [&str; 7] =
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
/// The variable that names another interpreter.
const CHOICE: &str = "LEADWATCH_PYTHON";
/// Written last. An environment without it is incomplete and created again.
const STAMP: &str = "leadwatch-installed";

/// The interpreter of the project's own environment, which it creates or renews if needed. Of several processes at the
/// same time, one creates it and the others wait.
///
/// # Errors
/// When there is no usable Python, or pip fails.
pub(crate) async fn interpreter(root: &Path, venv: &Path, log: &Path) -> anyhow::Result<PathBuf> {
    let requirements = root.join("infra/local/requirements.txt");
    let text =
        std::fs::read(&requirements).with_context(|| format!("cannot read `{}`", requirements.display()))?;
    let wanted = hex::encode(Sha256::digest(&text));
    let _lock = lock(venv).await?;
    let interpreter = venv.join("bin/python");
    let stamp = venv.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) && runs(&interpreter).await {
        return Ok(interpreter);
    }
    let system = find().await?;
    if venv.exists() {
        std::fs::remove_dir_all(venv).with_context(|| format!("cannot remove `{}`", venv.display()))?;
    }
    make(&system, venv).await?;
    install(&interpreter, &requirements, log).await?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write `{}`", stamp.display()))?;
    Ok(interpreter)
}

async fn lock(venv: &Path) -> anyhow::Result<File> {
    let path = venv.with_extension("lock");
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).with_context(|| format!("cannot create `{}`", parent.display()))?;
    }
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot open `{}`", path.display()))?;
    tokio::task::spawn_blocking(move || file.lock().map(|()| file))
        .await?
        .with_context(|| format!("cannot lock `{}`", path.display()))
}

async fn runs(interpreter: &Path) -> bool {
    let mut command = Command::new(interpreter);
    command.args(["-c", "import sys"]).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.status().await.is_ok_and(|status| status.success())
}

async fn find() -> anyhow::Result<PathBuf> {
    if let Some(choice) = std::env::var_os(CHOICE) {
        let path = PathBuf::from(choice);
        return match minor_version(&path).await {
            Some(minor) if minor >= MINOR_MIN => Ok(path),
            _ => anyhow::bail!(
                "`{CHOICE}` is `{}`, which is not Python 3.{MINOR_MIN} or later; name another interpreter",
                path.display()
            ),
        };
    }
    for candidate in CANDIDATES.map(PathBuf::from) {
        if minor_version(&candidate).await.is_some_and(|minor| minor >= MINOR_MIN) {
            return Ok(candidate);
        }
    }
    anyhow::bail!(
        "the local stack needs Python 3.{MINOR_MIN} or later, and finds none on the PATH: install it \
         (Debian, Ubuntu: `apt install python3 python3-venv`), or name one in `{CHOICE}`"
    )
}

/// The minor version of a working Python 3.
async fn minor_version(interpreter: &Path) -> Option<u32> {
    let mut command = Command::new(interpreter);
    command.args(["-c", "import sys; print(*sys.version_info[:2])"]).stderr(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.ok()?;
    String::from_utf8(output.stdout).ok()?.trim().strip_prefix("3 ")?.parse().ok()
}

async fn make(system: &Path, venv: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(system);
    command.args(["-m", "venv"]).arg(venv).kill_on_drop(true);
    let output = command.output().await.with_context(|| format!("cannot run `{}`", system.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if said.contains("ensurepip") {
        anyhow::bail!(
            "`{}` lacks its venv module: install it (Debian, Ubuntu: `apt install python3-venv`)",
            system.display()
        );
    }
    anyhow::bail!("`{} -m venv` failed: {}", system.display(), said.trim())
}

async fn install(interpreter: &Path, requirements: &Path, log: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(interpreter);
    command
        .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--requirement"])
        .arg(requirements)
        .kill_on_drop(true);
    let output = command.output().await.context("cannot run pip")?;
    let said = [output.stdout, output.stderr].concat();
    let log = log.join("pip.log");
    let _ = std::fs::write(&log, &said);
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rev().find(|line| line.contains("ERROR")).unwrap_or("no reason given");
    anyhow::bail!("pip could not install what the local stack needs ({last}); read `{}`", log.display())
}
