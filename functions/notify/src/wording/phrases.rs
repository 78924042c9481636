//! The phrases that messages are made of, and the value of each placeholder.

use super::clean;
use super::clean::{COMPANY_MAX, TEXT_MAX, capital};
use super::names;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{MarketId, PersonId, Subject};
use policy::wording::{Placeholder, TemplateSegment, parse_template};
use rules::notification::{Particulars, Recipient, Role};
use rules::still_true::CurrentMessage;

/// The longest id that a person would write, in bytes; a longer one is a machine's.
const ID_MAX: usize = 24;
/// The way to stop the SLA clock.
const ACT: &str = "Move the lead on, or mark it as waiting";

/// The phrases for one notification.
pub struct Phrases<'a> {
    /// The notification as it is true now.
    pub told: &'a CurrentMessage,
    /// Its facts, as far as the recipient may read them.
    pub facts: &'a Particulars,
    /// The directory, for people's names.
    pub directory: &'a Directory,
    /// The lead, account, rep or publication.
    pub subject: &'a Subject,
    /// The recipient.
    pub to: &'a Recipient,
    /// When the message goes out.
    pub now: DateTime<Utc>,
}

impl Phrases<'_> {
    /// The deadline in the reader's time zone.
    pub fn due(&self) -> Option<String> {
        let at = self.told.due_at?;
        let time = names::time_of_day(at, self.now, names::zone(self.directory, self.to));
        Some(if at > self.now { format!("Due {time}") } else { format!("It was due {time}") })
    }

    /// The action for the reader.
    pub fn act(&self) -> Option<String> {
        Some(ACT.to_owned())
    }

    /// The action for an owner with a deadline.
    pub fn act_if_due(&self) -> Option<String> {
        self.told.due_at.filter(|_| self.is_for_its_owner()).and_then(|_| self.act())
    }

    pub fn elapsed_of_window(&self) -> Option<String> {
        let (elapsed, window) = (self.value(Placeholder::Elapsed)?, self.value(Placeholder::Window)?);
        let state = self.in_state();
        Some(if self.is_over() {
            format!("{elapsed} (business hours) have passed{state}; the SLA window is {window}")
        } else {
            format!("{elapsed} of the {window} SLA window{state} have passed")
        })
    }

    /// How long the lead has been in its state.
    pub fn stay(&self) -> Option<String> {
        let elapsed = self.value(Placeholder::Elapsed)?;
        Some(format!("It has been{} for {elapsed} (business hours)", self.in_state()))
    }

    pub fn in_state(&self) -> String {
        self.facts.state.as_ref().map(|state| format!(" in {}", shown(state.as_str()))).unwrap_or_default()
    }

    pub fn owned(&self) -> String {
        match &self.facts.owner {
            Some(_) if self.is_for_its_owner() => "You own it.".to_owned(),
            Some(owner) => format!("{} owns it.", self.person(owner)),
            None => "Nobody owns it.".to_owned(),
        }
    }

    /// Whether the SLA window is over.
    pub fn is_over(&self) -> bool {
        self.facts.elapsed_s.zip(self.facts.window_s).is_some_and(|(elapsed, window)| elapsed >= window)
    }

    pub fn is_for_its_owner(&self) -> bool {
        matches!(self.to, Recipient::Person { role: Role::Owner, .. })
    }

    /// Whether the message reports something that is no longer so. A policy's template describes the present,
    /// so Leadwatch's own text goes out.
    pub fn is_report_of_the_past(&self) -> bool {
        self.told.moved_to.is_some() || self.told.went_to.is_some()
    }

    /// The policy's own text. A text that is not a template is not sent; publishing checked every one.
    pub fn fill_in(&self, text: &str) -> Option<String> {
        let pieces = parse_template(text).ok()?;
        let filled = pieces.into_iter().map(|piece| match piece {
            TemplateSegment::Text(text) => text,
            TemplateSegment::Value(placeholder) => self.value_or_words(placeholder),
        });
        Some(filled.collect())
    }

    /// The value of a placeholder, or words that fit a sentence where this notification has no value.
    fn value_or_words(&self, placeholder: Placeholder) -> String {
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

    pub fn value(&self, placeholder: Placeholder) -> Option<String> {
        let facts = self.facts;
        let line = |text: &str| clean::line(text, TEXT_MAX);
        match placeholder {
            Placeholder::Lead => match self.subject {
                Subject::Lead(id) => Some(id.to_string()),
                Subject::Account(id) => Some(id.to_string()),
                Subject::Rep(_) | Subject::Publication(_) => None,
            },
            Placeholder::Company => self.company(),
            Placeholder::State => facts.state.as_ref().and_then(|state| line(state.as_str())),
            Placeholder::Market => facts.market.as_ref().and_then(|market| line(market.as_str())),
            Placeholder::Owner => facts.owner.as_ref().map(|owner| self.person(owner)),
            Placeholder::PreviousOwner => facts.previous_owner.as_ref().map(|owner| self.person(owner)),
            Placeholder::Step => facts.step.as_deref().and_then(line),
            Placeholder::Elapsed => facts.elapsed_s.map(names::duration),
            Placeholder::Window => facts.window_s.map(names::duration),
            Placeholder::Left => facts
                .window_s
                .zip(facts.elapsed_s)
                .map(|(window, elapsed)| names::duration(window.saturating_sub(elapsed))),
            Placeholder::Reasons if !facts.criteria.is_empty() => {
                let by = self.flagged_by();
                let criteria =
                    facts.criteria.iter().map(|found| names::criterion(found, by.as_deref(), self.now));
                Some(criteria.collect::<Vec<_>>().join("; "))
            }
            Placeholder::Reasons => {
                let reasons: Vec<String> = facts.reasons.iter().filter_map(|reason| line(reason)).collect();
                (!reasons.is_empty()).then(|| reasons.join("; "))
            }
        }
    }

    /// The people who raised a flag, by name.
    pub fn flagged_by(&self) -> Option<String> {
        self.facts.flagged_by.as_ref().map(|by| names::people(self.directory, by.split(", ")))
    }

    fn company(&self) -> Option<String> {
        self.facts.company.as_ref().and_then(|company| clean::line(company, COMPANY_MAX))
    }

    /// The subject of the message: `Lead L-1 (Acme)`.
    pub fn subject(&self) -> String {
        let (kind, id) = match self.subject {
            Subject::Lead(id) => ("Lead", id.as_str()),
            Subject::Account(id) => ("Account", id.as_str()),
            Subject::Rep(_) => return "A rep".to_owned(),
            Subject::Publication(id) => {
                return format!("{} revision {}", capital(id.kind.as_str()), id.revision);
            }
        };
        match self.company() {
            // A machine's id tells a reader nothing that the name does not.
            Some(company) if id.len() > ID_MAX => format!("{kind} {company}"),
            Some(company) => format!("{kind} {id} ({company})"),
            None => format!("{kind} {id}"),
        }
    }

    /// The facts beside the text, as label and value.
    pub fn fields(&self) -> Vec<(String, String)> {
        let market = |id: &MarketId| Some(names::market(id.as_str())).filter(|market| !market.is_empty());
        let fields = [
            ("State", self.value(Placeholder::State)),
            ("Market", self.facts.market.as_ref().and_then(market)),
            ("Owner", self.value(Placeholder::Owner)),
            ("Elapsed", self.value(Placeholder::Elapsed)),
            ("Window", self.value(Placeholder::Window)),
        ];
        let known = fields.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value?)));
        known.collect()
    }

    /// A person by name.
    pub fn person(&self, id: &PersonId) -> String {
        names::person(self.directory, id)
    }
}

/// A state's name on one line.
pub fn shown(state: &str) -> String {
    clean::line(state, TEXT_MAX).unwrap_or_default()
}

/// The present parts, each as a sentence.
pub fn sentences<const N: usize>(parts: [Option<String>; N]) -> String {
    let ended = parts.into_iter().flatten().map(|part| match part.ends_with(['.', '…', '!', '?']) {
        true => part,
        false => format!("{part}."),
    });
    ended.collect::<Vec<_>>().join(" ")
}
