//! How a history is written: a line for each time and subject, and below it what happened, without what goes without
//! saying. Nothing is hidden but what equals its default, so a history that is written alike is alike.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The history.
pub fn history(entries: &[Value]) -> String {
    let mut text = String::new();
    let mut heading = String::new();
    let mut threshold = Map::new();
    for entry in entries {
        let here = format!("{} {}", word(entry, "at"), word(entry, "subject"));
        if here != heading {
            let _ = writeln!(text, "{here}");
            heading = here;
            threshold.clear();
        }
        let mut shown = entry.clone();
        if let Some(Value::Object(data)) = shown.get_mut("data") {
            hide_defaults(data, entry);
            hide_repeated(data, entry, &threshold);
        }
        if word(entry, "type") == "threshold.reached" {
            threshold = entry["data"].as_object().cloned().unwrap_or_default();
            threshold.insert("step".to_owned(), entry["workflow"]["step"].clone());
        }
        let line = leadctl::entries::line(&shown);
        let _ = writeln!(text, "  {}", line.strip_prefix(&heading).unwrap_or(&line).trim_start());
    }
    text
}

/// A first clock, an owner where nobody was, an event that is told when it happens.
fn hide_defaults(data: &mut Map<String, Value>, entry: &Value) {
    for (name, default) in [("clock", json!(1)), ("resumed", json!(false)), ("from", Value::Null)] {
        if data.get(name) == Some(&default) {
            data.remove(name);
        }
    }
    for name in ["occurred_at", "entered_at", "since"] {
        if data.get(name) == Some(&entry["at"]) {
            data.remove(name);
        }
    }
}

/// A notification has the place of its entry as its id, and repeats the threshold that it tells of.
fn hide_repeated(data: &mut Map<String, Value>, entry: &Value, threshold: &Map<String, Value>) {
    if word(entry, "type") != "notification.requested" {
        return;
    }
    let place = format!("{}/{}", word(entry, "subject"), entry["seq"]);
    if data.get("id") == Some(&Value::from(place)) {
        data.remove("id");
    }
    if let Some(Value::Object(particulars)) = data.get_mut("particulars")
        && threshold.get("step") == entry["workflow"].get("step")
    {
        particulars.retain(|name, value| threshold.get(name) != Some(value));
    }
}

fn word<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry[name].as_str().unwrap_or_default()
}
