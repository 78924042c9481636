//! `leadctl policy` as people and scripts use it.

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const POLICY: &str = "infra/policies/default.yaml";
const DIRECTORY: &str = "infra/policies/directory.yaml";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs `leadctl policy` with a text on its standard input.
fn policy(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_leadctl"))
        .arg("policy")
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Writing fails if the command does not read its input.
    _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The default policy with one text replaced.
fn edited(from: &str, to: &str) -> String {
    let policy = std::fs::read_to_string(root().join(POLICY)).unwrap();
    assert_eq!(policy.matches(from).count(), 1);
    policy.replace(from, to)
}

#[test]
fn a_valid_policy_is_reported_with_what_was_checked() {
    let output = policy(&["validate", POLICY, "--directory", DIRECTORY], "");
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("default.yaml: valid; `Default`: 9 states"), "{shown}");
    assert!(shown.contains("checked against infra/policies/directory.yaml"), "{shown}");
    let alone = policy(&["validate", POLICY], "");
    assert!(text(&alone.stdout).contains("checked without a directory"));
}

#[test]
fn the_default_documents_have_no_warnings_and_strict_makes_one_an_error() {
    let shipped = policy(&["validate", POLICY, "--directory", DIRECTORY, "--strict"], "");
    assert_eq!(shipped.status.code(), Some(0), "{}", text(&shipped.stdout));
    let windowless = std::fs::read_to_string(root().join(POLICY)).unwrap();
    let windowless: Vec<&str> = windowless
        .lines()
        .filter(|line| !line.contains("{ state: NEGOTIATION, ") || line.contains("kind"))
        .collect();
    let windowless = windowless.join("\n");
    let warned = policy(&["validate", "-"], &windowless);
    assert_eq!(warned.status.code(), Some(0), "{}", text(&warned.stdout));
    insta::assert_snapshot!("warning", text(&warned.stdout));
    assert_eq!(policy(&["validate", "-", "--strict"], &windowless).status.code(), Some(1));
}

#[test]
fn a_mistake_is_reported_with_file_line_and_column() {
    let output = policy(&["validate", "-"], &edited("at: 80%", "at: 8%%"));
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output.stdout);
    insta::assert_snapshot!("mistake", shown);
}

#[test]
fn mistakes_in_a_directory_come_with_those_in_the_policy() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let directory = std::fs::read_to_string(root().join(DIRECTORY)).unwrap();
    std::fs::write(file.path(), directory.replace("Europe/Berlin", "Europe/Berlim")).unwrap();
    let path = file.path().to_str().unwrap();
    let output =
        policy(&["validate", "-", "--directory", path, "--json"], &edited("score: 85", "score: high"));
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["valid"], false);
    let errors = report["errors"].as_array().unwrap();
    let places: Vec<(&str, &str)> =
        errors.iter().map(|e| (e["file"].as_str().unwrap(), e["path"].as_str().unwrap())).collect();
    assert_eq!(places, [(path, "calendars.berlin.time_zone"), ("-", "workflows.high-value.score")]);
    assert!(errors.iter().all(|error| error["line"].is_u64() && error["column"].is_u64()));
}

#[test]
fn an_unreadable_file_has_another_status_than_a_mistake() {
    for arguments in [
        &["validate", "nowhere.yaml"][..],
        &["validate", POLICY, "--directory", "nowhere.yaml"],
        &["diff", POLICY, "nowhere.yaml"],
        &["docs", "--policy", "nowhere.yaml"],
    ] {
        let output = policy(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains("nowhere.yaml"));
    }
}

#[test]
fn a_difference_is_described_and_a_no_only_with_exit_code() {
    let changed = edited("at: 80%", "at: 90%");
    let output = policy(&["diff", POLICY, "-"], &changed);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "sla-breach: imminent 80 % → 90 %\nNew versions: sla-breach\n");
    assert_eq!(policy(&["diff", POLICY, "-", "--exit-code"], &changed).status.code(), Some(1));
    let same = policy(&["diff", POLICY, POLICY, "--exit-code"], "");
    assert_eq!((same.status.code(), text(&same.stdout).as_str()), (Some(0), "No differences\n"));
    let json: Value =
        serde_json::from_slice(&policy(&["diff", POLICY, "-", "--json"], &changed).stdout).unwrap();
    assert_eq!(json["changes"][0]["text"], "sla-breach: imminent 80 % → 90 %");
    assert_eq!(json["versions_that_rise"][0], "sla-breach");
    let directories = policy(&["diff", DIRECTORY, DIRECTORY], "");
    assert_eq!(text(&directories.stdout), "No differences\n");
    let mixed = policy(&["diff", POLICY, DIRECTORY], "");
    assert_eq!(mixed.status.code(), Some(2));
    assert!(text(&mixed.stderr).contains("compare two of one kind"));
}

#[test]
fn the_documentation_in_the_repository_is_up_to_date() {
    let output = policy(&["docs", "--policy", POLICY, "--directory", DIRECTORY], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        std::fs::read_to_string(root().join("infra/policies/default.md")).unwrap()
    );
}

#[test]
fn the_documentation_lists_what_changed_from_a_history_of_files() {
    let history = tempfile::tempdir().unwrap();
    std::fs::write(history.path().join("1.yaml"), edited("at: 80%", "at: 70%")).unwrap();
    std::fs::write(history.path().join("2.yaml"), edited("score: 85", "score: 95")).unwrap();
    let path = history.path().to_str().unwrap();
    let output = policy(&["docs", "--policy", POLICY, "--history", path], "");
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        shown.contains("- version 2 (revision 2):\n  - sla-breach: imminent 70 % → 80 %\n- version 1"),
        "{shown}"
    );
    assert!(
        shown.contains("- version 3 (revision 3):\n  - high-value: score: 95 → 85\n- version 2"),
        "{shown}"
    );
}

#[test]
fn the_schemas_in_the_repository_are_up_to_date() {
    for of in ["policy", "directory"] {
        let output = policy(&["schema", of], "");
        let kept = std::fs::read_to_string(root().join(format!("infra/policies/{of}.schema.json"))).unwrap();
        assert_eq!(text(&output.stdout), kept);
    }
}
