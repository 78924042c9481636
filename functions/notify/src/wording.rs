//! What a notification says: one wording for each message, ours or the policy's own. Nothing personal
//! of a contact is in it; what compliance found is told to the compliance desk alone, and the contact's
//! details are behind the link.
//!
//! The policy's words are those in force when the message goes out: what was put right while it waited
//! counts for it too. What is filled in is the notification's own, as it was asked for.

mod clean;
mod messages;
mod names;
mod words;

use crate::outbound::Outbound;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::Subject;
use policy::{ComplianceChannel, Message, Policy};
use rules::notification::{Notification, Particulars, Recipient};
use rules::still_true::Told;
use words::Words;

/// The longest title, in characters: what a header of Slack takes.
const TITLE_MAX: usize = 150;

/// Where links lead.
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
    /// The links that are configured; where one is not, our own API.
    pub fn new(lead: Option<&str>, review: Option<&str>, api_base: &str) -> Self {
        let api = api_base.trim_end_matches('/');
        Self {
            lead: lead.map_or_else(|| format!("{api}/v1/leads/{{lead_id}}"), str::to_owned),
            review: review.map_or_else(|| format!("{api}/v1/compliance/reviews/{{lead_id}}"), str::to_owned),
            account: format!("{api}/v1/accounts/{{account_id}}"),
        }
    }
}

/// What a message is worded by.
pub struct Saying<'a> {
    /// The policy that is in force.
    pub policy: &'a Policy,
    /// The directory.
    pub directory: &'a Directory,
    /// Where links lead.
    pub links: &'a Links,
    /// When it goes out.
    pub now: DateTime<Utc>,
}

/// Puts a notification into words, as it is true now.
pub fn outbound(
    notification: &Notification,
    told: &Told,
    subject: &Subject,
    saying: &Saying<'_>,
) -> Outbound {
    let Saying { policy, directory, links, now } = saying;
    let told = &readable(notification, told);
    let short = is_short(notification, policy).then(|| in_short(told));
    let told = short.as_ref().unwrap_or(told);
    let words = Words { told, p: &told.particulars, directory, subject, to: &notification.to, now: *now };
    let (title, text) = words.say(notification.message);
    let own = policy.template(notification.message).filter(|_| !words.is_report_of_the_past());
    let in_own_words = |text: Option<&String>| text.and_then(|text| words.fill_in(text));
    let title = in_own_words(own.and_then(|own| own.title.as_ref())).unwrap_or(title);
    let text = in_own_words(own.and_then(|own| own.text.as_ref())).unwrap_or(text);
    let mut text = match &notification.to {
        Recipient::TeamChannel { manager, .. } => format!("For {}: {text}", words.name(manager)),
        _ => text,
    };
    if !told.with.is_empty() {
        let for_person = matches!(notification.to, Recipient::Person { .. });
        let earlier: Vec<&str> =
            told.with.iter().map(|earlier| in_passing(earlier.message, for_person)).collect();
        text = format!("{text} Before that: {}.", earlier.join("; "));
    }
    if let Some(person) = &told.particulars.instead_of {
        text = format!("{text} ({} could not be reached.)", words.name(person));
    }
    if notification.not_before.is_some() {
        text = format!("{text} (It waited for the end of your quiet hours.)");
    }
    Outbound {
        id: notification.id.to_string(),
        title: clean::line(&title, TITLE_MAX).unwrap_or_default(),
        text: clean::paragraphs(&text),
        fields: words.fields(),
        buttons: buttons(notification.message, subject, links),
    }
}

/// What of a message its recipient may read, by the table of who sees what.
fn readable(notification: &Notification, told: &Told) -> Told {
    let now = Notification { particulars: told.particulars.clone(), ..notification.clone() };
    Told { particulars: contracts::sight::message(&now).particulars, ..told.clone() }
}

/// Whether the policy keeps what compliance found out of its channel.
fn is_short(notification: &Notification, policy: &Policy) -> bool {
    matches!(notification.message, Message::ReviewNeeded | Message::ReviewAgeing)
        && policy.workflows.compliance_flag.channel == ComplianceChannel::Short
}

/// The kinds alone; everything else is behind the link.
fn in_short(told: &Told) -> Told {
    let Particulars { criteria, step, elapsed_s, instead_of, .. } = told.particulars.clone();
    let mut reasons: Vec<String> = Vec::new();
    for found in &criteria {
        let kind = names::kind(found.kind).to_owned();
        if !reasons.contains(&kind) {
            reasons.push(kind);
        }
    }
    let particulars = Particulars { step, elapsed_s, instead_of, reasons, ..Particulars::default() };
    Told { particulars, ..Told::default() }
}

/// What an earlier message told, in passing.
fn in_passing(message: Message, for_person: bool) -> &'static str {
    match message {
        Message::SlaWarning => "its SLA window was about to end",
        Message::SlaBreached => "its SLA was breached",
        Message::LeadTaken => "it was reassigned",
        Message::LeadGiven if for_person => "it was assigned to you",
        Message::LeadGiven => "it was assigned to its owner",
        Message::ReassignmentImpossible => "nobody else could take it",
        Message::StuckAsk | Message::StuckManager => "it was stuck",
        Message::Bounced => "it kept coming back",
        Message::HighValue => "it became a high-value lead",
        Message::Held => "compliance held it",
        Message::ReviewNeeded => "compliance held it for review",
        Message::ReviewAgeing => "its review was getting old",
        Message::Cleared => "compliance cleared it",
        Message::ClosedByCompliance => "compliance closed it",
        Message::ChurnRisk => "the account came to be at risk",
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

/// Identifiers hold letters, digits and `. _ : @ -` only; what a URL would read otherwise is encoded.
fn fill(template: &str, place: &str, id: &str) -> String {
    template.replace(place, &id.replace('@', "%40").replace(':', "%3A"))
}

#[cfg(test)]
mod tests;
