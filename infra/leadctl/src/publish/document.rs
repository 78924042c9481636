//! A policy or a directory as it is pulled, compared and published.

use anyhow::Context as _;
use policy::diff::Change;
use policy::directory::{Directory, DirectoryDocument};
use policy::document::{Document, DocumentError};
use policy::ids::PublicationKind;
use policy::{Policy, diff};
use serde_json::Value;
use std::path::Path;

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// A policy.
    Policy(Box<Policy>),
    /// A directory.
    Directory(Box<DirectoryDocument>),
}

/// A document in a file.
pub(crate) struct Draft {
    /// What to call it.
    pub name: String,
    /// The revision that it says it was made from.
    pub revision: Option<u32>,
    pub content: Content,
}

impl Draft {
    /// Reads a file; `-` is standard input. A document that is not sound is an error within.
    pub fn read(kind: PublicationKind, file: &Path) -> anyhow::Result<Result<Self, DocumentError>> {
        let source = crate::policy::read(file)?;
        let read = || -> Result<Self, DocumentError> {
            let document = Document::read(&source.text)?;
            let content = match kind {
                PublicationKind::Policy => Content::Policy(Box::new(Policy::examine(&document, None)?)),
                PublicationKind::Directory => {
                    Content::Directory(Box::new(Directory::examine(&document)?.document().clone()))
                }
            };
            Ok(Self { name: file.display().to_string(), revision: document.revision(), content })
        };
        Ok(read())
    }
}

impl Content {
    /// A document as the API gives it.
    ///
    /// # Errors
    /// One of a later version of Leadwatch than this.
    pub fn of(kind: PublicationKind, value: Value) -> anyhow::Result<Self> {
        let read = match kind {
            PublicationKind::Policy => serde_json::from_value(value).map(|p| Self::Policy(Box::new(p))),
            PublicationKind::Directory => serde_json::from_value(value).map(|d| Self::Directory(Box::new(d))),
        };
        read.with_context(|| format!("the API's {} is of another version than this leadctl", kind.as_str()))
    }

    /// As the API takes it.
    pub fn to_value(&self) -> serde_json::Result<Value> {
        match self {
            Self::Policy(policy) => serde_json::to_value(policy),
            Self::Directory(directory) => serde_json::to_value(directory),
        }
    }

    /// As JSON text, its members in the order in which people write them.
    pub fn to_json(&self) -> serde_json::Result<String> {
        match self {
            Self::Policy(policy) => serde_json::to_string(policy),
            Self::Directory(directory) => serde_json::to_string(directory),
        }
    }

    /// What is different in another.
    pub fn changes_to(&self, after: &Self) -> Vec<Change> {
        match (self, after) {
            (Self::Policy(before), Self::Policy(after)) => diff::policies(before, after),
            (Self::Directory(before), Self::Directory(after)) => diff::directories(before, after),
            // Both come from the same command, and so are of one kind.
            _ => Vec::new(),
        }
    }
}
