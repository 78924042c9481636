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
        let mut names: Vec<&str> = known.into_iter().collect();
        names.sort_unstable_by_key(|name| (distance(name, value), *name));
        let hint = match names.as_slice() {
            [] => format!("no {kind} is defined"),
            [nearest, ..] if distance(nearest, value) <= 3 => format!("did you mean `{nearest}`?"),
            some => format!("known: {}", some.iter().take(8).copied().collect::<Vec<_>>().join(", ")),
        };
        self.add(path, format!("`{value}` is not a known {kind}; {hint}"));
    }

    pub(crate) fn into_result<T>(self, value: T) -> Result<T, DocumentError> {
        if self.0.is_empty() { Ok(value) } else { Err(DocumentError(self.0)) }
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
    parsed.map_err(|error| {
        let path = if at.is_empty() || at == "." { "document".to_owned() } else { at };
        DocumentError(vec![DocumentProblem { path, problem: error.without_snippet().to_string() }])
    })
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
