//! Reads the series of checkpoints and checks each against its signature, the previous one and its changes. It keeps what
//! they say about each history, to compare it with the export.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use audit::Hash;
use audit::checkpoint::{self, Checkpoint, Envelope};
use audit::leaves::{Change, Leaves, read_change};
use audit::signature::PublicKey;
use chrono::{DateTime, Utc};

use super::finding::{Findings, Place, Problem};
use crate::audit::checkpoint_dir::CheckpointDir;
use crate::audit::lines::{LineError, Lines};
use crate::audit::sort::{Merged, Sorter, place_key};

/// A valid checkpoint.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Its hash, which the next one names.
    pub hash: Hash,
}

/// The valid checkpoints, and what they say.
#[derive(Debug)]
pub struct Series {
    /// Each by number, without gaps.
    pub known: BTreeMap<u64, Known>,
    /// The last one, as it was signed.
    pub last: Envelope,
    /// The leaves of the last one; `None` if the series does not begin with checkpoint 1.
    pub leaves: Option<Leaves>,
    /// Their claims about histories, by subject and commit.
    pub claims: Claims,
}

/// The claims of checkpoints, by subject and commit.
#[derive(Debug)]
pub struct Claims {
    merged: Merged,
    next: Option<Claim>,
}

/// The claim of a checkpoint about a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The subject.
    pub subject: String,
    /// Its last commit.
    pub commit: u64,
    /// The seal of that commit.
    pub head: Hash,
    /// The checkpoint.
    pub checkpoint: u64,
}

impl Claims {
    fn of(mut merged: Merged) -> anyhow::Result<Self> {
        let next = read_claim(&mut merged)?;
        Ok(Self { merged, next })
    }

    /// The next claim.
    pub fn peek(&self) -> Option<&Claim> {
        self.next.as_ref()
    }

    /// Removes the next claim.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn take(&mut self) -> anyhow::Result<Option<Claim>> {
        let next = read_claim(&mut self.merged)?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}

fn read_claim(merged: &mut Merged) -> anyhow::Result<Option<Claim>> {
    let Some((key, text)) = merged.next()? else { return Ok(None) };
    let change: Change = read_change(&text).context("a temporary file was changed")?;
    let checkpoint = key.last_chunk().copied().map(u64::from_be_bytes).unwrap_or_default();
    let Change { commit, head, subject, .. } = change;
    Ok(Some(Claim { subject: subject.into(), commit, head, checkpoint }))
}

/// Reads a public key.
///
/// # Errors
/// When the file cannot be read or is not a key.
pub fn key(file: &Path) -> anyhow::Result<PublicKey> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    PublicKey::from_pem(&text).with_context(|| format!("{name} is not a public key (PEM)"))
}

/// Reads the checkpoints in a directory up to the first one that is not valid; `None` if none is valid. They must be of
/// `deployment`, if it is known.
///
/// # Errors
/// When the directory or a file cannot be read.
pub fn read(
    directory: &Path,
    key: &PublicKey,
    deployment: Option<&str>,
    findings: &mut Findings,
) -> anyhow::Result<Option<Series>> {
    let mut reading = Reading {
        directory,
        key,
        deployment,
        known: BTreeMap::new(),
        last: None,
        leaves: Some(Leaves::default()),
        claims: Sorter::default(),
    };
    let inside = directory.join(checkpoint::CHECKPOINTS);
    let numbers = CheckpointDir::new(directory).numbers();
    for number in
        numbers.with_context(|| format!("cannot read {}, where checkpoints belong", inside.display()))?
    {
        match reading.take(number)? {
            Ok(()) => {}
            Err((file, line, why)) => {
                let place = Place { file: Some(file.display().to_string()), line, ..Place::default() };
                findings.add(place, Problem::Checkpoint { why });
                break;
            }
        }
    }
    let Reading { known, last, leaves, claims, .. } = reading;
    let Some(last) = last else {
        if findings.count == 0 {
            let file = Some(inside.display().to_string());
            let why = "there is no checkpoint: they were removed, or none was made".to_owned();
            findings.add(Place { file, ..Place::default() }, Problem::Checkpoint { why });
        }
        return Ok(None);
    };
    Ok(Some(Series { known, last, leaves, claims: Claims::of(claims.finish()?)? }))
}

/// The problem of a file, with its line.
type Bad = (PathBuf, Option<u64>, String);

struct Reading<'a> {
    directory: &'a Path,
    key: &'a PublicKey,
    deployment: Option<&'a str>,
    known: BTreeMap<u64, Known>,
    last: Option<Envelope>,
    leaves: Option<Leaves>,
    claims: Sorter,
}

impl Reading<'_> {
    fn take(&mut self, number: u64) -> anyhow::Result<Result<(), Bad>> {
        let file = self.directory.join(checkpoint::path(number));
        let envelope = match envelope(&file)? {
            Ok(envelope) => envelope,
            Err(why) => return Ok(Err((file, None, why))),
        };
        if let Err(why) = self.follows(&envelope, number) {
            return Ok(Err((file, None, why)));
        }
        let changes = match self.changes(&envelope.checkpoint)? {
            Ok(changes) => changes,
            Err(bad) => return Ok(Err(bad)),
        };
        for change in &changes {
            let mut key = place_key(&change.subject, change.commit);
            key.extend(number.to_be_bytes());
            self.claims.push(key, change.line())?;
        }
        if let Some(leaves) = &mut self.leaves {
            if let Err(error) = leaves.apply(changes) {
                let file = self.directory.join(envelope.checkpoint.changes_path());
                return Ok(Err((file, None, with_causes(error))));
            }
            if let Err(error) = envelope.checkpoint.covers(leaves) {
                return Ok(Err((file, None, with_causes(error))));
            }
        }
        let known = Known { at: envelope.checkpoint.at, hash: envelope.checkpoint.hash()? };
        self.known.insert(number, known);
        self.last = Some(envelope);
        Ok(Ok(()))
    }

    fn follows(&mut self, envelope: &Envelope, number: u64) -> Result<(), String> {
        let checkpoint = &envelope.checkpoint;
        if checkpoint.number != number {
            return Err(format!("the file has checkpoint {}", checkpoint.number));
        }
        if let Some(deployment) = self.deployment.filter(|of| **of != checkpoint.deployment) {
            let found = &checkpoint.deployment;
            return Err(format!("it is of the deployment `{found}`, and the export is of `{deployment}`"));
        }
        envelope.verify(self.key).map_err(with_causes)?;
        match &self.last {
            // The series begins later: the leaves before it are unknown.
            None if number > 1 => self.leaves = None,
            last => {
                let last = last.as_ref().map(|last| &last.checkpoint);
                checkpoint.follows(last).map_err(with_causes)?;
            }
        }
        Ok(())
    }

    /// Reads the changes of a checkpoint and checks their hash.
    fn changes(&self, checkpoint: &Checkpoint) -> anyhow::Result<Result<Vec<Change>, Bad>> {
        let file = self.directory.join(checkpoint.changes_path());
        let input = match File::open(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let why = format!("the changes of checkpoint {} are missing", checkpoint.number);
                return Ok(Err((file, None, why)));
            }
            opened => opened.with_context(|| format!("cannot read {}", file.display()))?,
        };
        let mut lines = Lines::new(BufReader::with_capacity(1 << 20, input));
        let mut changes = Vec::new();
        loop {
            let line = match lines.next() {
                Ok(Some(line)) => read_change(line).map_err(with_causes),
                Ok(None) => break,
                Err(LineError::Io(error)) => {
                    return Err(error).with_context(|| format!("cannot read {}", file.display()));
                }
                Err(error) => Err(error.to_string()),
            };
            match line {
                Ok(change) => changes.push(change),
                Err(why) => return Ok(Err((file, Some(lines.number()), why))),
            }
        }
        let found = lines.hash_before();
        if found != checkpoint.changes {
            let why = format!(
                "the file was changed: its hash is {found}, and checkpoint {} says {}",
                checkpoint.number, checkpoint.changes
            );
            return Ok(Err((file, None, why)));
        }
        Ok(Ok(changes))
    }
}

/// Reads a checkpoint's file. The inner error says why it is not valid.
///
/// # Errors
/// When the file cannot be read.
pub fn envelope(file: &Path) -> anyhow::Result<Result<Envelope, String>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) => Envelope::read(text).map_err(with_causes),
        Err(_) => Err("the file is not UTF-8: it was changed".to_owned()),
    })
}

/// An error with its causes, on one line.
pub fn with_causes(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

/// Checks that the series has a checkpoint that was seen before.
///
/// # Errors
/// When it has another one, or none.
pub fn last_seen(seen: &Envelope, key: &PublicKey, series: &Series) -> Result<(), Problem> {
    seen.verify(key).map_err(|error| Problem::Checkpoint { why: with_causes(error) })?;
    let number = seen.checkpoint.number;
    let rolled_back = |why: String| Err(Problem::RolledBack { number, why });
    let last = series.last.checkpoint.number;
    match series.known.get(&number) {
        Some(known) if seen.checkpoint.hash().is_ok_and(|hash| hash == known.hash) => Ok(()),
        Some(_) => rolled_back("another checkpoint has its number now".to_owned()),
        None if number > last => rolled_back(format!("the series ends with {last}")),
        None => rolled_back("the series begins after it".to_owned()),
    }
}
