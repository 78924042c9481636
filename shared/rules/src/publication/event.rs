//! What can happen to a publication.

use crate::notification::NotificationFact;
use crate::publication::state::Totals;
use policy::WorkflowId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A fact about a publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum PublicationFact {
    /// It was published: it is in force from here.
    #[serde(rename = "publication.published")]
    Published {
        /// The revision that it replaces; 0: there was none.
        base: u32,
        /// The publisher's id in the directory, or else the e-mail address that their token vouches for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        publisher: Option<String>,
        /// Why, in words.
        why: String,
        /// What is different, in words.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<String>,
        /// The version of each workflow; of a policy.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        versions: BTreeMap<WorkflowId, u32>,
        /// SHA-256 of the document's text as it is stored (canonical JSON, RFC 8785), hexadecimal: whoever
        /// has this entry can tell whether a document is the one that was published.
        document_sha256: String,
    },
    /// Every lead in flight that it touches waits for what the new rules say.
    #[serde(rename = "publication.applied")]
    Applied(Totals),
    /// Somebody is to be told, or was, or was not.
    #[serde(untagged)]
    Notification(NotificationFact),
}
