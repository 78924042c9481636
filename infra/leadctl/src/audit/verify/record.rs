//! The lines of an export that may be anything: what can be read of them is, and the rest is told.

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
use super::finding::{Findings, Place, Wrong};
use crate::audit::file::{COMMIT, COMMIT_BEGINS, DIRECTORY, END, HEADER, OPENED, POLICY, spelled, written};
use crate::audit::lines::{LineError, Lines};
use crate::audit::opened::Opened;
use crate::audit::sort::{Merged, Sorter, place_key};

/// What an export holds.
#[derive(Debug)]
pub struct Export {
    /// The header.
    pub header: Header,
    /// How many of what, as they were counted here.
    pub found: End,
    /// How many lines say what sealed texts say; they are under no chain.
    pub opened: u64,
    /// That the last line is not of these lines, and where it is. It tells less than anything else.
    pub end: Option<(Place, Wrong)>,
    /// The published documents.
    pub documents: Documents,
    /// The commits, subject by subject, each with the number of its line.
    pub commits: Commits,
}

/// Commits in the order of their subjects, and of their numbers.
#[derive(Debug)]
pub struct Commits(Merged);

/// A commit as it was read.
#[derive(Debug)]
pub struct Commit {
    /// Whose.
    pub subject: String,
    /// Its line's number.
    pub line: u64,
    /// The line.
    pub text: String,
}

impl Commits {
    /// The next one.
    ///
    /// # Errors
    /// A disk that cannot be read.
    pub fn next(&mut self) -> anyhow::Result<Option<Commit>> {
        let Some((key, text)) = self.0.next()? else { return Ok(None) };
        // Subject, a zero, the commit's number, the line's number.
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

/// Reads an export; `None` if not even its header can be read.
///
/// # Errors
/// A file that cannot be read, or of another version; a disk that is full.
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

/// What was read up to here.
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
            Err(error) => Err(Wrong::Line { why: error.to_string() }),
            Ok(None) => Err(Wrong::Cut),
            Ok(Some(text)) => match parsed::<Kind<'_>>(text) {
                Ok(Kind { kind }) if kind == HEADER => in_form::<Header>(HEADER, text),
                Ok(_) => Err(Wrong::Line { why: "it is no header of an export".to_owned() }),
                Err(wrong) => Err(wrong),
            },
        };
        match header {
            Ok(header) if header.format_version == FORMAT_VERSION => Ok(Some(header)),
            Ok(Header { format_version, .. }) => bail!(
                "{}:1: it is of format version {format_version}; this leadctl reads version {FORMAT_VERSION}",
                self.file
            ),
            Err(wrong) => {
                self.add(wrong);
                Ok(None)
            }
        }
    }

    fn body(&mut self) -> anyhow::Result<Option<(Place, Wrong)>> {
        loop {
            let number = self.lines.number() + 1;
            let taken = match self.lines.next() {
                Err(LineError::Io(error)) => {
                    return Err(error).context(format!("cannot read {}", self.file));
                }
                Err(error) => {
                    let ends = matches!(error, LineError::Long);
                    self.add(Wrong::Line { why: error.to_string() });
                    if ends {
                        return Ok(None);
                    }
                    continue;
                }
                Ok(None) => {
                    return Ok(Some((self.place(), Wrong::Cut)));
                }
                Ok(Some(text)) if text.starts_with(COMMIT_BEGINS) => match parsed::<Key<'_>>(text) {
                    Ok(key) => {
                        self.taken.commit(&key, text, number)?;
                        Ok(None)
                    }
                    Err(wrong) => Err(wrong),
                },
                Ok(Some(text)) => self.taken.other(text, number),
            };
            match taken {
                Ok(None) => {}
                Ok(Some(end)) => return self.end(&end),
                Err(wrong) => self.add(wrong),
            }
        }
    }

    /// The current line is the last one, it says; what is wrong with it.
    fn end(&mut self, end: &End) -> anyhow::Result<Option<(Place, Wrong)>> {
        let (place, before) = (self.place(), self.lines.hash_before());
        match self.lines.next() {
            Ok(None) => {}
            Err(LineError::Io(error)) => return Err(error).context(format!("cannot read {}", self.file)),
            _ => self.add(Wrong::Line { why: "nothing comes after the last line of an export".to_owned() }),
        }
        let (said, found) = (spelled(end), spelled(&self.taken.found));
        Ok(if said != found {
            Some((place, Wrong::Counts { said, found }))
        } else if end.sha256 != before.to_string() {
            Some((place, Wrong::Hash { said: end.sha256.clone(), found: before }))
        } else {
            None
        })
    }

    fn place(&self) -> Place {
        let line = Some(self.lines.number().max(1));
        Place { file: Some(self.file.to_owned()), line, ..Place::default() }
    }

    fn add(&mut self, wrong: Wrong) {
        let place = self.place();
        self.findings.add(place, wrong);
    }
}

impl Taken {
    fn commit(&mut self, Key { subject, commit }: &Key<'_>, text: &str, number: u64) -> anyhow::Result<()> {
        self.found.commits += 1;
        let mut key = place_key(subject, *commit);
        key.extend(number.to_be_bytes());
        self.commits.push(key, text.to_owned())
    }

    /// Takes a line that is no commit in; the counts, if it is the last one.
    fn other(&mut self, text: &str, number: u64) -> Result<Option<End>, Wrong> {
        match parsed::<Kind<'_>>(text)?.kind.as_ref() {
            COMMIT => return Err(Wrong::Form { what: "the commit's line" }),
            POLICY => {
                self.found.policies += 1;
                let line: PolicyLine = in_form(POLICY, text)?;
                let policy: PublishedPolicy = document(&line.policy)?;
                follows("policy", self.found.policies, policy.revision)?;
                let id = PublicationId { kind: PublicationKind::Policy, revision: policy.revision };
                self.documents.take(id, number, line.policy.get(), policy.published_at);
            }
            DIRECTORY => {
                self.found.directories += 1;
                let line: DirectoryLine = in_form(DIRECTORY, text)?;
                document::<DirectoryDocument>(&line.directory)?;
                follows("directory", self.found.directories, line.revision)?;
                let id = PublicationId { kind: PublicationKind::Directory, revision: line.revision };
                self.documents.take(id, number, line.directory.get(), line.published_at);
            }
            OPENED => {
                self.opened += 1;
                // Not in the words of a parser, which quotes what it stumbles over: this is personal.
                in_form::<Opened>(OPENED, text).map_err(|wrong| match wrong {
                    Wrong::Line { .. } => {
                        Wrong::Line { why: "the line does not say what sealed texts say".to_owned() }
                    }
                    wrong => wrong,
                })?;
            }
            END => return in_form(END, text).map(Some),
            _ => return Err(Wrong::Line { why: "it is no line of an export".to_owned() }),
        }
        Ok(None)
    }
}

fn follows(what: &'static str, expected: u64, found: u32) -> Result<(), Wrong> {
    if u64::from(found) == expected { Ok(()) } else { Err(Wrong::Revision { what, revision: expected }) }
}

/// Reads a document, which stands in a line in the text that was stored.
fn document<T: DeserializeOwned>(text: &RawValue) -> Result<T, Wrong> {
    parsed(text.get())
}

/// Reads a line, and holds it against the one form of what it says.
fn in_form<T: DeserializeOwned + Serialize>(kind: &'static str, text: &str) -> Result<T, Wrong> {
    let line: T = parsed(text)?;
    if written(kind, &line).is_ok_and(|form| form == text.as_bytes()) {
        Ok(line)
    } else {
        Err(Wrong::Form { what: "the line" })
    }
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Wrong> {
    serde_json::from_str(text).map_err(|error| Wrong::Line { why: unreadable(&error) })
}

/// A text of one line has no other lines to count.
pub fn unreadable(error: &serde_json::Error) -> String {
    format!("the line cannot be read: {}", error.to_string().replace(" at line 1 column ", " at column "))
}
