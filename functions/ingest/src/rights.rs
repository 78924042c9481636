//! Enforces what a source may write, by the directory. The rest of an event is ignored and refused by name.
//! Matches from a screening always count.

use crate::answer;
use crate::answer::Answer;
use crate::apply::apply;
use chrono::{DateTime, Utc};
use contracts::event::{Body, Inbound};
use policy::source_rights::SourceRights;
use rules::account::{AccountCommand, AccountInput};
use rules::entry::Actor;
use rules::lead::{Command, Input};
use rules::outcome::Outcome;
use rules::source_limits::{limit_account, limit_lead, says_nothing};
use service::Service;
use store::StoreError;

/// A source, and its rights in the directory.
#[derive(Debug, Clone)]
pub struct Sender<'a> {
    /// Its name.
    pub name: &'a str,
    /// `None`: everything.
    pub rights: Option<SourceRights>,
}

/// Applies the part of an event that its source may write, and records a refusal of the rest.
///
/// # Errors
/// If the store does not answer.
pub async fn apply_within(
    service: &Service,
    sender: &Sender<'_>,
    mut inbound: Inbound,
    now: DateTime<Utc>,
) -> Result<Answer, StoreError> {
    let source = sender.name;
    let Some(rights) = &sender.rights else { return apply(service, source, inbound, now).await };
    let (outside, is_left) = match &mut inbound.body {
        Body::Lead(lead, event) => {
            let (actor, cause) = (Actor::source(source), inbound.id.clone());
            let input = Input::Event(event.clone());
            let whole = Command { lead: lead.clone(), actor, cause, input };
            event.said = Some(store::content_of(&whole)?);
            // The market matters only to a source that is limited to some markets.
            let stands = match rights.markets {
                Some(_) => service.store.lead(lead).await?,
                None => None,
            };
            let market = stands.as_ref().and_then(|lead| lead.profile.market.as_ref());
            let outside = limit_lead(rights, event, market);
            (outside, !says_nothing(event) || !event.matches.is_empty())
        }
        Body::Account(_, input) => limit_account(rights, input),
    };
    if outside.is_empty() {
        return apply(service, source, inbound, now).await;
    }
    let why = format!("the source `{source}` may not write this");
    let (id, subject) = (inbound.id.clone(), subject_of(&inbound.body));
    // The permitted part goes first, so that a new lead has a record.
    let answer = if is_left { Some(apply(service, source, inbound.clone(), now).await?) } else { None };
    let field = outside.join(", ");
    let cause = format!("{source}/{id}#rights");
    let actor = Actor::source(source);
    match inbound.body {
        Body::Lead(lead, _) => {
            let input = Input::refused(field, why.clone());
            let command = Command { lead, actor, cause: cause.clone(), input };
            service.lead(&command, Some(&cause), now).await?;
        }
        Body::Account(account, _) => {
            let input = AccountInput::RefusedAtDoor { field, why: why.clone() };
            let command = AccountCommand { account, actor, cause: cause.clone(), input };
            service.account(&command, Some(&cause), now).await?;
        }
    }
    let pointers = outside.iter().map(|field| pointer(subject, field)).collect();
    let answer = answer.unwrap_or_else(|| answer::of(id, Outcome::Refused { why }, false, 0));
    Ok(answer.without(pointers))
}

/// The member of an event that names its subject.
fn subject_of(body: &Body) -> &'static str {
    match body {
        Body::Lead(..) => "lead",
        Body::Account(..) => "account",
    }
}

/// The JSON pointer to a field of an event.
fn pointer(subject: &str, field: &str) -> String {
    format!("/{subject}/{}", field.trim_start_matches("account."))
}
