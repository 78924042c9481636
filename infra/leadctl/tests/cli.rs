//! The command line as people and scripts use it: streams and exit statuses.

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn leadctl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leadctl")).args(arguments).current_dir(root()).output().unwrap()
}

fn simulate(events: &str, more: &[&str]) -> Output {
    let mut arguments = vec!["simulate", "--policy", "infra/policies/default.yaml"];
    arguments.extend(["--directory", "infra/policies/directory.yaml", "--events", "-"]);
    arguments.extend(more);
    let mut child = Command::new(env!("CARGO_BIN_EXE_leadctl"))
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(events.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn example() -> String {
    std::fs::read_to_string(root().join("infra/policies/example-events.jsonl")).unwrap()
}

#[test]
fn simulate_prints_audit_entries_and_nothing_else_on_standard_output() {
    let output = simulate(&example(), &["--until", "2026-03-10T00:00:00Z"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let entries: Vec<Value> =
        text(&output.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let workflows = ["sla-breach", "stuck-lead", "high-value", "compliance-flag", "churn-risk"];
    for workflow in workflows {
        assert!(
            entries.iter().any(|e| e["workflow"]["id"] == workflow),
            "{workflow} is in the example's history"
        );
    }
    assert!(text(&output.stderr).contains(&format!("{} entries", entries.len())));
}

#[test]
fn simulating_twice_gives_the_same_bytes() {
    let run = || simulate(&example(), &["--until", "2026-03-10T00:00:00Z"]).stdout;
    assert_eq!(run(), run());
}

#[test]
fn events_may_be_in_any_order() {
    let mut lines: Vec<String> = example().lines().map(str::to_owned).collect();
    let in_order = simulate(&lines.join("\n"), &[]).stdout;
    lines.reverse();
    // Events of the same time keep their order, which is now reversed: swap account and lead back.
    let last = lines.len() - 1;
    lines.swap(last, last - 1);
    assert_eq!(text(&simulate(&lines.join("\n"), &[]).stdout), text(&in_order));
}

#[test]
fn without_events_there_are_no_entries() {
    let output = simulate("", &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty());
}

#[test]
fn an_invalid_event_is_reported_with_its_line_and_fields() {
    let output = simulate(
        "{\"id\":\"a\",\"type\":\"lead.upserted\",\"occurred_at\":\"yesterday\",\"lead\":{\"id\":\"L 1\"}}\n",
        &[],
    );
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(
        errors.contains("-:1:") && errors.contains("/occurred_at") && errors.contains("/lead/id"),
        "{errors}"
    );
}

#[test]
fn an_invalid_policy_is_refused_with_every_mistake() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let policy = std::fs::read_to_string(root().join("infra/policies/default.yaml")).unwrap();
    let policy = policy.replace("at: 100%", "at: 70%").replace("score_margin: 5", "score_margin: 95");
    std::fs::write(file.path(), policy).unwrap();
    let path = file.path().to_str().unwrap();
    let output = leadctl(&[
        "simulate",
        "--policy",
        path,
        "--directory",
        "infra/policies/directory.yaml",
        "--events",
        "infra/policies/example-events.jsonl",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(
        errors.contains("workflows.sla-breach.steps[1].at") && errors.contains("high-value.score_margin"),
        "{errors}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let output = leadctl(&["simulate", "--policy", "nowhere.yaml", "--directory", "x", "--events", "y"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("nowhere.yaml"));
}

fn explain(more: &[&str]) -> Output {
    let mut arguments = vec!["explain", "--policy", "infra/policies/default.yaml"];
    arguments.extend(["--directory", "infra/policies/directory.yaml"]);
    arguments.extend(["--events", "infra/policies/example-events.jsonl"]);
    arguments.extend(more);
    leadctl(&arguments)
}

#[test]
fn a_lead_of_a_file_is_explained_at_any_time() {
    let output = explain(&["L-1001", "--at", "2026-03-02T14:50:00Z"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    insta::assert_snapshot!("explain", shown);
    let json = explain(&["L-1001", "--at", "2026-03-02T14:50:00Z", "--json"]);
    let explanation: insight::explain::Explanation = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(explanation.to_string(), shown);
}

#[test]
fn an_unknown_lead_is_a_no_with_the_known_leads() {
    let output = explain(&["L-2"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no lead `L-2`") && text(&output.stderr).contains("L-1001"));
    assert!(output.stdout.is_empty());
    let half = leadctl(&["explain", "L-1001", "--events", "infra/policies/example-events.jsonl"]);
    assert_eq!(half.status.code(), Some(2));
    assert!(text(&half.stderr).contains("--policy"));
}

/// Every command, from the main help and from the help of each group.
fn commands() -> Vec<Vec<String>> {
    let listed = |group: Option<&str>| -> Vec<String> {
        let words: Vec<&str> = group.into_iter().chain(["--help"]).collect();
        let help = text(&leadctl(&words).stdout);
        let (_, list) = help.split_once("Commands:\n").unwrap();
        let lines = list.lines().take_while(|line| !line.is_empty());
        let names = lines.filter_map(|line| line.split_whitespace().next());
        names.filter(|name| *name != "help").map(str::to_owned).collect()
    };
    let mut commands = Vec::new();
    for name in listed(None) {
        if ["policy", "directory", "audit"].contains(&name.as_str()) {
            let inner = listed(Some(&name)).into_iter();
            commands.extend(inner.map(|inner| vec![name.clone(), inner]));
        } else {
            commands.push(vec![name]);
        }
    }
    commands
}

#[test]
fn every_command_has_a_help_that_says_what_it_does() {
    let commands = commands();
    assert!(commands.len() >= 25, "{commands:?}");
    let mut helps = text(&leadctl(&["--help"]).stdout);
    for command in commands {
        let words: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let output = leadctl(&words);
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        let help = text(&output.stdout);
        let first = help.lines().next().unwrap_or_default();
        assert!(first.split(' ').count() > 3 && help.contains("Usage"), "{command:?}: {help}");
        for word in ["somebody", "whoever", "anybody", "instant"] {
            assert!(!help.to_lowercase().contains(word), "{command:?} says `{word}`: {help}");
        }
        helps.push_str(&format!("\n\n$ leadctl {}\n{help}", words.join(" ")));
    }
    insta::assert_snapshot!("help", helps);
    assert_eq!(leadctl(&["explode"]).status.code(), Some(2));
}

#[test]
fn a_command_without_a_running_stack_says_how_to_start_one() {
    let project = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(project.path().join("infra/local")).unwrap();
    std::fs::write(project.path().join("template.yaml"), "").unwrap();
    for command in [&["demo"][..], &["token", "--user", "otto"], &["explain", "L-1"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_leadctl"))
            .args(command)
            .current_dir(project.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        let errors = text(&output.stderr);
        assert!(errors.contains("start one with `cargo leadctl up`"), "{command:?}: {errors}");
        assert!(output.stdout.is_empty());
    }
}
