//! Documents in files, and their problems as compilers write them.

use anyhow::Context as _;
use policy::Policy;
use policy::directory::Directory;
use policy::document::{Document, DocumentError, DocumentProblem};
use std::io::Read as _;
use std::path::Path;

/// The text of a document.
pub(crate) struct DocumentFile {
    /// The file's name, for problems.
    pub name: String,
    pub text: String,
}

/// Reads a document; `-` is standard input.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<DocumentFile> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(DocumentFile { name: "-".to_owned(), text });
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(DocumentFile { name: path.display().to_string(), text })
}

/// A problem as compilers write it, so that editors jump to it: `policy.yaml:33:31: …`.
pub(crate) fn line_of(file: &str, kind: &str, problem: &DocumentProblem) -> String {
    let place = problem.place.map(|place| format!(":{}:{}", place.line, place.column)).unwrap_or_default();
    format!("{file}{place}: {kind}{}: {}", problem.path, problem.problem)
}

/// A document that is not valid, as an error with one line per problem.
pub(crate) fn invalid(source: &DocumentFile, error: &DocumentError) -> anyhow::Error {
    let lines: Vec<String> = error.0.iter().map(|problem| line_of(&source.name, "", problem)).collect();
    anyhow::anyhow!("{} is not valid\n{}", source.name, lines.join("\n"))
}

/// Reads a policy and checks it, against a directory if there is one.
///
/// # Errors
/// When it is not valid.
pub(crate) fn policy_of(source: &DocumentFile, directory: Option<&Directory>) -> anyhow::Result<Policy> {
    let read = Document::read(&source.text).and_then(|document| Policy::examine(&document, directory));
    read.map_err(|error| invalid(source, &error))
}

/// Reads a directory and checks it.
///
/// # Errors
/// When it is not valid.
pub(crate) fn directory_of(source: &DocumentFile) -> anyhow::Result<Directory> {
    Directory::parse(&source.text).map_err(|error| invalid(source, &error))
}
