//! The history of one subject, commit by commit: each is held against the chain, against the one
//! before it, and against what the rules make of its entries.

use audit::{ChainedCommit, Hash, canonical};
use chrono::{DateTime, Utc};
use policy::InForce;
use policy::ids::Subject;
use rules::account::Account;
use rules::aggregate::Aggregate as _;
use rules::entry::Entry;
use rules::lead::Lead;
use rules::publication::{Publication, PublicationFact};
use rules::roster::Standing;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::finding::{Finding, Place, Wrong};
use crate::audit::file::{COMMIT, written};

/// What the entries of a subject come to.
#[derive(Debug)]
pub enum Folded {
    /// A lead.
    Lead(Option<Box<Lead>>),
    /// An account.
    Account(Option<Box<Account>>),
    /// A rep's standing, as far as entries tell it.
    Rep(Standing),
    /// A publication.
    Publication(Option<Box<Publication>>),
}

/// The history so far.
#[derive(Debug)]
pub struct History {
    /// Whose.
    pub subject: Subject,
    /// How many commits there were.
    pub commits: u64,
    /// The seal of the last one.
    pub head: Hash,
    /// The last entry.
    pub seq: u64,
    /// What they come to.
    pub folded: Folded,
    /// Whether something was wrong: what comes after it proves nothing.
    pub broken: bool,
    /// The highest revisions that entries name.
    pub revisions: InForce,
    /// Of a publication: what was published.
    pub published: Option<Published>,
    line: u64,
}

/// What the history of a publication says of its document.
#[derive(Debug)]
pub struct Published {
    /// The hash of its text.
    pub document_sha256: String,
    /// When it was published.
    pub at: DateTime<Utc>,
}

/// A commit that was held against all there is.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    /// Its place.
    pub commit: u64,
    /// Its first entry.
    pub seq: u64,
    /// Its seal.
    pub head: Hash,
    /// When it says it was decided.
    pub recorded_at: DateTime<Utc>,
}

/// What is wrong with a commit, and with which of its entries.
#[derive(Debug)]
struct At(Option<u64>, Wrong);

impl From<Wrong> for At {
    fn from(wrong: Wrong) -> Self {
        Self(None, wrong)
    }
}

impl History {
    /// One that has not begun.
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

    /// Takes the next commit in, as its line has it.
    ///
    /// # Errors
    /// What is wrong with it, and where. The history is broken from there.
    pub fn take(&mut self, text: &str, line: u64) -> Result<Checked, Box<Finding>> {
        let commit: ChainedCommit = serde_json::from_str(text).map_err(|error| {
            let why = format!("the commit cannot be read: {error}");
            self.fails(line, None, None, Wrong::Line { why })
        })?;
        let seq = self.seq + 1;
        match self.check(text, &commit, line) {
            Ok(()) => {
                (self.commits, self.head, self.line) = (commit.commit, commit.head, line);
                let ChainedCommit { commit, head, recorded_at, .. } = commit;
                Ok(Checked { commit, seq, head, recorded_at })
            }
            Err(At(at, wrong)) => Err(self.fails(line, at.or(Some(seq)), Some(commit.commit), wrong)),
        }
    }

    /// Where a commit of it stands.
    pub fn place(&self, line: u64, commit: &Checked) -> Place {
        let (subject, seq) = (Some(self.subject.clone()), Some(commit.seq));
        Place { file: None, line: Some(line), subject, seq, commit: Some(commit.commit) }
    }

    fn fails(&mut self, line: u64, seq: Option<u64>, commit: Option<u64>, wrong: Wrong) -> Box<Finding> {
        self.broken = true;
        let subject = Some(self.subject.clone());
        let place = Place { file: None, line: Some(line), subject, seq, commit };
        Box::new(Finding { place, wrong })
    }

    fn check(&mut self, text: &str, commit: &ChainedCommit, line: u64) -> Result<(), At> {
        let place = commit.commit;
        if place == self.commits && place > 0 {
            return Err(Wrong::Fork { commit: place, other: self.line }.into());
        }
        if place != self.commits + 1 {
            return Err(Wrong::Missing { after: self.commits, found: place }.into());
        }
        if line < self.line {
            let (before, line_before) = (self.commits, self.line);
            return Err(Wrong::Swapped { commit: place, before, line_before }.into());
        }
        if written(COMMIT, commit).is_ok_and(|form| form != text.as_bytes()) {
            return Err(Wrong::Form { what: "the commit's line" }.into());
        }
        if commit.prev != self.head {
            return Err(Wrong::Prev { prev: commit.prev, head: self.head }.into());
        }
        let links = commit.links().map_err(|error| Wrong::Line { why: format!("its entries: {error}") })?;
        if links.head != commit.head {
            let wrong = Wrong::Seal { head: commit.head, found: links.head };
            return Err(At(self.out_of_place(commit), wrong));
        }
        if let Some(recorded) = &commit.recorded {
            canonical_text(recorded, "what the commit recorded")?;
        }
        let entries = canonical_text(&commit.entries, "the entries of the commit")?;
        self.fold(commit, entries)
    }

    /// The first entry that does not even say that it belongs where it stands.
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
                let folded = Lead::evolve(lead.take().map(|lead| *lead), entry);
                *lead = Some(Box::new(folded.map_err(|error| error.to_string())?));
                Ok(())
            }),
            Folded::Account(account) => each(commit, entries, seq, &mut |entry| {
                let folded = Account::evolve(account.take().map(|account| *account), entry);
                *account = Some(Box::new(folded.map_err(|error| error.to_string())?));
                Ok(())
            }),
            Folded::Rep(standing) => each(commit, entries, seq, &mut |entry| {
                let folded = Standing::evolve(Some(std::mem::take(standing)), entry);
                *standing = folded.map_err(|error| error.to_string())?;
                Ok(())
            }),
            Folded::Publication(publication) => each(commit, entries, seq, &mut |entry| {
                if let PublicationFact::Published { document_sha256, .. } = &entry.fact {
                    let document_sha256 = document_sha256.clone();
                    self.published = Some(Published { document_sha256, at: entry.at });
                }
                let folded = Publication::evolve(publication.take().map(|before| *before), entry);
                *publication = Some(Box::new(folded.map_err(|error| error.to_string())?));
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

/// How far the entries of a commit come, and the highest revisions they name.
struct Last {
    seq: u64,
    revisions: InForce,
}

/// Each entry, held against its commit and the one before it, and handed on to be folded.
fn each<F: DeserializeOwned>(
    commit: &ChainedCommit,
    entries: Value,
    mut seq: u64,
    fold: &mut dyn FnMut(&Entry<F>) -> Result<(), String>,
) -> Result<Last, At> {
    let entries: Vec<Value> = Vec::deserialize(entries)
        .map_err(|error| Wrong::Entry { why: format!("the entries cannot be read: {error}") })?;
    let (mut revisions, mut last) = (InForce::default(), None);
    for entry in entries {
        seq += 1;
        let kind = entry.get("type").map(Value::to_string).unwrap_or_default();
        let entry: Entry<F> = serde_json::from_value(entry).map_err(|_| {
            let why = format!(
                "the entry cannot be read: {kind} is no fact of such a history, or lacks what it should say"
            );
            At(Some(seq), Wrong::Entry { why })
        })?;
        last = Some(entry.at);
        revisions.policy = revisions.policy.max(entry.policy_revision);
        revisions.directory = revisions.directory.max(entry.directory_revision);
        let wrong = |why: String| At(Some(seq), Wrong::Entry { why });
        if entry.seq != seq {
            return Err(wrong(format!("entry {} stands where entry {seq} belongs", entry.seq)));
        }
        if entry.subject != commit.subject {
            return Err(wrong(format!("the entry is of {}", entry.subject)));
        }
        if entry.commit != commit.commit {
            return Err(wrong(format!("the entry is of commit {}", entry.commit)));
        }
        fold(&entry).map_err(|why| At(Some(seq), Wrong::Fold { why }))?;
    }
    let Some(last) = last else {
        return Err(Wrong::Entry { why: "the commit has no entries".to_owned() }.into());
    };
    if last != commit.at {
        let why = "its commit gives another instant than its last entry".to_owned();
        return Err(At(Some(seq), Wrong::Entry { why }));
    }
    Ok(Last { seq, revisions })
}

fn canonical_text(text: &RawValue, what: &'static str) -> Result<Value, Wrong> {
    canonical::read(text.get()).map_err(|_| Wrong::Form { what })
}
