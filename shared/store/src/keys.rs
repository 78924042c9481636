//! The keys of the tables, and the sortable text forms in them.

use crate::attributes::{PK, SK};
use crate::error::StoreError;
use crate::item::{Item, get_text, text};
use chrono::{DateTime, SecondsFormat, TimeDelta, Timelike, Utc};
use policy::ids::{AccountId, LeadId, NotificationId, PersonId, PublicationId, Subject};

/// Partitions of the due index. Many leads fall due at the same time (Monday, 09:00), and one partition takes
/// 1,000 writes a second. The index of heads has as many.
pub const DUE_SHARDS: u8 = 8;

/// How many items hold the pointer to what is in force. DynamoDB reads one item 3,000 times a second.
const POINTER_COPIES: u8 = 4;

/// The digits of commit and revision numbers in keys, which make them sortable.
const COMMIT_DIGITS: usize = 12;
const REVISION_DIGITS: usize = 10;

/// An item's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    /// Reads the key of an item.
    pub fn of(item: &Item) -> Result<Self, StoreError> {
        Ok(Self { pk: get_text(item, PK)?.to_owned(), sk: get_text(item, SK)?.to_owned() })
    }

    pub fn lead(id: &LeadId) -> Self {
        Self::new(format!("LEAD#{id}"), "LEAD")
    }

    pub fn account(id: &AccountId) -> Self {
        Self::new(format!("ACCOUNT#{id}"), "ACCOUNT")
    }

    /// A rep's item is independent of their team, so that a directory that moves a rep moves no item.
    pub fn rep(rep: &PersonId) -> Self {
        Self::new(format!("REP#{rep}"), "REP")
    }

    pub fn outbox(id: &NotificationId) -> Self {
        Self::new(format!("OUTBOX#{id}"), "OUTBOX")
    }

    pub fn seen(dedupe: &str) -> Self {
        Self::new(format!("SEEN#{dedupe}"), "SEEN")
    }

    pub fn publication(id: &PublicationId) -> Self {
        Self::new(format!("PUBLICATION#{id}"), "PUBLICATION")
    }

    pub fn progress(id: &PublicationId) -> Self {
        Self::new(format!("PUBLICATION#{id}"), "PROGRESS")
    }

    pub fn sweep_cursor() -> Self {
        Self::new("SWEEP".to_owned(), "CURSOR")
    }

    pub fn current(series: &str) -> Self {
        Self::new(series.to_owned(), "CURRENT")
    }

    /// A copy of the pointer to the current revision. Each commit reads the copy that its subject's key names, so
    /// that no single item limits how many commits a second the table takes.
    pub fn pointer_for(&self, series: &str) -> Self {
        match shard(&self.pk) % POINTER_COPIES {
            0 => Self::current(series),
            copy => Self::pointer_copy(series, copy),
        }
    }

    /// The copies of the pointer beside the pointer itself.
    pub fn pointer_copies(series: &str) -> impl Iterator<Item = Self> {
        (1..POINTER_COPIES).map(move |copy| Self::pointer_copy(series, copy))
    }

    fn pointer_copy(series: &str, copy: u8) -> Self {
        Self::new(series.to_owned(), format!("CURRENT#{copy}"))
    }

    pub fn revision(series: &str, revision: u32) -> Self {
        Self::new(series.to_owned(), format!("REV#{revision:0width$}", width = REVISION_DIGITS))
    }

    pub fn audit(subject: &Subject, commit: u64) -> Self {
        Self::new(subject.to_string(), commit_sk(commit))
    }

    /// The key of a subject's data key, which is in its own table.
    pub fn data_key(subject: &Subject) -> Self {
        Self::new(format!("KEY#{subject}"), "KEY")
    }

    /// The key of the tombstone of a destroyed data key. The tombstone is an item of its own, so that a role
    /// that may create keys cannot mark one as destroyed, and a replaced key remains visible as a
    /// replacement.
    pub fn tombstone(subject: &Subject) -> Self {
        Self::new(format!("ERASED#{subject}"), "ERASED")
    }

    pub fn attributes(&self) -> Item {
        Item::from([(PK.to_owned(), text(&self.pk)), (SK.to_owned(), text(&self.sk))])
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.pk, self.sk)
    }
}

pub(crate) fn commit_sk(commit: u64) -> String {
    format!("{commit:0width$}", width = COMMIT_DIGITS)
}

/// A time as the sort key of an index, with a fixed width so that it sorts. Rounded up to the millisecond,
/// because a wake must never come early.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    let over = i64::from(at.nanosecond() % 1_000_000);
    let up = if over == 0 { 0 } else { 1_000_000 - over };
    at.checked_add_signed(TimeDelta::nanoseconds(up))
        .unwrap_or(at)
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The due index's partition for an item: FNV-1a over its key, the same on every machine and in every
/// version.
pub(crate) fn due_shard(pk: &str) -> String {
    shard_name(shard(pk))
}

/// The partition of the index of heads for a subject.
pub(crate) fn head_shard(subject: &str) -> String {
    head_shard_name(shard(subject))
}

pub(crate) fn head_shard_name(shard: u8) -> String {
    format!("HEAD#{shard}")
}

fn shard(key: &str) -> u8 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash % u64::from(DUE_SHARDS)) as u8
}

pub(crate) fn shard_name(shard: u8) -> String {
    format!("DUE#{shard}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_rounded_up_and_sort_as_text() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(instant(at("2026-03-02T14:00:00Z")), "2026-03-02T14:00:00.000Z");
        assert_eq!(instant(at("2026-03-02T14:00:00.0000001Z")), "2026-03-02T14:00:00.001Z");
        assert_eq!(instant(at("2026-03-02T13:59:59.999500Z")), "2026-03-02T14:00:00.000Z");
    }

    #[test]
    fn leads_spread_over_all_shards() {
        let mut counts = std::collections::BTreeMap::new();
        for n in 0..800 {
            *counts.entry(due_shard(&format!("LEAD#L-{n}"))).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), usize::from(DUE_SHARDS));
        assert!(counts.values().all(|n| (60..=140).contains(n)), "{counts:?}");
    }
}
