//! The findings of a verification: what is problem, and where.

use audit::Hash;
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use serde::Serialize;

/// The place of a problem.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Place {
    /// The file; `None` for the live tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The subject of the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The entry, or the first entry of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<u64>,
}

/// A problem and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The place.
    #[serde(flatten)]
    pub place: Place,
    /// The problem.
    #[serde(flatten)]
    pub problem: Problem,
}

/// A problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Problem {
    /// A line that cannot be read.
    #[error("{why}")]
    Line {
        /// The reason.
        why: String,
    },
    /// A text that is not in canonical form.
    #[error("{what} is not in canonical form: it was changed, or another program wrote it")]
    Form {
        /// The name of the text.
        what: &'static str,
    },
    /// The last line is missing.
    #[error("the export was cut: its last line, with the counts, is missing")]
    Cut,
    /// Lines are missing or were added.
    #[error("the last line counts {said}, and the export has {found}: lines are missing or were added")]
    Counts {
        /// The counts in the last line.
        said: String,
        /// The counts of the export.
        found: String,
    },
    /// A line was changed.
    #[error(
        "a line before this one was changed: the hash of all lines is {}, and this line says {}",
        short(found),
        short(said)
    )]
    Hash {
        /// The hash in the last line.
        said: String,
        /// The hash of the lines.
        found: Hash,
    },
    /// A published revision is missing, or out of order.
    #[error("{what} revision {revision} is missing: it was published, or entries name it")]
    Revision {
        /// The kind of document.
        what: &'static str,
        /// The revision.
        revision: u64,
    },
    /// The text of a revision is not the published one.
    #[error(
        "the text of this revision is not the published one: its hash is {}, and its history says {}",
        short(found),
        short(said)
    )]
    Document {
        /// The hash in the history.
        said: String,
        /// The hash of the text.
        found: Hash,
    },
    /// A revision has another time than its publication.
    #[error("this revision says that it was published at {found}, and its history says {said}")]
    PublishedAt {
        /// The time in the history.
        said: DateTime<Utc>,
        /// The time in the line.
        found: DateTime<Utc>,
    },
    /// A revision was never published.
    #[error("this revision was never published: it has no history")]
    NeverPublished,
    /// Commits are missing.
    #[error("commit {} is missing: commit {found} follows commit {after}", after + 1)]
    Missing {
        /// The last commit before the gap.
        after: u64,
        /// The first commit after the gap.
        found: u64,
    },
    /// Two commits have the same number.
    #[error("there are two commits {commit}; the other one is on line {other}: the history forks")]
    Fork {
        /// The number.
        commit: u64,
        /// The line of the other one.
        other: u64,
    },
    /// Lines were swapped.
    #[error(
        "commit {commit} comes before commit {before}, which is on line {line_before}: lines were swapped"
    )]
    Swapped {
        /// The commit.
        commit: u64,
        /// The commit that it must follow.
        before: u64,
        /// The line of that commit.
        line_before: u64,
    },
    /// The commit follows another history.
    #[error(
        "the commit names {} as the head before it, and the history's head is {}: one of the two was changed",
        short(prev),
        short(head)
    )]
    Prev {
        /// The head that the commit names.
        prev: Hash,
        /// The head of the history.
        head: Hash,
    },
    /// The commit does not match its seal.
    #[error(
        "the commit's hash is {}, and its seal is {}: an entry or the commit was changed",
        short(found),
        short(head)
    )]
    Seal {
        /// Its seal.
        head: Hash,
        /// Its hash.
        found: Hash,
    },
    /// An entry is not valid where it is.
    #[error("{why}")]
    Entry {
        /// The reason.
        why: String,
    },
    /// The rules reject the entries.
    #[error("the history does not fold: {why}")]
    Fold {
        /// Why.
        why: String,
    },
    /// A checkpoint or its file is not valid.
    #[error("{why}")]
    Checkpoint {
        /// The reason.
        why: String,
    },
    /// The newest checkpoint is too old.
    #[error(
        "the newest checkpoint is number {number}, of {at}, and the export was taken at {exported_at}: \
         checkpoints were removed, or none are made any more; if you make them by hand, make one now"
    )]
    Stale {
        /// The number of the newest checkpoint.
        number: u64,
        /// When it was made.
        at: DateTime<Utc>,
        /// When the export was taken.
        exported_at: DateTime<Utc>,
    },
    /// An earlier checkpoint is not in the series any more.
    #[error("checkpoint {number} was seen before, and {why}: the series was rolled back or rewritten")]
    RolledBack {
        /// The checkpoint.
        number: u64,
        /// The state of the series instead.
        why: String,
    },
    /// A history in a checkpoint is missing.
    #[error("the history is missing: checkpoint {checkpoint} has {commit} commits of it")]
    MissingSubject {
        /// The checkpoint.
        checkpoint: u64,
        /// Its last commit there.
        commit: u64,
    },
    /// A checkpoint has more commits of a history.
    #[error("the tail was cut: the last commit is {last}, and checkpoint {checkpoint} has commit {commit}")]
    CutTail {
        /// The last commit in the export.
        last: u64,
        /// The checkpoint.
        checkpoint: u64,
        /// Its last commit there.
        commit: u64,
    },
    /// A checkpoint has another history.
    #[error(
        "the history was rewritten: commit {commit} has the seal {}, and checkpoint {checkpoint} has {}",
        short(found),
        short(head)
    )]
    Rewritten {
        /// The commit.
        commit: u64,
        /// Its seal in the export.
        found: Hash,
        /// The checkpoint.
        checkpoint: u64,
        /// Its seal there.
        head: Hash,
    },
    /// A commit claims to be older than a checkpoint without it.
    #[error(
        "the commit says that it was decided at {recorded_at}, and checkpoint {checkpoint} of {at} {has}: \
         it was added later, or its time is false"
    )]
    BackDated {
        /// When it says it was decided.
        recorded_at: DateTime<Utc>,
        /// The checkpoint.
        checkpoint: u64,
        /// When the checkpoint was made.
        at: DateTime<Utc>,
        /// Whether the checkpoint has the commit, in words.
        #[serde(rename = "knows")]
        has: &'static str,
    },
    /// A commit claims to be newer than the export.
    #[error(
        "the commit says that it was decided at {recorded_at}, and the export says that it was taken at \
         {exported_at}: one of the two is false"
    )]
    AfterExport {
        /// When it says it was decided.
        recorded_at: DateTime<Utc>,
        /// When the export says it was taken.
        exported_at: DateTime<Utc>,
    },
    /// The live tables differ.
    #[error("{why}")]
    Live {
        /// The difference.
        why: String,
    },
}

/// The beginning of a hash, which is enough for a person. The JSON has all of it.
fn short(hash: &impl ToString) -> String {
    let mut hash = hash.to_string();
    hash.truncate(12);
    hash
}

impl std::fmt::Display for Finding {
    /// `export.jsonl:17: lead/L-1 seq 7 (commit 3): …`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Place { file, line, subject, seq, commit } = &self.place;
        match (file, line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, _) => {}
        }
        if let Some(subject) = subject {
            write!(f, "{subject}")?;
            if let Some(seq) = seq {
                write!(f, " seq {seq}")?;
            }
            if let Some(commit) = commit {
                write!(f, " (commit {commit})")?;
            }
            f.write_str(": ")?;
        }
        self.problem.fmt(f)
    }
}

/// How many findings are kept. More are only counted.
const FINDINGS_MAX: usize = 100;

/// All findings.
#[derive(Debug, Default)]
pub struct Findings {
    /// The first ones, in order.
    pub first: Vec<Finding>,
    /// The number of all.
    pub count: u64,
}

impl Findings {
    /// The first finding as text.
    pub fn first_text(&self) -> String {
        self.first.first().map(ToString::to_string).unwrap_or_default()
    }

    /// Adds a finding.
    pub fn add(&mut self, place: Place, problem: Problem) {
        self.count += 1;
        if self.first.len() < FINDINGS_MAX {
            self.first.push(Finding { place, problem });
        }
    }
}
