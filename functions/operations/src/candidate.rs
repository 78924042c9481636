//! The document of a publication: reads it, checks it, and says what is wrong with it.

use platform::problem::{Problem, ProblemDetail};
use policy::CheckedPolicy;
use policy::directory::Directory;
use policy::document::{Document, DocumentError, REVISION};
use policy::ids::PublicationKind;
use serde_json::Value;

/// A document to publish, read and checked by itself.
#[expect(clippy::large_enum_variant, reason = "there is one a request")]
pub enum Candidate {
    /// A policy.
    Policy(CheckedPolicy),
    /// A directory.
    Directory(Directory),
}

impl Candidate {
    /// Reads a document. If the document names the revision that it was made from, that must be the base.
    pub fn read(kind: PublicationKind, document: &Value, base: u32) -> Result<Self, Problem> {
        // The same reader as for a file, so that the errors are the same.
        let document = Document::of_json(document).map_err(|error| invalid_document(kind, &error))?;
        let read = match kind {
            PublicationKind::Policy => CheckedPolicy::examine(&document, None).map(Self::Policy),
            PublicationKind::Directory => Directory::examine(&document).map(Self::Directory),
        };
        let candidate = read.map_err(|error| invalid_document(kind, &error))?;
        match document.revision() {
            Some(revision) if revision != base => {
                let what = kind.as_str();
                let detail = format!(
                    "the {what} was made from revision {revision}, but `base` is {base}; make them equal, or remove `revision` from the document"
                );
                Err(Problem::unprocessable(detail).at(format!("/{what}/{REVISION}")))
            }
            _ => Ok(candidate),
        }
    }

    /// Its kind.
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
        "the document was made from revision {base} of the {what}, but revision {current} is in force; merge the changes since then and publish on that revision"
    );
    Problem::conflict(detail).of_kind("base-moved-on").with("current_revision", current)
}

/// Refuses webhooks into the deployment's own network: a message must neither leak to a service there nor
/// call one.
pub fn only_public(directory: &Directory) -> Result<(), Problem> {
    let said = "is an address on this machine or a private network; use a public address";
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

/// All errors of a document, each with its place in the request.
pub fn invalid_document(kind: PublicationKind, error: &DocumentError) -> Problem {
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
    Problem::unprocessable(format!("the {} is not valid: {detail}", kind.as_str()))
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
        assert!(!refused.detail.contains("169.254"), "an address can be a secret");
        assert!(with("http://127.0.0.1@evil.test/").is_err());
    }
}
