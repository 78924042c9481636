//! Policies and directories as the commands pull, compare and publish them.

use anyhow::Context as _;
use policy::diff::Change;
use policy::directory::{Directory, DirectoryDocument};
use policy::document::{Document, DocumentError};
use policy::ids::PublicationKind;
use policy::{Policy, diff};
use serde_json::Value;
use std::path::Path;

use crate::document_file;

/// A policy or a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Policy(Box<Policy>),
    Directory(Box<DirectoryDocument>),
}

/// A document in a file.
pub(crate) struct Draft {
    /// The file's name.
    pub name: String,
    /// The revision that it was made from, if it says so.
    pub revision: Option<u32>,
    pub content: Content,
}

impl Draft {
    /// Reads a file; `-` is standard input. The inner result is an error if the document is not valid.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(kind: PublicationKind, file: &Path) -> anyhow::Result<Result<Self, DocumentError>> {
        let source = document_file::read(file)?;
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
    /// Reads a document of the API.
    ///
    /// # Errors
    /// When it is of a later version of Leadwatch.
    pub fn of(kind: PublicationKind, value: Value) -> anyhow::Result<Self> {
        let read = match kind {
            PublicationKind::Policy => serde_json::from_value(value).map(|p| Self::Policy(Box::new(p))),
            PublicationKind::Directory => serde_json::from_value(value).map(|d| Self::Directory(Box::new(d))),
        };
        read.with_context(|| {
            format!("the API's {} is from another version; use the leadctl of that version", kind.as_str())
        })
    }

    /// The document in the API's form.
    ///
    /// # Errors
    /// None in practice: it can be written as JSON.
    pub fn to_value(&self) -> serde_json::Result<Value> {
        match self {
            Self::Policy(policy) => serde_json::to_value(policy),
            Self::Directory(directory) => serde_json::to_value(directory),
        }
    }

    /// The document as JSON, its members in the order in which people write them.
    ///
    /// # Errors
    /// None in practice: it can be written as JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        match self {
            Self::Policy(policy) => serde_json::to_string(policy),
            Self::Directory(directory) => serde_json::to_string(directory),
        }
    }

    /// The changes that lead from this document to another.
    pub fn changes_to(&self, after: &Self) -> Vec<Change> {
        match (self, after) {
            (Self::Policy(before), Self::Policy(after)) => diff::policies(before, after),
            (Self::Directory(before), Self::Directory(after)) => diff::directories(before, after),
            // One command reads both as the same kind.
            _ => Vec::new(),
        }
    }
}
