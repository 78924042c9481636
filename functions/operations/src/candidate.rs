//! The document of a publication: reads it, checks it, and says what is wrong with it.

use platform::problem::{Problem, ProblemDetail};
use policy::Policy;
use policy::directory::Directory;
use policy::document::{Document, DocumentError, REVISION};
use policy::ids::PublicationKind;
use serde_json::Value;

/// What is to be published, read and checked by itself.
#[expect(clippy::large_enum_variant, reason = "there is one a request")]
pub enum Candidate {
    /// A policy.
    Policy(Policy),
    /// A directory.
    Directory(Directory),
}

impl Candidate {
    /// Reads a document, which may say itself which revision it was made from: then it has to be the
    /// base.
    pub fn read(kind: PublicationKind, document: &Value, base: u32) -> Result<Self, Problem> {
        // JSON is YAML: a person is told the same here as of a file.
        let document = Document::read(&document.to_string()).map_err(|error| unsound(kind, &error))?;
        let read = match kind {
            PublicationKind::Policy => Policy::examine(&document, None).map(Self::Policy),
            PublicationKind::Directory => Directory::examine(&document).map(Self::Directory),
        };
        let candidate = read.map_err(|error| unsound(kind, &error))?;
        match document.revision() {
            Some(revision) if revision != base => {
                let what = kind.as_str();
                let detail = format!(
                    "the {what} says that it was made from revision {revision}, and `base` is {base}; make them the same, or leave `revision` out of the document"
                );
                Err(Problem::unprocessable(detail).at(format!("/{what}/{REVISION}")))
            }
            _ => Ok(candidate),
        }
    }

    /// What it is.
    pub fn kind(&self) -> PublicationKind {
        match self {
            Self::Policy(_) => PublicationKind::Policy,
            Self::Directory(_) => PublicationKind::Directory,
        }
    }
}

pub fn moved_on(kind: PublicationKind, base: u32, current: u32) -> Problem {
    let what = kind.as_str();
    let detail = format!(
        "it was made from revision {base} of the {what}, and revision {current} is in force; look at what changed, and publish it on that"
    );
    Problem::conflict(detail).of_kind("base-moved-on").with("current_revision", current)
}

/// A message must not carry what it knows into the deployment's own network, or ask a service there for something.
pub fn only_public(directory: &Directory) -> Result<(), Problem> {
    let said = "leads to this machine or a private network; name an address on the internet";
    let details: Vec<ProblemDetail> = directory
        .private_addresses()
        .into_iter()
        .map(|path| ProblemDetail {
            pointer: format!("/directory{}", pointer(&path)),
            detail: format!("{path}: {said}"),
        })
        .collect();
    let Some(first) = details.first() else { return Ok(()) };
    let problem = Problem::unprocessable(format!("the directory is not accepted: {}", first.detail));
    Err(problem.of_kind("private-address").at(first.pointer.clone()).with_errors(&details))
}

/// Everything that is wrong with a document, each with its place in the request.
pub fn unsound(kind: PublicationKind, error: &DocumentError) -> Problem {
    let details: Vec<ProblemDetail> = error
        .0
        .iter()
        .map(|found| ProblemDetail {
            pointer: format!("/{}{}", kind.as_str(), pointer(&found.path)),
            detail: format!("{}: {}", found.path, found.problem),
        })
        .collect();
    let first = details.first();
    let detail = first.map_or_else(String::new, |first| first.detail.clone());
    let at = first.map(|first| first.pointer.clone()).unwrap_or_default();
    Problem::unprocessable(format!("the {} is not sound: {detail}", kind.as_str()))
        .at(at)
        .with_errors(&details)
}

/// `workflows.sla-breach.steps[1].at` as a JSON pointer.
fn pointer(path: &str) -> String {
    if path == "document" {
        return String::new();
    }
    let parts = path.split(['.', '[']).map(|part| part.trim_end_matches(']'));
    parts.map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_a_webhook_into_a_private_network_is_not_accepted() {
        let with = |webhook: &str| {
            let text = format!(
                "calendars: {{}}\nmarkets: {{}}\nteams: {{}}\npeople: {{}}\ncompliance: {{ channel: a }}\n\
                 operations: {{ channel: b }}\nwebhooks: {{ x/y: \"{webhook}\" }}\n"
            );
            Directory::parse(&text)
        };
        assert_eq!(only_public(&with("https://example.com/hook").unwrap()), Ok(()));
        let refused = only_public(&with("https://169.254.169.254/latest").unwrap()).unwrap_err();
        assert_eq!((refused.status, refused.field.as_deref()), (422, Some("/directory/webhooks/x~1y")));
        assert!(!refused.detail.contains("169.254"), "who knows an address may post to it");
        assert!(with("http://127.0.0.1@evil.test/").is_err());
    }
}
