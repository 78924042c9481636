//! The load and availability of reps as items, and the update for a change of load.

use crate::attributes::{PK, VERSION};
use crate::error::StoreError;
use crate::item::{Item, document, exact, find_instant, find_number, find_text, number, text};
use crate::keys::{Key, due_shard, instant};
use crate::read::Items;
use crate::schema::DUE;
use crate::store::Store;
use crate::transaction::UpdateExpression;
use chrono::{DateTime, Utc};
use policy::ids::PersonId;
use rules::rep::LoadChange;
use rules::roster::{AbsentLead, LeadsOfAbsent, Roster, Standing};

const LOAD: &str = "load";
const LAST_ASSIGNED_AT: &str = "last_assigned_at";
const AVAILABILITY: &str = "availability";
const SAID_AT: &str = "said_at";
const SEQ: &str = "seq";
const COMMIT: &str = "commit";
pub(crate) const LOOKS: &str = "looks";
const TOLD_OF: &str = "told_of";
/// Counts leads of an absent rep that were queued and that their manager has no message about yet.
const QUEUED: &str = "absent_queued";
/// Likewise, for leads that were handed on: the prefix, followed by the new owner's id.
const HANDED_ON: &str = "absent_handed_on:";

impl Store {
    /// The state of reps; a rep who is missing in the result has no load and never got a lead.
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
}

/// The state of reps, from items that were read.
pub(crate) fn roster_of<'r>(
    found: &Items,
    reps: impl IntoIterator<Item = &'r PersonId>,
) -> Result<Roster, StoreError> {
    let items = reps.into_iter().filter_map(|rep| Some((rep, found.get(&Key::rep(rep))?)));
    let standings = items.map(|(rep, item)| Ok((rep.clone(), standing_of(item)?)));
    Ok(Roster { standings: standings.collect::<Result<_, StoreError>>()? })
}

/// The update for a change of load. If the decision chose the rep, the rep must be unchanged since they were
/// read: they had capacity by the rules of the decision. Later rules may leave them none; what was due before
/// those is settled by the earlier rules. A rep named by the source gets the lead regardless of capacity.
///
/// A free place may be what another lead waits for, so the rep is due for a check. The same holds if a lead
/// of an absent rep was handed on or queued, because their manager gets a message.
pub(crate) fn rep_change(
    change: &LoadChange,
    seen: Option<u64>,
    at_zero: bool,
    now: DateTime<Utc>,
) -> UpdateExpression {
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
    let mut names = vec![owned(("#version", VERSION))];
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
    UpdateExpression {
        expression: format!("{set}ADD {}", adds.join(", ")),
        condition: (!conditions.is_empty()).then(|| conditions.join(" AND ")),
        names,
        values,
    }
}

pub(crate) fn standing_of(item: &Item) -> Result<Standing, StoreError> {
    Ok(Standing {
        load: find_number(item, LOAD).unwrap_or(0),
        last_assigned_at: find_instant(item, LAST_ASSIGNED_AT)?,
        availability: found_json(item, AVAILABILITY, "an availability")?,
        said_at: find_instant(item, SAID_AT)?,
        version: find_number(item, VERSION).unwrap_or(0),
        seq: find_number(item, SEQ).unwrap_or(0),
        looks: find_number(item, LOOKS).unwrap_or(0),
        // In earlier versions, each commit had one entry.
        commit: find_number(item, COMMIT).or_else(|| find_number(item, SEQ)).unwrap_or(0),
        untold: untold_of(item),
        told_of: found_json(item, TOLD_OF, "the absence that was told of")?,
    })
}

/// The attribute that counts leads of an absent rep.
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

pub(crate) fn write_standing(standing: &Standing, key: &Key, item: &mut Item) -> Result<(), StoreError> {
    item.insert(LOOKS.to_owned(), number(standing.looks));
    item.insert(LOAD.to_owned(), number(standing.load));
    item.insert(SEQ.to_owned(), number(standing.seq));
    item.insert(COMMIT.to_owned(), number(standing.commit));
    if let Some(at) = standing.last_assigned_at {
        item.insert(LAST_ASSIGNED_AT.to_owned(), exact(at));
    }
    if let Some(at) = standing.said_at {
        item.insert(SAID_AT.to_owned(), exact(at));
    }
    if let Some(availability) = &standing.availability {
        item.insert(AVAILABILITY.to_owned(), text(document(key, availability)?));
    }
    if let Some(told_of) = &standing.told_of {
        item.insert(TOLD_OF.to_owned(), text(document(key, told_of)?));
    }
    for (to, n) in &standing.untold.handed_on {
        item.insert(absent_attribute(&AbsentLead::HandedOn(to.clone())), number(*n));
    }
    if standing.untold.queued > 0 {
        item.insert(QUEUED.to_owned(), number(standing.untold.queued));
    }
    Ok(())
}
