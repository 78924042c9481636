//! What a verification finds: what is wrong, and where.

use audit::Hash;
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use serde::Serialize;

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Place {
    /// The file; none for the live tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Whose history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// The entry, or the first of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<u64>,
}

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What.
    #[serde(flatten)]
    pub wrong: Wrong,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Wrong {
    /// A line that cannot be read.
    #[error("{why}")]
    Line {
        /// What is wrong with it.
        why: String,
    },
    /// It says what it says in another way than whoever wrote it.
    #[error(
        "{what} is not in the one form that it is written in: it was changed, or written by somebody else"
    )]
    Form {
        /// What.
        what: &'static str,
    },
    /// The end is missing.
    #[error("the export was cut: its last line, with the counts, is missing")]
    Cut,
    /// Lines are missing, or there are too many.
    #[error("there should be {said}, and there are {found}: lines are missing or were put in")]
    Counts {
        /// What the last line says.
        said: String,
        /// What there is.
        found: String,
    },
    /// A byte was changed.
    #[error(
        "a line before this one was changed since it was written: all of them come to {}, and it says {}",
        short(found),
        short(said)
    )]
    Hash {
        /// What the last line says.
        said: String,
        /// What the lines come to.
        found: Hash,
    },
    /// A published revision that is not there, or not in its order.
    #[error("{what} revision {revision} is missing: it was published, or entries name it")]
    Revision {
        /// Of what.
        what: &'static str,
        /// Which.
        revision: u64,
    },
    /// The text of a revision is not what its publication says.
    #[error(
        "the text of this revision is not the one that was published: it comes to {}, and its history says {}",
        short(found),
        short(said)
    )]
    Document {
        /// What the history says.
        said: String,
        /// What the text comes to.
        found: Hash,
    },
    /// The instant of a revision is not that of its publication.
    #[error("this revision says it was published at {found}, and its history says {said}")]
    PublishedAt {
        /// What the history says.
        said: DateTime<Utc>,
        /// What the line says.
        found: DateTime<Utc>,
    },
    /// A revision that nobody published.
    #[error("this revision was never published: it has no history")]
    NeverPublished,
    /// Commits are missing.
    #[error("commit {} is missing: commit {found} follows commit {after}", after + 1)]
    Missing {
        /// The last that is there.
        after: u64,
        /// The next that is there.
        found: u64,
    },
    /// Two commits claim one place.
    #[error("there are two commits {commit} (the other on line {other}): the history forks")]
    Fork {
        /// Which.
        commit: u64,
        /// The line of the other one.
        other: u64,
    },
    /// Lines were swapped.
    #[error("commit {commit} stands before commit {before}, on line {line_before}: lines were swapped")]
    Swapped {
        /// Which.
        commit: u64,
        /// The one that it has to follow.
        before: u64,
        /// Its line.
        line_before: u64,
    },
    /// The commit follows something else.
    #[error(
        "the commit follows {}, and the history before it comes to {}: one of the two was changed",
        short(prev),
        short(head)
    )]
    Prev {
        /// What it says.
        prev: Hash,
        /// What it should say.
        head: Hash,
    },
    /// What a commit says is not what was sealed.
    #[error(
        "what the commit says comes to {}, and it was sealed as {}: an entry or the commit was changed",
        short(found),
        short(head)
    )]
    Seal {
        /// What it says.
        head: Hash,
        /// What its text comes to.
        found: Hash,
    },
    /// An entry that is not where it belongs.
    #[error("{why}")]
    Entry {
        /// What is wrong with it.
        why: String,
    },
    /// Entries that make no history.
    #[error("the history does not fold: {why}")]
    Fold {
        /// Why.
        why: String,
    },
    /// A checkpoint, or its file, is not what it should be.
    #[error("{why}")]
    Checkpoint {
        /// What is wrong with it.
        why: String,
    },
    /// The newest checkpoint is too old.
    #[error(
        "the newest checkpoint is number {number}, of {at}, and the export was taken at {exported_at}: \
         checkpoints were taken away, or none are made any more; who makes them by hand makes one now"
    )]
    Stale {
        /// The newest.
        number: u64,
        /// When it was made.
        at: DateTime<Utc>,
        /// When the export was taken.
        exported_at: DateTime<Utc>,
    },
    /// A checkpoint that was there is not.
    #[error("checkpoint {number} was seen before and {why}: the series was rolled back or written anew")]
    RolledBack {
        /// Which.
        number: u64,
        /// What there is instead.
        why: String,
    },
    /// A checkpoint knows a history that is not there.
    #[error("the history is missing: checkpoint {checkpoint} knows {commit} commits of it")]
    MissingSubject {
        /// Which checkpoint.
        checkpoint: u64,
        /// Its last commit there.
        commit: u64,
    },
    /// A checkpoint knows more of a history.
    #[error("the tail was cut: the last commit is {last}, and checkpoint {checkpoint} knows commit {commit}")]
    CutTail {
        /// The last commit that is there.
        last: u64,
        /// Which checkpoint.
        checkpoint: u64,
        /// Its last commit there.
        commit: u64,
    },
    /// A checkpoint knows another history.
    #[error(
        "the history was written anew: commit {commit} is {}, and checkpoint {checkpoint} knows it as {}",
        short(found),
        short(head)
    )]
    Rewritten {
        /// The commit.
        commit: u64,
        /// Its seal in the export.
        found: Hash,
        /// Which checkpoint.
        checkpoint: u64,
        /// Its seal there.
        head: Hash,
    },
    /// A commit that says it was decided before a checkpoint that does not know it.
    #[error(
        "the commit says it was decided at {recorded_at}, and checkpoint {checkpoint} of {at} {knows}: \
         it was put in later, or its time is not true"
    )]
    BackDated {
        /// When it says it was decided.
        recorded_at: DateTime<Utc>,
        /// Which checkpoint.
        checkpoint: u64,
        /// When that was made.
        at: DateTime<Utc>,
        /// What it knows of the commit.
        knows: &'static str,
    },
    /// A commit that says it was decided when the export was long taken.
    #[error(
        "the commit says it was decided at {recorded_at}, and the export says it was taken at {exported_at}: \
         one of the two is not true"
    )]
    AfterExport {
        /// When it says it was decided.
        recorded_at: DateTime<Utc>,
        /// When the export says it was taken.
        exported_at: DateTime<Utc>,
    },
    /// The live tables say something else.
    #[error("{why}")]
    Live {
        /// What is different.
        why: String,
    },
}

/// Enough of a hash to tell it from others; all of it is in the JSON.
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
        self.wrong.fmt(f)
    }
}

/// So many findings are kept; of more, only how many they are.
const FINDINGS_MAX: usize = 100;

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// The first ones, in the order they were found in.
    pub first: Vec<Finding>,
    /// How many there are.
    pub count: u64,
}

impl Findings {
    /// The first one.
    pub fn told(&self) -> String {
        self.first.first().map(ToString::to_string).unwrap_or_default()
    }

    /// Takes one in.
    pub fn add(&mut self, place: Place, wrong: Wrong) {
        self.count += 1;
        if self.first.len() < FINDINGS_MAX {
            self.first.push(Finding { place, wrong });
        }
    }
}
