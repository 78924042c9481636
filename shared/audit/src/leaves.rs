//! The leaves of a checkpoint: each subject's head. A subject keeps its place forever; new subjects follow
//! all others, in the order of their names. So the changes since the previous checkpoint describe a
//! checkpoint, and all changes together describe the tree.
//!
//! ```text
//! leaf   = {"commit": n, "head": …, "subject": …}
//! change = {"commit": n, "head": …, "leaf": place, "subject": …}     a line each, by place
//! ```

use crate::canonical::{self, CanonicalError};
use crate::hash::{Hash, sha256};
use crate::tree::{self, Tree};
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::collections::BTreeMap;

/// The head of a subject's history. Members are in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// Its last commit.
    pub commit: u64,
    /// The seal of that commit.
    pub head: Hash,
    /// The subject, as in `lead/L-1`.
    pub subject: Box<str>,
}

/// A new or changed leaf at its place: a line of a changes file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its last commit.
    pub commit: u64,
    /// The seal of that commit.
    pub head: Hash,
    /// Its place among the leaves, from 0.
    pub leaf: usize,
    /// The subject.
    pub subject: Box<str>,
}

/// Why a change of leaves is impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// A history became shorter.
    #[error("`{subject}` went back: it had commit {before}, and now ends with commit {now}")]
    WentBack {
        /// The subject.
        subject: Box<str>,
        /// Its last commit before.
        before: u64,
        /// Its last commit now.
        now: u64,
    },
    /// A commit is different now.
    #[error("`{subject}` forked: its commit {commit} was sealed as {before}, and now as {now}")]
    Forked {
        /// The subject.
        subject: Box<str>,
        /// The commit.
        commit: u64,
        /// Its seal before.
        before: Hash,
        /// Its seal now.
        now: Hash,
    },
    /// A history is missing.
    #[error("`{subject}` is missing: its history had {commit} commits")]
    Missing {
        /// The subject.
        subject: Box<str>,
        /// The number of its commits.
        commit: u64,
    },
    /// The place belongs to another subject.
    #[error("place {leaf} belongs to `{stands}`, not to `{subject}`")]
    Place {
        /// The place.
        leaf: usize,
        /// Its subject.
        stands: Box<str>,
        /// The subject of the change.
        subject: Box<str>,
    },
    /// The subject has another place.
    #[error("`{subject}` has place {stands}, and cannot take place {leaf}")]
    Twice {
        /// The subject.
        subject: Box<str>,
        /// Its place.
        stands: usize,
        /// The other one.
        leaf: usize,
    },
    /// The place is beyond the end.
    #[error("`{subject}` is at place {leaf}, but there are {len} leaves")]
    Gap {
        /// The subject of the change.
        subject: Box<str>,
        /// The place.
        leaf: usize,
        /// The number of leaves.
        len: usize,
    },
    /// Changes are not in the order of places, or new subjects not in the order of names.
    #[error("`{subject}` is out of order among the changes")]
    Order {
        /// The subject.
        subject: Box<str>,
    },
    /// A history without a commit.
    #[error("`{subject}` has no commit")]
    Empty {
        /// The subject.
        subject: Box<str>,
    },
}

/// Why a changes file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// A line is not valid.
    #[error("line {line} cannot be read")]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// The cause.
        #[source]
        error: CanonicalError,
    },
    /// A line has an impossible change.
    #[error("line {line} has an impossible change")]
    Leaf {
        /// The line's number, from 1.
        line: usize,
        /// The cause.
        #[source]
        error: LeafError,
    },
    /// Its last line is incomplete.
    #[error("line {line} is incomplete")]
    Cut {
        /// The line's number, from 1.
        line: usize,
    },
}

/// All leaves, with their tree.
#[derive(Debug, Clone, Default)]
pub struct Leaves {
    leaves: Vec<Leaf>,
    places: BTreeMap<Box<str>, usize>,
    tree: Tree,
    commits: u64,
}

impl Leaf {
    /// Its hash in the tree.
    pub fn hash(&self) -> Hash {
        tree::leaf_hash(written(self).as_bytes())
    }

    fn follows(&self, before: &Self) -> Result<(), LeafError> {
        let subject = self.subject.clone();
        match self.commit.cmp(&before.commit) {
            std::cmp::Ordering::Less => {
                Err(LeafError::WentBack { subject, before: before.commit, now: self.commit })
            }
            std::cmp::Ordering::Equal if self.head != before.head => {
                Err(LeafError::Forked { subject, commit: self.commit, before: before.head, now: self.head })
            }
            _ => Ok(()),
        }
    }
}

impl Change {
    /// Its line, without the line break.
    pub fn line(&self) -> String {
        written(self)
    }

    /// Its leaf.
    pub fn to_leaf(&self) -> Leaf {
        Leaf { commit: self.commit, head: self.head, subject: self.subject.clone() }
    }
}

/// The JSON of a struct with members in canonical order, each with a single spelling.
fn written(value: &impl Serialize) -> String {
    // Strings and integers always serialize.
    serde_json::to_string(value).unwrap_or_default()
}

/// The text of a changes file, and its hash.
pub fn changes_text(changes: impl IntoIterator<Item = impl Borrow<Change>>) -> (String, Hash) {
    let mut text = String::new();
    for change in changes {
        text.push_str(&change.borrow().line());
        text.push('\n');
    }
    let hash = sha256([text.as_bytes()]);
    (text, hash)
}

/// Reads the text of a changes file.
///
/// # Errors
/// If a line is not a change in canonical form, or is incomplete.
pub fn read_changes(text: &str) -> Result<Vec<Change>, ChangesError> {
    lines(text).map(|(_, change)| change).collect()
}

/// Each line with its number, from 1.
fn lines(text: &str) -> impl Iterator<Item = (usize, Result<Change, ChangesError>)> {
    text.split_inclusive('\n').zip(1..).map(|(line, n)| {
        let change = line
            .strip_suffix('\n')
            .ok_or(ChangesError::Cut { line: n })
            .and_then(|line| read_change(line).map_err(|error| ChangesError::Line { line: n, error }));
        (n, change)
    })
}

/// Reads a line of a changes file, without the line break.
///
/// # Errors
/// If it is not a change in canonical form.
pub fn read_change(line: &str) -> Result<Change, CanonicalError> {
    let change: Change = serde_json::from_str(line)?;
    // Only exact integers, and only the canonical spelling.
    let exact = change.commit <= canonical::INTEGER_MAX;
    if exact && change.line() == line { Ok(change) } else { Err(CanonicalError::Form) }
}

impl Leaves {
    /// The number of leaves.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there are no leaves.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// The number of commits of all histories together.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// The root of the tree over them.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// A subject's leaf, with its place.
    pub fn find(&self, subject: &str) -> Option<(usize, &Leaf)> {
        let place = *self.places.get(subject)?;
        Some((place, self.leaves.get(place)?))
    }

    /// The inclusion proof of a leaf.
    pub fn proof(&self, place: usize) -> Option<Vec<Hash>> {
        self.tree.proof(place)
    }

    /// Every leaf, in the order of places.
    pub fn iter(&self) -> impl Iterator<Item = &Leaf> {
        self.leaves.iter()
    }

    /// All leaves as changes to an empty tree.
    pub fn to_changes(&self) -> impl Iterator<Item = Change> {
        let change = |(place, leaf): (usize, &Leaf)| Change {
            commit: leaf.commit,
            head: leaf.head,
            leaf: place,
            subject: leaf.subject.clone(),
        };
        self.leaves.iter().enumerate().map(change)
    }

    /// Applies the changes of one checkpoint.
    ///
    /// # Errors
    /// The first impossible change, with its line. The leaves are unusable then.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<(), ChangesError> {
        let known = self.len();
        let mut last: Option<(usize, Box<str>)> = None;
        let mut put = Vec::new();
        for (n, change) in changes.into_iter().enumerate() {
            let in_order = last.as_ref().is_none_or(|(place, subject)| {
                *place < change.leaf && (*place < known || *subject < change.subject)
            });
            let applied = if in_order {
                last = Some((change.leaf, change.subject.clone()));
                self.put(change)
            } else {
                Err(LeafError::Order { subject: change.subject })
            };
            put.push(applied.map_err(|error| ChangesError::Leaf { line: n + 1, error })?);
        }
        // INVARIANT: `put` found a place for each.
        _ = self.tree.put(put);
        Ok(())
    }

    /// Reads a full list of leaves, such as the cache of the last checkpoint. It spans many checkpoints, so
    /// that names need not be in order.
    ///
    /// # Errors
    /// If a line is not a change, or an impossible one.
    pub fn restore(text: &str) -> Result<Self, ChangesError> {
        let mut leaves = Self::default();
        let mut put = Vec::new();
        for (line, change) in lines(text) {
            put.push(leaves.put(change?).map_err(|error| ChangesError::Leaf { line, error })?);
        }
        _ = leaves.tree.put(put);
        Ok(leaves)
    }

    fn put(&mut self, change: Change) -> Result<(usize, Hash), LeafError> {
        let (place, len, leaf) = (change.leaf, self.leaves.len(), change.to_leaf());
        let subject = leaf.subject.clone();
        if leaf.commit == 0 {
            return Err(LeafError::Empty { subject });
        }
        let hash = leaf.hash();
        if let Some(stands) = self.leaves.get_mut(place) {
            if stands.subject != subject {
                return Err(LeafError::Place { leaf: place, stands: stands.subject.clone(), subject });
            }
            leaf.follows(stands)?;
            self.commits = self.commits - stands.commit + leaf.commit;
            *stands = leaf;
        } else if place == len {
            if let Some(&stands) = self.places.get(&subject) {
                return Err(LeafError::Twice { subject, stands, leaf: place });
            }
            self.commits += leaf.commit;
            self.places.insert(subject, place);
            self.leaves.push(leaf);
        } else {
            return Err(LeafError::Gap { subject, leaf: place, len });
        }
        Ok((place, hash))
    }
}

/// Compares the current heads with the leaves of the last checkpoint.
#[derive(Debug)]
pub struct Survey<'a> {
    leaves: &'a Leaves,
    seen: Vec<bool>,
    moved: Vec<Change>,
    new: BTreeMap<Box<str>, Leaf>,
}

impl<'a> Survey<'a> {
    /// Begins with the leaves of the last checkpoint.
    pub fn of(leaves: &'a Leaves) -> Self {
        Self { leaves, seen: vec![false; leaves.len()], moved: Vec::new(), new: BTreeMap::new() }
    }

    /// Adds a head. Of two heads of one subject, the first counts.
    ///
    /// # Errors
    /// If the change is impossible.
    pub fn see(&mut self, leaf: Leaf) -> Result<(), LeafError> {
        if leaf.commit == 0 {
            return Err(LeafError::Empty { subject: leaf.subject });
        }
        let Some((place, stands)) = self.leaves.find(&leaf.subject) else {
            self.new.entry(leaf.subject.clone()).or_insert(leaf);
            return Ok(());
        };
        leaf.follows(stands)?;
        let seen = self.seen.get_mut(place).is_none_or(|seen| std::mem::replace(seen, true));
        if !seen && leaf != *stands {
            // Shares the subject's name with its leaf.
            let subject = stands.subject.clone();
            self.moved.push(Change { commit: leaf.commit, head: leaf.head, leaf: place, subject });
        }
        Ok(())
    }

    /// The subjects without a head so far.
    pub fn unseen(&self) -> impl Iterator<Item = &'a Leaf> {
        self.leaves.iter().zip(&self.seen).filter(|(_, seen)| !**seen).map(|(leaf, _)| leaf)
    }

    /// The changes.
    ///
    /// # Errors
    /// If a subject has no head.
    pub fn finish(self) -> Result<Vec<Change>, LeafError> {
        if let Some(leaf) = self.unseen().next() {
            return Err(LeafError::Missing { subject: leaf.subject.clone(), commit: leaf.commit });
        }
        let Self { leaves, mut moved, new, .. } = self;
        moved.sort_unstable_by_key(|change| change.leaf);
        moved.extend(new.into_values().zip(leaves.len()..).map(|(leaf, place)| Change {
            commit: leaf.commit,
            head: leaf.head,
            leaf: place,
            subject: leaf.subject,
        }));
        Ok(moved)
    }
}
