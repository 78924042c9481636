//! The export format: one JSON object per line. A header comes first; then the commits, those of a subject in order, and
//! the published policies and directories; then a last line with counts and a hash, which shows whether the file was cut.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::{BufRead, Write};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use audit::{ChainedCommit, Hash};
use chrono::{DateTime, Utc};
use policy::PublishedPolicy;
use policy::directory::Directory;
use policy::ids::Subject;
use rules::record::{DirectoryLine, End, FORMAT_VERSION, Header, PolicyLine};
use rules::world::Past;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::lines::Lines;
use super::opened::Opened;

pub(super) const HEADER: &str = "header";
pub(super) const POLICY: &str = "policy";
pub(super) const DIRECTORY: &str = "directory";
pub(super) const COMMIT: &str = "commit";
pub(super) const OPENED: &str = "opened";
pub(super) const END: &str = "end";
/// The beginning of nearly every line, which tells its kind without parsing.
pub(super) const COMMIT_BEGINS: &str = r#"{"kind":"commit","#;

#[derive(Serialize)]
struct Line<'a, T> {
    kind: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// The canonical form of a line, without its line break.
pub(super) fn written(kind: &'static str, body: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Line { kind, body })
}

/// Writes an export.
pub struct Writer<W> {
    out: W,
    end: End,
    /// The hash of the written lines.
    hash: Sha256,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn begin(out: W, header: &Header) -> anyhow::Result<Self> {
        let mut writer = Self { out, end: End::default(), hash: Sha256::new() };
        writer.line(HEADER, header)?;
        Ok(writer)
    }

    /// Writes a published policy.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn policy(&mut self, line: &PolicyLine) -> anyhow::Result<()> {
        self.end.policies += 1;
        self.line(POLICY, line)
    }

    /// Writes a published directory.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn directory(&mut self, line: &DirectoryLine) -> anyhow::Result<()> {
        self.end.directories += 1;
        self.line(DIRECTORY, line)
    }

    /// Writes a commit.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn commit(&mut self, commit: &ChainedCommit) -> anyhow::Result<()> {
        self.end.commits += 1;
        self.line(COMMIT, commit)
    }

    /// Writes the opened texts of a commit.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn opened(&mut self, opened: &Opened) -> anyhow::Result<()> {
        self.line(OPENED, opened)
    }

    /// Writes the last line. Returns `out` and the counts.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn finish(mut self) -> anyhow::Result<(W, End)> {
        let sha256 = Hash::new(self.hash.clone().finalize().into()).to_string();
        let end = End { sha256, ..self.end.clone() };
        self.line(END, &end)?;
        self.out.flush().context("cannot write the export")?;
        Ok((self.out, end))
    }

    fn line(&mut self, kind: &'static str, body: &impl Serialize) -> anyhow::Result<()> {
        let mut line = written(kind, body)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.out.write_all(&line).context("cannot write the export")
    }
}

/// A commit's line, with its place.
#[derive(Debug)]
pub struct CommitLine<'a> {
    /// The line.
    pub text: &'a str,
    /// The subject.
    pub subject: Subject,
    /// Its number in the subject's history.
    pub commit: u64,
    /// When it was decided, but never before the previous commit: the clocks of machines differ.
    pub decided_at: DateTime<Utc>,
}

/// The contents of an export besides its commits.
#[derive(Debug)]
pub struct Contents {
    /// The header.
    pub header: Header,
    /// Every published revision.
    pub revisions: Past,
    /// The counts.
    pub end: End,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct Key {
    subject: Subject,
    commit: u64,
    recorded_at: DateTime<Utc>,
}

/// Reads an export, line by line.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    name: String,
}

impl<R: BufRead> Reader<R> {
    /// Reads `input`. Errors call it `name`.
    pub fn new(input: R, name: impl Into<String>) -> Self {
        Self { lines: Lines::new(input), name: name.into() }
    }

    /// Reads the whole export and passes on each commit's line.
    ///
    /// # Errors
    /// When a line is damaged, with its number, or the export was cut.
    pub fn read(
        mut self,
        each: &mut dyn FnMut(CommitLine<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Contents> {
        let mut text = String::new();
        ensure!(self.next(&mut text)?, "{} is empty; an export begins with a header", self.name);
        let header = header(&text).with_context(|| self.place())?;
        let mut revisions = Past::default();
        let mut found = End::default();
        let mut places = Places::default();
        while self.next(&mut text)? {
            if text.starts_with(COMMIT_BEGINS) {
                found.commits += 1;
                let line = places.next(&text).with_context(|| self.place())?;
                each(line)?;
                continue;
            }
            let kind = kind_of(&text).with_context(|| self.place())?;
            match kind.as_str() {
                COMMIT => {
                    bail!("{}: a commit's line must begin with `{COMMIT_BEGINS}`; export again", self.place())
                }
                // Opened texts are for people; no decision depends on them.
                OPENED => {}
                POLICY => {
                    found.policies += 1;
                    let line: PolicyLine = read_line(&text).with_context(|| self.place())?;
                    let policy: PublishedPolicy =
                        read_line(line.policy.get()).with_context(|| self.place())?;
                    revisions.policies.insert(policy.revision, Arc::new(policy));
                }
                DIRECTORY => {
                    found.directories += 1;
                    let line: DirectoryLine = read_line(&text).with_context(|| self.place())?;
                    let document = read_line(line.directory.get()).with_context(|| self.place())?;
                    let directory = Directory::check(document)
                        .map_err(|error| anyhow::anyhow!("directory {}: {error}", line.revision))
                        .with_context(|| self.place())?;
                    let directory = directory.published(line.revision, line.published_at);
                    revisions.directories.insert(line.revision, Arc::new(directory));
                }
                END => {
                    let end: End = read_line(&text).with_context(|| self.place())?;
                    ensure!(
                        spelled(&end) == spelled(&found),
                        "{}: the last line counts {}, and the export has {}; lines are missing, export again",
                        self.place(),
                        spelled(&end),
                        spelled(&found)
                    );
                    ensure!(
                        end.sha256 == self.lines.hash_before().to_string(),
                        "{}: a line before was changed: the hash differs; export again, or run `leadctl audit verify`",
                        self.place()
                    );
                    ensure!(
                        !self.next(&mut text)?,
                        "{}: lines follow the last line of the export; export again",
                        self.place()
                    );
                    return Ok(Contents { header, revisions, end });
                }
                other => bail!(
                    "{}: `kind` is `{other}`; it must be {POLICY}, {DIRECTORY}, {COMMIT} or {END}",
                    self.place()
                ),
            }
        }
        bail!(
            "{}: the export was cut: its last line, with the counts, is missing; export again",
            self.place()
        )
    }

    /// Reads the next line into `text`; false at the end.
    fn next(&mut self, text: &mut String) -> anyhow::Result<bool> {
        text.clear();
        let number = self.lines.number();
        let line = self.lines.next().with_context(|| format!("{}:{}", self.name, number + 1))?;
        text.extend(line);
        Ok(line.is_some())
    }

    fn place(&self) -> String {
        format!("{}:{}", self.name, self.lines.number())
    }
}

/// Reads the header line.
///
/// # Errors
/// When it is not a header, or of another version.
pub(super) fn header(text: &str) -> anyhow::Result<Header> {
    let kind = kind_of(text)?;
    ensure!(kind == HEADER, "`kind` is `{kind}`; an export begins with a `{HEADER}`");
    let header: Header = read_line(text)?;
    ensure!(
        header.format_version == FORMAT_VERSION,
        "the export has format version {}; this leadctl reads version {FORMAT_VERSION}",
        header.format_version
    );
    Ok(header)
}

pub(super) fn kind_of(text: &str) -> anyhow::Result<String> {
    Ok(read_line::<Kind<'_>>(text)?.kind.into_owned())
}

pub(super) fn read_line<'a, T: Deserialize<'a>>(text: &'a str) -> anyhow::Result<T> {
    serde_json::from_str(text).context("the line cannot be read; the export is damaged")
}

pub(super) fn spelled(end: &End) -> String {
    format!("{} policies, {} directories, {} commits", end.policies, end.directories, end.commits)
}

/// The last commit of each subject so far.
#[derive(Default)]
struct Places(HashMap<u64, (u64, DateTime<Utc>)>);

impl Places {
    fn next<'a>(&mut self, text: &'a str) -> anyhow::Result<CommitLine<'a>> {
        let Key { subject, commit, recorded_at } = read_line(text)?;
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let place = self.0.entry(hasher.finish()).or_insert((0, recorded_at));
        ensure!(
            commit == place.0 + 1,
            "commit {commit} of {subject} follows commit {}; commits are missing, export again",
            place.0
        );
        *place = (commit, recorded_at.max(place.1));
        Ok(CommitLine { text, subject, commit, decided_at: place.1 })
    }
}
