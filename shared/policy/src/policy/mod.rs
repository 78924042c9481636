//! The policy: what each workflow does, when, and why, as a document with revisions.
//! Its numbers are all here; no rule has one of its own.

mod check;
mod checked;
mod codes;
mod content;
mod owners;
mod parts;
mod publish;
mod reasons;
mod steps;

pub use checked::CheckedPolicy;
pub use codes::CodeError;
pub use content::{
    About, Action, ChurnRisk, ComplianceChannel, ComplianceFlag, HighValue, Intake, Policy, QuietHours,
    Reminder, Retention, Returns, SlaBreach, StateRow, Step, StepOverride, StuckLead, Template, Templates,
    WindowRow, Workflows, most_specific,
};
pub use owners::{OrphanAction, Owners};
pub use parts::Ladder;
pub use publish::{PublishedPolicy, WorkflowVersion};
pub use reasons::{ReasonCode, well_known};
pub use steps::EffectiveStep;
