//! Checks the history of one subject, commit by commit: against the chain, against the previous commit, and by folding the
//! entries with the rules.

use audit::{ChainedCommit, Hash, canonical};
use chrono::{DateTime, Utc};
use policy::InForce;
use policy::ids::Subject;
use rules::account::{self, Account};
use rules::entry::Entry;
use rules::lead::{Lead, evolve};
use rules::publication::{self, Publication, PublicationFact};
use rules::rep;
use rules::roster::Standing;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::finding::{Finding, Place, Problem};
use crate::audit::format::{COMMIT, written};

/// The subject as its entries made it.
#[derive(Debug)]
pub enum Folded {
    /// A lead.
    Lead(Option<Box<Lead>>),
    /// An account.
    Account(Option<Box<Account>>),
    /// A rep's standing, as far as the entries say.
    Rep(Standing),
    /// A publication.
    Publication(Option<Box<Publication>>),
}

/// The history so far.
#[derive(Debug)]
pub struct History {
    /// The subject.
    pub subject: Subject,
    /// The number of commits.
    pub commits: u64,
    /// The seal of the last commit.
    pub head: Hash,
    /// The number of the last entry.
    pub seq: u64,
    /// The folded entries.
    pub folded: Folded,
    /// Whether a problem was found; later commits prove nothing then.
    pub broken: bool,
    /// The highest revisions in the entries.
    pub revisions: InForce,
    /// The published document, for a publication.
    pub published: Option<Published>,
    line: u64,
}

/// The published document, as the history of its publication describes it.
#[derive(Debug)]
pub struct Published {
    /// The hash of its text.
    pub document_sha256: String,
    /// When it was published.
    pub at: DateTime<Utc>,
}

/// A commit that passed all checks.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    /// Its number.
    pub commit: u64,
    /// Its first entry.
    pub seq: u64,
    /// Its seal.
    pub head: Hash,
    /// When it was decided, as it says.
    pub recorded_at: DateTime<Utc>,
}

/// The problem of a commit, and the entry that has it, if one does.
#[derive(Debug)]
struct At(Option<u64>, Problem);

impl From<Problem> for At {
    fn from(problem: Problem) -> Self {
        Self(None, problem)
    }
}

impl History {
    /// An empty history of a subject.
    pub fn of(subject: Subject) -> Self {
        let folded = match &subject {
            Subject::Lead(_) => Folded::Lead(None),
            Subject::Account(_) => Folded::Account(None),
            Subject::Rep(_) => Folded::Rep(Standing::default()),
            Subject::Publication(_) => Folded::Publication(None),
        };
        Self {
            subject,
            commits: 0,
            head: Hash::ZERO,
            seq: 0,
            folded,
            broken: false,
            revisions: InForce::default(),
            published: None,
            line: 0,
        }
    }

    /// Adds the next commit, as it is in its line.
    ///
    /// # Errors
    /// The problem and its place. The history is broken from there on.
    pub fn take(&mut self, text: &str, line: u64) -> Result<Checked, Box<Finding>> {
        let commit: ChainedCommit = serde_json::from_str(text).map_err(|error| {
            let why = format!("the commit cannot be read: {error}");
            self.fails(line, None, None, Problem::Line { why })
        })?;
        let seq = self.seq + 1;
        match self.check(text, &commit, line) {
            Ok(()) => {
                (self.commits, self.head, self.line) = (commit.commit, commit.head, line);
                let ChainedCommit { commit, head, recorded_at, .. } = commit;
                Ok(Checked { commit, seq, head, recorded_at })
            }
            Err(At(at, problem)) => Err(self.fails(line, at.or(Some(seq)), Some(commit.commit), problem)),
        }
    }

    /// The place of a commit.
    pub fn place(&self, line: u64, commit: &Checked) -> Place {
        let (subject, seq) = (Some(self.subject.clone()), Some(commit.seq));
        Place { file: None, line: Some(line), subject, seq, commit: Some(commit.commit) }
    }

    fn fails(&mut self, line: u64, seq: Option<u64>, commit: Option<u64>, problem: Problem) -> Box<Finding> {
        self.broken = true;
        let subject = Some(self.subject.clone());
        let place = Place { file: None, line: Some(line), subject, seq, commit };
        Box::new(Finding { place, problem })
    }

    fn check(&mut self, text: &str, commit: &ChainedCommit, line: u64) -> Result<(), At> {
        let place = commit.commit;
        if place == self.commits && place > 0 {
            return Err(Problem::Fork { commit: place, other: self.line }.into());
        }
        if place != self.commits + 1 {
            return Err(Problem::Missing { after: self.commits, found: place }.into());
        }
        if line < self.line {
            let (before, line_before) = (self.commits, self.line);
            return Err(Problem::Swapped { commit: place, before, line_before }.into());
        }
        if written(COMMIT, commit).is_ok_and(|form| form != text.as_bytes()) {
            return Err(Problem::Form { what: "the commit's line" }.into());
        }
        if commit.prev != self.head {
            return Err(Problem::Prev { prev: commit.prev, head: self.head }.into());
        }
        let links = commit
            .links()
            .map_err(|error| Problem::Line { why: format!("the entries cannot be hashed: {error}") })?;
        if links.head != commit.head {
            let problem = Problem::Seal { head: commit.head, found: links.head };
            return Err(At(self.out_of_place(commit), problem));
        }
        if let Some(recorded) = &commit.recorded {
            canonical_text(recorded, "the commit's input")?;
        }
        let entries = canonical_text(&commit.entries, "the commit's list of entries")?;
        self.fold(commit, entries)
    }

    /// The first entry that names another place than its own.
    fn out_of_place(&self, commit: &ChainedCommit) -> Option<u64> {
        let entries: Vec<Value> = serde_json::from_str(commit.entries.get()).ok()?;
        let subject = commit.subject.to_string();
        let belongs = |entry: &Value, seq: u64| {
            entry.get("seq").and_then(Value::as_u64) == Some(seq)
                && entry.get("commit").and_then(Value::as_u64) == Some(commit.commit)
                && entry.get("subject").and_then(Value::as_str) == Some(&subject)
        };
        let mut places = (self.seq + 1..).zip(&entries);
        places.find(|(seq, entry)| !belongs(entry, *seq)).map(|(seq, _)| seq)
    }

    fn fold(&mut self, commit: &ChainedCommit, entries: Value) -> Result<(), At> {
        let seq = self.seq;
        let next = match &mut self.folded {
            Folded::Lead(lead) => each(commit, entries, seq, &mut |entry| {
                let folded = evolve(lead.take().map(|lead| *lead), entry);
                *lead = Some(Box::new(folded.map_err(|error| error.to_string())?));
                Ok(())
            }),
            Folded::Account(account) => each(commit, entries, seq, &mut |entry| {
                let folded = account::evolve(account.take().map(|account| *account), entry);
                *account = Some(Box::new(folded.map_err(|error| error.to_string())?));
                Ok(())
            }),
            Folded::Rep(standing) => each(commit, entries, seq, &mut |entry| {
                rep::evolve(standing, entry);
                Ok(())
            }),
            Folded::Publication(publication) => each(commit, entries, seq, &mut |entry| {
                if let PublicationFact::Published { document_sha256, .. } = &entry.fact {
                    let document_sha256 = document_sha256.clone();
                    self.published = Some(Published { document_sha256, at: entry.at });
                }
                let folded = publication::evolve(publication.take().map(|before| *before), entry);
                let why = || format!("entry {} cannot follow the entries before it", entry.seq);
                *publication = Some(Box::new(folded.ok_or_else(why)?));
                Ok(())
            }),
        }?;
        self.seq = next.seq;
        let InForce { policy, directory } = &mut self.revisions;
        *policy = next.revisions.policy.max(*policy);
        *directory = next.revisions.directory.max(*directory);
        Ok(())
    }
}

/// The last entry of a commit, and the highest revisions in its entries.
struct Last {
    seq: u64,
    revisions: InForce,
}

/// Checks each entry against its commit and the previous entry, and folds it.
fn each<F: DeserializeOwned>(
    commit: &ChainedCommit,
    entries: Value,
    mut seq: u64,
    fold: &mut dyn FnMut(&Entry<F>) -> Result<(), String>,
) -> Result<Last, At> {
    let entries: Vec<Value> = Vec::deserialize(entries)
        .map_err(|error| Problem::Entry { why: format!("the entries cannot be read: {error}") })?;
    let (mut revisions, mut last) = (InForce::default(), None);
    for entry in entries {
        seq += 1;
        let kind = entry.get("type").map(Value::to_string).unwrap_or_default();
        let entry: Entry<F> = serde_json::from_value(entry).map_err(|_| {
            let why = format!(
                "the entry cannot be read: {kind} is not valid in this history, or a member is missing"
            );
            At(Some(seq), Problem::Entry { why })
        })?;
        last = Some(entry.at);
        revisions.policy = revisions.policy.max(entry.policy_revision);
        revisions.directory = revisions.directory.max(entry.directory_revision);
        let problem = |why: String| At(Some(seq), Problem::Entry { why });
        if entry.seq != seq {
            return Err(problem(format!("entry {} is where entry {seq} belongs", entry.seq)));
        }
        if entry.subject != commit.subject {
            return Err(problem(format!("the entry names the subject {}", entry.subject)));
        }
        if entry.commit != commit.commit {
            return Err(problem(format!("the entry names commit {}", entry.commit)));
        }
        fold(&entry).map_err(|why| At(Some(seq), Problem::Fold { why }))?;
    }
    let Some(last) = last else {
        return Err(Problem::Entry { why: "the commit has no entries".to_owned() }.into());
    };
    if last != commit.at {
        let why = "the commit has another time than its last entry".to_owned();
        return Err(At(Some(seq), Problem::Entry { why }));
    }
    Ok(Last { seq, revisions })
}

fn canonical_text(text: &RawValue, what: &'static str) -> Result<Value, Problem> {
    canonical::read(text.get()).map_err(|_| Problem::Form { what })
}
