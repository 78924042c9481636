//! The wording of messages: which placeholders there are, which of them each message has, and how
//! a text with placeholders is read. A policy's checks and whoever writes a message go by the same.
//!
//! A placeholder stands in braces, `{lead}`; a brace that is meant as such is written twice, `{{`.

use crate::document::hint;
use crate::vocabulary::Message;
use std::fmt;

/// The longest title of a template, in characters: what a header of Slack takes with some room for
/// what is filled in.
pub const TITLE_CHARS_MAX: usize = 120;
/// The longest text of a template, in characters.
pub const TEXT_CHARS_MAX: usize = 2000;

/// What can be filled into a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placeholder {
    /// The id of the lead or account.
    Lead,
    /// The company's name.
    Company,
    /// The state the lead is in; of a held lead, the one it was held from.
    State,
    /// The lead's market.
    Market,
    /// The owner or would-be owner.
    Owner,
    /// The previous owner.
    PreviousOwner,
    /// The step of the workflow that was reached.
    Step,
    /// The business hours that have passed.
    Elapsed,
    /// The window.
    Window,
    /// The time left in the window.
    Left,
    /// The reasons; for a compliance review, its criteria.
    Reasons,
}

impl Placeholder {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Lead,
        Self::Company,
        Self::State,
        Self::Market,
        Self::Owner,
        Self::PreviousOwner,
        Self::Step,
        Self::Elapsed,
        Self::Window,
        Self::Left,
        Self::Reasons,
    ];

    /// Its name between the braces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Company => "company",
            Self::State => "state",
            Self::Market => "market",
            Self::Owner => "owner",
            Self::PreviousOwner => "previous_owner",
            Self::Step => "step",
            Self::Elapsed => "elapsed",
            Self::Window => "window",
            Self::Left => "left",
            Self::Reasons => "reasons",
        }
    }

    /// Those that a message can have. One of them may still be missing in a particular message,
    /// as a company is that nobody named.
    pub fn of(message: Message) -> &'static [Self] {
        use Placeholder::{
            Company, Elapsed, Lead, Left, Market, Owner, PreviousOwner, Reasons, State, Step, Window,
        };
        match message {
            Message::SlaWarning | Message::SlaBreached | Message::StuckAsk | Message::StuckManager => {
                &[Lead, Company, State, Market, Owner, Step, Elapsed, Window, Left]
            }
            Message::LeadTaken | Message::LeadGiven => {
                &[Lead, Company, State, Market, Owner, PreviousOwner, Step, Elapsed, Window, Reasons]
            }
            Message::ReassignmentImpossible => {
                &[Lead, Company, State, Market, Owner, Step, Elapsed, Window, Reasons]
            }
            Message::HighValue | Message::ReviewNeeded | Message::Bounced => {
                &[Lead, Company, State, Market, Owner, Reasons]
            }
            Message::ReviewAgeing => &[Lead, Company, State, Market, Owner, Step, Elapsed, Reasons],
            Message::Cleared => &[Lead, Company, State, Market, Owner],
            // The would-be owner of a held lead does not learn its state.
            Message::Held | Message::ClosedByCompliance => &[Lead, Company, Market, Owner],
            Message::ChurnRisk => &[Lead, Company, Owner, Reasons],
            Message::TouchpointDue => &[Lead, Company, Owner],
            // They are about a publication or an absence, and no policy words them.
            Message::PublicationDigest | Message::ChangedHands => &[],
        }
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.as_str())
    }
}

/// A segment of a template: text or a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateSegment {
    /// Text as it stands.
    Text(String),
    /// What is filled in.
    Value(Placeholder),
}

/// A mistake in a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// What stands in braces names nothing.
    #[error("`{{{name}}}` is not a placeholder; {hint}")]
    Unknown {
        /// What stands there.
        name: String,
        /// What would be right.
        hint: String,
    },
    /// A brace has no other one.
    #[error("`{brace}` at character {at} has no matching brace; write `{brace}{brace}` for a literal brace")]
    Unbalanced {
        /// Which.
        brace: char,
        /// Where, counted from 1.
        at: usize,
    },
}

/// Reads a template.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_template(text: &str) -> Result<Vec<TemplateSegment>, Vec<TemplateError>> {
    let mut reader = Reader::default();
    let mut chars = text.chars().zip(1..).peekable();
    while let Some((char, at)) = chars.next() {
        match char {
            '{' | '}' if chars.next_if(|(next, _)| *next == char).is_some() => reader.text.push(char),
            '{' => {
                let mut name = String::new();
                while let Some((char, _)) = chars.next_if(|(next, _)| !matches!(next, '{' | '}')) {
                    name.push(char);
                }
                match chars.next_if(|(next, _)| *next == '}') {
                    Some(_) => reader.value(&name),
                    None => reader.errors.push(TemplateError::Unbalanced { brace: '{', at }),
                }
            }
            '}' => reader.errors.push(TemplateError::Unbalanced { brace: '}', at }),
            char => reader.text.push(char),
        }
    }
    reader.end_text();
    if reader.errors.is_empty() { Ok(reader.pieces) } else { Err(reader.errors) }
}

#[derive(Default)]
struct Reader {
    pieces: Vec<TemplateSegment>,
    text: String,
    errors: Vec<TemplateError>,
}

impl Reader {
    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(TemplateSegment::Text(std::mem::take(&mut self.text)));
        }
    }

    fn value(&mut self, name: &str) {
        match Placeholder::ALL.into_iter().find(|placeholder| placeholder.as_str() == name) {
            Some(placeholder) => {
                self.end_text();
                self.pieces.push(TemplateSegment::Value(placeholder));
            }
            None => {
                let known = Placeholder::ALL.map(Placeholder::as_str);
                let name: String = name.chars().take(40).collect();
                self.errors.push(TemplateError::Unknown { hint: hint(&name, &known), name });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        parse_template(text).expect_err(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_template_is_text_and_placeholders() {
        let text = |text: &str| TemplateSegment::Text(text.to_owned());
        assert_eq!(parse_template(""), Ok(vec![]));
        assert_eq!(parse_template("No braces."), Ok(vec![text("No braces.")]));
        assert_eq!(
            parse_template("{lead}: {left} left"),
            Ok(vec![
                TemplateSegment::Value(Placeholder::Lead),
                text(": "),
                TemplateSegment::Value(Placeholder::Left),
                text(" left")
            ])
        );
        assert_eq!(
            parse_template("{{lead}} is {lead}}}"),
            Ok(vec![text("{lead} is "), TemplateSegment::Value(Placeholder::Lead), text("}")])
        );
    }

    #[test]
    fn each_mistake_in_a_template_is_told() {
        assert_eq!(
            told("{laed} {owner"),
            [
                "`{laed}` is not a placeholder; did you mean `lead`?",
                "`{` at character 8 has no matching brace; write `{{` for a literal brace",
            ]
        );
        assert_eq!(
            told("owner}"),
            ["`}` at character 6 has no matching brace; write `}}` for a literal brace"]
        );
        assert_eq!(
            told("{}"),
            [
                "`{}` is not a placeholder; write one of: company, elapsed, lead, left, market, owner, previous_owner, reasons, state, step, window"
            ]
        );
        assert_eq!(told("{ lead }"), ["`{ lead }` is not a placeholder; did you mean `lead`?"]);
    }

    #[test]
    fn every_message_of_a_workflow_can_say_what_it_is_about() {
        for message in Message::ALL {
            let placeholders = Placeholder::of(message);
            assert_eq!(placeholders.contains(&Placeholder::Lead), message.workflow().is_some());
            assert!(placeholders.is_sorted(), "in the order of the documentation, none twice");
        }
    }
}
