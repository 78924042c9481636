//! The phrases that messages are made of, and the value of each placeholder.

use super::clean;
use super::clean::{COMPANY_MAX, TEXT_MAX, capital};
use super::names;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{PersonId, Subject};
use policy::wording::{Piece, Placeholder, parse_template};
use rules::notification::{Particulars, Recipient, Role};
use rules::still_true::Told;

/// A longer identifier of a lead is a machine's.
const ID_MAX: usize = 24;

/// A notification and everything its text can mention.
pub struct Words<'a> {
    pub told: &'a Told,
    pub p: &'a Particulars,
    pub directory: &'a Directory,
    pub subject: &'a Subject,
    pub to: &'a Recipient,
    pub now: DateTime<Utc>,
}

impl Words<'_> {
    /// The deadline in the reader's time zone.
    pub fn due(&self) -> Option<String> {
        let at = self.told.due_at?;
        let time = names::time_of_day(at, self.now, names::zone(self.directory, self.to));
        Some(if at > self.now { format!("Due {time}") } else { format!("It was due {time}") })
    }

    pub fn elapsed_of_window(&self) -> Option<String> {
        let (elapsed, window) = (self.value(Placeholder::Elapsed)?, self.value(Placeholder::Window)?);
        let state = self.in_state();
        Some(if self.is_over() {
            format!("{elapsed} of working time{state} have passed; the window is {window}")
        } else {
            format!("{elapsed} of the {window} window{state} have passed")
        })
    }

    pub fn stay(&self) -> Option<String> {
        let elapsed = self.value(Placeholder::Elapsed)?;
        Some(format!("It has been{} for {elapsed} of working time", self.in_state()))
    }

    pub fn in_state(&self) -> String {
        self.p.state.as_ref().map(|state| format!(" in {}", shown(state))).unwrap_or_default()
    }

    pub fn owned(&self) -> String {
        match &self.p.owner {
            Some(_) if self.is_for_its_owner() => "It is yours.".to_owned(),
            Some(owner) => format!("{} owns it.", self.name(owner)),
            None => "Nobody owns it.".to_owned(),
        }
    }

    pub fn is_over(&self) -> bool {
        self.p.elapsed_s.zip(self.p.window_s).is_some_and(|(elapsed, window)| elapsed >= window)
    }

    pub fn is_for_its_owner(&self) -> bool {
        matches!(self.to, Recipient::Person { role: Role::Owner, .. })
    }

    /// A policy words what is so; what was so and is not any more is said in our words.
    pub fn is_report_of_the_past(&self) -> bool {
        self.told.moved_to.is_some() || self.told.went_to.is_some()
    }

    /// The policy's own words. A text that is no template is none of ours to send: what is published was checked.
    pub fn fill_in(&self, text: &str) -> Option<String> {
        let pieces = parse_template(text).ok()?;
        let said = pieces.into_iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Value(placeholder) => self.spoken(placeholder),
        });
        Some(said.collect())
    }

    /// What stands for a placeholder, in a sentence too where this notification has nothing for it.
    pub fn spoken(&self, placeholder: Placeholder) -> String {
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

    pub fn company(&self) -> Option<String> {
        self.p.company.as_ref().and_then(|company| clean::line(company, COMPANY_MAX))
    }

    pub fn what(&self) -> String {
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

    pub fn fields(&self) -> Vec<(String, String)> {
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

    pub fn name(&self, id: &PersonId) -> String {
        names::person(self.directory, id)
    }
}

/// A state's name on one line.
pub fn shown(state: &str) -> String {
    clean::line(state, TEXT_MAX).unwrap_or_default()
}

/// The parts that there are, each a sentence.
pub fn sentences<const N: usize>(parts: [Option<String>; N]) -> String {
    let ended = parts.into_iter().flatten().map(|part| match part.ends_with(['.', '…', '!', '?']) {
        true => part,
        false => format!("{part}."),
    });
    ended.collect::<Vec<_>>().join(" ")
}
