//! Builds the functions and finds their binaries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use serde::Deserialize;
use tokio::process::Command;

use super::options::Profile;

/// The functions' binaries, each with its logical id in the template.
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

/// The variables with which `cargo run` and `cargo test` describe a program's own package. A build script that inherits
/// them (ring's does) takes them for its own, and cargo then recompiles everything that depends on it.
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

/// The members of a line of cargo's output that matter here.
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
/// It builds cargo's default members, as `cargo leadctl` itself is built, so that both share their dependencies; beside a
/// test it builds the whole workspace, for the same reason.
///
/// # Errors
/// When cargo does not run, or a function does not compile.
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
        anyhow::bail!("the functions do not compile; the compiler's errors are above");
    }
    let built: BTreeMap<String, PathBuf> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter_map(|artifact| Some((artifact.target.name, artifact.executable?)))
        .collect();
    FUNCTIONS
        .into_iter()
        .map(|(binary, id)| {
            let path = built.get(binary).with_context(|| {
                format!("cargo built no binary `{binary}`; it must be a default member of the workspace")
            })?;
            Ok((id.to_owned(), path.clone()))
        })
        .collect()
}
