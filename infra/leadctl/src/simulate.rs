//! `leadctl simulate`: plays an events file in virtual time through the `decide` that the functions run.

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use contracts::event::Body;
use contracts::scenario;
use contracts::scenario::{Line, What};
use insight::simulate::{AnyEntry, Simulation};
use policy::directory::Directory;
use policy::document::DocumentError;
use policy::{Policy, PublishedPolicy};
use rules::account::AccountCommand;
use rules::entry::Actor;
use rules::lead::{Command, Input, Reopening, ReviewDecision};
use rules::outcome::Outcome;
use rules::reuse;
use rules::reuse::Reuse;
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

/// Options of `leadctl simulate`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The policy (YAML)
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The directory (YAML)
    #[arg(long, value_name = "FILE")]
    directory: PathBuf,
    /// The events, one JSON object per line; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// How long timers run, RFC 3339 [default: the time of the last event]
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
}

/// Prints audit entries as JSON lines on standard output, and a summary on standard error.
///
/// # Errors
/// When a file cannot be read, or a document or an event is not valid.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (policy, directory) = documents(&arguments.policy, &arguments.directory)?;
    let lines = read_lines(&arguments.events)?;
    let begin = lines.iter().map(|l| l.received_at).min().unwrap_or_default();
    let mut simulation = self::begin(policy, directory, begin);
    let until = arguments.until.or_else(|| lines.iter().map(|l| l.received_at).max()).unwrap_or_default();
    let all = lines.len();
    let lines: Vec<Line> = lines.into_iter().filter(|line| line.received_at <= until).collect();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (mut entries, mut messages) = (0u64, 0u64);
    let events = lines.len();
    if events < all {
        eprintln!("{} events come after {until} and were not played", all - events);
    }
    for line in &lines {
        for warning in &line.warnings {
            eprintln!("{}: {} {}", line.id, warning.pointer, warning.detail);
        }
    }
    let refused = play(&mut simulation, lines, until, &mut |entry| {
        entries += 1;
        let json = serde_json::to_string(entry)?;
        messages += u64::from(json.contains(r#""type":"notification.requested""#));
        Ok(writeln!(out, "{json}")?)
    })?;
    out.flush()?;
    for (id, outcome) in &refused {
        eprintln!("{id}: {outcome}");
    }
    let (leads, accounts) = (simulation.leads().len(), simulation.accounts().len());
    eprintln!(
        "{events} events, {leads} leads, {accounts} accounts: {entries} entries, {messages} messages, {} events not applied",
        refused.len()
    );
    Ok(())
}

/// Reads a policy and its directory.
///
/// # Errors
/// When a file cannot be read, or a document is not valid.
pub fn documents(policy: &Path, directory: &Path) -> anyhow::Result<(Policy, Directory)> {
    let (of_policy, of_directory) = (policy, directory);
    let policy = Policy::parse(&read(of_policy)?).with_context(|| invalid(of_policy))?;
    let directory = Directory::parse(&read(of_directory)?).with_context(|| invalid(of_directory))?;
    policy.check_against(&directory).with_context(|| invalid(of_policy))?;
    Ok((policy, directory))
}

/// Begins a simulation with these documents in force.
pub fn begin(policy: Policy, directory: Directory, at: DateTime<Utc>) -> Simulation {
    Simulation::new(PublishedPolicy::next(None, policy, "simulate", at), directory)
}

fn invalid(path: &Path) -> String {
    format!("{} is not valid", path.display())
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Reads an events file and sorts its events by arrival.
///
/// # Errors
/// When the file cannot be read, or a line is not a valid event; the error lists every wrong field.
pub fn read_lines(path: &Path) -> anyhow::Result<Vec<Line>> {
    let input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        Box::new(std::io::BufReader::new(file))
    };
    let mut lines = Vec::new();
    for (n, line) in input.lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {}", path.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let at = format!("{}:{}", path.display(), n + 1);
        let value = platform::strict_json::parse(line.as_bytes()).with_context(|| at.clone())?;
        match scenario::read(&value) {
            Ok(event) => lines.push(event),
            Err(problems) => {
                let all: Vec<String> =
                    problems.iter().map(|p| format!("{} {}", p.pointer, p.detail)).collect();
                bail!("{at}: {}", all.join("; "));
            }
        }
    }
    sort(&mut lines);
    Ok(lines)
}

/// Sorts events by arrival. Events of the same time keep their order.
pub fn sort(lines: &mut [Line]) {
    lines.sort_by_key(|line| line.received_at);
}

/// Plays events and timers up to `until` and passes on each entry as it happens. Returns the ids of the events that were
/// not applied, each with the reason.
///
/// # Errors
/// Those of `each`.
pub fn play(
    simulation: &mut Simulation,
    lines: Vec<Line>,
    until: DateTime<Utc>,
    each: &mut dyn FnMut(&AnyEntry) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<(String, String)>> {
    let mut not_applied = Vec::new();
    // No timer runs during an outage; events still arrive.
    let outages: Vec<_> = lines
        .iter()
        .filter_map(|line| match line.what {
            What::Outage { since } => Some((since, line.received_at)),
            _ => None,
        })
        .collect();
    let mut received = Received::default();
    for line in lines {
        let at = line.received_at;
        let down = outages.iter().find(|(since, end)| *since < at && at <= *end);
        match down {
            // A timer that was due as the outage began still ran.
            Some((since, _)) => simulation.run_until(*since),
            None => simulation.run_until(at),
        }
        for entry in simulation.take_history() {
            each(&entry)?;
        }
        let outcome = match received.before(&line) {
            Before::Never => {
                let outcome = apply(simulation, &line);
                received.note(&line, &outcome);
                outcome
            }
            Before::Same => continue,
            Before::Reused(reuse, is_new) => {
                if is_new {
                    refuse(simulation, &line, reuse);
                }
                reuse::outcome(reuse, &Actor::source(SOURCE))
            }
        };
        if !matches!(outcome, Outcome::Applied | Outcome::Unchanged) {
            not_applied.push((line.id, describe(&outcome)));
        }
        for entry in simulation.take_history() {
            each(&entry)?;
        }
    }
    simulation.run_until(until);
    for entry in simulation.take_history() {
        each(&entry)?;
    }
    Ok(not_applied)
}

/// The source of the events in a file.
const SOURCE: &str = "simulate";

/// The events of a file by id, as the store keeps them: an event that comes again is applied once, and other content
/// under a known id is refused, once per content.
#[derive(Default)]
struct Received {
    applied: BTreeMap<String, Body>,
    refused: BTreeMap<String, Vec<Body>>,
}

/// How the id of a line was used before.
enum Before {
    Never,
    Same,
    /// For other content; true if this content is new under the id.
    Reused(Reuse, bool),
}

impl Received {
    fn before(&mut self, line: &Line) -> Before {
        let What::Event(body) = &line.what else { return Before::Never };
        match self.applied.get(&line.id) {
            None => Before::Never,
            Some(known) if known == body => Before::Same,
            Some(known) => {
                let reuse = if is_of_same(known, body) { Reuse::OtherContent } else { Reuse::OtherSubject };
                let others = self.refused.entry(line.id.clone()).or_default();
                let is_new = !others.contains(body);
                if is_new {
                    others.push(body.clone());
                }
                Before::Reused(reuse, is_new)
            }
        }
    }

    /// Remembers an event, unless it was refused for its form: a corrected one may come under the same id.
    fn note(&mut self, line: &Line, outcome: &Outcome) {
        if let What::Event(body) = &line.what
            && !matches!(outcome, Outcome::Invalid { .. } | Outcome::NotFound)
        {
            self.applied.insert(line.id.clone(), body.clone());
        }
    }
}

fn is_of_same(one: &Body, other: &Body) -> bool {
    match (one, other) {
        (Body::Lead(one, _), Body::Lead(other, _)) => one == other,
        (Body::Account(one, _), Body::Account(other, _)) => one == other,
        _ => false,
    }
}

/// Records that an event's id was used before. Matches in the event still count.
fn refuse(simulation: &mut Simulation, line: &Line, reuse: Reuse) {
    let (at, cause, actor) = (line.received_at, line.id.clone(), Actor::source(SOURCE));
    match &line.what {
        What::Event(Body::Lead(lead, event)) => {
            let (lead, input) = (lead.clone(), Input::Event(event.clone()));
            let refusal = Command { lead, actor, cause, input }.refusal(reuse);
            refusal.into_iter().for_each(|refusal| _ = simulation.lead(&refusal, at));
        }
        What::Event(Body::Account(account, input)) => {
            let (account, input) = (account.clone(), input.clone());
            let refusal = AccountCommand { account, actor, cause, input }.refusal(reuse);
            refusal.into_iter().for_each(|refusal| _ = simulation.account(&refusal, at));
        }
        _ => {}
    }
}

fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused { why }
        | Outcome::Conflict { why }
        | Outcome::Recorded { why }
        | Outcome::Reused { why } => why.clone(),
        Outcome::Invalid { field, why } => format!("{field}: {why}"),
        Outcome::Stale => "older than the known values".to_owned(),
        Outcome::NotFound => "unknown lead or account".to_owned(),
        Outcome::Applied | Outcome::Unchanged => String::new(),
    }
}

fn apply(simulation: &mut Simulation, line: &Line) -> Outcome {
    let (at, cause) = (line.received_at, line.id.clone());
    match &line.what {
        What::Event(Body::Lead(lead, event)) => {
            let input = Input::Event(event.clone());
            simulation.lead(&Command { lead: lead.clone(), actor: Actor::source(SOURCE), cause, input }, at)
        }
        What::Event(Body::Account(account, input)) => {
            let (account, input) = (account.clone(), input.clone());
            simulation.account(&AccountCommand { account, actor: Actor::source(SOURCE), cause, input }, at)
        }
        What::ReviewDecided { lead, decision, officer } => {
            let person =
                Some(officer.as_str().into()).filter(|id| simulation.directory().person(id).is_some());
            // An events file names no revision: the officer has seen the review as it is.
            let revision =
                simulation.leads().get(lead).and_then(|l| l.review.as_ref()).map_or(0, |r| r.revision);
            let input = Input::Decide(ReviewDecision {
                verdict: decision.verdict,
                reason_code: decision.reason_code.clone(),
                reason: decision.reason.clone(),
                officer: officer.clone(),
                also_known_as: Vec::new(),
                person,
                revision,
            });
            simulation.lead(&Command { lead: lead.clone(), actor: Actor::staff(officer), cause, input }, at)
        }
        What::ReviewReopening { lead, reason, officer } => {
            let person =
                Some(officer.as_str().into()).filter(|id| simulation.directory().person(id).is_some());
            let rejection = simulation.leads().get(lead).and_then(|l| l.rejection.as_ref());
            let input = Input::Reopen(Reopening {
                reason: reason.clone(),
                officer: officer.clone(),
                also_known_as: Vec::new(),
                person,
                revision: rejection.map_or(0, |rejection| rejection.revision),
            });
            simulation.lead(&Command { lead: lead.clone(), actor: Actor::staff(officer), cause, input }, at)
        }
        What::OperationsResolved { lead, resolution, by } => {
            let input = Input::Resolve(resolution.clone());
            simulation.lead(&Command { lead: lead.clone(), actor: Actor::staff(by), cause, input }, at)
        }
        What::ErasureRequested { lead, erasure, by } => {
            let input = Input::Erase(erasure.clone());
            simulation.lead(&Command { lead: lead.clone(), actor: Actor::staff(by), cause, input }, at)
        }
        What::RepAvailability { rep, availability } => {
            simulation.availability(rep, availability, &Actor::staff(rep.as_str()), &cause, at)
        }
        What::Retention { account, input, by } => {
            let (account, input) = (account.clone(), input.clone());
            simulation.account(&AccountCommand { account, actor: Actor::staff(by), cause, input }, at)
        }
        What::PolicyPublished { policy, by } => {
            if let Err(error) = policy.check_against(simulation.directory()) {
                return Outcome::Invalid { field: "policy".to_owned(), why: error.to_string() };
            }
            simulation.publish((**policy).clone(), by, at);
            Outcome::Applied
        }
        What::DirectoryPublished { directory, .. } => {
            let invalid = |error: DocumentError| Outcome::Invalid {
                field: "directory".to_owned(),
                why: error.to_string(),
            };
            match Directory::check((**directory).clone()) {
                Err(error) => invalid(error),
                Ok(directory) => match simulation.policy().policy.check_against(&directory) {
                    Err(error) => invalid(error),
                    Ok(()) => {
                        simulation.publish_directory(directory, at);
                        Outcome::Applied
                    }
                },
            }
        }
        What::Outage { .. } => {
            simulation.resume_at(at);
            Outcome::Applied
        }
    }
}
