//! Backtest and suggest as people use them: what they check, what they refuse, and the exit status.

use policy::Policy;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn leadctl(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leadctl")).args(arguments).current_dir(root()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The lines of a small record.
fn lines() -> Vec<String> {
    let policy = std::fs::read_to_string(root().join("infra/policies/default.yaml")).unwrap();
    let made = generate_record::write(Vec::new(), 12, 3, &Policy::parse(&policy).unwrap()).unwrap();
    text(&made).lines().map(str::to_owned).collect()
}

/// Writes the lines to a file, with the right hash in the last line.
fn file(lines: &[String]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if let Some((last, _)) = lines.split_last().filter(|(last, _)| last.contains(r#""kind":"end""#)) {
        text.truncate(text.len() - last.len() - 1);
        let mut end: rules::record::End = serde_json::from_str(last).unwrap_or_default();
        end.sha256 = audit::sha256([text.as_bytes()]).to_string();
        let end = serde_json::to_string(&end).unwrap();
        text.push_str(&format!("{{\"kind\":\"end\",{}\n", &end[1..]));
    }
    std::fs::write(file.path(), text).unwrap();
    file
}

fn backtest(lines: &[String], more: &[&str]) -> Output {
    let file = file(lines);
    let mut arguments = vec!["policy", "backtest", "--from", file.path().to_str().unwrap()];
    arguments.extend(more);
    leadctl(&arguments)
}

/// The error about a record that is refused.
fn refusal(lines: &[String]) -> String {
    let output = backtest(lines, &[]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    text(&output.stderr)
}

fn place_of(lines: &[String], what: &str) -> usize {
    lines.iter().position(|line| line.contains(what)).unwrap()
}

#[test]
fn the_published_policy_reproduces_the_record() {
    let lines = lines();
    // The rules decide no publication.
    let publications = [r#""subject":"policy/"#, r#""subject":"directory/"#];
    let is_decided = |line: &&String| {
        line.contains(r#""kind":"commit""#) && !publications.iter().any(|subject| line.contains(subject))
    };
    let commits = lines.iter().filter(is_decided).count();
    let output = backtest(&lines, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["identity"]["commits"], commits);
    assert_eq!(report["identity"]["differences"], 0);
}

#[test]
fn a_record_that_does_not_replay_identically_fails_the_check() {
    let mut lines = lines();
    let place = lines.iter().position(|line| line.contains("imminent")).unwrap();
    lines[place] = lines[place].replace("imminent", "eminent");
    let output = backtest(&lines, &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("recorded decisions did not reproduce "), "{error}");
    assert!(error.contains(r#""eminent" in the record, "imminent" now"#), "{error}");
}

#[test]
fn a_record_of_a_release_that_explained_in_other_words_replays_identically() {
    let mut lines = lines();
    let place = place_of(&lines, r#""reasons":[""#);
    lines[place] = lines[place].replace(r#""reasons":[""#, r#""reasons":["In other words: "#);
    let output = backtest(&lines, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["identity"]["differences"], 0);
    // How many reasons there are is no matter of words.
    lines[place] = lines[place].replace(r#""reasons":[""#, r#""reasons":["One more",""#);
    assert_eq!(backtest(&lines, &[]).status.code(), Some(1));
}

#[test]
fn a_record_that_was_cut_is_refused() {
    let mut lines = lines();
    lines.pop();
    let error = refusal(&lines);
    assert!(error.contains(&format!(":{}: the export was cut", lines.len())), "{error}");
    // Also in the middle of a line.
    let half = lines.last().unwrap().len() / 2;
    lines.last_mut().unwrap().truncate(half);
    let error = refusal(&lines);
    assert!(error.contains(&format!(":{}: the line cannot be read", lines.len())), "{error}");
}

#[test]
fn a_record_that_was_changed_is_refused() {
    let file = file(&lines());
    let whole = std::fs::read_to_string(file.path()).unwrap();
    std::fs::write(file.path(), whole.replacen("made-up", "made-ip", 1)).unwrap();
    let output = leadctl(&["policy", "backtest", "--from", file.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a line before was changed"), "{}", text(&output.stderr));
}

#[test]
fn a_line_that_is_missing_or_damaged_is_named_by_its_number() {
    let whole = lines();
    let second = place_of(&whole, r#""commit":2,"#);
    let mut lines = whole.clone();
    lines.remove(second);
    let error = refusal(&lines);
    assert!(error.contains("follows commit 1; commits are missing"), "{error}");

    let mut lines = whole.clone();
    lines[second] = lines[second].replace(r#""kind":"commit""#, r#""kind":"comit""#);
    let error = refusal(&lines);
    assert!(error.contains(&format!(":{}: `kind` is `comit`", second + 1)), "{error}");

    let mut lines = whole.clone();
    lines[second].push('}');
    let error = refusal(&lines);
    assert!(error.contains(&format!(":{}: the line cannot be read", second + 1)), "{error}");

    let mut lines = whole.clone();
    let directory = place_of(&lines, r#""kind":"directory""#);
    lines.remove(directory);
    let error = refusal(&lines);
    assert!(error.contains("the last line counts 2 policies, 2 directories"), "{error}");
}

#[test]
fn another_file_or_version_is_refused() {
    let whole = lines();
    let error = refusal(&[]);
    assert!(error.contains("is empty"), "{error}");
    let error = refusal(&whole[1..]);
    assert!(error.contains(":1: `kind` is `commit`; an export begins with a `header`"), "{error}");
    let mut lines = whole.clone();
    lines[0] = lines[0].replace(r#""format_version":2"#, r#""format_version":9"#);
    let error = refusal(&lines);
    assert!(error.contains(":1: the export has format version 9; this leadctl reads version 2"), "{error}");
    let mut lines = vec![whole[0].clone()];
    lines.push(r#"{"kind":"end","policies":0,"directories":0,"commits":0}"#.to_owned());
    let error = refusal(&lines);
    assert!(error.contains("has no commits"), "{error}");
}

#[test]
fn a_missing_revision_is_named() {
    let mut lines = lines();
    // In the input this member is the last one; in an entry another follows.
    let commit = place_of(&lines, r#""policy_revision":2}"#);
    lines[commit] = lines[commit].replace(r#""policy_revision":2}"#, r#""policy_revision":7}"#);
    let error = refusal(&lines);
    assert!(error.contains("policy revision 7 is not in the record"), "{error}");
}

#[test]
fn an_invalid_policy_is_refused() {
    let policy = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(policy.path(), "name: nothing else").unwrap();
    let output = backtest(&lines(), &["--policy", policy.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("is not a valid policy"), "{}", text(&output.stderr));
}

#[test]
fn the_page_is_self_contained_and_links_leads() {
    let (policy, page) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let default = std::fs::read_to_string(root().join("infra/policies/default.yaml")).unwrap();
    std::fs::write(
        policy.path(),
        default.replace("at: 80%", "at: 60%").replace("name: Default", "name: <b>Early</b>"),
    )
    .unwrap();
    let (policy, html) = (policy.path().to_str().unwrap(), page.path().to_str().unwrap());
    let link = "https://crm.example/leads/{lead}";
    let output = backtest(&lines(), &["--policy", policy, "--html", html, "--lead-link", link]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = text(&output.stdout).replace(policy, "new.yaml").replace(html, "report.html");
    insta::assert_snapshot!("backtest", report);
    let page = std::fs::read_to_string(page.path()).unwrap();
    assert!(page.contains("<a href=\"https://crm.example/leads/L-"), "{page}");
    assert!(page.contains("&lt;b&gt;Early&lt;/b&gt;") && page.contains("<svg"), "{page}");
    let foreign = ["<script", "src=", "@import", "url("];
    assert!(foreign.iter().all(|part| !page.contains(part)), "{page}");
    assert_eq!(leadctl(&["policy", "backtest", "--lead-link", "javascript:alert(1)"]).status.code(), Some(2));
}

#[test]
fn a_small_record_suggests_nothing() {
    let file = file(&lines());
    let output = leadctl(&["policy", "suggest", "--json", "--from", file.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let steps: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!steps.is_empty());
    for step in steps {
        assert!(["too-few", "last"].contains(&step["advice"].as_str().unwrap()), "{step}");
    }
}
