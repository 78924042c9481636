//! Writes a notification's title and text: Leadwatch's own, or the policy's. It holds nothing personal of a
//! contact: those details are behind the link. Only the compliance desk reads what a screening found.
//!
//! The policy in force when the message goes out words it, so that a correction also applies to waiting
//! messages. Placeholders take the notification's own values.

mod clean;
mod messages;
mod names;
mod phrases;

use crate::outbound::Outbound;
use chrono::{DateTime, Utc};
use phrases::Phrases;
use policy::directory::Directory;
use policy::ids::Subject;
use policy::{ComplianceChannel, Message, Policy};
use rules::notification::{Notification, Particulars, Recipient};
use rules::still_true::CurrentMessage;

/// The longest title, in characters: the limit of a Slack header.
const TITLE_MAX: usize = 150;

/// The targets of links.
#[derive(Debug, Clone)]
pub struct Links {
    /// The record of a lead; `{lead_id}` stands for its id.
    pub lead: String,
    /// The review of a lead; `{lead_id}` stands for its id.
    pub review: String,
    /// The record of an account; `{account_id}` stands for its id.
    pub account: String,
}

impl Links {
    /// Takes the configured links. A missing one goes to Leadwatch's own API.
    pub fn new(lead: Option<&str>, review: Option<&str>, api_base: &str) -> Self {
        let api = api_base.trim_end_matches('/');
        Self {
            lead: lead.map_or_else(|| format!("{api}/v1/leads/{{lead_id}}"), str::to_owned),
            review: review.map_or_else(|| format!("{api}/v1/compliance/reviews/{{lead_id}}"), str::to_owned),
            account: format!("{api}/v1/accounts/{{account_id}}"),
        }
    }
}

/// Everything that the wording of a message depends on, beside the notification.
pub struct Context<'a> {
    /// The policy that is in force.
    pub policy: &'a Policy,
    /// The directory.
    pub directory: &'a Directory,
    /// The targets of links.
    pub links: &'a Links,
    /// When the message goes out.
    pub now: DateTime<Utc>,
}

/// Writes a notification, as it is true now.
pub fn outbound(
    notification: &Notification,
    told: &CurrentMessage,
    subject: &Subject,
    context: &Context<'_>,
) -> Outbound {
    let Context { policy, directory, links, now } = context;
    let told = &readable(notification, told);
    let short = is_short(notification, policy).then(|| in_short(told));
    let told = short.as_ref().unwrap_or(told);
    let phrases =
        Phrases { told, facts: &told.particulars, directory, subject, to: &notification.to, now: *now };
    let (title, text) = phrases.title_and_text(notification.message);
    let own = policy.template(notification.message).filter(|_| !phrases.is_report_of_the_past());
    let in_own_words = |text: Option<&String>| text.and_then(|text| phrases.fill_in(text));
    let title = in_own_words(own.and_then(|own| own.title.as_ref())).unwrap_or(title);
    let text = in_own_words(own.and_then(|own| own.text.as_ref())).unwrap_or(text);
    let mut text = match &notification.to {
        Recipient::TeamChannel { manager, .. } => format!("For {}: {text}", phrases.person(manager)),
        _ => text,
    };
    if !told.with.is_empty() {
        let for_person = matches!(notification.to, Recipient::Person { .. });
        let earlier: Vec<&str> =
            told.with.iter().map(|earlier| in_passing(earlier.message, for_person)).collect();
        text = format!("{text} Before that: {}.", earlier.join("; "));
    }
    if let Some(person) = &told.particulars.instead_of {
        text = format!("{text} ({} could not be reached.)", phrases.person(person));
    }
    if notification.not_before.is_some() {
        text = format!("{text} (Delayed until your quiet hours ended.)");
    }
    Outbound {
        id: notification.id.to_string(),
        title: clean::line(&title, TITLE_MAX).unwrap_or_default(),
        text: clean::paragraphs(&text),
        fields: phrases.fields(),
        buttons: buttons(notification.message, subject, links),
    }
}

/// The facts of a message that its recipient may read, by the table of who sees what.
fn readable(notification: &Notification, told: &CurrentMessage) -> CurrentMessage {
    let now = Notification { particulars: told.particulars.clone(), ..notification.clone() };
    CurrentMessage { particulars: contracts::sight::message(&now).particulars, ..told.clone() }
}

/// Whether the policy keeps the matches themselves out of the compliance channel.
fn is_short(notification: &Notification, policy: &Policy) -> bool {
    matches!(notification.message, Message::ReviewNeeded | Message::ReviewAgeing)
        && policy.workflows.compliance_flag.channel == ComplianceChannel::Short
}

/// Only the kinds of matches; everything else is behind the link.
fn in_short(told: &CurrentMessage) -> CurrentMessage {
    let Particulars { criteria, step, elapsed_s, instead_of, .. } = told.particulars.clone();
    let mut reasons: Vec<String> = Vec::new();
    for found in &criteria {
        let kind = names::kind(found.kind).to_owned();
        if !reasons.contains(&kind) {
            reasons.push(kind);
        }
    }
    let particulars = Particulars { step, elapsed_s, instead_of, reasons, ..Particulars::default() };
    CurrentMessage { particulars, ..CurrentMessage::default() }
}

/// A mention of an earlier message that this one covers.
fn in_passing(message: Message, for_person: bool) -> &'static str {
    match message {
        Message::SlaWarning => "its SLA window was about to end",
        Message::SlaBreached => "its SLA was breached",
        Message::LeadTaken => "it was reassigned",
        Message::LeadGiven if for_person => "it was assigned to you",
        Message::LeadGiven => "it was assigned to its owner",
        Message::ReassignmentImpossible => "no one else could take it",
        Message::StuckAsk | Message::StuckManager => "it was stuck",
        Message::Bounced => "it kept coming back",
        Message::HighValue => "it became a high-value lead",
        Message::Held => "compliance held it",
        Message::ReviewNeeded => "compliance held it for review",
        Message::ReviewAgeing => "its review was getting old",
        Message::Cleared => "compliance cleared it",
        Message::ClosedByCompliance => "compliance closed it",
        Message::ChurnRisk => "the account was at risk",
        Message::TouchpointDue => "a retention touchpoint was due",
        Message::PublicationDigest | Message::ChangedHands => "rules were published",
    }
}

fn buttons(message: Message, subject: &Subject, links: &Links) -> Vec<(String, String)> {
    match subject {
        Subject::Lead(id) if matches!(message, Message::ReviewNeeded | Message::ReviewAgeing) => {
            vec![("Open the review".to_owned(), fill(&links.review, "{lead_id}", id.as_str()))]
        }
        Subject::Lead(id) => vec![("Open the lead".to_owned(), fill(&links.lead, "{lead_id}", id.as_str()))],
        Subject::Account(id) => {
            vec![("Open the account".to_owned(), fill(&links.account, "{account_id}", id.as_str()))]
        }
        Subject::Rep(_) | Subject::Publication(_) => Vec::new(),
    }
}

/// Puts an id into a link. Ids hold letters, digits and `. _ : @ -`; the two with a meaning in a URL are
/// encoded.
fn fill(template: &str, place: &str, id: &str) -> String {
    template.replace(place, &id.replace('@', "%40").replace(':', "%3A"))
}

#[cfg(test)]
mod tests;
