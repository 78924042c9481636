//! Plays the scenarios of `tests/scenarios`: a policy, a directory and events, and the whole history that must come of
//! them, entry by entry.
//!
//! `UPDATE_SCENARIOS=1 cargo test -p leadwatch-tests --test scenarios NAME` writes the history into the files whose name
//! contains `NAME`; read every line of the difference.

mod difference;
mod written;

use chrono::{DateTime, Utc};
use insight::simulate::Simulation;
use libtest_mimic::{Arguments, Failed, Trial};
use policy::directory::Directory;
use policy::{Policy, PublishedPolicy};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A scenario as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// What it shows, in words; a sentence of the product's description.
    shows: String,
    /// What is different from the default policy (RFC 7396 merge patch).
    #[serde(default)]
    policy: Value,
    /// What is different from the seeded directory (RFC 7396 merge patch).
    #[serde(default)]
    directory: Value,
    /// What happens.
    events: Vec<Value>,
    /// How long timers go on.
    until: DateTime<Utc>,
    /// Events that are not applied, and why: `id: reason`.
    #[serde(default)]
    not_applied: Vec<String>,
    /// The whole history.
    #[serde(default)]
    history: String,
}

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join("scenarios"))
        .expect("tests/scenarios is there")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are scenarios");
    let trials = files
        .into_iter()
        .map(|file| {
            let name = file.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
            Trial::test(name, move || play(&file))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}

fn play(file: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let scenario: Scenario = serde_saphyr::from_str(&text)?;
    assert!(!scenario.shows.is_empty());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/policies");
    let policy = patched(&root.join("default.yaml"), &scenario.policy)?;
    let directory = patched(&root.join("directory.yaml"), &scenario.directory)?;
    let in_force = (policy.clone(), directory.clone());
    let directory = Directory::check(serde_json::from_value(directory)?)?;
    let policy: Policy = serde_json::from_value(policy)?;
    policy.check()?;
    policy.check_against(&directory)?;

    let mut lines = Vec::new();
    for (n, event) in scenario.events.iter().enumerate() {
        let mut event = event.clone();
        let object = event.as_object_mut().ok_or("an event is an object")?;
        object.entry("id").or_insert_with(|| Value::from(format!("e{}", n + 1)));
        // What is published is written as what is different from what the scenario began with.
        if let Some(patch) = object.remove("different") {
            let is_directory = object.get("type").is_some_and(|kind| kind == "directory.published");
            let (name, base) =
                if is_directory { ("directory", &in_force.1) } else { ("policy", &in_force.0) };
            let mut document = base.clone();
            merge(&mut document, &patch);
            object.insert(name.to_owned(), document);
        }
        if let Some(at) = object.remove("at") {
            object.insert("occurred_at".to_owned(), at);
        }
        lines.push(
            contracts::scenario::read(&event).map_err(|problems| format!("event {}: {problems:?}", n + 1))?,
        );
    }
    leadctl::simulate::sort(&mut lines);
    let begin = lines.first().map(|l| l.received_at).ok_or("a scenario has events")?;
    let mut simulation = Simulation::new(PublishedPolicy::next(None, policy, "test", begin), directory);
    leadwatch_tests::explained::follow(simulation.clone(), lines.clone(), scenario.until);
    let mut entries = Vec::new();
    let not_applied = leadctl::simulate::play(&mut simulation, lines, scenario.until, &mut |entry| {
        entries.push(entry.clone());
        Ok(())
    })?;
    leadwatch_tests::history::check_history(&simulation, &entries);

    let entries: Vec<Value> = entries.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
    let history = written::history(&entries);
    let not_applied: Vec<String> = not_applied.iter().map(|(id, why)| format!("{id}: {why}")).collect();
    if std::env::var_os("UPDATE_SCENARIOS").is_some() {
        update(file, &text, &not_applied, &history)?;
        return Ok(());
    }
    compare(file, &scenario, &not_applied, &history)
}

fn compare(file: &Path, scenario: &Scenario, not_applied: &[String], history: &str) -> Result<(), Failed> {
    let mut report = String::new();
    if not_applied != scenario.not_applied {
        report.push_str("Other events are not applied:\n");
        report.push_str(&difference::report(&scenario.not_applied.join("\n"), &not_applied.join("\n")));
    }
    if history.trim_end() != scenario.history.trim_end() {
        report.push_str("The history differs:\n");
        report.push_str(&difference::report(&scenario.history, history));
    }
    if report.is_empty() {
        return Ok(());
    }
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let file = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Err(format!(
        "{}\n{report}\nThe events are in tests/scenarios/{file}. If the new history is right, accept it and read \
         `git diff`:\nUPDATE_SCENARIOS=1 cargo test -p leadwatch-tests --test scenarios -- --exact {name}",
        scenario.shows.trim_end()
    )
    .into())
}

fn patched(file: &Path, patch: &Value) -> Result<Value, Failed> {
    let mut document: Value = serde_saphyr::from_str(&std::fs::read_to_string(file)?)?;
    merge(&mut document, patch);
    Ok(document)
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        if !patch.is_null() {
            *target = patch.clone();
        }
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(name);
            } else {
                merge(target.entry(name.as_str()).or_insert(Value::Null), value);
            }
        }
    }
}

fn update(file: &Path, text: &str, not_applied: &[String], history: &str) -> Result<(), Failed> {
    let head = text.split("\nnot_applied:").next().unwrap_or(text);
    let head = head.split("\nhistory:").next().unwrap_or(head).trim_end();
    let mut out = format!("{head}\n");
    if !not_applied.is_empty() {
        out.push_str("not_applied:\n");
        for line in not_applied {
            out.push_str(&format!("  - {}\n", serde_json::to_string(line)?));
        }
    }
    out.push_str("history: |\n");
    for line in history.lines() {
        out.push_str(&format!("  {line}\n"));
    }
    std::fs::write(file, out)?;
    Ok(())
}
