//! Checks the published policies and directories against the histories of their publications, which have the hash of each
//! text.

use std::collections::BTreeMap;

use audit::{Hash, sha256};
use chrono::{DateTime, Utc};
use policy::ids::{PublicationId, Subject};

use super::finding::{Place, Problem};
use super::history::History;

/// The published documents of an export, by revision.
#[derive(Debug, Default)]
pub struct Documents(BTreeMap<PublicationId, Document>);

#[derive(Debug)]
struct Document {
    line: u64,
    sha256: Hash,
    published_at: DateTime<Utc>,
}

impl Documents {
    /// Adds a revision's text and the time of its publication, as the export has them.
    pub fn add(&mut self, id: PublicationId, line: u64, text: &str, published_at: DateTime<Utc>) {
        let sha256 = sha256([text.as_bytes()]);
        self.0.insert(id, Document { line, sha256, published_at });
    }

    /// Checks the document of a publication's history. A missing document shows as a revision that entries name.
    pub fn check(&mut self, history: &History) -> Option<(Place, Problem)> {
        let Subject::Publication(id) = history.subject else { return None };
        let document = self.0.remove(&id)?;
        // A broken history has a finding of its own.
        let published = history.published.as_ref().filter(|_| !history.broken)?;
        let found = document.sha256;
        if published.document_sha256 != found.to_string() {
            let said = published.document_sha256.clone();
            return Some((document.place(id), Problem::Document { said, found }));
        }
        if published.at != document.published_at {
            let (said, found) = (published.at, document.published_at);
            return Some((document.place(id), Problem::PublishedAt { said, found }));
        }
        None
    }

    /// The documents without a history.
    pub fn without_history(self) -> impl Iterator<Item = (Place, Problem)> {
        self.0.into_iter().map(|(id, document)| (document.place(id), Problem::NeverPublished))
    }
}

impl Document {
    fn place(&self, id: PublicationId) -> Place {
        Place { line: Some(self.line), subject: Some(Subject::Publication(id)), ..Place::default() }
    }
}
