//! Publications that affected an open lead.

use crate::lead::owner::Orphaned;
use policy::ids::PublicationId;
use policy::{InForce, WorkflowId};
use serde::{Deserialize, Serialize};

/// The most publications that a lead keeps. All of them are in its record.
pub(crate) const APPLIED_MAX: usize = 8;

/// A publication that affected an open lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedPublication {
    /// The publication.
    pub publication: PublicationId,
    /// The revisions in force after it.
    pub in_force: InForce,
    /// The thresholds that had already passed under them and are not acted on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<PassedStep>,
    /// The thresholds that an earlier publication found passed, and that can be reached again under them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rearmed: Vec<PassedStep>,
    /// What happened to the lead because its owner left.
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
