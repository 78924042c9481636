//! The officer of a decision: their names, and the record of refused attempts.

use crate::call::Call;
use crate::view;
use platform::problem::Problem;
use policy::ids::{LeadId, PersonId};
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead};
use service::problem;

/// The names that an officer goes by, beside the token's subject.
pub struct Officer {
    /// Sign-in name, email address, and id in the directory.
    pub also_known_as: Vec<String>,
    /// The officer in the directory.
    pub person: Option<PersonId>,
}

/// The officer who makes a call. A person who flagged or owns the lead cannot decide on it, under any name.
///
/// # Errors
/// 403 without a verified email address: then nobody can tell whether the officer owns the lead.
pub async fn of(call: &Call<'_>, lead: &LeadId) -> Result<Officer, Problem> {
    let Some(email) = call.caller.email.clone() else {
        let why = "a decision needs a token with a verified email address";
        record_attempt(call, lead, why).await?;
        return Err(Problem::forbidden(why));
    };
    let person = call.directory().await?.person_by_email(&email).cloned();
    let mut also_known_as = vec![call.caller.username.clone(), email];
    also_known_as.extend(person.as_ref().map(ToString::to_string));
    Ok(Officer { also_known_as, person })
}

/// Records in the lead's audit that a caller without the right tried to decide. Each caller is recorded once for each
/// state of the review, so that nobody can flood the audit.
///
/// # Errors
/// If the store does not answer.
pub async fn record_attempt(call: &Call<'_>, id: &LeadId, why: &str) -> Result<(), Problem> {
    let Some(lead) = call.service.store.lead(id).await.map_err(|e| problem(&e))? else { return Ok(()) };
    let cause = attempt_key(&lead, &call.caller.subject);
    let (field, why) = ("review decision".to_owned(), why.to_owned());
    let (actor, input) = (Actor::staff(&call.caller.subject), Input::refused(field, why));
    let command = Command { lead: lead.id, actor, cause: cause.clone(), input };
    call.service.lead(&command, Some(&cause), call.now).await.map(|_| ()).map_err(|e| problem(&e))
}

/// The identity of an attempt: the same until the review changes or, without a review, until the lead's state does.
fn attempt_key(lead: &Lead, caller: &str) -> String {
    let on = match view::revision(lead) {
        Some(revision) => format!("review-{revision}"),
        None => format!("state-{}", lead.entered_at.timestamp_millis()),
    };
    format!("attempt/{caller}/{}/{on}", lead.id)
}
