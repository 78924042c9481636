//! Publications: the history of each, and its progress through the affected leads. Progress is no history; it
//! only says where to continue.

use crate::aggregate::{Committed, Stored};
use crate::attributes::{DOC, PK};
use crate::audit::head_of;
use crate::error::StoreError;
use crate::item::{Item, document, get_document, number, text};
use crate::keys::Key;
use crate::request::held;
use crate::seen::digest;
use crate::store::Store;
use audit::Hash;
use chrono::{DateTime, Utc};
use policy::ids::PublicationId;
use rules::aggregate::{Aggregate, Consulted};
use rules::entry::Actor;
use rules::notification::{Delivery, Notification, NotificationFact};
use rules::outcome::Outcome;
use rules::publication::{Publication, PublicationCommand, PublicationFact, PublicationInput, Totals};
use rules::record::Recorded;
use rules::reuse;
use rules::reuse::Reuse;
use rules::world::World;
use serde::{Deserialize, Serialize};

/// Counts the updates of a progress item: if two workers continue from the same position, only one succeeds.
const MOVES: &str = "moves";

/// The progress of a publication through the leads that it may affect.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The current position.
    #[serde(rename = "place")]
    pub cursor: ScopeCursor,
    /// The position up to which leads are checked once more: a concurrent decision on one of them may have
    /// used the earlier rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_until: Option<ScopeCursor>,
    /// Whether all leads were checked once.
    #[serde(default)]
    pub looked: bool,
    /// Whether the second check is under way.
    #[serde(default)]
    pub again: bool,
    /// The results so far.
    pub totals: Totals,
    /// The number of updates.
    #[serde(default)]
    pub moves: u64,
}

/// A position in the scopes of a publication.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct ScopeCursor {
    /// The index of the scope, from 0.
    pub scope: usize,
    /// The last checked lead of that scope, as a cursor of its list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Store {
    /// The current state of a publication.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn publication(&self, id: &PublicationId) -> Result<Option<Publication>, StoreError> {
        self.read_one(&Key::publication(id)).await?.as_ref().map(get_document).transpose()
    }

    /// Decides on a command to a publication and commits the result; see [`Store::execute`].
    ///
    /// # Errors
    /// As for [`Store::execute`].
    pub async fn execute_publication(
        &self,
        command: &PublicationCommand,
        now: DateTime<Utc>,
    ) -> Result<Committed<Publication>, StoreError> {
        self.run::<Publication>(command, None, now).await
    }

    /// The progress of a publication; the beginning if it has not started.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn progress(&self, id: &PublicationId) -> Result<Progress, StoreError> {
        let item = self.read_one(&Key::progress(id)).await?;
        Ok(item.as_ref().map(get_document).transpose()?.unwrap_or_default())
    }

    /// Updates the progress of a publication. Returns whether it was unchanged since `to` was read.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn advance(&self, id: &PublicationId, to: &Progress) -> Result<bool, StoreError> {
        let key = Key::progress(id);
        let next = Progress { moves: to.moves.saturating_add(1), ..to.clone() };
        let update = self
            .client()
            .update_item()
            .table_name(self.leads_table())
            .set_key(Some(key.attributes()))
            .update_expression("SET #doc = :doc, #moves = :next")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#moves", MOVES)
            .expression_attribute_values(":doc", text(document(&key, &next)?))
            .expression_attribute_values(":next", number(next.moves));
        let update = if to.moves == 0 {
            update.condition_expression(format!("attribute_not_exists({PK})"))
        } else {
            update
                .condition_expression("#moves = :moves")
                .expression_attribute_values(":moves", number(to.moves))
        };
        held(update.send().await)
    }
}

impl Stored for Publication {
    fn key(command: &PublicationCommand) -> Key {
        Key::publication(&command.publication)
    }

    fn delivered(command: &PublicationCommand) -> Option<&Delivery> {
        if let PublicationInput::Delivery(delivery) = &command.input { Some(delivery) } else { None }
    }

    fn content_digest(command: &PublicationCommand) -> Result<String, StoreError> {
        digest(&Self::subject(command), &command.cause)
    }

    fn reused(_: &PublicationCommand, reuse: Reuse) -> Outcome {
        reuse::outcome(reuse, &Actor::system("publication"))
    }

    fn recorded(
        _: &PublicationCommand,
        _: &Consulted,
        _: &World,
    ) -> Result<Option<Recorded>, serde_json::Error> {
        Ok(None)
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        get_document(item)
    }

    fn head(&self, item: &Item) -> Result<Hash, StoreError> {
        head_of(item)
    }

    fn write(&self, key: &Key, item: &mut Item) -> Result<(), StoreError> {
        item.insert(DOC.to_owned(), text(document(key, self)?));
        Ok(())
    }

    fn requested(fact: &PublicationFact) -> Option<&Notification> {
        match fact {
            PublicationFact::Notification(NotificationFact::Requested(notification)) => Some(notification),
            _ => None,
        }
    }
}
