//! Turns an event into an input to a lead or account, and records a refusal.

use crate::answer;
use crate::answer::{Answer, refused};
use chrono::{DateTime, Utc};
use contracts::event::{Body, Inbound, NotAnEvent};
use policy::ids::Subject;
use rules::account::{AccountCommand, AccountInput};
use rules::entry::Actor;
use rules::lead::{Command, Input};
use service::Service;
use store::StoreError;

/// Applies an event in full.
///
/// # Errors
/// If the store does not answer.
pub async fn apply(
    service: &Service,
    source: &str,
    inbound: Inbound,
    now: DateTime<Utc>,
) -> Result<Answer, StoreError> {
    let warnings = inbound.warnings_at(now);
    let Inbound { id, body, .. } = inbound;
    let cause = format!("{source}/{id}");
    let actor = Actor::source(source);
    let (outcome, duplicate, entries) = match body {
        Body::Lead(lead, event) => {
            let command = Command { lead, actor, cause: cause.clone(), input: Input::Event(event) };
            let done = service.lead(&command, Some(&cause), now).await?;
            (done.outcome, done.duplicate, done.entries.len())
        }
        Body::Account(account, input) => {
            let command = AccountCommand { account, actor, cause: cause.clone(), input };
            let done = service.account(&command, Some(&cause), now).await?;
            (done.outcome, done.duplicate, done.entries.len())
        }
    };
    Ok(answer::of(id, outcome, duplicate, entries).with_warnings(&warnings))
}

/// Refuses a text that is not an event, and records the refusal if its subject is known.
///
/// # Errors
/// If the store does not answer.
pub async fn refuse(
    service: &Service,
    source: &str,
    refusal: NotAnEvent,
    now: DateTime<Utc>,
) -> Result<Answer, StoreError> {
    let NotAnEvent { id, subject, matches, flagged_by, named, problems, warnings } = refusal;
    let first = problems.first().cloned();
    if let (Some(subject), Some(problem)) = (subject, first) {
        // The corrected event may come again under its own id, so the refusal has its own. With other
        // mistakes or other matches it is another refusal, and its matches count.
        let cause = format!("{source}/{}#refused", id.as_deref().unwrap_or_default());
        let actor = Actor::source(source);
        let (field, why) = (problem.pointer, problem.detail);
        match subject {
            Subject::Lead(lead) => {
                let input = Input::RefusedAtDoor { field, why, matches, flagged_by, named };
                let command = Command { lead, actor, cause, input };
                service.refuse_lead(&command, now).await?;
            }
            Subject::Account(account) => {
                let input = AccountInput::RefusedAtDoor { field, why };
                let command = AccountCommand { account, actor, cause, input };
                service.refuse_account(&command, now).await?;
            }
            Subject::Rep(_) | Subject::Publication(_) => {}
        }
    }
    Ok(refused(id, &problems).with_warnings(&warnings))
}
