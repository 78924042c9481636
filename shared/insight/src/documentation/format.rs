//! How values appear in Markdown.

use chrono::{DateTime, Utc};
use policy::directory::ALWAYS;

/// A calendar in running text.
pub(super) fn calendar_name(id: &str) -> String {
    if id == ALWAYS { "around the clock".to_owned() } else { format!("on the calendar {}", code(id)) }
}

/// The date of a time, in UTC.
pub(super) fn day(at: DateTime<Utc>) -> String {
    at.date_naive().to_string()
}

/// Escapes text from the documents, so that it stays in its table cell and contains no markup.
pub(super) fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '|' | '<' | '>' | '`' | '*' | '_' | '[' | ']' | '\\') {
            safe.push('\\');
        }
        safe.push(if char.is_control() { ' ' } else { char });
    }
    safe
}

/// A name as code.
pub(super) fn code(name: impl std::fmt::Display) -> String {
    let name = name.to_string().replace('`', "'").replace('|', "\\|");
    format!("`{}`", name.replace(char::is_control, " "))
}
