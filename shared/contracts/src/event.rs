//! Reads inbound events of the generic source, to which every CRM adapter maps its own. Unknown types are
//! refused. Unknown fields are ignored, with a warning in the answer and in the audit. An absent field stays
//! unchanged, and `null` clears it.

mod account;
mod lead;

pub use account::EVIDENCE_BYTES_MAX;
pub(crate) use account::churn_signal;

use crate::fields::{FieldProblem, Fields, Problems};
use crate::{fields, matches};
use chrono::{DateTime, Utc};
use lead::{flagged, flagged_by, named_party, state_changed, stray_matches, upserted};
use policy::ids::{AccountId, LeadId, Subject};
use rules::account::AccountInput;
use rules::lead::{LeadEvent, NamedParty};
use rules::screening::Match;
use rules::unread::Unread;
use serde_json::Value;

/// Events in one request.
pub const BATCH_MAX: usize = 100;

/// The types of events.
pub const TYPES: [&str; 5] =
    ["lead.upserted", "lead.state_changed", "lead.flagged", "account.upserted", "account.churn_signal"];

/// An inbound event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Its id at the source.
    pub id: String,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// Its content.
    pub body: Body,
    /// Parts that were ignored, or have no effect.
    pub warnings: Vec<FieldProblem>,
}

/// The subject of an event, and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// An event of a lead.
    Lead(LeadId, Box<LeadEvent>),
    /// An event of an account.
    Account(AccountId, AccountInput),
}

/// Why a text is not an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnEvent {
    /// Its id, if readable.
    pub id: Option<String>,
    /// Its subject, if readable: the refusal goes into the subject's audit.
    pub subject: Option<Subject>,
    /// The readable matches of a screening. They count, whatever else is wrong.
    pub matches: Vec<Match>,
    /// The person who raised the matches by hand.
    pub flagged_by: Option<String>,
    /// The party that the matches are about.
    pub named: NamedParty,
    /// Everything that is wrong; never empty.
    pub problems: Vec<FieldProblem>,
    /// Parts that were ignored in addition.
    pub warnings: Vec<FieldProblem>,
}

/// Reads one event.
///
/// # Errors
/// [`NotAnEvent`] with every wrong field.
#[expect(clippy::result_large_err, reason = "both are made once an event, and moved")]
pub fn read(value: &Value) -> Result<Inbound, NotAnEvent> {
    read_with(value, &[])
}

/// Reads one event, with further members that the caller reads itself.
#[expect(clippy::result_large_err, reason = "both are made once an event, and moved")]
pub(crate) fn read_with(value: &Value, further: &[&str]) -> Result<Inbound, NotAnEvent> {
    let mut problems = Problems::default();
    let root = Fields::root(value, &mut problems);
    for name in further {
        root.get(name);
    }
    let id: Option<String> = root.required("id", &mut problems, fields::id::<String>);
    let occurred_at = root.required("occurred_at", &mut problems, fields::exact_instant);
    let kind = root.required("type", &mut problems, |value| {
        let text = value.as_str().unwrap_or_default();
        TYPES
            .iter()
            .find(|known| **known == text)
            .copied()
            .ok_or_else(|| format!("must be {}", fields::one_of(&TYPES)))
    });
    let mut subject = None;
    let mut found = Vec::new();
    let mut flagger = None;
    // A wrong time is noted; the rest is still read, to find every error.
    let at = occurred_at.unwrap_or_default();
    let body = match kind {
        Some(kind @ ("lead.upserted" | "lead.state_changed" | "lead.flagged")) => {
            let lead = root.object("lead", &mut problems);
            let lead_id: Option<LeadId> = lead.required("id", &mut problems, fields::id);
            subject = lead_id.clone().map(Subject::Lead);
            let found_in = matches::read(&root, &lead, &mut problems);
            let is_flagged = !found_in.is_empty();
            let mut event = match kind {
                "lead.upserted" => upserted(&lead, at, &mut problems),
                "lead.state_changed" => state_changed(&lead, is_flagged, at, &mut problems),
                _ => flagged(&lead, is_flagged, at, &mut problems),
            };
            // A source may send matches with any event of a lead.
            event.matches = found_in;
            if is_flagged && kind == "lead.upserted" {
                event.named.unreadable = named_party(value).unreadable;
            } else if is_flagged {
                event.named = named_party(value);
                // They name the screened party, and change nothing else.
                for name in ["company", "contact"] {
                    lead.get(name);
                }
            }
            flagged_by(&root, &mut event, &mut problems);
            found.clone_from(&event.matches);
            flagger.clone_from(&event.flagged_by);
            problems.warn_of_unknown(&lead);
            lead_id.map(|id| Body::Lead(id, Box::new(event)))
        }
        Some(kind) => {
            let account = root.object("account", &mut problems);
            let account_id: Option<AccountId> = account.required("id", &mut problems, fields::id);
            subject = account_id.clone().map(Subject::Account);
            let input = if kind == "account.upserted" {
                Some(account::upserted(&account, at, &mut problems))
            } else {
                churn_signal(&account, at, &mut problems)
            };
            problems.warn_of_unknown(&account);
            account_id.zip(input).map(|(id, input)| Body::Account(id, input))
        }
        None => None,
    };
    // Matches count in an event of any type.
    if !matches!(body, Some(Body::Lead(..))) {
        let (lead, stray) = stray_matches(value);
        if !stray.is_empty() {
            if kind.is_some() {
                problems.add("/lead/flags", "does not belong to this type of event; send `lead.flagged`");
            }
            subject = lead.map(Subject::Lead).or(subject);
            found.extend(stray);
            flagger = root.optional("flagged_by", &mut problems, fields::line);
        }
    };
    if kind.is_some() {
        problems.warn_of_unknown(&root);
    }
    let Problems { found: wrong, warnings } = problems;
    match (id.clone(), occurred_at, body) {
        (Some(id), Some(occurred_at), Some(mut body)) if wrong.is_empty() => {
            body.set_unread(Unread::of(warnings.iter().map(|warning| warning.pointer.clone())));
            Ok(Inbound { id, occurred_at, body, warnings })
        }
        _ => {
            let mut named = NamedParty::default();
            if !found.is_empty() {
                let party = named_party(value);
                let unreadable = party.unreadable || occurred_at.is_none();
                named = NamedParty { occurred_at, unreadable, ..party };
            }
            Err(NotAnEvent {
                id,
                subject,
                matches: found,
                flagged_by: flagger,
                named,
                problems: wrong,
                warnings,
            })
        }
    }
}

impl Body {
    fn set_unread(&mut self, not_understood: Unread) {
        match self {
            Self::Lead(_, event) => event.unread = not_understood,
            Self::Account(_, AccountInput::Update { unread, .. } | AccountInput::Signal { unread, .. }) => {
                *unread = not_understood;
            }
            Self::Account(..) => {}
        }
    }
}

impl Inbound {
    /// Parts that were ignored, or have no effect at the time of arrival.
    pub fn warnings_at(&self, now: DateTime<Utc>) -> Vec<FieldProblem> {
        let mut warnings = self.warnings.clone();
        if let Body::Lead(_, event) = &self.body
            && event.hold_until.as_set().is_some_and(|until| *until <= now)
        {
            let detail = "is in the past: the hold has already ended".to_owned();
            warnings.push(FieldProblem { pointer: "/lead/hold_until".to_owned(), detail });
        }
        warnings
    }
}

#[cfg(test)]
mod tests;
