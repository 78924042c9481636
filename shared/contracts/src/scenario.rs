//! Reads the lines of an events file: inbound events and actions of staff, each with its time. The simulator
//! and the scenarios of the tests play them.

use crate::event::{Body, Inbound};
use crate::fields::{FieldProblem, Fields, Problems};
use crate::{api, event, fields};
use chrono::{DateTime, Utc};
use policy::Policy;
use policy::directory::{Directory, DirectoryDocument};
use policy::ids::{AccountId, LeadId, PersonId};
use rules::account::AccountInput;
use rules::lead::{Erasure, Resolution};
use rules::roster::Availability;
use serde_json::Value;

/// A line of an events file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// When it happens.
    pub occurred_at: DateTime<Utc>,
    /// When it arrives, by Leadwatch's clock.
    pub received_at: DateTime<Utc>,
    /// The event or action.
    pub what: What,
    /// Parts that were ignored, or have no effect.
    pub warnings: Vec<FieldProblem>,
}

/// An event or an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A CRM's event.
    Event(Body),
    /// `review.decided`: an officer decides.
    ReviewDecided {
        /// The lead.
        lead: LeadId,
        /// The decision.
        decision: api::Decision,
        /// The officer: a person of the directory, or any other name.
        officer: String,
    },
    /// `review.reopening`: an officer asks to open the review of a rejected lead again.
    ReviewReopening {
        /// The lead.
        lead: LeadId,
        /// The reason.
        reason: String,
        /// The officer.
        officer: String,
    },
    /// `operations.resolved`: operations resolves a lead in its queue.
    OperationsResolved {
        /// The lead.
        lead: LeadId,
        /// The resolution.
        resolution: Resolution,
        /// The person.
        by: String,
    },
    /// `erasure.requested`: a request to erase a lead's personal data.
    ErasureRequested {
        /// The lead.
        lead: LeadId,
        /// The request.
        erasure: Erasure,
        /// The person who makes it.
        by: String,
    },
    /// `rep.availability`: a rep becomes available or absent.
    RepAvailability {
        /// The rep.
        rep: PersonId,
        /// The new availability.
        availability: Availability,
    },
    /// `retention.completed` and `churn.false_positive`.
    Retention {
        /// The account.
        account: AccountId,
        /// The action.
        input: AccountInput,
        /// The person.
        by: String,
    },
    /// `policy.published`: this policy comes into force.
    PolicyPublished {
        /// The whole document.
        policy: Box<Policy>,
        /// The publisher.
        by: String,
    },
    /// `directory.published`: this directory comes into force.
    DirectoryPublished {
        /// The whole document, valid in itself.
        directory: Box<DirectoryDocument>,
        /// The publisher.
        by: String,
    },
    /// `sweep.resumed`: the end of an outage. Everything that fell due during it comes now.
    Outage {
        /// When the outage began.
        since: DateTime<Utc>,
    },
}

/// Reads one line.
///
/// # Errors
/// Every wrong field.
pub fn read(value: &Value) -> Result<Line, Vec<FieldProblem>> {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    if event::TYPES.contains(&kind) || !STAFF_TYPES.contains(&kind) {
        let inbound = event::read_with(value, &["received_at"]).map_err(|refused| {
            let mut problems = refused.problems;
            for problem in problems.iter_mut().filter(|p| p.pointer == "/type") {
                problem.detail =
                    format!("must be {}", fields::one_of(&[event::TYPES.as_slice(), &STAFF_TYPES].concat()));
            }
            problems
        })?;
        let mut problems = Problems::default();
        let received =
            Fields::root(value, &mut problems).optional("received_at", &mut problems, fields::instant);
        if !problems.found.is_empty() {
            return Err(problems.found);
        }
        // It may be earlier than the event's own time: a source's clock may be ahead.
        let received_at = received.unwrap_or(inbound.occurred_at);
        let warnings = inbound.warnings_at(received_at);
        let Inbound { id, occurred_at, body, .. } = inbound;
        return Ok(Line { id, occurred_at, received_at, what: What::Event(body), warnings });
    }
    let mut problems = Problems::default();
    let root = Fields::root(value, &mut problems);
    let id = root.optional("id", &mut problems, fields::id::<String>);
    let at = root.required("occurred_at", &mut problems, fields::instant);
    for name in ["type", "received_at"] {
        root.get(name);
    }
    let what = staff(kind, &root, &mut problems);
    problems.refuse_unknown(&root);
    match (at, what) {
        (Some(occurred_at), Some(what)) if problems.found.is_empty() => {
            let id = id.unwrap_or_else(|| format!("{kind}@{}", occurred_at.to_rfc3339()));
            Ok(Line { id, occurred_at, received_at: occurred_at, what, warnings: Vec::new() })
        }
        _ => Err(problems.found),
    }
}

/// The types beside those of inbound events.
pub const STAFF_TYPES: [&str; 10] = [
    "review.decided",
    "review.reopening",
    "operations.resolved",
    "erasure.requested",
    "rep.availability",
    "retention.completed",
    "churn.false_positive",
    "policy.published",
    "directory.published",
    "sweep.resumed",
];

fn staff(kind: &str, root: &Fields<'_>, problems: &mut Problems) -> Option<What> {
    match kind {
        "review.decided" => {
            let decision = api::decision_of(root, problems);
            let lead = root.required("lead_id", problems, fields::id)?;
            let officer = root.required("officer", problems, fields::line)?;
            Some(What::ReviewDecided { lead, decision: decision?, officer })
        }
        "review.reopening" => {
            let reason = api::reopening_of(root, problems);
            let lead = root.required("lead_id", problems, fields::id)?;
            let officer = root.required("officer", problems, fields::line)?;
            Some(What::ReviewReopening { lead, reason: reason?, officer })
        }
        "operations.resolved" => {
            let resolution = api::resolution_of(root, problems);
            let lead = root.required("lead_id", problems, fields::id)?;
            let by = root.optional("by", problems, fields::line).unwrap_or_else(|| "operations".to_owned());
            Some(What::OperationsResolved { lead, resolution: resolution?, by })
        }
        "erasure.requested" => {
            let erasure = api::erasure_of(root, problems);
            let lead = root.required("lead_id", problems, fields::id)?;
            let by = root.optional("by", problems, fields::line).unwrap_or_else(|| "compliance".to_owned());
            Some(What::ErasureRequested { lead, erasure: erasure?, by })
        }
        "rep.availability" => {
            let availability = api::availability_of(root, problems);
            let rep = root.required("rep", problems, fields::id)?;
            Some(What::RepAvailability { rep, availability: availability? })
        }
        "retention.completed" | "churn.false_positive" => {
            let account = root.required("account_id", problems, fields::id)?;
            let note = root.required("note", problems, fields::text)?;
            let by =
                root.optional("by", problems, fields::line).unwrap_or_else(|| "customer-success".to_owned());
            let input = if kind == "retention.completed" {
                AccountInput::RetentionCompleted { note }
            } else {
                AccountInput::FalsePositive {
                    signal_id: root.required("signal_id", problems, fields::line)?,
                    note,
                }
            };
            Some(What::Retention { account, input, by })
        }
        "policy.published" => {
            let policy = root.required("policy", problems, policy)?;
            let by = root.optional("by", problems, fields::line).unwrap_or_else(|| "operations".to_owned());
            Some(What::PolicyPublished { policy: Box::new(policy), by })
        }
        "directory.published" => {
            let directory = root.required("directory", problems, directory)?;
            let by = root.optional("by", problems, fields::line).unwrap_or_else(|| "operations".to_owned());
            Some(What::DirectoryPublished { directory: Box::new(directory), by })
        }
        _ => Some(What::Outage { since: root.required("since", problems, fields::instant)? }),
    }
}

fn policy(value: &Value) -> Result<Policy, String> {
    // JSON is YAML, so that the errors are the same as for a policy's file.
    Policy::parse(&value.to_string()).map_err(|error| format!("is not a valid policy: {error}"))
}

fn directory(value: &Value) -> Result<DirectoryDocument, String> {
    let sound = Directory::parse(&value.to_string());
    sound.map(|d| d.document().clone()).map_err(|error| format!("is not a valid directory: {error}"))
}
