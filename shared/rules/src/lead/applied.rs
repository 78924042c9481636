//! What publications made of a lead in flight.

use crate::lead::owner::Orphaned;
use policy::ids::PublicationId;
use policy::{InForce, WorkflowId};
use serde::{Deserialize, Serialize};

/// How many publications a lead remembers: each counts what it made passed while others may come
/// after it. All of them are in its record.
pub(crate) const APPLIED_MAX: usize = 8;

/// What a publication made of a lead in flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedPublication {
    /// Which one.
    pub publication: PublicationId,
    /// The revisions that were put in force for it.
    pub in_force: InForce,
    /// The thresholds that were passed already under them, and are not acted on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<PassedStep>,
    /// The thresholds that an earlier publication had made passed, and that are to come under them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rearmed: Vec<PassedStep>,
    /// What became of it because its owner left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphaned: Option<Orphaned>,
}

/// A step of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PassedStep {
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// Its name.
    pub step: String,
}
