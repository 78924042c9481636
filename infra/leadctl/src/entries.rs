//! Audit entries as lines with all particulars: the time, the subject, the type, the workflow, the data.

use serde_json::Value;

/// One entry, as JSON, on one line: `2026-03-02T14:48:00Z lead/L-1 threshold.reached [sla-breach/imminent] …`.
pub fn line(entry: &Value) -> String {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut line = format!("{} {} {}", text("at"), text("subject"), text("type"));
    if let Some(workflow) = entry.get("workflow") {
        let id = workflow.get("id").and_then(Value::as_str).unwrap_or_default();
        let step = workflow.get("step").and_then(Value::as_str).map(|s| format!("/{s}")).unwrap_or_default();
        line = format!("{line} [{id}{step}]");
    }
    if let Some(data) = entry.get("data") {
        let mut parts = Vec::new();
        match text("type") {
            "notification.requested" => notification(data, &mut parts),
            _ => flatten("", data, &mut parts),
        }
        for part in parts {
            line.push(' ');
            line.push_str(&part);
        }
    }
    line
}

/// The message and its recipient come first, then the particulars.
fn notification(data: &Value, parts: &mut Vec<String>) {
    let at = |pointer: &str| data.pointer(pointer).map(scalar).unwrap_or_default();
    let to = match at("/to/kind").as_str() {
        "person" => format!("{} ({})", at("/to/person"), at("/to/role")),
        "team-channel" => format!("{} ({})", at("/to/team"), at("/to/manager")),
        desk => desk.to_owned(),
    };
    parts.push(format!("{} to {to}", at("/message")));
    for (name, value) in data.as_object().into_iter().flatten() {
        match name.as_str() {
            // What the message is about shows in the entries around it.
            "message" | "to" | "about" => {}
            "particulars" => flatten("", value, parts),
            _ => flatten(name, value, parts),
        }
    }
}

fn flatten(prefix: &str, value: &Value, parts: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let dot = if prefix.is_empty() { "" } else { "." };
                flatten(&format!("{prefix}{dot}{name}"), value, parts);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (n, item) in items.iter().enumerate() {
                flatten(&format!("{prefix}[{n}]"), item, parts);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(scalar).collect();
            parts.push(format!("{prefix}=[{}]", items.join(", ")));
        }
        other => parts.push(format!("{prefix}={}", scalar(other))),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
