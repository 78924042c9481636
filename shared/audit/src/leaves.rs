//! What a checkpoint covers: each subject's head, a leaf of the tree. A subject keeps its place for
//! ever; those that are new in a checkpoint come behind all others, in their order. So a checkpoint
//! is told by what changed since the one before it, and the tree by all the changes there were.
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

/// How far a subject's history had come, and what it was then. Members are in the order of the
/// canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// Its last commit.
    pub commit: u64,
    /// The seal of that commit.
    pub head: Hash,
    /// Whose history it is, as in `lead/L-1`.
    pub subject: Box<str>,
}

/// A leaf that is new or that moved, at its place: a line of a changes file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its last commit.
    pub commit: u64,
    /// The seal of that commit.
    pub head: Hash,
    /// Its place among the leaves, from 0.
    pub leaf: usize,
    /// Whose history it is.
    pub subject: Box<str>,
}

/// Why leaves cannot have become others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// A history became shorter.
    #[error("`{subject}` went back: commit {before} was there already, now its last is {now}")]
    WentBack {
        /// Whose.
        subject: Box<str>,
        /// Its last commit before.
        before: u64,
        /// Its last commit now.
        now: u64,
    },
    /// The same commit is another one now.
    #[error("`{subject}` forked: its commit {commit} was sealed as {before}, and now is {now}")]
    Forked {
        /// Whose.
        subject: Box<str>,
        /// The commit.
        commit: u64,
        /// Its seal before.
        before: Hash,
        /// Its seal now.
        now: Hash,
    },
    /// A history is not there any more.
    #[error("`{subject}` is missing: its history had {commit} commits")]
    Missing {
        /// Whose.
        subject: Box<str>,
        /// How many.
        commit: u64,
    },
    /// The place of another subject.
    #[error("place {leaf} belongs to `{stands}`, not to `{subject}`")]
    Place {
        /// The place.
        leaf: usize,
        /// Whose it is.
        stands: Box<str>,
        /// Who is put there.
        subject: Box<str>,
    },
    /// A subject that has a place is put at another.
    #[error("`{subject}` has the place {stands} and cannot have {leaf}")]
    Twice {
        /// Whose.
        subject: Box<str>,
        /// Its place.
        stands: usize,
        /// The other one.
        leaf: usize,
    },
    /// A place behind the end, with a gap before it.
    #[error("`{subject}` is put at place {leaf} behind {len} leaves")]
    Gap {
        /// Who is put there.
        subject: Box<str>,
        /// The place.
        leaf: usize,
        /// How many leaves there are.
        len: usize,
    },
    /// Changes that are not by place, or new subjects that are not by name.
    #[error("`{subject}` is not in its order among the changes")]
    Order {
        /// Whose.
        subject: Box<str>,
    },
    /// A history that has no commit.
    #[error("`{subject}` has no commit")]
    Empty {
        /// Whose.
        subject: Box<str>,
    },
}

/// Why a changes file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// A line is not what it should be.
    #[error("line {line} cannot be read")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        error: CanonicalError,
    },
    /// What it says cannot be.
    #[error("line {line} cannot be")]
    Leaf {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        error: LeafError,
    },
    /// Its last line has no end.
    #[error("line {line} ends in the middle")]
    Cut {
        /// Which, from 1.
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
    /// Its line, without the end of it.
    pub fn line(&self) -> String {
        written(self)
    }

    /// The leaf that is put there.
    pub fn to_leaf(&self) -> Leaf {
        Leaf { commit: self.commit, head: self.head, subject: self.subject.clone() }
    }
}

/// Text of a struct whose members stand in canonical order, and hold what has one spelling only.
fn written(value: &impl Serialize) -> String {
    // Strings and integers can always be written.
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
/// A line that is no change in canonical form, or the file ends in the middle of one.
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

/// Reads a line of a changes file, without its end.
///
/// # Errors
/// It is no change in canonical form.
pub fn read_change(line: &str) -> Result<Change, CanonicalError> {
    let change: Change = serde_json::from_str(line)?;
    // Only numbers that every reader holds exactly, and only the one spelling.
    let exact = change.commit <= canonical::INTEGER_MAX;
    if exact && change.line() == line { Ok(change) } else { Err(CanonicalError::Form) }
}

impl Leaves {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// The commits of all histories together.
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

    /// A leaf's way to the root.
    pub fn proof(&self, place: usize) -> Option<Vec<Hash>> {
        self.tree.proof(place)
    }

    /// Every leaf, by place.
    pub fn iter(&self) -> impl Iterator<Item = &Leaf> {
        self.leaves.iter()
    }

    /// All leaves as changes of nothing.
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
    /// What they say cannot be: with its line, the first of its kind. The leaves are of no use then.
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

    /// Reads a full list of leaves, such as was kept to begin with the next time: the text of their
    /// changes from nothing. The new ones of many checkpoints are in it, so that names need not be
    /// in order.
    ///
    /// # Errors
    /// A line that is no change, or one that cannot be.
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

/// The heads as they are now, held against the leaves of the last checkpoint.
#[derive(Debug)]
pub struct Survey<'a> {
    leaves: &'a Leaves,
    seen: Vec<bool>,
    moved: Vec<Change>,
    new: BTreeMap<Box<str>, Leaf>,
}

impl<'a> Survey<'a> {
    /// Begins.
    pub fn of(leaves: &'a Leaves) -> Self {
        Self { leaves, seen: vec![false; leaves.len()], moved: Vec::new(), new: BTreeMap::new() }
    }

    /// Takes a head in. One that is seen twice counts as it was seen first.
    ///
    /// # Errors
    /// It cannot have become this.
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
            // One name is held once, however often it moves.
            let subject = stands.subject.clone();
            self.moved.push(Change { commit: leaf.commit, head: leaf.head, leaf: place, subject });
        }
        Ok(())
    }

    /// The subjects that were not seen.
    pub fn unseen(&self) -> impl Iterator<Item = &'a Leaf> {
        self.leaves.iter().zip(&self.seen).filter(|(_, seen)| !**seen).map(|(leaf, _)| leaf)
    }

    /// What changed.
    ///
    /// # Errors
    /// A subject was not seen.
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
