//! `leadctl policy` as a person or a script meets it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

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
    // Whoever does not read it hangs up.
    _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The default policy with a text replaced that is there once.
fn edited(from: &str, to: &str) -> String {
    let policy = std::fs::read_to_string(root().join(POLICY)).unwrap();
    assert_eq!(policy.matches(from).count(), 1);
    policy.replace(from, to)
}

#[test]
fn a_sound_policy_is_valid_and_it_is_said_what_was_checked() {
    let output = policy(&["validate", POLICY, "--directory", DIRECTORY], "");
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("default.yaml: valid; `Default`: 9 states"), "{told}");
    assert!(told.contains("checked against infra/policies/directory.yaml"), "{told}");
    let alone = policy(&["validate", POLICY], "");
    assert!(text(&alone.stdout).contains("checked against itself alone"));
}

#[test]
fn the_shipped_documents_have_no_warnings_and_a_warning_can_be_denied() {
    let shipped = policy(&["validate", POLICY, "--directory", DIRECTORY, "--deny-warnings"], "");
    assert_eq!(shipped.status.code(), Some(0), "{}", text(&shipped.stdout));
    let windowless = std::fs::read_to_string(root().join(POLICY)).unwrap();
    let windowless: Vec<&str> = windowless
        .lines()
        .filter(|line| !line.contains("{ state: NEGOTIATION, ") || line.contains("kind"))
        .collect();
    let windowless = windowless.join("\n");
    let warned = policy(&["validate", "-"], &windowless);
    assert_eq!(warned.status.code(), Some(0), "{}", text(&warned.stdout));
    assert!(
        text(&warned.stdout).contains("-:9:5: warning[uncovered-state]: states[4]: "),
        "{}",
        text(&warned.stdout)
    );
    assert_eq!(policy(&["validate", "-", "--deny-warnings"], &windowless).status.code(), Some(1));
}

#[test]
fn a_policy_that_is_not_sound_is_told_with_file_line_and_column() {
    let output = policy(&["validate", "-"], &edited("at: 80%", "at: 8%%"));
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    let expected = "-:33:31: workflows.sla-breach.steps[0].at: `8%%` is not a percentage from 1% to 10000%; write e.g. `80%`\n\
                    -: not valid (1 error); ";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn a_directory_that_is_not_sound_is_told_beside_the_policy() {
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
fn what_cannot_be_read_is_another_matter_than_what_is_wrong() {
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
fn a_difference_is_told_in_words_and_is_an_answer_of_no_only_if_asked() {
    let changed = edited("at: 80%", "at: 90%");
    let output = policy(&["diff", POLICY, "-"], &changed);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "sla-breach: imminent 80 % → 90 %\nthe version rises of `sla-breach`\n");
    assert_eq!(policy(&["diff", POLICY, "-", "--exit-code"], &changed).status.code(), Some(1));
    let same = policy(&["diff", POLICY, POLICY, "--exit-code"], "");
    assert_eq!((same.status.code(), text(&same.stdout).as_str()), (Some(0), "nothing is different\n"));
    let json: Value =
        serde_json::from_slice(&policy(&["diff", POLICY, "-", "--json"], &changed).stdout).unwrap();
    assert_eq!(json["changes"][0]["text"], "sla-breach: imminent 80 % → 90 %");
    assert_eq!(json["versions_that_rise"][0], "sla-breach");
    let directories = policy(&["diff", DIRECTORY, DIRECTORY], "");
    assert_eq!(text(&directories.stdout), "nothing is different\n");
    let mixed = policy(&["diff", POLICY, DIRECTORY], "");
    assert_eq!(mixed.status.code(), Some(2));
    assert!(text(&mixed.stderr).contains("compare two of a kind"));
}

#[test]
fn the_documentation_is_the_one_that_is_kept() {
    let output = policy(&["docs", "--policy", POLICY, "--directory", DIRECTORY], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        std::fs::read_to_string(root().join("infra/policies/default.md")).unwrap()
    );
}

#[test]
fn the_documentation_tells_what_changed_from_a_history_of_files() {
    let history = tempfile::tempdir().unwrap();
    std::fs::write(history.path().join("1.yaml"), edited("at: 80%", "at: 70%")).unwrap();
    std::fs::write(history.path().join("2.yaml"), edited("score: 85", "score: 95")).unwrap();
    let path = history.path().to_str().unwrap();
    let output = policy(&["docs", "--policy", POLICY, "--history", path], "");
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        told.contains("- version 2 (revision 2):\n  - sla-breach: imminent 70 % → 80 %\n- version 1"),
        "{told}"
    );
    assert!(
        told.contains("- version 3 (revision 3):\n  - high-value: score: 95 → 85\n- version 2"),
        "{told}"
    );
}

#[test]
fn the_schemas_are_the_ones_that_are_kept() {
    for of in ["policy", "directory"] {
        let output = policy(&["schema", of], "");
        let kept = std::fs::read_to_string(root().join(format!("infra/policies/{of}.schema.json"))).unwrap();
        assert_eq!(text(&output.stdout), kept);
    }
}

#[test]
fn every_command_explains_itself() {
    for command in ["validate", "diff", "docs", "schema"] {
        let output = policy(&[command, "--help"], "");
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert!(text(&output.stdout).contains("Usage"), "{command}");
    }
}
