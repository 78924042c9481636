//! Reps: their load, their last assignment, and their availability.

use crate::aggregate::{Committed, Stored};
use crate::attributes::VERSION;
use crate::audit::head_of;
use crate::due::{DueKey, due_key_of};
use crate::error::StoreError;
use crate::item::{Item, find_number, number, text};
use crate::keys::{Key, due_shard, instant};
use crate::request::failed;
use crate::schema::DUE;
use crate::seen;
use crate::standing::{LOOKS, standing_of, write_standing};
use crate::store::Store;
use audit::Hash;
use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, Utc};
use policy::ids::PersonId;
use rules::aggregate::{Aggregate as _, Consulted};
use rules::notification::{Delivery, Notification, NotificationFact};
use rules::outcome::Outcome;
use rules::record::Recorded;
use rules::rep::{RepCommand, RepFact, RepInput};
use rules::reuse;
use rules::reuse::Reuse;
use rules::roster::Standing;
use rules::world::World;
use std::borrow::Cow;

/// A rep as stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepItem {
    /// Their load and availability.
    pub standing: Standing,
    pub(crate) due: Option<DueKey>,
}

impl RepItem {
    /// When the rep has to be checked: something happened, or an absence begins to count or ends.
    pub fn wake_at(&self) -> Option<DateTime<Utc>> {
        self.due.as_ref().map(|due| due.wake_at)
    }
}

impl Store {
    /// The current state of a rep; `None` if they have no load, never got a lead, and never set their
    /// availability.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn rep(&self, rep: &PersonId) -> Result<Option<RepItem>, StoreError> {
        self.read_one(&Key::rep(rep)).await?.as_ref().map(rep_of).transpose()
    }

    /// Requests a check of a rep, whatever the reason: for example, a directory raises their capacity or
    /// grants leave. Returns the number of such requests.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn request_rep_check(&self, rep: &PersonId, at: DateTime<Utc>) -> Result<u64, StoreError> {
        let key = Key::rep(rep);
        let updated = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(key.attributes()))
            .update_expression("SET #shard = :shard, #wake = :wake ADD #version :one, #looks :one")
            .expression_attribute_names("#shard", DUE.partition)
            .expression_attribute_names("#wake", DUE.sort)
            .expression_attribute_names("#version", VERSION)
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

    /// Decides on a command to a rep and commits the result; see [`Store::execute`].
    ///
    /// # Errors
    /// As for [`Store::execute`].
    pub async fn execute_rep(
        &self,
        command: &RepCommand,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Committed<Standing>, StoreError> {
        self.run::<Standing>(command, dedupe, now).await
    }
}

impl Stored for Standing {
    fn key(command: &RepCommand) -> Key {
        Key::rep(&command.rep)
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        standing_of(item)
    }

    /// A rep with nothing but a load has no history yet.
    fn head(&self, item: &Item) -> Result<Hash, StoreError> {
        if self.seq == 0 { Ok(Hash::ZERO) } else { head_of(item) }
    }

    fn write(&self, key: &Key, item: &mut Item) -> Result<(), StoreError> {
        write_standing(self, key, item)
    }

    /// Commits of leads increment it too.
    fn version(&self) -> u64 {
        self.version
    }

    fn after(self, before: Option<&Self>) -> Self {
        Self { version: before.map_or(0, |before| before.version).saturating_add(1), ..self }
    }

    fn delivered(command: &RepCommand) -> Option<&Delivery> {
        if let RepInput::Delivery(delivery) = &command.input { Some(delivery) } else { None }
    }

    fn content_digest(command: &RepCommand) -> Result<String, StoreError> {
        seen::digest(&Self::subject(command), &command.input)
    }

    fn reused(command: &RepCommand, reuse: Reuse) -> Outcome {
        reuse::outcome(reuse, &command.actor)
    }

    fn is_outdated(command: &RepCommand, before: Option<&Self>) -> bool {
        let looks = before.map_or(0, |before| before.looks);
        matches!(command.input, RepInput::LeadsLookedAt { change, .. } if change != looks)
    }

    fn completed<'c>(command: &'c RepCommand, before: Option<&Self>) -> Cow<'c, RepCommand> {
        match (&command.input, before) {
            (RepInput::LeadsLookedAt { .. }, Some(before)) => Cow::Owned(command.seen_from(before)),
            _ => Cow::Borrowed(command),
        }
    }

    fn recorded(
        command: &RepCommand,
        consulted: &Consulted,
        world: &World,
    ) -> Result<Option<Recorded>, serde_json::Error> {
        Recorded::of(&command.actor, &command.input, consulted, world).map(Some)
    }

    /// A change of availability requires a check. Otherwise the key stays, because commits of leads set it.
    fn due_key(
        command: &RepCommand,
        before: Option<&DueKey>,
        _: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<DueKey> {
        match command.input {
            RepInput::Availability(_) => Some(DueKey::at(now)),
            _ => before.cloned(),
        }
    }

    fn requested(fact: &RepFact) -> Option<&Notification> {
        match fact {
            RepFact::Notification(NotificationFact::Requested(notification)) => Some(notification),
            _ => None,
        }
    }
}

fn rep_of(item: &Item) -> Result<RepItem, StoreError> {
    let (standing, due) = (standing_of(item)?, due_key_of(item)?);
    Ok(RepItem { standing, due })
}
