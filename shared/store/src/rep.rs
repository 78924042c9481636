//! How reps stand: what they carry, when they were last given a lead, whether they take any.

use crate::aggregate::DueKey;
use crate::audit::{AttemptId, Writing, head_of, put_head};
use crate::due::{due_key_of, put_due_key};
use crate::error::StoreError;
use crate::item::{Item, exact, find_instant, find_number, find_text, number, text};
use crate::keys::{Key, PK, due_shard, instant};
use crate::outbox::{Requested, outbox_item};
use crate::publish::{DIRECTORY, POLICY};
use crate::request::{ATTEMPTS_MAX, Found, failed, pause};
use crate::schema::DUE;
use crate::seen::{Asked, Compared, seen_item};
use crate::transaction::{Change, Ended, Transaction, When};
use crate::{Store, seen};
use audit::Hash;
use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, Utc};
use policy::ids::{PersonId, Subject};
use rules::aggregate::Consulted;
use rules::notification::NotificationFact;
use rules::record::Recorded;
use rules::rep::{LoadChange, RepCommand, RepFact, RepInput, decide_rep, evolve, is_over};
use rules::roster::{AbsentLead, LeadsOfAbsent, Roster, Standing};

const LOAD: &str = "load";
const LAST_ASSIGNED_AT: &str = "last_assigned_at";
const AVAILABILITY: &str = "availability";
const SAID_AT: &str = "said_at";
const SEQ: &str = "seq";
const COMMIT: &str = "commit";
const LOOKS: &str = "looks";
const TOLD_OF: &str = "told_of";
/// What became of their leads while they are away, and their manager was not told yet: a count each.
const QUEUED: &str = "absent_queued";
/// Before the id of who has the leads now.
const HANDED_ON: &str = "absent_handed_on:";

/// The parts of a transaction on a rep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Rep,
    Audit,
    Seen,
    Outbox,
}

/// A rep as they stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepItem {
    /// How they stand.
    pub standing: Standing,
    /// Counts what they have to be looked at for: a place became free, they come or go.
    pub looks: u64,
    pub(crate) due: Option<DueKey>,
}

impl RepItem {
    /// When they have to be looked at: something happened, or an absence begins to count or ends.
    pub fn wake_at(&self) -> Option<DateTime<Utc>> {
        self.due.as_ref().map(|due| due.wake_at)
    }
}

/// What became of a command to a rep.
#[derive(Debug, Clone)]
pub struct ExecutedRep {
    /// The rep as they stand.
    pub rep: RepItem,
    /// The notifications that this commit asks for, to be handed to the queue.
    pub notifications: Vec<Requested>,
}

impl Store {
    /// A rep as they stand; `None` if they carry nothing, were never given a lead, and said nothing.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn rep(&self, rep: &PersonId) -> Result<Option<RepItem>, StoreError> {
        self.read_one(&Key::rep(rep)).await?.as_ref().map(rep_of).transpose()
    }

    /// Asks for a rep to be looked at, whatever happened to them: a directory gives them more room, or
    /// leave. Returns how many such things there were.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn look_at_rep(&self, rep: &PersonId, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let key = Key::rep(rep);
        let updated = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(key.attributes()))
            .update_expression("SET #shard = :shard, #wake = :wake ADD #version :one, #looks :one")
            .expression_attribute_names("#shard", DUE.partition)
            .expression_attribute_names("#wake", DUE.sort)
            .expression_attribute_names("#version", crate::commit::VERSION)
            .expression_attribute_names("#looks", LOOKS)
            .expression_attribute_values(":shard", text(due_shard(&key.pk)))
            .expression_attribute_values(":wake", text(instant(at)))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(failed)?;
        Ok(find_number(&updated.attributes.unwrap_or_default(), LOOKS).unwrap_or(0))
    }

    /// How reps stand; one who is not in it carries nothing and was never given a lead.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn standings<'r>(
        &self,
        reps: impl IntoIterator<Item = &'r PersonId>,
    ) -> Result<Roster, StoreError> {
        let reps: Vec<&PersonId> = reps.into_iter().collect();
        let found = self.read(reps.iter().copied().map(Key::rep), [], []).await?;
        roster_of(&found, reps)
    }

    /// Decides on a command to a rep and commits what follows. What is so already writes nothing but the
    /// command's id.
    ///
    /// # Errors
    /// [`StoreError::UnknownRep`] if the directory has no rep whose availability is said,
    /// [`StoreError::UntilPassed`] if it is over already; else as [`Store::execute`].
    pub async fn execute_rep(
        &self,
        command: &RepCommand,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<ExecutedRep, StoreError> {
        let rep = &command.rep;
        let subject = Subject::Rep(rep.clone());
        let asked = Asked::plain(seen::digest(&subject, &command.input)?);
        let delivery = if let RepInput::Delivery(delivery) = &command.input { Some(delivery) } else { None };
        let mut tried: Vec<(Key, AttemptId, Vec<Requested>)> = Vec::new();
        let mut unknown = None;
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt).await;
            let key = Key::rep(rep);
            let items = [key.clone(), Key::current(POLICY), Key::current(DIRECTORY)].into_iter();
            let items = items.chain(dedupe.map(Key::seen)).chain(delivery.map(|d| Key::outbox(&d.id)));
            let found = self.read(items, tried.iter().map(|(key, ..)| key.clone()), []).await?;
            let knowledge = self.knowledge(&found).await?;
            if let RepInput::Availability(_) = command.input
                && knowledge.directory.rep(rep).is_none()
            {
                return Err(StoreError::UnknownRep(rep.clone()));
            }
            let item = found.get(&key);
            let before = item.map(rep_of).transpose()?.unwrap_or_default();
            let unwritten = |before: RepItem| ExecutedRep { rep: before, notifications: Vec::new() };
            let ours = tried
                .iter()
                .position(|(key, attempt, _)| found.get(key).is_some_and(|item| attempt.wrote(item)));
            if let Some(ours) = ours {
                let (_, _, notifications) = tried.swap_remove(ours);
                return Ok(ExecutedRep { rep: before, notifications });
            }
            if let Some(item) = dedupe.and_then(|dedupe| found.get(&Key::seen(dedupe))) {
                return match seen::compare(item, &subject, &asked.plain)? {
                    Compared::Reused(reuse) => Err(StoreError::of_reuse(reuse)),
                    Compared::Same { .. } => Ok(unwritten(before)),
                };
            }
            // The outbox item goes with the delivery: where it is gone, the delivery is recorded.
            if delivery.is_some_and(|delivery| found.get(&Key::outbox(&delivery.id)).is_none()) {
                return Ok(unwritten(before));
            }
            if let RepInput::Availability(availability) = &command.input
                && is_over(availability, now)
            {
                return Err(StoreError::UntilPassed);
            }
            if let RepInput::LeadsLookedAt { change, .. } = command.input
                && change != before.looks
            {
                return Ok(unwritten(before));
            }
            let command = command.seen_from(&before.standing);
            let entries = decide_rep(&before.standing, &knowledge.world(), &command, now);
            if entries.is_empty() {
                // Its id is used all the same: a late repetition changes nothing either.
                if let Some(dedupe) = dedupe
                    && !self
                        .remember(seen_item(dedupe, &subject, before.standing.commit, &asked, now))
                        .await?
                {
                    continue;
                }
                return Ok(unwritten(before));
            }
            let mut after = before.clone();
            for entry in &entries {
                evolve(&mut after.standing, entry);
            }
            after.standing.version = before.standing.version.saturating_add(1);
            if let RepInput::Availability(_) = command.input {
                // They have to be looked at: they may have room, or leads that cannot wait for them.
                (after.looks, after.due) = (after.looks.saturating_add(1), Some(DueKey::at(now)));
            }
            let nothing = Consulted::default();
            let recorded = Recorded::of(&command.actor, &command.input, &nothing, &knowledge.world())
                .map_err(|error| StoreError::unreadable(subject.to_string(), error))?;
            let attempt = AttemptId::random();
            let writing = Writing {
                subject: &subject,
                commit: after.standing.commit,
                cause: &command.cause,
                entries: &entries,
                recorded: Some(&recorded),
                now,
                attempt: &attempt,
                prev: item.map_or(Ok(Hash::ZERO), |item| head_of_rep(item, &before.standing))?,
            };
            let (audit, head) = writing.item()?;
            let mut tx = Transaction::new();
            let leads = self.leads_table();
            let version = When::Version(before.standing.version);
            tx.put(Part::Rep, leads, rep_item(&key, rep, &after, head)?, version)?;
            tx.put(Part::Audit, self.audit_table(), audit, When::Absent)?;
            if let Some(dedupe) = dedupe {
                let item = seen_item(dedupe, &subject, after.standing.commit, &asked, now);
                tx.put(Part::Seen, leads, item, When::Absent)?;
            }
            let mut notifications = Vec::new();
            for entry in &entries {
                if let RepFact::Notification(NotificationFact::Requested(notification)) = &entry.fact {
                    tx.put(Part::Outbox, leads, outbox_item(&subject, notification, now)?, When::Always)?;
                    notifications.push(Requested::of(notification));
                }
            }
            if let Some(delivery) = delivery {
                tx.delete(Part::Outbox, leads, &Key::outbox(&delivery.id), When::Present)?;
            }
            let audit = Key::audit(&subject, after.standing.commit);
            match tx.commit(self).await {
                Ended::Done => return Ok(ExecutedRep { rep: after, notifications }),
                Ended::Lost(_) | Ended::Busy => tried.push((audit, attempt, notifications)),
                Ended::Unknown(error) => {
                    unknown = Some(error);
                    tried.push((audit, attempt, notifications));
                }
                Ended::Failed(error) => return Err(error),
            }
        }
        Err(unknown.unwrap_or(StoreError::Contention))
    }
}

/// How reps stand, of what was read.
pub(crate) fn roster_of<'r>(
    found: &Found,
    reps: impl IntoIterator<Item = &'r PersonId>,
) -> Result<Roster, StoreError> {
    let items = reps.into_iter().filter_map(|rep| Some((rep, found.get(&Key::rep(rep))?)));
    let standings = items.map(|(rep, item)| Ok((rep.clone(), standing_of(item)?)));
    Ok(Roster { standings: standings.collect::<Result<_, StoreError>>()? })
}

/// The update that a change of a load is. A rep who was chosen must stand as was seen: there was
/// room then, by the rules that it was decided under. By those of a publication since there may be
/// none, and what was due before it is settled all the same. One who was named by the source takes
/// it, room or not.
///
/// A place that becomes free may be what another lead waits for: the rep is due to be looked at. So are they
/// if a lead of theirs was handed on or queued while they are away: their manager is told.
pub(crate) fn rep_change(
    change: &LoadChange,
    seen: Option<u64>,
    at_zero: bool,
    now: DateTime<Utc>,
) -> Change {
    let mut conditions = Vec::new();
    let mut values = vec![(":one", number(1))];
    match seen {
        Some(0) => conditions.push(format!("attribute_not_exists({PK})")),
        Some(version) => {
            conditions.push("#version = :seen".to_owned());
            values.push((":seen", number(version)));
        }
        None => {}
    }
    let mut sets = Vec::new();
    if let Some(at) = change.assigned_at {
        sets.push(format!("{LAST_ASSIGNED_AT} = :at"));
        values.push((":at", exact(at)));
    }
    let owned = |(name, attribute): (&str, &str)| (name.to_owned(), attribute.to_owned());
    let mut names = vec![owned(("#version", crate::commit::VERSION))];
    let mut adds = vec!["#version :one".to_owned()];
    if change.is_looked_at() {
        adds.push("#looks :one".to_owned());
        names.push(("#looks".to_owned(), LOOKS.to_owned()));
        sets.push("#shard = :shard, #wake = :wake".to_owned());
        names.extend([("#shard", DUE.partition), ("#wake", DUE.sort)].map(owned));
        values.push((":shard", text(due_shard(&Key::rep(&change.rep).pk))));
        values.push((":wake", text(instant(now))));
    }
    if change.delta > 0 {
        adds.push("#load :one".to_owned());
    } else if change.delta < 0 && at_zero {
        conditions.push("(attribute_not_exists(#load) OR #load < :one)".to_owned());
    } else if change.delta < 0 {
        conditions.push("#load >= :one".to_owned());
        values.push((":less", number(-1)));
        adds.push("#load :less".to_owned());
    }
    if change.delta != 0 {
        names.push(owned(("#load", LOAD)));
    }
    if let Some(absent) = &change.absent {
        adds.push("#absent :one".to_owned());
        names.push(("#absent".to_owned(), absent_attribute(absent)));
    }
    let set = if sets.is_empty() { String::new() } else { format!("SET {} ", sets.join(", ")) };
    Change {
        expression: format!("{set}ADD {}", adds.join(", ")),
        condition: (!conditions.is_empty()).then(|| conditions.join(" AND ")),
        names,
        values,
    }
}

fn standing_of(item: &Item) -> Result<Standing, StoreError> {
    Ok(Standing {
        load: find_number(item, LOAD).unwrap_or(0),
        last_assigned_at: find_instant(item, LAST_ASSIGNED_AT)?,
        availability: found_json(item, AVAILABILITY, "an availability")?,
        said_at: find_instant(item, SAID_AT)?,
        version: find_number(item, crate::commit::VERSION).unwrap_or(0),
        seq: find_number(item, SEQ).unwrap_or(0),
        // There was one entry a commit once.
        commit: find_number(item, COMMIT).or_else(|| find_number(item, SEQ)).unwrap_or(0),
        untold: untold_of(item),
        told_of: found_json(item, TOLD_OF, "the absence that was told of")?,
    })
}

fn rep_of(item: &Item) -> Result<RepItem, StoreError> {
    let (standing, due) = (standing_of(item)?, due_key_of(item)?);
    Ok(RepItem { standing, looks: find_number(item, LOOKS).unwrap_or(0), due })
}

/// The attribute that counts what became of leads of somebody who is away.
fn absent_attribute(absent: &AbsentLead) -> String {
    match absent {
        AbsentLead::HandedOn(to) => format!("{HANDED_ON}{to}"),
        AbsentLead::Queued => QUEUED.to_owned(),
    }
}

fn untold_of(item: &Item) -> LeadsOfAbsent {
    let count = |name: &str| find_number::<u32>(item, name);
    let to = item.keys().filter_map(|name| Some((name.strip_prefix(HANDED_ON)?.into(), count(name)?)));
    LeadsOfAbsent { handed_on: to.collect(), queued: count(QUEUED).unwrap_or(0) }
}

fn found_json<T: serde::de::DeserializeOwned>(
    item: &Item,
    name: &str,
    what: &str,
) -> Result<Option<T>, StoreError> {
    let found = find_text(item, name);
    found
        .map(|json| serde_json::from_str(json).map_err(|error| StoreError::unreadable(what, error)))
        .transpose()
}

/// The head of a rep's history; one who only carries leads has none yet.
fn head_of_rep(item: &Item, standing: &Standing) -> Result<Hash, StoreError> {
    if standing.seq == 0 { Ok(Hash::ZERO) } else { head_of(item) }
}

fn rep_item(key: &Key, rep: &PersonId, stands: &RepItem, head: Hash) -> Result<Item, StoreError> {
    let RepItem { standing, looks, due } = stands;
    let mut item = key.attributes();
    put_due_key(&mut item, key, due.as_ref());
    item.insert(LOOKS.to_owned(), number(*looks));
    item.insert(LOAD.to_owned(), number(standing.load));
    item.insert(crate::commit::VERSION.to_owned(), number(standing.version));
    item.insert(SEQ.to_owned(), number(standing.seq));
    item.insert(COMMIT.to_owned(), number(standing.commit));
    if standing.commit > 0 {
        put_head(&mut item, &Subject::Rep(rep.clone()), standing.commit, head);
    }
    if let Some(at) = standing.last_assigned_at {
        item.insert(LAST_ASSIGNED_AT.to_owned(), exact(at));
    }
    if let Some(at) = standing.said_at {
        item.insert(SAID_AT.to_owned(), exact(at));
    }
    if let Some(availability) = &standing.availability {
        item.insert(AVAILABILITY.to_owned(), text(crate::item::document(key, availability)?));
    }
    if let Some(told_of) = &standing.told_of {
        item.insert(TOLD_OF.to_owned(), text(crate::item::document(key, told_of)?));
    }
    for (to, n) in &standing.untold.handed_on {
        item.insert(absent_attribute(&AbsentLead::HandedOn(to.clone())), number(*n));
    }
    if standing.untold.queued > 0 {
        item.insert(QUEUED.to_owned(), number(standing.untold.queued));
    }
    Ok(item)
}
