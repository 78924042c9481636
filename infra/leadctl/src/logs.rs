//! Follows the functions' log and picks the lines that a person should see.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::mpsc;

const POLL: Duration = Duration::from_millis(300);
/// How many lines may wait to be printed. A slower terminal loses lines; it never delays the functions.
const WAITING_MAX: usize = 256;

/// Yields warnings, errors, and text that is no log line, such as a panic, from now on.
pub(crate) fn follow(path: PathBuf) -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        let Ok(file) = File::open(&path).await else { return };
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        while !to.is_closed() {
            match reader.read_line(&mut line).await {
                Ok(0) | Err(_) => tokio::time::sleep(POLL).await,
                Ok(_) if !line.ends_with('\n') => {}
                Ok(_) => {
                    if let Some(shown) = shown(line.trim_end()) {
                        let _ = to.try_send(shown);
                    }
                    line.clear();
                }
            }
        }
    });
    lines
}

/// The shown form of a line, which begins with the function's name; `None` if it is not worth showing.
fn shown(line: &str) -> Option<String> {
    let (function, text) = line.split_once(' ')?;
    let function = function.rsplit('-').next().unwrap_or(function);
    let Ok(entry) = serde_json::from_str::<Value>(text) else {
        return Some(format!("{function}: {text}"));
    };
    let level = entry.get("level")?.as_str()?;
    if !matches!(level.to_ascii_uppercase().as_str(), "WARN" | "ERROR") {
        return None;
    }
    let fields = entry.get("fields").unwrap_or(&entry);
    let message = fields.get("message").and_then(Value::as_str).unwrap_or_default();
    let rest: Vec<String> = fields
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| {
            !matches!(name.as_str(), "message" | "level" | "timestamp" | "target" | "span" | "spans")
        })
        .map(|(name, value)| {
            format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    Some(format!("{function}: {level} {message} {}", rest.join(" ")).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn warnings_and_panics_are_shown_and_the_rest_is_not() {
        assert_eq!(
            shown(r#"leadwatch-notify {"level":"WARN","fields":{"message":"slow down","lead":"L-1"}}"#)
                .as_deref(),
            Some("notify: WARN slow down lead=L-1")
        );
        assert_eq!(
            shown(r#"leadwatch-notify {"level":"ERROR","message":"no"}"#).as_deref(),
            Some("notify: ERROR no")
        );
        assert_eq!(shown(r#"leadwatch-notify {"level":"INFO","message":"sent"}"#), None);
        assert_eq!(
            shown("leadwatch-sweep thread 'main' panicked").as_deref(),
            Some("sweep: thread 'main' panicked")
        );
    }
}
