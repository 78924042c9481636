//! An audit entry: one fact with its circumstances. The audit is the list of these.

use chrono::{DateTime, Utc};
use policy::WorkflowId;
use policy::ids::Subject;
use serde::{Deserialize, Serialize};

/// One fact about a subject. `F` is the subject's set of facts, written as `type` and `data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<F> {
    /// Whose history it belongs to.
    pub subject: Subject,
    /// Its place there, from 1, without gaps.
    pub seq: u64,
    /// The commit it came with, from 1; entries of one commit belong together.
    pub commit: u64,
    /// When it took effect.
    pub at: DateTime<Utc>,
    /// The instant a timer was due, for what a timer brought about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Who brought it about.
    pub actor: Actor,
    /// The input that it answers: an event's id, a wake, a decision's key.
    pub cause: String,
    /// The workflow that took it, with the version that was in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowRef>,
    /// The policy revision that was in force.
    pub policy_revision: u32,
    /// The directory revision that was in force.
    pub directory_revision: u32,
    /// What happened.
    #[serde(flatten)]
    pub fact: F,
}

/// A workflow as an entry names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowRef {
    /// Which.
    pub id: WorkflowId,
    /// The version that fired.
    pub version: u32,
    /// The step of it, where it has steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

/// Who brings something about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Which: the source's name, the token's subject, the part of the system.
    pub id: String,
}

/// What kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// Leadwatch itself.
    System,
    /// A CRM or another source of events.
    Source,
    /// A person who signed in.
    Staff,
}

impl Actor {
    /// A part of Leadwatch.
    pub fn system(id: &str) -> Self {
        Self { kind: ActorKind::System, id: id.to_owned() }
    }

    /// A source of events.
    pub fn source(id: &str) -> Self {
        Self { kind: ActorKind::Source, id: id.to_owned() }
    }

    /// A person, by the token's subject.
    pub fn staff(subject: &str) -> Self {
        Self { kind: ActorKind::Staff, id: subject.to_owned() }
    }
}
