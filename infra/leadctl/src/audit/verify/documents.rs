//! The published policies and directories, each held against the history of its publication: the
//! chain holds the hash of its text.

use std::collections::BTreeMap;

use audit::{Hash, sha256};
use chrono::{DateTime, Utc};
use policy::ids::{PublicationId, Subject};

use super::finding::{Place, Wrong};
use super::history::History;

/// What an export has of each revision.
#[derive(Debug, Default)]
pub struct Documents(BTreeMap<PublicationId, Document>);

#[derive(Debug)]
struct Document {
    line: u64,
    sha256: Hash,
    published_at: DateTime<Utc>,
}

impl Documents {
    /// Takes in the text of a revision, and when it says it was published.
    pub fn take(&mut self, id: PublicationId, line: u64, text: &str, published_at: DateTime<Utc>) {
        let sha256 = sha256([text.as_bytes()]);
        self.0.insert(id, Document { line, sha256, published_at });
    }

    /// What is wrong with the text that a history is of, and where. That a text is not there is seen
    /// by its revision, which entries name.
    pub fn hold(&mut self, history: &History) -> Option<(Place, Wrong)> {
        let Subject::Publication(id) = history.subject else { return None };
        let document = self.0.remove(&id)?;
        // Of a history that is broken it is told that it is.
        let published = history.published.as_ref().filter(|_| !history.broken)?;
        let found = document.sha256;
        if published.document_sha256 != found.to_string() {
            let said = published.document_sha256.clone();
            return Some((document.place(id), Wrong::Document { said, found }));
        }
        if published.at != document.published_at {
            let (said, found) = (published.at, document.published_at);
            return Some((document.place(id), Wrong::PublishedAt { said, found }));
        }
        None
    }

    /// The texts that no history is of.
    pub fn left(self) -> impl Iterator<Item = (Place, Wrong)> {
        self.0.into_iter().map(|(id, document)| (document.place(id), Wrong::NeverPublished))
    }
}

impl Document {
    fn place(&self, id: PublicationId) -> Place {
        Place { line: Some(self.line), subject: Some(Subject::Publication(id)), ..Place::default() }
    }
}
