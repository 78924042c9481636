//! How reps stand: what they carry, when they were last given a lead, whether they take any.

use crate::Store;
use crate::aggregate::DueKey;
use crate::audit::{AttemptId, Writing, head_of, put_head};
use crate::due::{due_key_of, put_due_key};
use crate::error::StoreError;
use crate::item::{Item, exact, find_instant, find_number, find_text, number, text};
use crate::keys::{Key, PK, due_shard, instant};
use crate::publish::{DIRECTORY, POLICY};
use crate::request::{ATTEMPTS_MAX, Found, failed, pause};
use crate::schema::DUE;
use crate::seen::{self, Asked, Compared, seen_item};
use crate::transaction::{Change, Ended, Transaction, When};
use audit::Hash;
use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, Utc};
use rules::Consulted;
use rules::entry::Actor;
use rules::ids::{PersonId, Subject};
use rules::record::Recorded;
use rules::rep::{evolve, is_over, set_availability};
use rules::routing::{Availability, LoadChange, Roster, Standing};

const LOAD: &str = "load";
const LAST_ASSIGNED_AT: &str = "last_assigned_at";
const AVAILABILITY: &str = "availability";
const SAID_AT: &str = "said_at";
const SEQ: &str = "seq";

/// The parts of a transaction on a rep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Rep,
    Audit,
    Seen,
}

/// A rep as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepItem {
    /// How they stand.
    pub standing: Standing,
    /// When they have to be looked at: a place became free, or an absence begins to count or ends.
    pub wake_at: Option<DateTime<Utc>>,
}

impl Store {
    /// A rep as they stand; `None` if they carry nothing, were never given a lead, and said nothing.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn rep(&self, rep: &PersonId) -> Result<Option<RepItem>, StoreError> {
        let Some(item) = self.read_one(&Key::rep(rep)).await? else { return Ok(None) };
        let wake_at = due_key_of(&item)?.map(|due| due.wake_at);
        Ok(Some(RepItem { standing: standing_of(&item)?, wake_at }))
    }

    /// Asks for a rep to be looked at, whatever happened to them: a directory gives them more room, or
    /// leave. Returns the version of their item.
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
            .update_expression("SET #shard = :shard, #wake = :wake ADD #version :one")
            .expression_attribute_names("#shard", DUE.partition)
            .expression_attribute_names("#wake", DUE.sort)
            .expression_attribute_names("#version", crate::commit::VERSION)
            .expression_attribute_values(":shard", text(due_shard(&key.pk)))
            .expression_attribute_values(":wake", text(instant(at)))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(failed)?;
        Ok(find_number(&updated.attributes.unwrap_or_default(), crate::commit::VERSION).unwrap_or(0))
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

    /// Records whether a rep takes leads. Saying again what is so writes nothing.
    ///
    /// # Errors
    /// [`StoreError::UnknownRep`] if the directory has no such rep, [`StoreError::UntilPassed`] if it is over
    /// already; else as [`Store::execute`].
    pub async fn set_availability(
        &self,
        rep: &PersonId,
        availability: &Availability,
        actor: &Actor,
        cause: &str,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Standing, StoreError> {
        let subject = Subject::Rep(rep.clone());
        let asked = Asked::plain(seen::digest(&subject, availability)?);
        let mut tried: Vec<(Key, AttemptId)> = Vec::new();
        let mut unknown = None;
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt).await;
            let key = Key::rep(rep);
            let items = [key.clone(), Key::current(POLICY), Key::current(DIRECTORY)].into_iter();
            let found = self
                .read(items.chain(dedupe.map(Key::seen)), tried.iter().map(|(key, _)| key.clone()), [])
                .await?;
            let knowledge = self.knowledge(&found).await?;
            if knowledge.directory.rep(rep).is_none() {
                return Err(StoreError::UnknownRep(rep.clone()));
            }
            let item = found.get(&key);
            let before = item.map(standing_of).transpose()?.unwrap_or_default();
            let written =
                tried.iter().any(|(key, attempt)| found.get(key).is_some_and(|item| attempt.wrote(item)));
            let seen = dedupe.and_then(|dedupe| found.get(&Key::seen(dedupe)));
            if let Some(item) = seen.filter(|_| !written)
                && let Compared::Reused(reuse) = seen::compare(item, &subject, &asked.plain)?
            {
                return Err(StoreError::of_reuse(reuse));
            }
            if written || seen.is_some() {
                return Ok(before);
            }
            if is_over(availability, now) {
                return Err(StoreError::UntilPassed);
            }
            let in_force = knowledge.world().in_force();
            let Some(entry) = set_availability(rep, &before, availability, actor, cause, in_force, now)
            else {
                // Its key is used all the same: a late repetition changes nothing either.
                if let Some(dedupe) = dedupe
                    && !self.remember(seen_item(dedupe, &subject, before.seq, &asked, now)).await?
                {
                    continue;
                }
                return Ok(before);
            };
            let mut after = before.clone();
            evolve(&mut after, &entry);
            let attempt = AttemptId::random();
            let recorded = Recorded::of(actor, availability, &Consulted::default(), &knowledge.world())
                .map_err(|error| StoreError::unreadable(subject.to_string(), error))?;
            let writing = Writing {
                subject: &subject,
                commit: after.seq,
                cause,
                entries: &[entry],
                recorded: Some(&recorded),
                now,
                attempt: &attempt,
                prev: item.map_or(Ok(Hash::ZERO), |item| head_of_rep(item, &before))?,
            };
            let (audit, head) = writing.item()?;
            let mut tx = Transaction::new();
            tx.put(
                Part::Rep,
                self.leads_table(),
                standing_item(&key, rep, &after, head, now)?,
                When::Version(before.version),
            )?;
            tx.put(Part::Audit, self.audit_table(), audit, When::Absent)?;
            if let Some(dedupe) = dedupe {
                let item = seen_item(dedupe, &subject, after.seq, &asked, now);
                tx.put(Part::Seen, self.leads_table(), item, When::Absent)?;
            }
            match tx.commit(self).await {
                Ended::Done => return Ok(after),
                Ended::Lost(_) | Ended::Busy => tried.push((Key::audit(&subject, after.seq), attempt)),
                Ended::Unknown(error) => {
                    unknown = Some(error);
                    tried.push((Key::audit(&subject, after.seq), attempt));
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
/// A place that becomes free may be what another lead waits for: the rep is due to be looked at.
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
    let mut names = vec![("#version", crate::commit::VERSION)];
    if change.delta < 0 {
        sets.push("#shard = :shard, #wake = :wake".to_owned());
        names.extend([("#shard", DUE.partition), ("#wake", DUE.sort)]);
        values.push((":shard", text(due_shard(&Key::rep(&change.rep).pk))));
        values.push((":wake", text(instant(now))));
    }
    let set = if sets.is_empty() { String::new() } else { format!("SET {} ", sets.join(", ")) };
    let add = if change.delta > 0 {
        "ADD #load :one, #version :one"
    } else if change.delta == 0 {
        "ADD #version :one"
    } else if at_zero {
        conditions.push("(attribute_not_exists(#load) OR #load < :one)".to_owned());
        "ADD #version :one"
    } else {
        conditions.push("#load >= :one".to_owned());
        values.push((":less", number(-1)));
        "ADD #load :less, #version :one"
    };
    if change.delta != 0 {
        names.push(("#load", LOAD));
    }
    Change {
        expression: format!("{set}{add}"),
        condition: (!conditions.is_empty()).then(|| conditions.join(" AND ")),
        names,
        values,
    }
}

fn standing_of(item: &Item) -> Result<Standing, StoreError> {
    let availability = find_text(item, AVAILABILITY)
        .map(|json| {
            serde_json::from_str(json).map_err(|error| StoreError::unreadable("an availability", error))
        })
        .transpose()?;
    Ok(Standing {
        load: find_number(item, LOAD).unwrap_or(0),
        last_assigned_at: find_instant(item, LAST_ASSIGNED_AT)?,
        availability,
        said_at: find_instant(item, SAID_AT)?,
        version: find_number(item, crate::commit::VERSION).unwrap_or(0),
        seq: find_number(item, SEQ).unwrap_or(0),
    })
}

/// The head of a rep's history; one who only carries leads has none yet.
fn head_of_rep(item: &Item, standing: &Standing) -> Result<Hash, StoreError> {
    if standing.seq == 0 { Ok(Hash::ZERO) } else { head_of(item) }
}

/// A rep who comes or goes is looked at: they may have room, or leads that cannot wait for them.
fn standing_item(
    key: &Key,
    rep: &PersonId,
    standing: &Standing,
    head: Hash,
    now: DateTime<Utc>,
) -> Result<Item, StoreError> {
    let mut item = key.attributes();
    put_due_key(&mut item, key, Some(&DueKey { wake_at: now, handed_at: None }));
    item.insert(LOAD.to_owned(), number(standing.load));
    item.insert(crate::commit::VERSION.to_owned(), number(standing.version));
    item.insert(SEQ.to_owned(), number(standing.seq));
    if standing.seq > 0 {
        put_head(&mut item, &Subject::Rep(rep.clone()), standing.seq, head);
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
    Ok(item)
}
