//! What a notification says: one wording for each message, ours or the policy's own. Nothing personal
//! of a contact is in it; what compliance found is told to the compliance desk alone, and the contact's
//! details are behind the link.
//!
//! The policy's words are those in force when the message goes out: what was put right while it waited
//! counts for it too. What is filled in is the notification's own, as it was asked for.

mod clean;
mod names;

use crate::outbound::Outbound;
use chrono::{DateTime, Utc};
use clean::{COMPANY_MAX, TEXT_MAX, capital};
use policy::directory::Directory;
use policy::ids::{PersonId, Subject};
use policy::wording::{Piece, Placeholder, parse_template};
use policy::{ComplianceChannel, Message, Policy, WorkflowId};
use rules::notification::{Notification, Particulars, Recipient, Role};
use rules::still_true::Told;

/// The longest title, in characters: what a header of Slack takes.
const TITLE_MAX: usize = 150;
/// A longer identifier of a lead is a machine's.
const ID_MAX: usize = 24;

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

struct Words<'a> {
    told: &'a Told,
    p: &'a Particulars,
    directory: &'a Directory,
    subject: &'a Subject,
    to: &'a Recipient,
    now: DateTime<Utc>,
}

impl Words<'_> {
    fn say(&self, message: Message) -> (String, String) {
        let what = self.what();
        match message {
            Message::SlaWarning => self.warning(&what),
            Message::SlaBreached if !self.is_over() => {
                let (title, text) = self.warning(&what);
                (title, format!("{text} {}", self.owned()))
            }
            Message::SlaBreached => (format!("{what}: SLA breached"), self.breach()),
            Message::LeadTaken => {
                let now = self.p.owner.as_ref().map_or_else(
                    || "Nobody owns it now".to_owned(),
                    |owner| format!("{} has it now", self.name(owner)),
                );
                (format!("{what} was reassigned"), format!("{now}{}.", self.because()))
            }
            Message::LeadGiven => self.given(&what),
            Message::ReassignmentImpossible => (
                format!("{what} could not be reassigned"),
                sentences([
                    self.value(Placeholder::Reasons).map(|reasons| capital(&reasons)),
                    self.elapsed_of_window(),
                    Some(match &self.p.owner {
                        Some(owner) => format!("{} keeps it, and it is in the operations queue", self.name(owner)),
                        None => "It is in the operations queue".to_owned(),
                    }),
                ]),
            ),
            Message::StuckAsk => {
                (format!("{what} is stuck{}", self.in_state()), sentences([
                    self.stay(),
                    Some("Update it or move it on".to_owned()),
                ]))
            }
            Message::Bounced => {
                let back = self.value(Placeholder::Reasons).map(|times| format!(" {times}")).unwrap_or_default();
                let to = self.p.state.as_ref().map(|state| format!(" to {}", shown(state))).unwrap_or_default();
                let text = sentences([Some(format!("It came back{to}{back}")), Some(self.owned())]);
                (format!("{what} keeps coming back{to}"), text)
            }
            Message::StuckManager => {
                (format!("{what} is stuck{}", self.in_state()), sentences([self.stay()]) + " " + &self.owned())
            }
            Message::HighValue => (
                format!("{what} is a high-value lead"),
                sentences([self.value(Placeholder::Reasons).map(|reasons| capital(&reasons))]) + " " + &self.owned(),
            ),
            Message::Held => (
                format!("{what} is held by compliance"),
                "Stop working this lead until compliance has decided.".to_owned(),
            ),
            Message::ReviewNeeded => (format!("{what} needs a compliance review"), self.review()),
            Message::ReviewAgeing => {
                let waited = self.p.elapsed_s.map(|s| format!(" for {}", names::duration(s))).unwrap_or_default();
                (format!("{what} has waited{waited} for a compliance decision"), self.review())
            }
            Message::Cleared => {
                let text = format!("It is{} and can be worked", self.in_state());
                let text = sentences([Some(text), Some(self.owned()), self.due()]);
                (format!("{what} was cleared by compliance"), text)
            }
            Message::ClosedByCompliance => {
                (format!("{what} was closed by compliance"), "Stop working this lead.".to_owned())
            }
            Message::ChurnRisk => (
                format!("{what} is at risk"),
                sentences([
                    self.value(Placeholder::Reasons).map(|reasons| capital(&reasons)),
                    Some("A retention touchpoint is scheduled".to_owned()),
                ]),
            ),
            Message::PublicationDigest => (
                match self.p.published_by.as_deref() {
                    Some(by) => {
                        let by = names::people(self.directory, std::iter::once(by));
                        format!("{what}, published by {by}, is in force")
                    }
                    None => format!("{what} is in force"),
                },
                sentences([
                    Some("Leads had already passed these thresholds when the new rules came into force, and nobody is told of each".to_owned()),
                    self.passed(),
                ]),
            ),
            Message::ChangedHands => {
                let reasons = self.value(Placeholder::Reasons).map(|reasons| capital(&reasons));
                match self.subject {
                    Subject::Rep(rep) => {
                        (format!("Absence of {}", self.name(rep)), sentences([reasons]))
                    }
                    _ => (
                        "Leads have changed owner".to_owned(),
                        sentences([Some("Their owner left".to_owned()), reasons]),
                    ),
                }
            }
            Message::TouchpointDue => (
                format!("{what}: the retention touchpoint is due"),
                "Contact the customer now.".to_owned(),
            ),
        }
    }

    fn warning(&self, what: &str) -> (String, String) {
        let act = Some("Move the lead on, or mark it as waiting".to_owned());
        let title = match (self.is_over(), self.value(Placeholder::Left)) {
            (true, _) => format!("{what}: the SLA window is over"),
            (false, Some(left)) => format!("{what}: {left} left"),
            (false, None) => format!("{what}: the SLA window ends soon"),
        };
        (title, sentences([self.due(), act, self.elapsed_of_window()]))
    }

    fn breach(&self) -> String {
        let (owner, since) = (self.p.owner.as_ref(), self.told);
        let is_past = self.is_report_of_the_past();
        let owned = match (owner, is_past) {
            (Some(owner), true) => format!("{} owned it", self.name(owner)),
            (Some(owner), false) if since.owner_not_told => {
                format!("{} owns it, and is told when their quiet hours end", self.name(owner))
            }
            (Some(owner), false) => format!("{} owns it", self.name(owner)),
            (None, true) => "Nobody owned it".to_owned(),
            (None, false) => "Nobody owns it".to_owned(),
        };
        let became = match (&since.moved_to, &since.went_to) {
            (Some(state), Some(owner)) => {
                Some(format!("It has moved on to {} since, and {} has it", shown(state), self.name(owner)))
            }
            (Some(state), None) => Some(format!("It has moved on to {} since", shown(state))),
            (None, Some(owner)) => Some(format!("{} has it now", self.name(owner))),
            (None, None) => None,
        };
        sentences([self.elapsed_of_window(), Some(owned), became])
    }

    fn given(&self, what: &str) -> (String, String) {
        let from = self.p.previous_owner.as_ref().map(|previous| self.name(previous));
        let is_for_its_owner = self.is_for_its_owner();
        let owner = match (&self.p.owner, is_for_its_owner) {
            (_, true) => "you".to_owned(),
            (Some(owner), false) => self.name(owner),
            (None, false) => "a rep".to_owned(),
        };
        let title = match (is_for_its_owner, &from) {
            (true, None) => format!("{what} is yours"),
            (true, Some(_)) => format!("{what} is yours now"),
            (false, _) => format!("{what} went to {owner}"),
        };
        let text = match from {
            Some(from) => format!("It went from {from} to {owner}{}", self.because()),
            None => match &self.p.state {
                Some(state) => format!("It is in {} and was assigned to {owner}", shown(state)),
                None => format!("It was assigned to {owner}"),
            },
        };
        (title, sentences([Some(text), self.due()]))
    }

    /// The deadline in the reader's time zone.
    fn due(&self) -> Option<String> {
        let at = self.told.due_at?;
        let time = names::time_of_day(at, self.now, names::zone(self.directory, self.to));
        Some(if at > self.now { format!("Due {time}") } else { format!("It was due {time}") })
    }

    fn elapsed_of_window(&self) -> Option<String> {
        let (elapsed, window) = (self.value(Placeholder::Elapsed)?, self.value(Placeholder::Window)?);
        let state = self.in_state();
        Some(if self.is_over() {
            format!("{elapsed} of working time{state} have passed; the window is {window}")
        } else {
            format!("{elapsed} of the {window} window{state} have passed")
        })
    }

    fn stay(&self) -> Option<String> {
        let elapsed = self.value(Placeholder::Elapsed)?;
        Some(format!("It has been{} for {elapsed} of working time", self.in_state()))
    }

    fn in_state(&self) -> String {
        self.p.state.as_ref().map(|state| format!(" in {}", shown(state))).unwrap_or_default()
    }

    fn owned(&self) -> String {
        match &self.p.owner {
            Some(_) if self.is_for_its_owner() => "It is yours.".to_owned(),
            Some(owner) => format!("{} owns it.", self.name(owner)),
            None => "Nobody owns it.".to_owned(),
        }
    }

    fn is_over(&self) -> bool {
        self.p.elapsed_s.zip(self.p.window_s).is_some_and(|(elapsed, window)| elapsed >= window)
    }

    fn is_for_its_owner(&self) -> bool {
        matches!(self.to, Recipient::Person { role: Role::Owner, .. })
    }

    /// A policy words what is so; what was so and is not any more is said in our words.
    fn is_report_of_the_past(&self) -> bool {
        self.told.moved_to.is_some() || self.told.went_to.is_some()
    }

    fn review(&self) -> String {
        let reasons = self.value(Placeholder::Reasons).map(|reasons| capital(&reasons));
        if self.p.criteria.is_empty() {
            return sentences([reasons, Some("Open the review for the details".to_owned())]);
        }
        let owner = self.p.owner.as_ref().map(|owner| format!("Would-be owner: {}", self.name(owner)));
        let by = self.p.flagged_by.as_ref();
        let by = by.map(|by| format!("Flagged by {}", names::people(self.directory, by.split(", "))));
        sentences([reasons, owner, by, Some("The contact's details are in the review".to_owned())])
    }

    /// The thresholds that a publication made passed; the record names each `workflow/step: leads`.
    fn passed(&self) -> Option<String> {
        let in_words = |line: &String| {
            let line = clean::line(line, TEXT_MAX)?;
            Some(match line.split_once('/') {
                Some((workflow, rest)) => match WorkflowId::ALL.iter().find(|id| id.as_str() == workflow) {
                    Some(id) => format!("{}, {rest}", workflow_name(*id)),
                    None => line,
                },
                None => line,
            })
        };
        let lines: Vec<String> = self.p.reasons.iter().filter_map(in_words).collect();
        (!lines.is_empty()).then(|| lines.join("; "))
    }

    fn because(&self) -> String {
        match (self.value(Placeholder::Reasons), self.value(Placeholder::Elapsed)) {
            (Some(reasons), _) => format!(": {reasons}"),
            (None, Some(elapsed)) => format!(" after {elapsed} of working time{}", self.in_state()),
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
            Placeholder::Company => "a company without a name",
            Placeholder::State => "its state",
            Placeholder::Market => "no market",
            Placeholder::Owner | Placeholder::PreviousOwner => "no owner",
            Placeholder::Step => "this step",
            Placeholder::Elapsed => "some time",
            Placeholder::Window => "its window",
            Placeholder::Left => "little time",
            Placeholder::Reasons => "no reason given",
        };
        self.value(placeholder).unwrap_or_else(|| absent.to_owned())
    }

    fn value(&self, placeholder: Placeholder) -> Option<String> {
        let p = self.p;
        let said = |text: &String| clean::line(text, TEXT_MAX);
        match placeholder {
            Placeholder::Lead => match self.subject {
                Subject::Lead(id) => Some(id.to_string()),
                Subject::Account(id) => Some(id.to_string()),
                Subject::Rep(_) | Subject::Publication(_) => None,
            },
            Placeholder::Company => self.company(),
            Placeholder::State => p.state.as_ref().and_then(said),
            Placeholder::Market => p.market.as_ref().and_then(said),
            Placeholder::Owner => p.owner.as_ref().map(|owner| self.name(owner)),
            Placeholder::PreviousOwner => p.previous_owner.as_ref().map(|owner| self.name(owner)),
            Placeholder::Step => p.step.as_ref().and_then(said),
            Placeholder::Elapsed => p.elapsed_s.map(names::duration),
            Placeholder::Window => p.window_s.map(names::duration),
            Placeholder::Left => p
                .window_s
                .zip(p.elapsed_s)
                .map(|(window, elapsed)| names::duration(window.saturating_sub(elapsed))),
            Placeholder::Reasons if !p.criteria.is_empty() => {
                Some(p.criteria.iter().map(names::criterion).collect::<Vec<_>>().join("; "))
            }
            Placeholder::Reasons => {
                let reasons: Vec<String> = p.reasons.iter().filter_map(said).collect();
                (!reasons.is_empty()).then(|| reasons.join("; "))
            }
        }
    }

    fn company(&self) -> Option<String> {
        self.p.company.as_ref().and_then(|company| clean::line(company, COMPANY_MAX))
    }

    fn what(&self) -> String {
        let (kind, id) = match self.subject {
            Subject::Lead(id) => ("Lead", id.as_str()),
            Subject::Account(id) => ("Account", id.as_str()),
            Subject::Rep(_) => return "A rep".to_owned(),
            Subject::Publication(id) => {
                return format!("{} revision {}", capital(id.kind.as_str()), id.revision);
            }
        };
        match self.company() {
            // A machine's identifier tells a reader nothing that the name does not.
            Some(company) if id.len() > ID_MAX => format!("{kind} {company}"),
            Some(company) => format!("{kind} {id} ({company})"),
            None => format!("{kind} {id}"),
        }
    }

    fn fields(&self) -> Vec<(String, String)> {
        let market = |id: &String| Some(names::market(id)).filter(|market| !market.is_empty());
        let fields = [
            ("State", self.value(Placeholder::State)),
            ("Market", self.p.market.as_ref().and_then(market)),
            ("Owner", self.value(Placeholder::Owner)),
            ("Elapsed", self.value(Placeholder::Elapsed)),
            ("Window", self.value(Placeholder::Window)),
        ];
        let known = fields.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value?)));
        known.collect()
    }

    fn name(&self, id: &PersonId) -> String {
        names::person(self.directory, id)
    }
}

fn workflow_name(id: WorkflowId) -> &'static str {
    match id {
        WorkflowId::SlaBreach => "SLA",
        WorkflowId::StuckLead => "Stuck lead",
        WorkflowId::HighValue => "High value",
        WorkflowId::ComplianceFlag => "Compliance",
        WorkflowId::ChurnRisk => "Churn risk",
    }
}

/// The parts that there are, each a sentence.
fn sentences<const N: usize>(parts: [Option<String>; N]) -> String {
    let ended = parts.into_iter().flatten().map(|part| match part.ends_with(['.', '…', '!', '?']) {
        true => part,
        false => format!("{part}."),
    });
    ended.collect::<Vec<_>>().join(" ")
}

/// A state's name on one line.
fn shown(state: &str) -> String {
    clean::line(state, TEXT_MAX).unwrap_or_default()
}

#[cfg(test)]
mod tests;
