//! Deploys the template with `infra/local/deploy.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::isolation;
use crate::state::User;

/// The script's input; its head describes the fields.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Request {
    pub endpoint: String,
    pub region: String,
    pub stack: String,
    pub template: PathBuf,
    pub binaries: BTreeMap<String, PathBuf>,
    pub parameters: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, Value>,
    pub users: Vec<User>,
    pub password: String,
}

#[derive(Debug, Deserialize)]
struct Deployed {
    outputs: BTreeMap<String, String>,
}

/// Creates or updates the stack, sets secrets and adds staff. Returns the template's outputs.
///
/// # Errors
/// The script's message.
pub(crate) async fn deploy(
    python: &Path,
    root: &Path,
    request: &Request,
) -> anyhow::Result<BTreeMap<String, String>> {
    let answer = run(python, root, "deploy", request).await.context("cannot deploy the template")?;
    let deployed: Deployed = serde_json::from_slice(&answer).context("deploy.py printed no outputs")?;
    Ok(deployed.outputs)
}

/// Deletes the stack.
///
/// # Errors
/// The script's message.
pub(crate) async fn delete(python: &Path, root: &Path, request: &Request) -> anyhow::Result<()> {
    run(python, root, "delete", request).await.context("cannot delete the stack").map(drop)
}

async fn run(python: &Path, root: &Path, what: &str, request: &Request) -> anyhow::Result<Vec<u8>> {
    let mut command = Command::new(python);
    isolation::environment(&mut command)
        .arg(root.join("infra/local/deploy.py"))
        .arg(what)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("cannot run `{}`", python.display()))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(&serde_json::to_vec(request)?).await?;
    }
    let output = child.wait_with_output().await?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::bail!("{}", said.trim())
}
