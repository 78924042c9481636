//! What a notification says: one wording for each message, ours or the policy's own. Nothing personal
//! of a contact is in it; what compliance found is told to the compliance desk alone, and the contact's
//! details are behind the link.
//!
//! The policy's words are those in force when the message goes out: what was put right while it waited
//! counts for it too. What is filled in is the notification's own, as it was asked for.

use crate::channel::Outbound;
use rules::calendar::WorkingTime;
use rules::compliance::Criterion;
use rules::directory::Directory;
use rules::ids::{PersonId, Subject};
use rules::measure::spelled;
use rules::notification::{Message, Notification, Particulars, Recipient};
use rules::policy::Policy;
use rules::wording::{Piece, Placeholder, parse_template};

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

/// Puts a notification into words.
pub fn outbound(
    notification: &Notification,
    subject: &Subject,
    policy: &Policy,
    directory: &Directory,
    links: &Links,
) -> Outbound {
    // Its recipient reads what the table of who sees what lets them.
    let notification = &contracts::sight::message(notification);
    let p = &notification.particulars;
    let words = Words { p, directory, subject };
    let (title, text) = words.say(notification.message);
    let own = policy.template(notification.message);
    let in_own_words = |text: Option<&String>| text.and_then(|text| words.fill_in(text));
    let title = in_own_words(own.and_then(|own| own.title.as_ref())).unwrap_or(title);
    let text = in_own_words(own.and_then(|own| own.text.as_ref())).unwrap_or(text);
    let text = match &notification.to {
        Recipient::TeamChannel { manager, .. } => format!("For {}: {text}", words.name(manager)),
        _ => text,
    };
    let text = match &p.instead_of {
        Some(person) => format!("{text} ({} could not be reached.)", words.name(person)),
        None => text,
    };
    // What it says of time was so when it was asked for.
    let text = match notification.not_before {
        Some(_) => format!("{text} (It waited for the end of your quiet hours.)"),
        None => text,
    };
    Outbound {
        id: notification.id.to_string(),
        title,
        text,
        fields: words.fields(),
        buttons: buttons(notification.message, subject, links),
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

struct Words<'a> {
    p: &'a Particulars,
    directory: &'a Directory,
    subject: &'a Subject,
}

impl Words<'_> {
    fn say(&self, message: Message) -> (String, String) {
        let what = self.what();
        let said = |placeholder| self.spoken(placeholder);
        let (state, owner) = (said(Placeholder::State), said(Placeholder::Owner));
        let (elapsed, window) = (said(Placeholder::Elapsed), said(Placeholder::Window));
        let (left, previous) = (said(Placeholder::Left), said(Placeholder::PreviousOwner));
        let reasons = said(Placeholder::Reasons);
        let (title, text) = match message {
            Message::SlaWarning => (
                format!("{what}: {left} left"),
                format!(
                    "{elapsed} of {window} working time in {state} have passed, {left} are left. Please act on it."
                ),
            ),
            Message::SlaBreached => (
                format!("{what}: SLA breached"),
                format!(
                    "{elapsed} of working time in {state} have passed; the window is {window}. Its owner is {owner}."
                ),
            ),
            Message::LeadTaken => (
                format!("{what} was reassigned"),
                format!("It went from {previous} to {owner}{}.", self.because()),
            ),
            Message::LeadGiven if self.p.previous_owner.is_none() => {
                (format!("{what} is yours"), format!("It is in {state} and was assigned to you."))
            }
            Message::LeadGiven => (
                format!("{what} is yours now"),
                format!("It went from {previous} to you{}. Your own window begins now.", self.because()),
            ),
            Message::ReassignmentImpossible => (
                format!("{what} could not be reassigned"),
                format!(
                    "{elapsed} in {state}, window {window}: {reasons}. {owner} keeps it, and it is in the operations queue."
                ),
            ),
            Message::StuckAsk => (
                format!("{what} is stuck in {state}"),
                format!(
                    "It has been in {state} for {elapsed} of working time. Please update it or move it on."
                ),
            ),
            Message::Bounced => (
                format!("{what} keeps coming back to {state}"),
                format!("It came back to {state} {reasons}. Its owner is {owner}."),
            ),
            Message::StuckManager => (
                format!("{what} is stuck in {state}"),
                format!("It has been in {state} for {elapsed} of working time. Its owner is {owner}."),
            ),
            Message::HighValue => (
                format!("{what} is a high-value lead"),
                format!("{}. Its owner is {owner}.", capital(&reasons)),
            ),
            Message::Held => (
                format!("{what} is held by compliance"),
                "It cannot be worked until compliance has decided.".to_owned(),
            ),
            Message::ReviewNeeded => (format!("{what} needs a compliance review"), self.review()),
            Message::ReviewAgeing => {
                (format!("{what} has waited {elapsed} for a compliance decision"), self.review())
            }
            Message::Cleared => (
                format!("{what} was cleared by compliance"),
                format!("It is yours, in {state}, and can be worked."),
            ),
            Message::ClosedByCompliance => {
                (format!("{what} was closed by compliance"), "It is not to be worked any more.".to_owned())
            }
            Message::ChurnRisk => (
                format!("{what} is at risk"),
                format!("Signal: {reasons}. A retention touchpoint is scheduled."),
            ),
            Message::PublicationDigest => (
                format!("{what} is in force"),
                format!(
                    "These thresholds were passed already when it was published; they are recorded and were not acted on one by one. {reasons}."
                ),
            ),
            Message::ChangedHands => ("Leads have changed owner".to_owned(), format!("{reasons}.")),
            Message::TouchpointDue => (
                format!("{what}: the retention touchpoint is due"),
                "Please be in touch with them now.".to_owned(),
            ),
        };
        (title, text)
    }

    fn review(&self) -> String {
        let who = self.p.flagged_by.as_ref().map(|by| format!(" Flagged by {by}.")).unwrap_or_default();
        let owner =
            self.p.owner.as_ref().map(|o| format!(" Would-be owner: {}.", self.name(o))).unwrap_or_default();
        format!(
            "{}.{owner}{who} The contact's details are in the review.",
            capital(&self.spoken(Placeholder::Reasons))
        )
    }

    fn because(&self) -> String {
        match (self.value(Placeholder::Reasons), self.value(Placeholder::Elapsed)) {
            (Some(reasons), _) => format!(": {reasons}"),
            (None, Some(elapsed)) => {
                format!(" after {elapsed} of working time in {}", self.spoken(Placeholder::State))
            }
            (None, None) => String::new(),
        }
    }

    /// The policy's own words. A text that is no template is none of ours to send: what is published was checked.
    fn fill_in(&self, text: &str) -> Option<String> {
        let pieces = parse_template(text).ok()?;
        let said = pieces.into_iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Value(placeholder) => self.spoken(placeholder),
        });
        Some(said.collect())
    }

    /// What stands for a placeholder, in a sentence too where this notification has nothing for it.
    fn spoken(&self, placeholder: Placeholder) -> String {
        let absent = match placeholder {
            Placeholder::Lead => "it",
            Placeholder::Company => "an unnamed company",
            Placeholder::State => "its state",
            Placeholder::Market => "an unknown market",
            Placeholder::Owner | Placeholder::PreviousOwner => "nobody",
            Placeholder::Step => "no step",
            Placeholder::Elapsed | Placeholder::Window | Placeholder::Left => "an unknown time",
            Placeholder::Reasons => "no reason given",
        };
        self.value(placeholder).unwrap_or_else(|| absent.to_owned())
    }

    fn value(&self, placeholder: Placeholder) -> Option<String> {
        let p = self.p;
        match placeholder {
            Placeholder::Lead => match self.subject {
                Subject::Lead(id) => Some(id.to_string()),
                Subject::Account(id) => Some(id.to_string()),
                Subject::Rep(_) | Subject::Publication(_) => None,
            },
            Placeholder::Company => p.company.clone(),
            Placeholder::State => p.state.clone(),
            Placeholder::Market => p.market.clone(),
            Placeholder::Owner => p.owner.as_ref().map(|owner| self.name(owner)),
            Placeholder::PreviousOwner => p.previous_owner.as_ref().map(|owner| self.name(owner)),
            Placeholder::Step => p.step.clone(),
            Placeholder::Elapsed => p.elapsed_s.map(time),
            Placeholder::Window => p.window_s.map(time),
            Placeholder::Left => {
                p.window_s.zip(p.elapsed_s).map(|(window, elapsed)| time(window.saturating_sub(elapsed)))
            }
            Placeholder::Reasons if !p.criteria.is_empty() => {
                Some(p.criteria.iter().map(criterion).collect::<Vec<_>>().join("; "))
            }
            Placeholder::Reasons => (!p.reasons.is_empty()).then(|| p.reasons.join("; ")),
        }
    }

    fn what(&self) -> String {
        let id = match self.subject {
            Subject::Lead(id) => format!("Lead {id}"),
            Subject::Account(id) => format!("Account {id}"),
            Subject::Rep(id) => format!("Rep {id}"),
            Subject::Publication(id) => format!("{} revision {}", capital(id.kind.as_str()), id.revision),
        };
        self.p.company.as_ref().map_or(id.clone(), |company| format!("{id} ({company})"))
    }

    fn fields(&self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        let mut add = |label: &str, value: Option<String>| {
            if let Some(value) = value {
                fields.push((label.to_owned(), value));
            }
        };
        add("State", self.p.state.clone());
        add("Market", self.p.market.clone());
        add("Owner", self.p.owner.as_ref().map(|owner| self.name(owner)));
        add("Elapsed", self.p.elapsed_s.map(time));
        add("Window", self.p.window_s.map(time));
        fields
    }

    fn name(&self, id: &PersonId) -> String {
        self.directory.person(id).map_or_else(|| id.to_string(), |person| person.name.clone())
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn criterion(found: &Criterion) -> String {
    let kind = match found.kind {
        rules::compliance::CriterionKind::Sanctions => "sanctions list",
        rules::compliance::CriterionKind::Pep => "politically exposed person",
        rules::compliance::CriterionKind::Jurisdiction => "jurisdiction not licensed",
        rules::compliance::CriterionKind::AdverseMedia => "adverse media",
        rules::compliance::CriterionKind::Unreadable => "screening that could not be read",
    };
    let strength = found.strength.map(|s| format!(", strength {s} %")).unwrap_or_default();
    format!("{kind}: {} on {} of {}{strength}", found.match_id, found.list, found.list_version)
}

fn time(secs: i64) -> String {
    let days = secs / 86_400;
    if days >= 2 {
        // Hours and minutes of several days are of no use to a person.
        let hours = secs % 86_400 / 3600;
        return if hours == 0 { format!("{days}d") } else { format!("{days}d{hours}h") };
    }
    spelled(WorkingTime::from_secs(secs))
}

#[cfg(test)]
mod tests;
