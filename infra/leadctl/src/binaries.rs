//! Builds the functions, and tells where their binaries are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use serde::Deserialize;
use tokio::process::Command;

use crate::stack::Profile;

/// The functions' binaries, and after them the logical ids that the template gives the functions.
const FUNCTIONS: [(&str, &str); 7] = [
    ("ingest", "Ingest"),
    ("sweep", "Sweep"),
    ("escalate", "Escalate"),
    ("compliance", "Compliance"),
    ("operations", "Operations"),
    ("notify", "Notify"),
    ("publish", "Publish"),
];

/// A line of cargo's, as far as it matters here.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds all functions and returns each one's binary by its logical id.
///
/// Cargo's default members are built, the same choice as `cargo leadctl` itself is built with, so that dependencies are
/// compiled once for both.
pub(crate) async fn build(
    root: &Path,
    profile: Profile,
    quiet: bool,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(["build", "--bins", "--message-format=json-render-diagnostics"]).current_dir(root);
    if profile == Profile::Release {
        command.arg("--release");
    }
    if quiet {
        command.arg("--quiet");
    }
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run `{}`", cargo.display()))?
        .wait_with_output()
        .await?;
    if !output.status.success() {
        anyhow::bail!("the functions do not build; the compiler's words are above");
    }
    let built: BTreeMap<String, PathBuf> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter_map(|artifact| Some((artifact.target.name, artifact.executable?)))
        .collect();
    FUNCTIONS
        .into_iter()
        .map(|(binary, id)| {
            let path = built.get(binary).with_context(|| format!("cargo built no binary `{binary}`"))?;
            Ok((id.to_owned(), path.clone()))
        })
        .collect()
}
