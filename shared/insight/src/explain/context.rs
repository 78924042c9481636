//! What every part of an explanation needs.

use super::explanation::{Status, WorkflowExplanation};
use super::forecast::Forecast;
use super::history::History;
use chrono::{DateTime, Utc};
use policy::WorkflowId;
use rules::world::World;

/// What the explanation of every workflow needs.
pub(super) struct Context<'a> {
    pub history: &'a History<'a>,
    pub forecast: &'a Forecast,
    pub world: &'a World,
    pub at: DateTime<Utc>,
}

impl Context<'_> {
    /// The explanation of a workflow, still without status and reasons.
    pub fn workflow(&self, workflow: WorkflowId) -> WorkflowExplanation {
        WorkflowExplanation {
            workflow,
            version: self.world.rules.published().version_of(workflow),
            status: Status::Inactive,
            because: Vec::new(),
            clock: None,
            fired: self.history.fired(workflow),
            steps: Vec::new(),
        }
    }
}
