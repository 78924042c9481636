//! `leadctl send`: posts events to a hook, signed as a CRM signs them.

use crate::isolation;
use crate::output::{print, say};
use crate::state::{DIRECTORY, State};
use anyhow::Context as _;
use platform::standard_webhooks::SigningKey;
use platform::strict_json;
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Options of `leadctl send`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The events: a JSON object, an array (one batch), or one object per line; `-` reads standard input
    file: PathBuf,
    /// The hook to post to, by the name of its source
    #[arg(long, default_value = "generic")]
    source: String,
    /// Set the time of every event to now; otherwise events of the past notify nobody
    #[arg(long)]
    now: bool,
    /// Print the answers as JSON lines
    #[arg(long)]
    json: bool,
}

/// A hook's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// Posts events. Returns false if the hook refused one.
///
/// # Errors
/// When no stack runs, or the file cannot be read or is not JSON.
pub async fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<bool> {
    let state = State::load(&root.join(DIRECTORY))?;
    let name = arguments.file.display();
    let mut requests = requests(&read(&arguments.file)?).with_context(|| format!("{name} has no events"))?;
    // For the simulator, an events file may hold staff actions too; a CRM does not send those.
    let by_staff = |event: &Value| {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        contracts::scenario::STAFF_TYPES.contains(&kind)
    };
    let before = requests.len();
    requests.retain(|event| !by_staff(event));
    if requests.len() < before {
        say(&format!("Skipped {} lines with staff actions.", before - requests.len()));
    }
    anyhow::ensure!(!requests.is_empty(), "{name} has no events");
    if arguments.now {
        requests.iter_mut().for_each(occur_now);
    }
    let mut is_all_accepted = true;
    for request in &requests {
        let answer = post(&state, &arguments.source, request).await?;
        let results = match answer.body.get("results").and_then(Value::as_array) {
            Some(results) => results.clone(),
            None => vec![answer.body.clone()],
        };
        for result in results {
            let status = result.get("status").and_then(Value::as_u64).unwrap_or_else(|| answer.status.into());
            is_all_accepted &= status == 200;
            print(&if arguments.json { result.to_string() } else { describe(status, &result) });
        }
    }
    Ok(is_all_accepted)
}

fn describe(status: u64, result: &Value) -> String {
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = text(result, "id");
    let inner = result.get("result").or_else(|| result.get("problem")).unwrap_or(result);
    if status == 200 {
        let entries = inner.get("entries").and_then(Value::as_u64).unwrap_or_default();
        let seen = inner.get("duplicate").and_then(Value::as_bool).unwrap_or_default();
        let seen = if seen { ", a duplicate" } else { "" };
        return format!("{id}: {}{seen}, {entries} entries{}", text(inner, "outcome"), warnings(inner));
    }
    format!("{id}: {status} {}{}", text(inner, "detail"), warnings(inner))
}

/// One line per member that the hook did not understand.
fn warnings(answer: &Value) -> String {
    let warnings = answer.get("warnings").and_then(Value::as_array).into_iter().flatten();
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let line = |warning: &Value| format!("\n  {} {}", text(warning, "pointer"), text(warning, "detail"));
    warnings.map(line).collect()
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn occur_now(document: &mut Value) {
    match document {
        Value::Array(events) => events.iter_mut().for_each(occur_now),
        Value::Object(members) => {
            let now = platform::clock::instant(SystemTime::now());
            members.insert("occurred_at".to_owned(), serde_json::json!(now));
        }
        _ => {}
    }
}

/// One request for a document, or one per line.
fn requests(text: &str) -> anyhow::Result<Vec<Value>> {
    // Parsed as the hook parses it, so that a duplicate key is not dropped silently.
    if let Ok(whole) = strict_json::parse(text.as_bytes()) {
        return Ok(vec![whole]);
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(n, line)| strict_json::parse(line.as_bytes()).with_context(|| format!("line {}", n + 1)))
        .collect()
}

/// Signs one document and posts it to a hook.
///
/// # Errors
/// When the hook does not answer, or not with JSON.
pub async fn post(state: &State, source: &str, document: &Value) -> anyhow::Result<Answer> {
    let body = document.to_string();
    let key = SigningKey::parse(&state.hook_secret)
        .context("the hook's secret is not valid; run `cargo leadctl down`, then `up`")?;
    let now = platform::clock::instant(SystemTime::now());
    let id = format!("msg_{}", document.get("id").and_then(Value::as_str).unwrap_or("batch"));
    let url = format!("{}/v1/hooks/{source}", state.api_url.trim_end_matches('/'));
    let mut request = isolation::local_client()?.post(&url).header("content-type", "application/json");
    for (name, value) in key.headers(&id, now, body.as_bytes()) {
        request = request.header(name, value);
    }
    let response = request
        .body(body)
        .send()
        .await
        .with_context(|| format!("no answer from {url}; is the stack running?"))?;
    let status = response.status().as_u16();
    let text = response.text().await.with_context(|| format!("the connection to {url} was lost"))?;
    let body =
        serde_json::from_str(&text).with_context(|| format!("{url} answered {status} without JSON"))?;
    Ok(Answer { status, body })
}
