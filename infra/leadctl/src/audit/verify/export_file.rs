//! Reads the lines of an export that may be damaged: it reads what it can, and reports the rest.

use std::io::BufRead;

use anyhow::{Context as _, bail};
use policy::PublishedPolicy;
use policy::directory::DirectoryDocument;
use policy::ids::{PublicationId, PublicationKind};
use rules::record::{DirectoryLine, End, FORMAT_VERSION, Header, PolicyLine};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::documents::Documents;
use super::finding::{Findings, Place, Problem};
use crate::audit::format::{COMMIT, COMMIT_BEGINS, DIRECTORY, END, HEADER, OPENED, POLICY, spelled, written};
use crate::audit::lines::{LineError, Lines};
use crate::audit::opened::Opened;
use crate::audit::sort::{Merged, Sorter, place_key};

/// The contents of an export.
#[derive(Debug)]
pub struct Export {
    /// The header.
    pub header: Header,
    /// The counts of the lines that were read.
    pub found: End,
    /// The number of lines with opened personal data, which no chain covers.
    pub opened: u64,
    /// The problem of the last line. Every other problem says more.
    pub end: Option<(Place, Problem)>,
    /// The published documents.
    pub documents: Documents,
    /// The commits by subject, each with the number of its line.
    pub commits: Commits,
}

/// Commits in the order of subjects and numbers.
#[derive(Debug)]
pub struct Commits(Merged);

/// A commit's line.
#[derive(Debug)]
pub struct Commit {
    /// The subject.
    pub subject: String,
    /// The number of the line.
    pub line: u64,
    /// The text of the line.
    pub text: String,
}

impl Commits {
    /// The next commit.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn next(&mut self) -> anyhow::Result<Option<Commit>> {
        let Some((key, text)) = self.0.next()? else { return Ok(None) };
        // The key: subject, zero byte, commit number, line number.
        let (rest, line) = key.split_last_chunk::<8>().context("a temporary file was changed")?;
        let (subject, _) = rest.split_last_chunk::<9>().context("a temporary file was changed")?;
        let subject = String::from_utf8(subject.to_vec())?;
        Ok(Some(Commit { subject, line: u64::from_be_bytes(*line), text }))
    }
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct Key<'a> {
    #[serde(borrow)]
    subject: std::borrow::Cow<'a, str>,
    commit: u64,
}

/// Reads an export; `None` if its header is damaged.
///
/// # Errors
/// When the file cannot be read or is of another version, or the disk is full.
pub fn read(input: impl BufRead, file: &str, findings: &mut Findings) -> anyhow::Result<Option<Export>> {
    let mut reading = Reading { lines: Lines::new(input), file, findings, taken: Taken::default() };
    let Some(header) = reading.header()? else { return Ok(None) };
    let end = reading.body()?;
    let Taken { found, opened, documents, commits } = reading.taken;
    Ok(Some(Export { header, found, opened, end, documents, commits: Commits(commits.finish()?) }))
}

struct Reading<'a, R> {
    lines: Lines<R>,
    file: &'a str,
    findings: &'a mut Findings,
    taken: Taken,
}

/// The contents so far.
#[derive(Default)]
struct Taken {
    found: End,
    opened: u64,
    documents: Documents,
    commits: Sorter,
}

impl<R: BufRead> Reading<'_, R> {
    fn header(&mut self) -> anyhow::Result<Option<Header>> {
        let header = match self.lines.next() {
            Err(LineError::Io(error)) => return Err(error).context(format!("cannot read {}", self.file)),
            Err(error) => Err(Problem::Line { why: error.to_string() }),
            Ok(None) => Err(Problem::Cut),
            Ok(Some(text)) => match parsed::<Kind<'_>>(text) {
                Ok(Kind { kind }) if kind == HEADER => in_form::<Header>(HEADER, text),
                Ok(_) => Err(Problem::Line { why: "the line is not the header of an export".to_owned() }),
                Err(problem) => Err(problem),
            },
        };
        match header {
            Ok(header) if header.format_version == FORMAT_VERSION => Ok(Some(header)),
            Ok(Header { format_version, .. }) => bail!(
                "{}:1: the export has format version {format_version}; this leadctl reads version {FORMAT_VERSION}",
                self.file
            ),
            Err(problem) => {
                self.add(problem);
                Ok(None)
            }
        }
    }

    fn body(&mut self) -> anyhow::Result<Option<(Place, Problem)>> {
        loop {
            let number = self.lines.number() + 1;
            let taken = match self.lines.next() {
                Err(LineError::Io(error)) => {
                    return Err(error).context(format!("cannot read {}", self.file));
                }
                Err(error) => {
                    let ends = matches!(error, LineError::Long);
                    self.add(Problem::Line { why: error.to_string() });
                    if ends {
                        return Ok(None);
                    }
                    continue;
                }
                Ok(None) => {
                    return Ok(Some((self.place(), Problem::Cut)));
                }
                Ok(Some(text)) if text.starts_with(COMMIT_BEGINS) => match parsed::<Key<'_>>(text) {
                    Ok(key) => {
                        self.taken.commit(&key, text, number)?;
                        Ok(None)
                    }
                    Err(problem) => Err(problem),
                },
                Ok(Some(text)) => self.taken.other(text, number),
            };
            match taken {
                Ok(None) => {}
                Ok(Some(end)) => return self.end(&end),
                Err(problem) => self.add(problem),
            }
        }
    }

    /// Checks the last line, which is the current one.
    fn end(&mut self, end: &End) -> anyhow::Result<Option<(Place, Problem)>> {
        let (place, before) = (self.place(), self.lines.hash_before());
        match self.lines.next() {
            Ok(None) => {}
            Err(LineError::Io(error)) => return Err(error).context(format!("cannot read {}", self.file)),
            _ => self.add(Problem::Line { why: "lines follow the last line of the export".to_owned() }),
        }
        let (said, found) = (spelled(end), spelled(&self.taken.found));
        Ok(if said != found {
            Some((place, Problem::Counts { said, found }))
        } else if end.sha256 != before.to_string() {
            Some((place, Problem::Hash { said: end.sha256.clone(), found: before }))
        } else {
            None
        })
    }

    fn place(&self) -> Place {
        let line = Some(self.lines.number().max(1));
        Place { file: Some(self.file.to_owned()), line, ..Place::default() }
    }

    fn add(&mut self, problem: Problem) {
        let place = self.place();
        self.findings.add(place, problem);
    }
}

impl Taken {
    fn commit(&mut self, Key { subject, commit }: &Key<'_>, text: &str, number: u64) -> anyhow::Result<()> {
        self.found.commits += 1;
        let mut key = place_key(subject, *commit);
        key.extend(number.to_be_bytes());
        self.commits.push(key, text.to_owned())
    }

    /// Adds a line that is not a commit. Returns the counts if it is the last line.
    fn other(&mut self, text: &str, number: u64) -> Result<Option<End>, Problem> {
        match parsed::<Kind<'_>>(text)?.kind.as_ref() {
            COMMIT => return Err(Problem::Form { what: "the commit's line" }),
            POLICY => {
                self.found.policies += 1;
                let line: PolicyLine = in_form(POLICY, text)?;
                let policy: PublishedPolicy = document(&line.policy)?;
                follows("policy", self.found.policies, policy.revision)?;
                let id = PublicationId { kind: PublicationKind::Policy, revision: policy.revision };
                self.documents.add(id, number, line.policy.get(), policy.published_at);
            }
            DIRECTORY => {
                self.found.directories += 1;
                let line: DirectoryLine = in_form(DIRECTORY, text)?;
                document::<DirectoryDocument>(&line.directory)?;
                follows("directory", self.found.directories, line.revision)?;
                let id = PublicationId { kind: PublicationKind::Directory, revision: line.revision };
                self.documents.add(id, number, line.directory.get(), line.published_at);
            }
            OPENED => {
                self.opened += 1;
                // The parser's own message would quote personal data.
                in_form::<Opened>(OPENED, text).map_err(|problem| match problem {
                    Problem::Line { .. } => {
                        Problem::Line { why: "the line with opened texts is not valid".to_owned() }
                    }
                    problem => problem,
                })?;
            }
            END => return in_form(END, text).map(Some),
            _ => return Err(Problem::Line { why: "the line is not part of an export".to_owned() }),
        }
        Ok(None)
    }
}

fn follows(what: &'static str, expected: u64, found: u32) -> Result<(), Problem> {
    if u64::from(found) == expected { Ok(()) } else { Err(Problem::Revision { what, revision: expected }) }
}

/// Parses a document, which a line holds as the stored text.
fn document<T: DeserializeOwned>(text: &RawValue) -> Result<T, Problem> {
    parsed(text.get())
}

/// Parses a line and checks that it is in canonical form.
fn in_form<T: DeserializeOwned + Serialize>(kind: &'static str, text: &str) -> Result<T, Problem> {
    let line: T = parsed(text)?;
    if written(kind, &line).is_ok_and(|form| form == text.as_bytes()) {
        Ok(line)
    } else {
        Err(Problem::Form { what: "the line" })
    }
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| Problem::Line { why: unreadable(&error) })
}

/// The parser's message without a line number, which is always 1.
pub fn unreadable(error: &serde_json::Error) -> String {
    format!("the line cannot be read: {}", error.to_string().replace(" at line 1 column ", " at column "))
}
