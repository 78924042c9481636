//! Decides recorded commits again with the real `decide`: on the replayed lead, under the recorded revisions,
//! with what the decision saw, at the recorded time. The entries are the same as the recorded ones, or the
//! replay says where they differ.

use chrono::{DateTime, Utc};
use policy::InForce;
use policy::ids::{PersonId, Subject};
use rules::account::{Account, AccountCommand, AccountFact};
use rules::aggregate::{Aggregate, Decision, Defect};
use rules::ask;
use rules::ask::AskError;
use rules::entry::Entry;
use rules::lead::{Command, Input, Lead, LeadFact, wake_at};
use rules::outcome::Outcome;
use rules::record::{CommitRecord, Recorded};
use rules::rep::{RepCommand, RepFact};
use rules::roster::Standing;
use rules::world::{Missing, Past, World};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Why a record cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The record names a revision that it does not contain.
    #[error("{subject}, commit {commit}: {what} revision {revision} is not in the record")]
    UnknownRevision {
        /// The subject.
        subject: Subject,
        /// The commit.
        commit: u64,
        /// `policy` or `directory`.
        what: &'static str,
        /// The revision.
        revision: u32,
    },
    /// This version cannot read the input or the entries.
    #[error("{subject}, commit {commit} cannot be read")]
    Unreadable {
        /// The subject.
        subject: Subject,
        /// The commit.
        commit: u64,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The rules fail on it.
    #[error("{subject}, commit {commit} cannot be replayed")]
    Defect {
        /// The subject.
        subject: Subject,
        /// The commit.
        commit: u64,
        /// The failure.
        #[source]
        source: Defect,
    },
    /// An earlier commit is missing.
    #[error("{subject}: commit {commit} follows commit {after}; the commits between them are missing")]
    Gap {
        /// The subject.
        subject: Subject,
        /// The commit.
        commit: u64,
        /// The last commit before it, or 0.
        after: u64,
    },
}

/// A replayed decision that differs from the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The subject.
    pub subject: Subject,
    /// The commit.
    pub commit: u64,
    /// When the commit was decided.
    pub recorded_at: DateTime<Utc>,
    /// What differs.
    pub why: String,
}

/// A replayed commit, with its subject after it according to the record.
#[derive(Debug, Clone)]
pub struct Replayed<A, F> {
    /// The subject after it.
    pub after: A,
    /// The recorded entries.
    pub entries: Vec<Entry<F>>,
    /// When the subject is due next.
    pub wake_at: Option<DateTime<Utc>>,
    /// Where the replayed decision differs.
    pub difference: Option<Difference>,
    /// The outcome of the input. `None` if the input was not recorded.
    pub outcome: Option<Outcome>,
}

/// Replays commits under the published revisions.
#[derive(Debug, Clone)]
pub struct Replay {
    revisions: Arc<Past>,
}

impl Replay {
    /// A replay under these revisions.
    pub fn new(revisions: Arc<Past>) -> Self {
        Self { revisions }
    }

    /// The command of a lead's record. `None` if its input was not recorded.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn command(record: &CommitRecord) -> Result<Option<Command>, ReplayError> {
        let (Some(recorded), Subject::Lead(lead)) = (&record.recorded, &record.subject) else {
            return Ok(None);
        };
        let input: Input = recorded.input().map_err(|source| unreadable(record, source))?;
        let (lead, cause) = (lead.clone(), record.cause.clone());
        Ok(Some(Command { lead, actor: recorded.actor.clone(), cause, input }))
    }

    /// The command of an account's record. `None` if its input was not recorded.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn account_command(record: &CommitRecord) -> Result<Option<AccountCommand>, ReplayError> {
        let (Some(recorded), Subject::Account(account)) = (&record.recorded, &record.subject) else {
            return Ok(None);
        };
        let input = recorded.input().map_err(|source| unreadable(record, source))?;
        let (account, cause) = (account.clone(), record.cause.clone());
        Ok(Some(AccountCommand { account, actor: recorded.actor.clone(), cause, input }))
    }

    /// Replays a lead's commit.
    ///
    /// # Errors
    /// A record that cannot be replayed.
    pub fn lead(
        &self,
        before: Option<&Lead>,
        record: &CommitRecord,
        command: Option<&Command>,
    ) -> Result<Replayed<Lead, LeadFact>, ReplayError> {
        check_order(before.map_or(0, |lead| lead.commit), record)?;
        let (mut why, mut outcome) = (None, None);
        if let (Some(recorded), Some(command)) = (&record.recorded, command) {
            let mut world = self.world(record, recorded)?;
            world.rosters = recorded.saw.rosters();
            world.accounts.clone_from(&recorded.saw.accounts);
            match decide_again(before, world, command, record)? {
                Ok(Decision { outcome: decided, entries, changed, wake_at, .. }) => {
                    outcome = Some(decided);
                    why = difference(record, &entries)?;
                    if let (None, Some(after)) = (&why, changed) {
                        return Ok(Replayed { after: *after, entries, wake_at, difference: None, outcome });
                    }
                }
                Err(missing) => {
                    outcome = Some(Outcome::Unchanged);
                    why = Some(format!("the record lacks what the decision saw: {missing:?}"));
                }
            }
        }
        let entries: Vec<Entry<LeadFact>> = record.entries().map_err(|source| unreadable(record, source))?;
        let mut lead = before.cloned();
        for entry in &entries {
            lead = Some(Lead::evolve(lead, entry).map_err(|_| gap(before.map_or(0, |l| l.commit), record))?);
        }
        let after = lead.ok_or_else(|| gap(0, record))?;
        let wake_at = match &record.recorded {
            Some(recorded) => wake_at(&after, &self.world(record, recorded)?.rules),
            None => None,
        };
        let difference = why.map(|why| differs(record, why));
        Ok(Replayed { after, entries, wake_at, difference, outcome })
    }

    /// Replays an account's commit.
    ///
    /// # Errors
    /// A record that cannot be replayed.
    pub fn account(
        &self,
        before: Option<&Account>,
        record: &CommitRecord,
        command: Option<&AccountCommand>,
    ) -> Result<Replayed<Account, AccountFact>, ReplayError> {
        check_order(before.map_or(0, |account| account.commit), record)?;
        let (mut why, mut outcome) = (None, None);
        if let (Some(recorded), Some(command)) = (&record.recorded, command) {
            match decide_again(before, self.world(record, recorded)?, command, record)? {
                Ok(Decision { outcome: decided, entries, changed, wake_at, .. }) => {
                    outcome = Some(decided);
                    why = difference(record, &entries)?;
                    if let (None, Some(after)) = (&why, changed) {
                        return Ok(Replayed { after: *after, entries, wake_at, difference: None, outcome });
                    }
                }
                Err(missing) => why = Some(format!("the record lacks what the decision saw: {missing:?}")),
            }
        }
        let entries: Vec<Entry<AccountFact>> =
            record.entries().map_err(|source| unreadable(record, source))?;
        let mut account = before.cloned();
        for entry in &entries {
            let gap = |_| gap(before.map_or(0, |a| a.commit), record);
            account = Some(Account::evolve(account, entry).map_err(gap)?);
        }
        let after = account.ok_or_else(|| gap(0, record))?;
        let (wake_at, difference) = (after.wake_at(), why.map(|why| differs(record, why)));
        Ok(Replayed { after, entries, wake_at, difference, outcome })
    }

    /// Replays a rep's commit.
    ///
    /// # Errors
    /// A record that cannot be replayed.
    pub fn rep(
        &self,
        rep: &PersonId,
        before: &Standing,
        record: &CommitRecord,
    ) -> Result<Replayed<Standing, RepFact>, ReplayError> {
        check_order(before.commit, record)?;
        let mut why = None;
        if let Some(recorded) = &record.recorded {
            let command = RepCommand {
                rep: rep.clone(),
                actor: recorded.actor.clone(),
                cause: record.cause.clone(),
                input: recorded.input().map_err(|source| unreadable(record, source))?,
            };
            match decide_again(Some(before), self.world(record, recorded)?, &command, record)? {
                Ok(Decision { entries, .. }) => why = difference(record, &entries)?,
                Err(missing) => why = Some(format!("the record lacks what the decision saw: {missing:?}")),
            }
        }
        let entries: Vec<Entry<RepFact>> = record.entries().map_err(|source| unreadable(record, source))?;
        let mut after = before.clone();
        for entry in &entries {
            after = Standing::evolve(Some(after), entry).map_err(|_| gap(before.commit, record))?;
        }
        let outcome = record.recorded.as_ref().map(|_| Outcome::Applied);
        let difference = why.map(|why| differs(record, why));
        Ok(Replayed { after, entries, wake_at: None, difference, outcome })
    }

    /// The world of a record, without teams and accounts.
    fn world(&self, record: &CommitRecord, recorded: &Recorded) -> Result<World, ReplayError> {
        let unknown = |what, revision| ReplayError::UnknownRevision {
            subject: record.subject.clone(),
            commit: record.commit,
            what,
            revision,
        };
        let in_force = InForce { policy: recorded.policy_revision, directory: recorded.directory_revision };
        let rules = self.revisions.rules_of(in_force).ok_or_else(|| {
            if self.revisions.policies.contains_key(&in_force.policy) {
                unknown("directory", in_force.directory)
            } else {
                unknown("policy", in_force.policy)
            }
        })?;
        Ok(World { past: Arc::clone(&self.revisions), ..World::new(rules) })
    }
}

/// Decides a recorded command again. The inner error is what the record lacks for it.
fn decide_again<A: Aggregate>(
    before: Option<&A>,
    mut world: World,
    command: &A::Command,
    record: &CommitRecord,
) -> Result<Result<Decision<A>, Missing>, ReplayError> {
    let read = |missing| Err(missing);
    match ask::decide_at_once(before, &mut world, command, record.recorded_at, read) {
        Ok(decision) => Ok(Ok(decision)),
        Err(AskError::Read(missing)) => Ok(Err(missing)),
        Err(AskError::Defect(source)) => {
            let (subject, commit) = (record.subject.clone(), record.commit);
            Err(ReplayError::Defect { subject, commit, source })
        }
    }
}

fn check_order(after: u64, record: &CommitRecord) -> Result<(), ReplayError> {
    if record.commit == after.saturating_add(1) { Ok(()) } else { Err(gap(after, record)) }
}

pub(crate) fn gap(after: u64, record: &CommitRecord) -> ReplayError {
    ReplayError::Gap { subject: record.subject.clone(), commit: record.commit, after }
}

pub(crate) fn unreadable(record: &CommitRecord, source: serde_json::Error) -> ReplayError {
    ReplayError::Unreadable { subject: record.subject.clone(), commit: record.commit, source }
}

fn differs(record: &CommitRecord, why: String) -> Difference {
    let (subject, commit, recorded_at) = (record.subject.clone(), record.commit, record.recorded_at);
    Difference { subject, commit, recorded_at, why }
}

/// Where entries differ from the recorded ones. `None` if they are equal. Personal data does not count,
/// because it can be sealed or erased.
fn difference<F: Serialize + DeserializeOwned>(
    record: &CommitRecord,
    entries: &[Entry<F>],
) -> Result<Option<String>, ReplayError> {
    let json = serde_json::to_string(entries).map_err(|source| unreadable(record, source))?;
    // The same code wrote both, so equal entries have equal text. Nearly every commit is equal.
    if json == record.entries.get() {
        return Ok(None);
    }
    let read = |text: &str| -> Result<Vec<Value>, ReplayError> {
        let mut values: Vec<Value> =
            serde_json::from_str(text).map_err(|source| unreadable(record, source))?;
        for value in &mut values {
            if let Some(data) = value.get_mut("data").and_then(Value::as_object_mut) {
                data.remove("personal");
            }
        }
        Ok(values)
    };
    let (recorded, replayed) = (read(record.entries.get())?, read(&json)?);
    for (n, pair) in (1..).zip(recorded.iter().zip(&replayed)) {
        let kind = pair.0.get("type").and_then(Value::as_str).unwrap_or_default();
        if let Some(why) = first_difference(kind, "", pair.0, pair.1) {
            return Ok(Some(format!("entry {n} of {}, {kind}: {why}", recorded.len())));
        }
    }
    Ok((recorded.len() != replayed.len())
        .then(|| format!("the record has {} entries, the replay {}", recorded.len(), replayed.len())))
}

/// Explanations for people, by the type of the entry and the path. Releases may word them differently, and no
/// decision reads them, so another wording is not another history.
const EXPLANATIONS: [(&str, &str); 5] = [
    ("input.refused", "/data/why"),
    ("notification.requested", "/data/particulars/reasons"),
    ("notification.withdrawn", "/data/reason"),
    ("outreach.resumed", "/data/reason"),
    ("churn.cleared", "/data/reason"),
];

fn first_difference(kind: &str, path: &str, recorded: &Value, replayed: &Value) -> Option<String> {
    match (recorded, replayed) {
        (Value::String(_), Value::String(_)) if EXPLANATIONS.contains(&(kind, path)) => None,
        (Value::Array(a), Value::Array(b)) if EXPLANATIONS.contains(&(kind, path)) && a.len() == b.len() => {
            None
        }
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.into_iter().find_map(|key| {
                let absent = Value::Null;
                let (a, b) = (a.get(key).unwrap_or(&absent), b.get(key).unwrap_or(&absent));
                first_difference(kind, &format!("{path}/{key}"), a, b)
            })
        }
        _ => (recorded != replayed).then(|| format!("{path} is {recorded} in the record, {replayed} now")),
    }
}
