//! The command line as a person or a script meets it: what goes to which stream, and the exit
//! status.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

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
fn events_may_stand_in_any_order() {
    let mut lines: Vec<String> = example().lines().map(str::to_owned).collect();
    let in_order = simulate(&lines.join("\n"), &[]).stdout;
    lines.reverse();
    // Those of one instant keep their order, which is here the other one: account before lead.
    let last = lines.len() - 1;
    lines.swap(last, last - 1);
    assert_eq!(text(&simulate(&lines.join("\n"), &[]).stdout), text(&in_order));
}

#[test]
fn no_events_are_no_entries() {
    let output = simulate("", &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_line_that_is_no_event_is_named_with_its_fields() {
    let output = simulate(
        "{\"id\":\"a\",\"type\":\"lead.upserted\",\"occurred_at\":\"yesterday\",\"lead\":{\"id\":\"L 1\"}}\n",
        &[],
    );
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains("-:1:") && told.contains("/occurred_at") && told.contains("/lead/id"), "{told}");
}

#[test]
fn a_policy_that_is_not_sound_is_refused_with_all_that_is_wrong() {
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
    let told = text(&output.stderr);
    assert!(
        told.contains("workflows.sla-breach.steps[1].at") && told.contains("high-value.score_margin"),
        "{told}"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
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
fn a_lead_of_a_file_is_explained_at_any_instant() {
    let output = explain(&["L-1001", "--at", "2026-03-02T14:50:00Z"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let expected = "\
L-1001 at 2026-03-02T14:50:00Z (Mon 2 Mar 09:50)
in NEW since 2026-03-02T14:00:00Z (Mon 2 Mar 09:00), market us, owner rep-ana
entries up to 6, policy revision 1, directory revision 1
times in brackets are those of America/New_York

sla-breach (version 1): armed
  clock 1 ran 50m of 1h, on calendar new-york
  fired 2026-03-02T14:48:00Z (Mon 2 Mar 09:48) imminent of clock 1: threshold.reached [lead/L-1001, entry 5, version 1]
  fired 2026-03-02T14:48:00Z (Mon 2 Mar 09:48) imminent of clock 1: notification.requested, sla-warning to rep-ana (owner) [lead/L-1001, entry 6, version 1]
  next  2026-03-02T15:00:00Z (Mon 2 Mar 10:00) breached, after 1h: a breach, owned by rep-ana; sla-breached to mgr-max on the channel of us-sales
  next  2026-03-02T15:30:00Z (Mon 2 Mar 10:30) significantly-past, after 1h30m (150 %): from rep-ana to rep-dan of us-sales; lead-taken to rep-ana (previous-owner); lead-given to rep-dan (owner)

stuck-lead (version 1): armed
  clock 1 ran 50m of 1h, on calendar new-york
  next  2026-03-02T16:00:00Z (Mon 2 Mar 11:00) ask-owner, after 2h (200 %): stuck-ask to rep-dan (owner)
  next  2026-03-02T17:00:00Z (Mon 2 Mar 12:00) tell-manager, after 3h (300 %): stuck-manager to mgr-max on the channel of us-sales
  next  2026-03-02T18:00:00Z (Mon 2 Mar 13:00) triage, after 4h (400 %): into the operations queue: stuck

high-value (version 1): not
  score 72 is 13 under 85
  the account is not strategic
  deal size 48000.00 USD is not over 100000.00 USD

compliance-flag (version 1): not
  no match is open
  market us is licensed for US

churn-risk (version 1): not
  no signal stands against account A-77
";
    assert_eq!(text(&output.stdout), expected);
    let json = explain(&["L-1001", "--at", "2026-03-02T14:50:00Z", "--json"]);
    let explanation: insight::explain::Explanation = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(explanation.to_string(), expected);
}

#[test]
fn a_lead_that_is_not_there_is_a_no_with_those_that_are() {
    let output = explain(&["L-2"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no lead `L-2`") && text(&output.stderr).contains("L-1001"));
    assert!(output.stdout.is_empty());
    let half = leadctl(&["explain", "L-1001", "--events", "infra/policies/example-events.jsonl"]);
    assert_eq!(half.status.code(), Some(2));
    assert!(text(&half.stderr).contains("--policy"));
}

#[test]
fn every_command_explains_itself() {
    for command in ["up", "down", "demo", "send", "token", "simulate", "explain", "policy", "directory"] {
        let output = leadctl(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert!(text(&output.stdout).contains("Usage"), "{command}");
    }
    assert_eq!(leadctl(&["explode"]).status.code(), Some(2));
}

#[test]
fn the_events_of_the_readme_are_events() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let examples: Vec<&str> =
        readme.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let event: Value = serde_json::from_str(example).unwrap();
        contracts::event::read(&event).unwrap();
    }
}
