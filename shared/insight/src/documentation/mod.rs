//! The documentation of a policy, made from the published policy itself so that it cannot drift: as
//! Markdown for people who never saw the code, and as data for programs.

mod data;
mod ladder;
mod prose;
mod workflow;

pub use data::{StepDoc, VersionDoc, WindowDoc, WorkflowDoc};

use policy::calendar::{CalendarDocument, Weekday3};
use policy::directory::{ALWAYS, Directory};
use policy::{Orphan, Owners, Policy, PublishedPolicy, StateKind, WorkflowId};
use std::fmt::Write as _;

/// A policy with what is known of its past and of those it is for.
#[derive(Debug, Clone, Copy)]
pub struct Edition<'a> {
    /// The revision that is described.
    pub published: &'a PublishedPolicy,
    /// Earlier revisions, as far as they are at hand: what changed when is told from them.
    pub earlier: &'a [&'a PublishedPolicy],
    /// The directory that is in force with it.
    pub directory: Option<&'a Directory>,
    /// Whether it and the earlier ones were really published: their dates and names mean something.
    pub is_dated: bool,
}

impl Edition<'_> {
    fn policy(&self) -> &Policy {
        &self.published.policy
    }

    /// A workflow as data.
    #[must_use]
    pub fn workflow(&self, id: WorkflowId) -> WorkflowDoc {
        data::of(self, id)
    }

    /// One workflow in Markdown.
    #[must_use]
    pub fn workflow_markdown(&self, id: WorkflowId) -> String {
        workflow::markdown(self, id)
    }

    /// Everything in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}: what is done with leads, when, and why\n\n", cell(&self.policy().name));
        text.push_str(&self.head());
        text.push_str(prose::INTRODUCTION);
        text.push_str("\n| workflow | what it does | version |\n| --- | --- | --- |\n");
        for id in WorkflowId::ALL {
            let what = cell(&self.policy().about(id).what);
            let version = self.published.version_of(id);
            _ = writeln!(text, "| [`{id}`](#{id}) | {what} | {version} |");
        }
        text.push_str(&self.states());
        text.push_str(&self.time());
        text.push_str(&self.owners());
        text.push_str("\n## Workflows\n");
        for id in WorkflowId::ALL {
            text.push('\n');
            text.push_str(&self.workflow_markdown(id));
        }
        text.push_str(prose::AUDIT);
        text.push_str(prose::GLOSSARY);
        text
    }

    fn head(&self) -> String {
        let from = "This page is generated from the policy; nobody writes it by hand.";
        if self.is_dated {
            let PublishedPolicy { revision, published_at, published_by, .. } = self.published;
            return format!(
                "Revision {revision}, published {} by {}. {from}\n\n",
                day(*published_at),
                code(published_by)
            );
        }
        format!("{from}\n\n")
    }

    /// What becomes of the leads of an owner who leaves, or is away.
    fn owners(&self) -> String {
        let Owners { left, absent, .. } = &self.policy().owners;
        let done = |orphan: &Orphan| match orphan {
            Orphan::Keep => "stays with them",
            Orphan::HandOn => "goes to the next available rep of the team, with a fresh clock",
            Orphan::Queue => "goes to the operations queue",
        };
        format!(
            "\n## Owners who leave or are away\n\nA lead of an owner who is no rep any more {}. A lead of an owner who is \
             away, whose next step is due before they are back, {}; an absence counts once it has lasted, or is said to \
             last, longer than {}. The manager of one who is away is told what became of the leads.\n",
            done(left),
            done(absent),
            self.policy().owners.absent_after
        )
    }

    fn states(&self) -> String {
        let mut text = "\n## States\n\nA lead is in one state at a time. What kind it is decides whether time counts.\n\n\
                        | state | kind | what that means | what CRMs call it |\n| --- | --- | --- | --- |\n"
            .to_owned();
        for row in &self.policy().states {
            let stages: Vec<String> = row.stages.iter().map(code).collect();
            let meaning = match row.kind {
                StateKind::Working => "A rep works on the lead: its clocks run.",
                StateKind::Hold => "Nobody does for now: its clocks rest, and go on where they were.",
                StateKind::Terminal => "It is over: nothing is done any more.",
            };
            _ = writeln!(
                text,
                "| {} | {} | {meaning} | {} |",
                code(&row.state),
                row.kind.as_str(),
                stages.join(", ")
            );
        }
        text.push_str(
            "| `COMPLIANCE_HOLD` | hold | Compliance decides: nothing of sales is done. Only `compliance-flag` moves a \
             lead here and away. | |\n| `DISQUALIFIED_COMPLIANCE` | terminal | Compliance rejected it. | |\n",
        );
        if let Some(first) = self.policy().first_state() {
            _ = writeln!(text, "\nA lead that comes without a state begins in {}.", code(first));
        }
        text
    }

    fn time(&self) -> String {
        let mut text = prose::TIME.to_owned();
        if let Some(directory) = self.directory {
            text.push_str(
                "\n| market | team | calendar | time zone | open | a business day is |\n| --- | --- | --- | --- | --- | --- |\n",
            );
            for (id, market) in &directory.document().markets {
                let calendar = directory.calendar(&market.calendar);
                let zone = calendar.map(|calendar| calendar.time_zone_name()).unwrap_or_default();
                let length = calendar
                    .map(|calendar| policy::measure::spelled(calendar.business_day()))
                    .unwrap_or_default();
                let document = directory.document().calendars.get(&market.calendar);
                _ = writeln!(
                    text,
                    "| {} | {} | {} | {zone} | {} | {length} |",
                    code(id),
                    code(&market.team),
                    code(&market.calendar),
                    document.map_or_else(|| "round the clock".to_owned(), open_hours)
                );
            }
        }
        let late = self.policy().intake.history_after;
        _ = writeln!(
            text,
            "\nWhat arrives more than {late} late is history: thresholds that a lead had passed by then are recorded, and \
             nobody is told of them."
        );
        _ = match &self.policy().retention {
            Some(retention) => writeln!(
                text,
                "\n**Retention**: personal data of a lead is erased {} after the lead was closed; one that is opened \
                 again before then keeps it. Whatever was decided stays in the record.",
                retention.personal_data
            ),
            None => writeln!(text, "\n**Retention**: personal data is kept until its erasure is asked for."),
        };
        match &self.policy().quiet_hours {
            Some(quiet) => {
                let except: Vec<String> = quiet.except.iter().map(|m| format!("`{}`", m.as_str())).collect();
                let except =
                    if except.is_empty() { String::new() } else { format!(", except {}", except.join(", ")) };
                _ = writeln!(
                    text,
                    "\n**Quiet hours**: from {} to {}, by the clock on their own wall, nobody is told directly{except}. \
                     What is for them waits; clocks go on, and channels are told at any hour. A person may have quiet \
                     hours of their own.",
                    quiet.from, quiet.to
                );
            }
            None => {
                text.push_str("\nThere are no quiet hours but those that people have set for themselves.\n")
            }
        }
        text
    }
}

/// When a calendar is open, in few words: days with the same hours together.
fn open_hours(document: &CalendarDocument) -> String {
    if document.always {
        return "round the clock".to_owned();
    }
    let hours = |day: Weekday3| document.hours.get(&day).map(|blocks| blocks.join(", ")).unwrap_or_default();
    let mut runs: Vec<(Weekday3, Weekday3, String)> = Vec::new();
    for day in Weekday3::ALL {
        let own = hours(day);
        match runs.last_mut() {
            Some((_, last, same)) if *same == own => *last = day,
            _ => runs.push((day, day, own)),
        }
    }
    let open = runs.iter().filter(|(.., hours)| !hours.is_empty()).map(|(first, last, hours)| {
        let days = if first == last {
            first.as_str().to_owned()
        } else {
            format!("{}–{}", first.as_str(), last.as_str())
        };
        format!("{days} {hours}")
    });
    open.collect::<Vec<_>>().join("; ")
}

/// The name of a calendar as it is spoken of.
fn calendar_name(id: &str) -> String {
    if id == ALWAYS { "round the clock".to_owned() } else { format!("on the calendar {}", code(id)) }
}

/// The day of an instant.
fn day(at: chrono::DateTime<chrono::Utc>) -> String {
    at.date_naive().to_string()
}

/// Text from the documents inside Markdown: it stays in its cell and makes no markup of its own.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '|' | '<' | '>' | '`' | '*' | '_' | '[' | ']' | '\\') {
            safe.push('\\');
        }
        safe.push(if char.is_control() { ' ' } else { char });
    }
    safe
}

/// A name as code.
fn code(name: impl std::fmt::Display) -> String {
    let name = name.to_string().replace('`', "'").replace('|', "\\|");
    format!("`{}`", name.replace(char::is_control, " "))
}
