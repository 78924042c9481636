//! What falls due: each item's key in the due index, and what a sweep needs.

use crate::attributes::{PK, VERSION};
use crate::error::StoreError;
use crate::item::{Item, find_instant, find_text, get_instant, get_text, number, text};
use crate::keys::{DUE_SHARDS, Key, due_shard, instant, shard_name};
use crate::request::{failed, held};
use crate::schema::DUE;
use crate::store::Store;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use policy::ids::{AccountId, LeadId, NotificationId, PersonId, PublicationId, Subject};
use std::collections::{BTreeMap, HashMap};

/// Most items of each shard that one page reads.
const SHARD_PAGE: i32 = 100;

/// When the item was last sent to the queue again.
const HANDED_AT: &str = "handed_at";

/// An item's key in the due index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DueKey {
    pub wake_at: DateTime<Utc>,
    /// When the item was last sent to the queue again, if ever.
    pub handed_at: Option<DateTime<Utc>>,
}

impl DueKey {
    /// A key whose item was not sent again yet.
    pub fn at(wake_at: DateTime<Utc>) -> Self {
        Self { wake_at, handed_at: None }
    }
}

/// An item that falls due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueItem {
    /// The subject.
    pub subject: DueSubject,
    /// When it falls due.
    pub wake_at: DateTime<Utc>,
    /// When it was last marked as sent again.
    pub handed_at: Option<DateTime<Utc>>,
}

/// What can fall due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueSubject {
    /// A lead with a timer.
    Lead(LeadId),
    /// An account with a timer.
    Account(AccountId),
    /// A notification that was not delivered within its lease.
    Outbox(NotificationId),
    /// A publication that has not reached all affected leads.
    Publication(PublicationId),
    /// A rep to check.
    Rep(PersonId),
}

impl DueSubject {
    fn key(&self) -> Key {
        match self {
            Self::Lead(id) => Key::lead(id),
            Self::Account(id) => Key::account(id),
            Self::Outbox(id) => Key::outbox(id),
            Self::Publication(id) => Key::publication(id),
            Self::Rep(id) => Key::rep(id),
        }
    }

    fn from_pk(pk: &str) -> Option<Self> {
        match pk.split_once('#')? {
            ("LEAD", id) => Some(Self::Lead(id.into())),
            ("ACCOUNT", id) => Some(Self::Account(id.into())),
            ("REP", id) => Some(Self::Rep(id.into())),
            ("OUTBOX", id) => Some(Self::Outbox(id.into())),
            ("PUBLICATION", id) => match id.parse() {
                Ok(Subject::Publication(id)) => Some(Self::Publication(id)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A page of what falls due.
#[derive(Debug, Clone)]
pub struct DuePage {
    /// The items, in order of time.
    pub items: Vec<DueItem>,
    /// Where to continue; `None` at the end.
    pub next: Option<DueCursor>,
    /// This page and the ones before it contain everything up to this time.
    pub complete_until: DateTime<Utc>,
}

/// The position in every shard of the due index.
#[derive(Debug, Clone)]
pub struct DueCursor(BTreeMap<u8, HashMap<String, AttributeValue>>);

impl Store {
    /// What falls due after one time (from the beginning, without one) and until another: a page over all
    /// shards, which are read in parallel. The index is slightly behind its items.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn due(
        &self,
        after: Option<DateTime<Utc>>,
        until: DateTime<Utc>,
        cursor: Option<&DueCursor>,
    ) -> Result<DuePage, StoreError> {
        let from = after.map_or_else(
            || "0".to_owned(),
            |after| instant(after.checked_add_signed(TimeDelta::milliseconds(1)).unwrap_or(after)),
        );
        let until_key = instant_before(until);
        if from > until_key {
            return Ok(DuePage { items: Vec::new(), next: None, complete_until: until });
        }
        let shards = (0..DUE_SHARDS).filter_map(|shard| match cursor {
            None => Some((shard, None)),
            Some(DueCursor(places)) => places.get(&shard).map(|place| (shard, Some(place.clone()))),
        });
        let reads = shards.map(|(shard, place)| self.due_in(shard, &from, &until_key, place));
        let mut items = Vec::new();
        let mut next = BTreeMap::new();
        let mut complete_until = until;
        for (shard, found, place) in futures::future::try_join_all(reads).await? {
            if let Some(place) = place {
                let reached = found.last().map(|item: &DueItem| item.wake_at - TimeDelta::milliseconds(1));
                complete_until = complete_until.min(reached.unwrap_or(complete_until));
                next.insert(shard, place);
            }
            items.extend(found);
        }
        items.sort_by(|a, b| (a.wake_at, &a.subject).cmp(&(b.wake_at, &b.subject)));
        let next = (!next.is_empty()).then_some(DueCursor(next));
        Ok(DuePage { items, next, complete_until })
    }

    async fn due_in(
        &self,
        shard: u8,
        from: &str,
        until: &str,
        place: Option<HashMap<String, AttributeValue>>,
    ) -> Result<(u8, Vec<DueItem>, Option<HashMap<String, AttributeValue>>), StoreError> {
        let answer = self
            .client()
            .query()
            .table_name(self.leads_table())
            .index_name(DUE.name)
            .key_condition_expression("#shard = :shard AND #wake BETWEEN :from AND :until")
            .expression_attribute_names("#shard", DUE.partition)
            .expression_attribute_names("#wake", DUE.sort)
            .expression_attribute_values(":shard", text(shard_name(shard)))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":until", text(until))
            .set_exclusive_start_key(place)
            .limit(SHARD_PAGE)
            .send()
            .await
            .map_err(failed)?;
        let mut found = Vec::new();
        for item in answer.items.into_iter().flatten() {
            let subject = DueSubject::from_pk(get_text(&item, PK)?)
                .ok_or_else(|| StoreError::corrupt("an item of the due index"))?;
            let wake_at = get_instant(&item, DUE.sort)?;
            found.push(DueItem { subject, wake_at, handed_at: find_instant(&item, HANDED_AT)? });
        }
        Ok((shard, found, answer.last_evaluated_key.filter(|key| !key.is_empty())))
    }

    /// Marks an overdue item as sent again. Returns whether its due key was unchanged.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn mark_handed(&self, item: &DueItem, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let sent = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(item.subject.key().attributes()))
            .update_expression(format!("SET {HANDED_AT} = :at"))
            .condition_expression("#wake = :wake")
            .expression_attribute_names("#wake", DUE.sort)
            .expression_attribute_values(":at", text(instant(at)))
            .expression_attribute_values(":wake", text(instant(item.wake_at)))
            .send()
            .await;
        held(sent)
    }

    /// Leases a due notification to the queue for a period. Returns whether its due key was unchanged: if two
    /// sweeps see it at once, only one gets the lease.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn lease_found(
        &self,
        item: &DueItem,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let sent = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(item.subject.key().attributes()))
            .update_expression(format!("SET #wake = :until, {HANDED_AT} = :from"))
            .condition_expression("#wake = :wake")
            .expression_attribute_names("#wake", DUE.sort)
            .expression_attribute_values(":until", text(instant(until)))
            .expression_attribute_values(":from", text(instant(from)))
            .expression_attribute_values(":wake", text(instant(item.wake_at)))
            .send()
            .await;
        held(sent)
    }

    /// Moves the due key of a lead, an account or a rep after a wake that had nothing to do. It writes no
    /// fact. `commit` is the number of the commit that the wake read. Returns whether the item was still at
    /// that commit; if not, the later commit has set the key.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn rearm(
        &self,
        subject: &Subject,
        commit: u64,
        wake_at: Option<DateTime<Utc>>,
    ) -> Result<bool, StoreError> {
        let key = match subject {
            Subject::Lead(id) => Key::lead(id),
            Subject::Account(id) => Key::account(id),
            Subject::Rep(id) => Key::rep(id),
            Subject::Publication(_) => return Ok(false),
        };
        self.set_due_key(&key, commit, wake_at).await
    }

    async fn set_due_key(
        &self,
        key: &Key,
        commit: u64,
        wake_at: Option<DateTime<Utc>>,
    ) -> Result<bool, StoreError> {
        let update = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(key.attributes()))
            .expression_attribute_names("#shard", DUE.partition)
            .expression_attribute_names("#wake", DUE.sort);
        let update = match wake_at {
            Some(at) => update
                .update_expression(format!("SET #shard = :shard, #wake = :wake REMOVE {HANDED_AT}"))
                .expression_attribute_values(":shard", text(due_shard(&key.pk)))
                .expression_attribute_values(":wake", text(instant(at))),
            None => update.update_expression(format!("REMOVE #shard, #wake, {HANDED_AT}")),
        };
        let update = update
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":version", number(commit));
        held(update.send().await)
    }

    /// The time up to which the sweep has sent everything due; `None` before its first run.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn sweep_cursor(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let item = self.read_one(&Key::sweep_cursor()).await?;
        item.map(|item| get_instant(&item, CURSOR_AT)).transpose()
    }

    /// Moves the sweep's cursor. Returns whether the cursor was unchanged. The time is rounded down, because
    /// the sweep did not look beyond the last whole millisecond.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn advance_sweep_cursor(
        &self,
        from: Option<DateTime<Utc>>,
        to: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let update = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(Key::sweep_cursor().attributes()))
            .update_expression("SET #at = :to")
            .expression_attribute_names("#at", CURSOR_AT)
            .expression_attribute_values(":to", text(instant_before(to)));
        let update = match from {
            Some(from) => update
                .condition_expression("#at = :from")
                .expression_attribute_values(":from", text(instant(from))),
            None => update.condition_expression("attribute_not_exists(#at)"),
        };
        held(update.send().await)
    }
}

/// The attribute with the sweep's cursor.
const CURSOR_AT: &str = "swept_until";

/// The last key that is not after a time.
fn instant_before(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The due key of an item.
pub(crate) fn due_key_of(item: &Item) -> Result<Option<DueKey>, StoreError> {
    let handed_at = find_text(item, HANDED_AT).and_then(|at| at.parse().ok());
    Ok(find_instant(item, DUE.sort)?.map(|wake_at| DueKey { wake_at, handed_at }))
}

pub(crate) fn put_due_key(item: &mut Item, key: &Key, due: Option<&DueKey>) {
    if let Some(due) = due {
        item.insert(DUE.partition.to_owned(), text(due_shard(&key.pk)));
        item.insert(DUE.sort.to_owned(), text(instant(due.wake_at)));
        if let Some(at) = due.handed_at {
            item.insert(HANDED_AT.to_owned(), text(instant(at)));
        }
    }
}

/// The due key after a commit. A key that is too early stays: the wake finds nothing and rearms, which is
/// cheaper than moving the key. A key that is too late or in the past moves.
pub(crate) fn next_due_key(
    stands: Option<&DueKey>,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<DueKey> {
    let next = next?;
    match stands {
        Some(key) if instant(key.wake_at) == instant(next) => Some(key.clone()),
        Some(key) if now < key.wake_at && key.wake_at < next => Some(key.clone()),
        _ => Some(DueKey { wake_at: next, handed_at: None }),
    }
}
