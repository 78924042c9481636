//! Publication: a policy becomes a revision, and each workflow in it gets its version. A version
//! rises when, and only when, the workflow's content changed.

use super::content::Policy;
use crate::vocabulary::WorkflowId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A revision of the policy, never changed once published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedPolicy {
    /// Counts publications, from 1.
    pub revision: u32,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Who published it.
    pub published_by: String,
    /// Each workflow's version.
    pub versions: BTreeMap<WorkflowId, WorkflowVersion>,
    /// The document.
    pub policy: Policy,
}

/// A workflow's version and the hash of the content that has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowVersion {
    /// Counts the changes of its content, from 1.
    pub version: u32,
    /// SHA-256 of the content as canonical JSON, hexadecimal.
    pub content_sha256: String,
    /// The revision that brought this version.
    pub since_revision: u32,
}

impl PublishedPolicy {
    /// The next revision after `before` (none: the first).
    pub fn next(before: Option<&Self>, policy: Policy, by: &str, at: DateTime<Utc>) -> Self {
        let revision = before.map_or(1, |b| b.revision.saturating_add(1));
        let versions = WorkflowId::ALL
            .into_iter()
            .map(|id| {
                let hash = content_hash(&policy, id);
                let version = match before.and_then(|b| b.versions.get(&id)) {
                    Some(old) if old.content_sha256 == hash => old.clone(),
                    old => WorkflowVersion {
                        version: old.map_or(1, |o| o.version.saturating_add(1)),
                        content_sha256: hash,
                        since_revision: revision,
                    },
                };
                (id, version)
            })
            .collect();
        Self { revision, published_at: at, published_by: by.to_owned(), versions, policy }
    }

    /// The version of a workflow in this revision.
    pub fn version_of(&self, workflow: WorkflowId) -> u32 {
        self.versions.get(&workflow).map_or(0, |v| v.version)
    }
}

/// Hashes what a workflow says. Struct fields serialize in their order and maps sorted, so the
/// same content has the same bytes.
fn content_hash(policy: &Policy, id: WorkflowId) -> String {
    let w = &policy.workflows;
    let json = match id {
        WorkflowId::SlaBreach => serde_json::to_vec(&w.sla_breach),
        WorkflowId::StuckLead => serde_json::to_vec(&w.stuck_lead),
        WorkflowId::HighValue => serde_json::to_vec(&w.high_value),
        WorkflowId::ComplianceFlag => serde_json::to_vec(&w.compliance_flag),
        WorkflowId::ChurnRisk => serde_json::to_vec(&w.churn_risk),
    };
    hex::encode(Sha256::digest(json.unwrap_or_default()))
}
