//! `leadctl policy validate`: lists every mistake in a policy and its directory at once, each with its line. A valid
//! policy gets warnings.

use crate::document_file::{DocumentFile, line_of, read};
use crate::output::print_text;
use chrono::{DateTime, Utc};
use insight::lint;
use insight::lint::{About, Warning};
use policy::Policy;
use policy::directory::Directory;
use policy::document::{Document, DocumentError, DocumentProblem};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Options of `leadctl policy validate`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The policy (YAML); `-` reads standard input
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// The directory (YAML) of the policy, to check its markets and calendars too
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// Also warn of problems at this time, RFC 3339: a team on leave, a year without business hours
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints mistakes and warnings. Returns false if a document is not valid.
///
/// # Errors
/// When a file cannot be read.
pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let policy = read(&arguments.policy)?;
    let directory = arguments.directory.as_deref().map(read).transpose()?;
    let report = examine(&policy, directory.as_ref(), arguments.at);
    let is_valid = report.errors.is_empty() && (!arguments.strict || report.warnings.is_empty());
    if arguments.json {
        print_text(&format!("{:#}\n", report.json(is_valid, &policy, directory.as_ref())));
    } else {
        print_text(&report.text(is_valid, &policy, directory.as_ref()));
    }
    Ok(is_valid)
}

/// A problem and its file.
#[derive(Serialize)]
struct InFile<'a, T> {
    file: &'a str,
    #[serde(flatten)]
    what: &'a T,
}

/// All problems.
struct Report {
    errors: Vec<(String, DocumentProblem)>,
    warnings: Vec<(String, Warning)>,
    policy: Option<Policy>,
}

fn examine(policy: &DocumentFile, directory: Option<&DocumentFile>, at: Option<DateTime<Utc>>) -> Report {
    let mut errors = Vec::new();
    let mut add = |source: &DocumentFile, DocumentError(problems): DocumentError| {
        errors.extend(problems.into_iter().map(|problem| (source.name.clone(), problem)));
    };
    let document_of = |source: &DocumentFile| Document::read(&source.text);
    let mut directory_document = None;
    let known = directory.and_then(|source| {
        let read = document_of(source).and_then(|document| {
            let directory = Directory::examine(&document);
            directory_document = Some(document);
            directory
        });
        read.map_err(|error| add(source, error)).ok()
    });
    let mut policy_document = None;
    let read = document_of(policy).and_then(|document| {
        let policy = Policy::examine(&document, known.as_ref());
        policy_document = Some(document);
        policy
    });
    let read = read.map_err(|error| add(policy, error)).ok();
    let mut warnings = Vec::new();
    // An invalid policy has no behavior to warn of.
    if let Some(read) = read.as_ref().filter(|_| errors.is_empty()) {
        for mut warning in lint::warnings(read, known.as_ref(), at) {
            let (source, document) = match warning.about {
                About::Policy => (Some(policy), &policy_document),
                About::Directory => (directory, &directory_document),
            };
            let (Some(source), Some(document)) = (source, document) else { continue };
            warning.problem.place = Some(document.position_of(&warning.problem.path));
            warnings.push((source.name.clone(), warning));
        }
    }
    warnings.sort_by_key(|(_, warning)| (warning.about, warning.problem.place));
    Report { errors, warnings, policy: read }
}

impl Report {
    fn text(&self, is_valid: bool, policy: &DocumentFile, directory: Option<&DocumentFile>) -> String {
        let mut lines: Vec<String> =
            self.errors.iter().map(|(file, problem)| line_of(file, "", problem)).collect();
        lines.extend(
            self.warnings.iter().map(|(file, warning)| {
                line_of(file, &format!("warning[{}]: ", warning.lint), &warning.problem)
            }),
        );
        let checked = match directory {
            Some(directory) => format!("checked against {}", directory.name),
            None => "checked without a directory; add `--directory FILE` to check markets and calendars"
                .to_owned(),
        };
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let found = [(self.errors.len(), "error"), (self.warnings.len(), "warning")];
        let found: Vec<String> =
            found.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what)).collect();
        let found = if found.is_empty() { String::new() } else { format!(" ({})", found.join(", ")) };
        lines.push(match (&self.policy, is_valid) {
            (Some(read), true) => {
                format!("{}: valid{found}; {}; {checked}", policy.name, contents(read))
            }
            _ => format!("{}: not valid{found}; {checked}", policy.name),
        });
        lines.push(String::new());
        lines.join("\n")
    }

    fn json(&self, is_valid: bool, policy: &DocumentFile, directory: Option<&DocumentFile>) -> Value {
        let errors = self.errors.iter().map(|(file, problem)| InFile { file, what: problem });
        let warnings = self.warnings.iter().map(|(file, warning)| InFile { file, what: warning });
        json!({
            "valid": is_valid,
            "policy": policy.name,
            "directory": directory.map(|directory| &directory.name),
            "errors": errors.collect::<Vec<_>>(),
            "warnings": warnings.collect::<Vec<_>>(),
        })
    }
}

/// Names and counts the policy's contents, so that a reader sees that it is the right one.
fn contents(policy: &Policy) -> String {
    let w = &policy.workflows;
    let markets: std::collections::BTreeSet<_> = w
        .sla_breach
        .markets
        .keys()
        .chain(w.stuck_lead.markets.keys())
        .chain(w.sla_breach.windows.iter().chain(&w.stuck_lead.windows).filter_map(|row| row.market.as_ref()))
        .collect();
    format!(
        "`{}`: {} states, {} windows, {} steps, {} markets with their own rules",
        policy.name,
        policy.states.len(),
        w.sla_breach.windows.len() + w.stuck_lead.windows.len(),
        w.sla_breach.steps.len() + w.stuck_lead.steps.len(),
        markets.len()
    )
}
