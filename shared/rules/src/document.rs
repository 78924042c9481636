//! Reading policy and directory documents (YAML): an error says where, what stands there, and
//! what would be right.

use serde::de::DeserializeOwned;

/// What is wrong at one place of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct DocumentProblem {
    /// Where: `workflows.sla-breach.steps[1].at`.
    pub path: String,
    /// What stands there and what would be right.
    pub problem: String,
}

/// Everything that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentError(pub Vec<DocumentProblem>);

impl std::fmt::Display for DocumentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for DocumentError {}

/// Collects problems while a document is checked.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<DocumentProblem>);

impl Problems {
    pub(crate) fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push(DocumentProblem { path: path.into(), problem: problem.into() });
    }

    /// Notes a value that names nothing, with the nearest name there is.
    pub(crate) fn unknown<'a>(
        &mut self,
        path: impl Into<String>,
        kind: &str,
        value: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        let names: Vec<&str> = known.into_iter().collect();
        let hint = if names.is_empty() { format!("no {kind} is defined") } else { hint(value, &names) };
        self.add(path, format!("`{value}` is not a known {kind}; {hint}"));
    }

    pub(crate) fn into_result<T>(self, value: T) -> Result<T, DocumentError> {
        if self.0.is_empty() { Ok(value) } else { Err(DocumentError(self.0)) }
    }
}

/// The nearest name there is, or some of those there are.
pub(crate) fn hint(value: &str, known: &[&str]) -> String {
    let mut names = known.to_vec();
    names.sort_unstable_by_key(|name| (distance(name, value), *name));
    names.dedup();
    match names.first() {
        Some(nearest) if distance(nearest, value) <= 3 && !value.is_empty() => {
            format!("did you mean `{nearest}`?")
        }
        _ => {
            names.sort_unstable();
            let more = if names.len() > 12 { ", …" } else { "" };
            format!("known: {}{more}", names.iter().take(12).copied().collect::<Vec<_>>().join(", "))
        }
    }
}

/// Levenshtein distance, for "did you mean"; names are short.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (cb, above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(ca != *cb)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// Parses one YAML document into its type. Unknown and duplicate keys are errors.
pub(crate) fn parse<T: DeserializeOwned>(yaml: &str) -> Result<T, DocumentError> {
    let mut at = String::new();
    let parsed = serde_saphyr::with_deserializer_from_str(yaml, |deserializer| {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            at = error.path().to_string();
            error.into_inner()
        })
    });
    parsed.map_err(|error| DocumentError(vec![in_words(&at, &error.without_snippet().to_string(), yaml)]))
}

/// What the parser says, as a person who writes documents would say it.
fn in_words(path: &str, said: &str, yaml: &str) -> DocumentProblem {
    let (what, place) = match said.rsplit_once(" at line ") {
        Some((what, place)) => (what, format!(" (line {place})")),
        None => (said, String::new()),
    };
    let quoted = || what.split('`').nth(1).unwrap_or_default();
    let mut path = if path.is_empty() || path == "." { "document".to_owned() } else { path.to_owned() };
    let value = value_at(yaml, &path);
    let shown = value.map_or_else(|| "this".to_owned(), |value| format!("`{value}`"));
    let problem = if let Some((_, known)) = what.split_once(", expected one of ") {
        let is_field = what.starts_with("unknown field");
        if path.ends_with(".?") {
            path = path.replace('?', quoted());
        }
        let kind = if is_field { "a field here" } else { "a known value" };
        let known: Vec<&str> = known.split(", ").collect();
        format!("`{}` is not {kind}; {}", quoted(), hint(quoted(), &known))
    } else if what.starts_with("missing field") {
        path = if path == "document" { quoted().to_owned() } else { format!("{path}.{}", quoted()) };
        "is missing".to_owned()
    } else if let Some(name) = what.strip_prefix("duplicate mapping key: ") {
        let name = name.split(',').next().unwrap_or(name);
        path = if path.contains('?') { path.replace('?', name) } else { format!("{path}.{name}") };
        "is there twice; a key is written once".to_owned()
    } else if what.starts_with("invalid u") || what.starts_with("invalid i") {
        let max = match what {
            "invalid u8" => u64::from(u8::MAX),
            "invalid u16" => u64::from(u16::MAX),
            _ => u64::from(u32::MAX),
        };
        format!("{shown} is not a whole number from 0 to {max}")
    } else if what.starts_with("invalid bool") {
        format!("{shown} is not `true` or `false`")
    } else if what.starts_with("expected string") {
        "what stands there is not a text".to_owned()
    } else if what.starts_with("expected sequence") {
        format!("{shown} is not a list; write it in brackets, e.g. `[US, CA]`")
    } else if what.starts_with("expected mapping") {
        format!("{shown} is not a block of `name: value` lines")
    } else if CHRONO.iter().any(|text| what.starts_with(text)) {
        format!("{shown} is not an instant; write e.g. `2026-03-02T14:00:00Z`")
    } else {
        what.to_owned()
    };
    DocumentProblem { path, problem: format!("{problem}{place}") }
}

/// What chrono says of a text that is no instant.
const CHRONO: [&str; 4] =
    ["input contains invalid", "premature end", "input is out of range", "input is not enough"];

/// The scalar that stands at a path of a document, for a message that does not show it.
fn value_at(yaml: &str, path: &str) -> Option<String> {
    let document: serde_json::Value = serde_saphyr::from_str(yaml).ok()?;
    let mut at = &document;
    for part in path.split('.') {
        let mut names = part.split('[');
        at = at.get(names.next()?)?;
        for index in names {
            at = at.get(index.strip_suffix(']')?.parse::<usize>().ok()?)?;
        }
    }
    match at {
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
        serde_json::Value::String(text) => Some(text.chars().take(80).collect()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_comes_with_the_nearest_known_one() {
        let mut problems = Problems::default();
        problems.unknown("x", "market", "dahc", ["us", "dach"]);
        let error = problems.into_result(()).unwrap_err();
        assert_eq!(error.to_string(), "x: `dahc` is not a known market; did you mean `dach`?");
    }
}
