//! Reads entries and checks them against the chain: the new ones before they are signed, and all others in
//! turn.
//!
//! The signed heads are stored beside the subjects. A changed entry leaves its head as it is, so that heads
//! show nothing by themselves. So each commit is read, and its links are computed again.

use audit::leaves::{Leaf, Leaves};
use audit::tampering::{Alteration, Report};
use audit::{ChainedCommit, Hash, sha256};
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Store, StoreError};

/// Most new commits that a run reads; the next run reads the rest. An hour has fewer, except during an
/// import.
pub const NEW_COMMITS_MAX: u64 = 150_000;
/// Most signed commits that a run reads again; a history that it begins is read to its end.
pub const OLD_COMMITS_MAX: u64 = 50_000;
/// Histories that are read at once.
const AT_ONCE: usize = 16;
/// Most histories that are remembered as unread; the others are read in their turn.
pub(crate) const UNREAD_MAX: usize = 100_000;
/// Hours of a day.
const DAY_HOURS: u64 = 24;

/// Reads entries.
pub trait Entries {
    /// The commits of a subject after one of them, in order, and whether there are more.
    fn commits_after(
        &self,
        subject: &str,
        commit: u64,
    ) -> impl Future<Output = Result<(Vec<ChainedCommit>, bool), StoreError>> + Send;
}

impl Entries for Store {
    async fn commits_after(
        &self,
        subject: &str,
        commit: u64,
    ) -> Result<(Vec<ChainedCommit>, bool), StoreError> {
        let unreadable =
            |error| StoreError::Corrupt { what: "a subject".to_owned(), source: Some(Box::new(error)) };
        let subject = subject.parse().map_err(unreadable)?;
        Store::commits_after(self, &subject, commit).await
    }
}

/// A part of a history to read: the commits after one of them, up to a head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryRange {
    /// The subject.
    pub subject: Box<str>,
    /// The commit before it; 0 for the beginning.
    pub after: u64,
    /// The head of that commit.
    pub from: Hash,
    /// Its last commit.
    pub until: u64,
    /// The head of that commit.
    pub to: Hash,
}

impl HistoryRange {
    /// From one head of a subject to a later one.
    pub fn between(before: Option<&Leaf>, leaf: Leaf) -> Self {
        let (after, from) = before.map_or((0, Hash::ZERO), |before| (before.commit, before.head));
        Self { subject: leaf.subject, after, from, until: leaf.commit, to: leaf.head }
    }
}

/// The result of reading.
#[derive(Debug, Default)]
pub(crate) struct ReadResult {
    /// The commits that were read.
    pub commits: u64,
    /// The parts that were not read.
    pub unread: Vec<HistoryRange>,
    /// The differences.
    pub altered: Vec<Report>,
}

/// Reads parts of histories, up to about `commits_max` commits; a part that it begins is read to its end.
pub(crate) async fn read<E: Entries + Sync>(
    entries: &E,
    ranges: Vec<HistoryRange>,
    commits_max: u64,
) -> Result<ReadResult, StoreError> {
    let (begun, mut reading) = (AtomicU64::new(0), ReadResult::default());
    let outcomes = futures::stream::iter(ranges).map(async |range| {
        let length = range.until.saturating_sub(range.after);
        if begun.fetch_add(length, Ordering::Relaxed) >= commits_max {
            return Ok((0, Some(range), None));
        }
        follow(entries, &range).await.map(|altered| (length, None, altered))
    });
    let mut outcomes = std::pin::pin!(outcomes.buffer_unordered(AT_ONCE));
    while let Some(outcome) = outcomes.next().await {
        let (commits, unread, altered) = outcome?;
        reading.commits += commits;
        reading.unread.extend(unread);
        reading.altered.extend(altered);
    }
    reading.altered.sort_by_key(Report::name);
    Ok(reading)
}

/// Follows a history from one head to another. Returns a report of the first commit that does not lead to the
/// next.
async fn follow<E: Entries>(entries: &E, range: &HistoryRange) -> Result<Option<Report>, StoreError> {
    let HistoryRange { subject, after, from, until, to } = range;
    let (mut commit, mut head) = (*after, *from);
    let altered = |commit: u64, mark: String| Report {
        subject: subject.to_string(),
        commit: format!("{commit:012}"),
        alteration: Alteration::Altered,
        mark,
    };
    while commit < *until {
        let (page, more) = match entries.commits_after(subject, commit).await {
            Ok(page) => page,
            // The items exist, but Leadwatch did not write them so.
            Err(StoreError::Corrupt { .. }) => return Ok(Some(altered(commit + 1, "unreadable".to_owned()))),
            Err(error) => return Err(error),
        };
        let before = commit;
        for next in page {
            let links = next.links().ok();
            let is_next =
                next.commit == commit + 1 && next.prev == head && *next.subject.to_string() == **subject;
            match links.filter(|links| is_next && links.head == next.head) {
                Some(links) => (commit, head) = (commit + 1, links.head),
                None => return Ok(Some(altered(commit + 1, mark_of(&next)))),
            }
            if commit == *until {
                break;
            }
        }
        if commit == before || (commit < *until && !more) {
            return Ok(Some(altered(commit + 1, "missing".to_owned())));
        }
    }
    Ok((head != *to).then(|| altered(*until, head.to_string())))
}

/// A mark that distinguishes one alteration of a commit from another.
fn mark_of(commit: &ChainedCommit) -> String {
    let text = serde_json::to_string(commit).unwrap_or_default();
    sha256([text.as_bytes()]).to_string()
}

/// The signed histories whose turn it is. Each hour has its own, so that all are read within the given days.
/// A run makes up for missed hours.
pub(crate) fn turn(
    leaves: &Leaves,
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    within_days: u32,
) -> Vec<HistoryRange> {
    let Some(last) = last else { return Vec::new() };
    let turns = u64::from(within_days.max(1)) * DAY_HOURS;
    let hour = |at: DateTime<Utc>| u64::try_from(at.timestamp().div_euclid(3600)).unwrap_or(0);
    let (from, until) = (hour(last), hour(now));
    let missed = until.saturating_sub(from).min(turns);
    let is_due = |subject: &str| {
        // Hours since the subject's turn.
        let back = (until % turns + turns - turn_of(subject, turns)) % turns;
        back < missed
    };
    let due = leaves.iter().filter(|leaf| is_due(&leaf.subject));
    due.map(|leaf| HistoryRange::between(None, leaf.clone())).collect()
}

fn turn_of(subject: &str, turns: u64) -> u64 {
    let hash = sha256([subject.as_bytes()]);
    let start = hash.as_bytes().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    start % turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn leaves(subjects: usize) -> Leaves {
        let mut leaves = Leaves::default();
        let changes = (0..subjects).map(|n| audit::leaves::Change {
            commit: 1,
            head: Hash::ZERO,
            leaf: n,
            subject: format!("lead/L-{n:05}").into(),
        });
        leaves.apply(changes).unwrap();
        leaves
    }

    fn hour(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(n * 3600 + 60, 0).unwrap()
    }

    #[test]
    fn every_history_is_read_again_within_the_days_also_when_hours_are_missed() {
        let leaves = leaves(500);
        for steps in [vec![1; 72], [1, 5, 1, 30, 2, 9].repeat(3)] {
            let (mut at, mut read) = (400_000, BTreeMap::<Box<str>, u32>::new());
            let end = at + 72;
            for step in steps {
                let next = (at + step).min(end);
                for range in turn(&leaves, Some(hour(at)), hour(next), 3) {
                    *read.entry(range.subject).or_default() += 1;
                }
                at = next;
            }
            assert_eq!(at, end);
            assert_eq!(read.len(), 500);
            assert!(read.values().all(|times| *times == 1), "each has one turn");
        }
        assert!(turn(&leaves, None, hour(1), 3).is_empty());
        assert!(turn(&leaves, Some(hour(7)), hour(7), 3).is_empty());
    }
}
