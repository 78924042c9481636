//! Prints the story: chapter headings and a line per commit for people, or every entry as JSON.

use super::wording::{Channels, Line, Names, line};
use crate::output::print;
use crate::paint::{Color, Paint};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// How long a line waits for the deliveries of its messages, so that it can name their channels.
const DELIVERY_MAX: Duration = Duration::from_secs(3);

const DELIVERED: &str = "notification.delivered";
/// The entries that end a notification.
const OUTCOMES: [&str; 4] =
    [DELIVERED, "notification.withdrawn", "notification.failed", "recipient.unreachable"];

/// The form of the demo's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The story, for people.
    Story,
    /// Audit entries, one JSON object per line.
    Json,
}

/// Prints commits as they come in.
pub(super) struct Teller {
    form: Form,
    names: Names,
    paint: Paint,
    begun: DateTime<Utc>,
    /// Commits that are not printed yet, the oldest first.
    waiting: VecDeque<Waiting>,
    channels: Channels,
}

struct Waiting {
    commit: Vec<Value>,
    /// Its notifications without an outcome.
    undelivered: BTreeSet<String>,
    since: Instant,
}

impl Teller {
    pub fn new(form: Form, names: Names, begun: DateTime<Utc>) -> Self {
        let paint = Paint::for_stdout();
        Self { form, names, paint, begun, waiting: VecDeque::new(), channels: Channels::new() }
    }

    /// Prints a text outside the chapters.
    pub fn note(&self, text: &str) {
        if self.form == Form::Story {
            print(text);
        }
    }

    pub fn chapter(&self, title: &str) {
        if self.form == Form::Story {
            print(&format!("\n{}", self.paint.bold(title)));
        }
    }

    /// Adds a commit and prints the complete lines.
    ///
    /// # Errors
    /// None in practice: an entry that came as JSON can be written as JSON.
    pub fn take(&mut self, commit: Vec<Value>) -> anyhow::Result<()> {
        if self.form == Form::Json {
            for entry in &commit {
                print(&serde_json::to_string(entry)?);
            }
        }
        let ids = |kind: &str| -> BTreeSet<String> {
            let of_kind = commit.iter().filter(|entry| text(entry, "/type") == kind);
            of_kind.map(|entry| text(entry, "/data/id").to_owned()).collect()
        };
        let mut is_shown_with_request = false;
        for outcome in OUTCOMES {
            for id in ids(outcome) {
                let of_line = self.waiting.iter_mut().find_map(|line| line.undelivered.take(&id));
                is_shown_with_request |= of_line.is_some() && outcome == DELIVERED;
            }
        }
        for delivered in commit.iter().filter(|entry| text(entry, "/type") == DELIVERED) {
            let (id, channel) = (text(delivered, "/data/id"), text(delivered, "/data/channel"));
            self.channels.insert(id.to_owned(), channel.to_owned());
        }
        // The line of the request shows its delivery.
        if !(is_shown_with_request && commit.len() == 1) {
            let undelivered = ids("notification.requested");
            self.waiting.push_back(Waiting { commit, undelivered, since: Instant::now() });
        }
        self.print_complete();
        Ok(())
    }

    /// Whether every line is printed.
    pub fn is_up_to_date(&mut self) -> bool {
        self.print_complete();
        self.waiting.is_empty()
    }

    fn print_complete(&mut self) {
        let is_complete =
            |first: &Waiting| first.undelivered.is_empty() || first.since.elapsed() >= DELIVERY_MAX;
        while let Some(first) = self.waiting.pop_front_if(|first| is_complete(first)) {
            if self.form == Form::Story {
                let line = line(&first.commit, &self.names, &self.channels);
                print(&self.painted(&line, elapsed_s(self.begun, &first.commit)));
            }
        }
    }

    fn painted(&self, line: &Line, elapsed_s: f64) -> String {
        let paint = self.paint;
        let time = paint.dim(&format!("{elapsed_s:>6.1} s"));
        let what = match &line.workflow {
            Some(workflow) => paint.color(color(workflow), &line.what),
            None => line.what.clone(),
        };
        match line.outcomes.as_slice() {
            [] => format!("{time}  {what}"),
            outcomes => format!("{time}  {what} {} {}", paint.dim("→"), outcomes.join("; ")),
        }
    }
}

/// When a commit was recorded, in seconds since the beginning.
fn elapsed_s(begun: DateTime<Utc>, commit: &[Value]) -> f64 {
    let recorded_at =
        commit.first().and_then(|entry| text(entry, "/recorded_at").parse::<DateTime<Utc>>().ok());
    let elapsed = recorded_at.map_or(0, |at| (at - begun).num_milliseconds().max(0));
    elapsed as f64 / 1000.0
}

fn color(workflow: &str) -> Color {
    match workflow {
        "sla-breach" => Color::Yellow,
        "stuck-lead" => Color::Magenta,
        "high-value" => Color::Green,
        "compliance-flag" => Color::Red,
        "churn-risk" => Color::Cyan,
        _ => Color::Blue,
    }
}

fn text<'a>(entry: &'a Value, pointer: &str) -> &'a str {
    entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
