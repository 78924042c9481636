//! Reads policy and directory documents (YAML). An error says where, what is wrong, and what to write.

mod nearest;
mod problem;
mod repair;
mod shape;
mod tree;

pub(crate) use nearest::hint;
pub use nearest::nearest;
pub use problem::{DocumentError, DocumentProblem, Position};
pub(crate) use problem::{Problems, both};
use serde::de::DeserializeOwned;

use nearest::{DISTANCE_MAX, distance};
use shape::{Mismatch, ShapeError};
use tree::{Node, Step};

/// The field at the top of a document with the revision it was made from. It is for publishing and not part of the
/// content.
pub const REVISION: &str = "revision";

/// A YAML document that was read, with the line and column of everything in it.
#[derive(Debug, Clone)]
pub struct Document {
    root: Node,
    /// Duplicate keys, and an invalid revision.
    problems: Vec<DocumentProblem>,
    revision: Option<u32>,
}

impl Document {
    /// Reads a text as YAML.
    ///
    /// # Errors
    /// Where it is not YAML, or is more than one document.
    pub fn read(yaml: &str) -> Result<Self, DocumentError> {
        let (root, problems) = tree::read(yaml)?;
        Ok(Self::of_tree(root, problems))
    }

    fn of_tree(mut root: Node, mut problems: Vec<DocumentProblem>) -> Self {
        let revision = root.take(REVISION).and_then(|node| {
            let revision = node.text().and_then(|text| text.parse().ok()).filter(|revision| *revision > 0);
            if revision.is_none() {
                let problem = format!("{} is not a revision number; write e.g. `13`", node.shown());
                let place = Some(node.place);
                problems.push(DocumentProblem { path: REVISION.to_owned(), problem, place });
            }
            revision
        });
        Self { root, problems, revision }
    }

    /// Takes a document from JSON, whose values have no position in a text.
    ///
    /// # Errors
    /// A document that nests too deep or has too many values.
    pub fn of_json(json: &serde_json::Value) -> Result<Self, DocumentError> {
        Ok(Self::of_tree(tree::of_json(json)?, Vec::new()))
    }

    /// The revision that it was made from, if it names one.
    #[must_use]
    pub fn revision(&self) -> Option<u32> {
        self.revision
    }

    /// Whether a name stands at the top of it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.root.has(name)
    }

    /// The position of a path, or of its last part that the document has.
    #[must_use]
    pub fn position_of(&self, path: &str) -> Position {
        self.root.locate(path)
    }

    /// The problems with the line and column of each that has none yet, in the order of the text.
    #[must_use]
    pub fn locate(&self, DocumentError(mut problems): DocumentError) -> DocumentError {
        for problem in &mut problems {
            problem.place = problem.place.or_else(|| Some(self.position_of(&problem.path)));
        }
        problems.sort_by_key(|problem| problem.place);
        DocumentError(problems)
    }

    /// Reads the document into its type and checks that; all problems at once.
    pub(crate) fn examine<T: DeserializeOwned, U>(
        &self,
        check: impl FnOnce(T) -> Result<U, DocumentError>,
    ) -> Result<U, DocumentError> {
        let mut problems = self.problems.clone();
        let read = repair::read::<T>(&self.root);
        let mut sections = Vec::new();
        for (error, stands, place) in &read.mismatches {
            let (path, problem) = in_words(error, stands.as_ref());
            sections.push(tree::spelled(path.get(..2).unwrap_or(&path)));
            if !read.mismatches.iter().any(|(other, ..)| is_misspelt(error, other)) {
                problems.push(DocumentProblem { path: tree::spelled(&path), problem, place: *place });
            }
        }
        let checked = read.value.map(check);
        if let Some(Err(DocumentError(found))) = &checked {
            // A stand-in is not what was meant: what is wrong with it, or with what refers to it,
            // is no mistake of the document.
            let in_section = |problem: &DocumentProblem, section: &String| {
                let rest = problem.path.strip_prefix(section.as_str());
                section.starts_with("states")
                    || rest.is_some_and(|r| r.is_empty() || r.starts_with(['.', '[']))
            };
            let real = |p: &&DocumentProblem| !sections.iter().any(|section| in_section(p, section));
            problems.extend(found.iter().filter(real).cloned());
        }
        match checked {
            Some(Ok(value)) if problems.is_empty() => Ok(value),
            _ => Err(self.locate(DocumentError(problems))),
        }
    }
}

/// Whether what is missing is there under a name that is nearly right, and told as that.
fn is_misspelt(missing: &ShapeError, other: &ShapeError) -> bool {
    match (&missing.what, &other.what, other.path.split_last()) {
        (Mismatch::Missing(field), Mismatch::UnknownField { name, .. }, Some((_, parent))) => {
            parent == missing.path && distance(field, name) <= DISTANCE_MAX
        }
        _ => false,
    }
}

/// A mismatch in words, with its path.
fn in_words(error: &ShapeError, stands: Option<&Node>) -> (Vec<Step>, String) {
    let shown = || stands.map_or_else(|| "this".to_owned(), Node::shown);
    let is_not = |expected: &str| match stands {
        Some(node) if node.is_empty() => format!("is empty; write {expected}"),
        _ => format!("{} is not {expected}", shown()),
    };
    let mut path = error.path.clone();
    let problem = match &error.what {
        Mismatch::UnknownField { name, known } => {
            format!("`{name}` is not a known field here; {}", hint(name, known))
        }
        Mismatch::UnknownValue { value, known } => {
            format!("`{value}` is not a known value; {}", hint(value, known))
        }
        Mismatch::Missing(name) => {
            path.push(Step::Name((*name).to_owned()));
            "is missing".to_owned()
        }
        Mismatch::NotText => is_not("a text"),
        Mismatch::NotList => is_not("a list such as `[US, CA]`"),
        Mismatch::NotBlock => is_not("a block of `name: value` lines"),
        Mismatch::NotBool => is_not("`true` or `false`"),
        Mismatch::NotWhole { quoted: true, .. } => format!("{} is in quotes; remove them", shown()),
        Mismatch::NotWhole { max, .. } => is_not(&format!("a whole number from 0 to {max}")),
        Mismatch::Other(said) if CHRONO.iter().any(|text| said.starts_with(text)) => {
            is_not("a date and time such as `2026-03-02T14:00:00Z`")
        }
        Mismatch::Other(said) => said.clone(),
    };
    (path, problem)
}

/// The beginnings of chrono's errors.
const CHRONO: [&str; 5] = [
    "input contains invalid",
    "premature end",
    "input is out of range",
    "input is not enough",
    "trailing input",
];

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
