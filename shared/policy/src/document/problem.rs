//! What is wrong with a document, and where.

use super::nearest::hint;
use serde::Serialize;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
}

/// What is wrong at one place of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentProblem {
    /// Where: `workflows.sla-breach.steps[1].at`.
    pub path: String,
    /// What stands there and what would be right.
    pub problem: String,
    /// Where in the text, where there is one.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Position>,
}

impl std::fmt::Display for DocumentProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)?;
        match self.place {
            Some(Position { line, column }) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
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

/// The problems of two checks together.
pub(crate) fn both(
    one: Result<(), DocumentError>,
    two: Result<(), DocumentError>,
) -> Result<(), DocumentError> {
    match (one, two) {
        (Err(DocumentError(mut all)), Err(DocumentError(more))) => {
            all.extend(more);
            Err(DocumentError(all))
        }
        (one, two) => one.and(two),
    }
}

/// Collects problems while a document is checked.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<DocumentProblem>);

impl Problems {
    pub(crate) fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push(DocumentProblem { path: path.into(), problem: problem.into(), place: None });
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
        let hint = if names.is_empty() { format!("there is no {kind} yet") } else { hint(value, &names) };
        self.add(path, format!("`{value}` is not a known {kind}; {hint}"));
    }

    pub(crate) fn into_result<T>(self, value: T) -> Result<T, DocumentError> {
        if self.0.is_empty() { Ok(value) } else { Err(DocumentError(self.0)) }
    }
}
