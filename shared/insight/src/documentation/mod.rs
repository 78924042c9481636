//! Documentation of a policy, generated from the published policy so that it is always up to date: as
//! Markdown for people, and as data for programs.

mod data;
mod documented;
mod format;
mod page;
mod prose;
mod steps;
mod workflow;

pub use data::{StepDoc, VersionDoc, WindowDoc, WorkflowDoc};
pub use documented::DocumentedPolicy;

use policy::WorkflowId;

impl DocumentedPolicy<'_> {
    /// One workflow as data.
    #[must_use]
    pub fn workflow(&self, id: WorkflowId) -> WorkflowDoc {
        data::workflow(self, id)
    }

    /// One workflow in Markdown.
    #[must_use]
    pub fn workflow_markdown(&self, id: WorkflowId) -> String {
        workflow::markdown(self, id)
    }

    /// The whole policy in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        page::markdown(self)
    }
}
