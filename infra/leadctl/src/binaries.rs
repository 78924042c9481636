//! Builds the functions, and tells where their binaries are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use serde::Deserialize;
use tokio::process::Command;

use crate::stack::Profile;

/// The functions' binaries, and after them the logical ids that the template gives the functions.
const FUNCTIONS: [(&str, &str); 8] = [
    ("ingest", "Ingest"),
    ("sweep", "Sweep"),
    ("escalate", "Escalate"),
    ("compliance", "Compliance"),
    ("operations", "Operations"),
    ("notify", "Notify"),
    ("publish", "Publish"),
    ("checkpoint", "Checkpoint"),
];

/// What `cargo run` and `cargo test` tell a program of its own package. Build scripts (ring's) take it for theirs if it
/// is passed on, and then all that depends on them is compiled anew, here and again by the next cargo.
const OF_ONE_PACKAGE: [&str; 6] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_NAME",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
];

fn is_of_one_package(name: &str) -> bool {
    OF_ONE_PACKAGE.iter().any(|prefix| name.starts_with(prefix))
}

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
/// compiled once for both; beside a test the whole workspace's, for the same reason.
pub(crate) async fn build(
    root: &Path,
    profile: Profile,
    quiet: bool,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(["build", "--bins", "--message-format=json-render-diagnostics"]).current_dir(root);
    match profile {
        Profile::Dev => {}
        Profile::Release => _ = command.arg("--release"),
        Profile::WithTest(name) => _ = command.args(["--workspace", "--test", name]),
    }
    if quiet {
        command.arg("--quiet");
    }
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_of_one_package) {
            command.env_remove(name);
        }
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
