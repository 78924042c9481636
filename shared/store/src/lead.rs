//! Leads in the store.

use crate::aggregate::{Committed, Stored};
use crate::attributes::DOC;
use crate::audit::head_of;
use crate::error::StoreError;
use crate::item::{Item, document, get_document, text};
use crate::keys::{Key, instant};
use crate::schema::{
    BY_ACCOUNT, BY_MARKET, BY_OWNER, BY_STATE, COMPLIANCE_REVIEWS, OPERATIONS_REVIEWS, put_into,
};
use crate::seen::digest;
use crate::store::Store;
use audit::Hash;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, LeadId, MarketId, StateId};
use rules::aggregate::{Aggregate, Consulted, Decision};
use rules::entry::Entry;
use rules::lead::{Command, Input, Lead, LeadFact};
use rules::notification::{Delivery, Notification, NotificationFact};
use rules::outcome::Outcome;
use rules::record::{Recorded, RecordedInput};
use rules::recordable::Recordable as _;
use rules::rep::{LoadChange, load_changes};
use rules::reuse;
use rules::reuse::Reuse;
use rules::world::World;

/// A dedupe key made of a command's cause and content: the same content has the same key, and other content
/// under the same cause is another input.
///
/// # Errors
/// None in practice: every input can be written as JSON.
pub fn key_by_content(command: &Command) -> Result<String, StoreError> {
    Ok(format!("{}/{}", command.cause, Lead::content_digest(command)?))
}

/// The digest of a command's content; see [`rules::lead::LeadEvent::said`].
///
/// # Errors
/// None in practice: every input can be written as JSON.
pub fn content_of(command: &Command) -> Result<String, StoreError> {
    Lead::content_digest(command)
}

/// The only partition of a review queue.
pub(crate) const QUEUE: &str = "REVIEW";

/// The partition of the operations index for dismissed leads whose condition still holds, so that they stay
/// visible.
pub(crate) const DISMISSED: &str = "DISMISSED";

impl Store {
    /// Decides on a command to a lead and commits the result. With a dedupe key, the command is applied only
    /// once, however often it arrives.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Contention`] are temporary. After the first, the command
    /// may have been applied; a dedupe key settles that.
    pub async fn execute(
        &self,
        command: &Command,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Committed<Lead>, StoreError> {
        self.run::<Lead>(command, dedupe, now).await
    }

    /// The current state of a lead.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn lead(&self, id: &LeadId) -> Result<Option<Lead>, StoreError> {
        self.read_one(&Key::lead(id)).await?.as_ref().map(get_document).transpose()
    }
}

/// The partition of the state index for closed leads that still have personal data, because a publication can
/// change its retention. No market can have this name.
pub(crate) const CLOSED: &str = "#closed";

/// The partition of the state index.
pub(crate) fn state_key(market: &MarketId, state: &StateId) -> String {
    format!("{market}#{state}")
}

impl Stored for Lead {
    fn key(command: &Command) -> Key {
        Key::lead(&command.lead)
    }

    fn comes_from_a_source(command: &Command) -> bool {
        matches!(command.input, Input::Event(_))
    }

    fn delivered(command: &Command) -> Option<&Delivery> {
        if let Input::Delivery(delivery) = &command.input { Some(delivery) } else { None }
    }

    fn names_account(command: &Command) -> Option<&AccountId> {
        if let Input::Event(event) = &command.input { event.changes.account_id.as_set() } else { None }
    }

    fn is_personal(command: &Command) -> bool {
        command.input.is_personal()
    }

    fn personal_texts(command: &mut Command) -> Vec<&mut String> {
        command.input.personal_texts()
    }

    fn content_digest(command: &Command) -> Result<String, StoreError> {
        if let Input::Event(event) = &command.input
            && let Some(said) = &event.said
        {
            return Ok(said.clone());
        }
        digest(&Self::subject(command), &RecordedInput::of(&command.asked()).asked)
    }

    fn personal_digest(command: &Command) -> Result<Option<String>, StoreError> {
        let mut personal = RecordedInput::of(&command.input).personal;
        // A source's right to write contacts can change, and its matches always count.
        if matches!(&command.input, Input::Event(event) if event.said.is_some()) {
            personal.contact = None;
        }
        if personal.is_empty() {
            return Ok(None);
        }
        digest(&Self::subject(command), &personal).map(Some)
    }

    fn reused(command: &Command, reuse: Reuse) -> Outcome {
        reuse::outcome(reuse, &command.actor)
    }

    fn refusal(command: &Command, reuse: Reuse) -> Option<Command> {
        command.refusal(reuse)
    }

    fn forget(command: &mut Command) {
        command.input.forget();
    }

    fn erased(&self) -> bool {
        self.is_erased()
    }

    fn recorded(
        command: &Command,
        consulted: &Consulted,
        world: &World,
    ) -> Result<Option<Recorded>, serde_json::Error> {
        Recorded::of(&command.actor, &command.input, consulted, world).map(Some)
    }

    fn read(item: &Item) -> Result<Self, StoreError> {
        get_document(item)
    }

    fn head(&self, item: &Item) -> Result<Hash, StoreError> {
        head_of(item)
    }

    fn write(&self, key: &Key, item: &mut Item) -> Result<(), StoreError> {
        item.insert(DOC.to_owned(), text(document(key, self)?));
        let id = self.id.as_str();
        if let Some(since) = self.in_review_since() {
            put_into(COMPLIANCE_REVIEWS, item, QUEUE, format!("{}#{id}", instant(since)));
        }
        if let Some(review) = &self.operations {
            put_into(OPERATIONS_REVIEWS, item, QUEUE, format!("{}#{id}", instant(review.since)));
        } else if let Some(dismissal) = &self.dismissed {
            put_into(OPERATIONS_REVIEWS, item, DISMISSED, format!("{}#{id}", instant(dismissal.at)));
        }
        if let Some(owner) = &self.owner {
            put_into(BY_OWNER, item, owner.as_str(), id.to_owned());
        }
        if let Some(account) = &self.profile.account_id {
            put_into(BY_ACCOUNT, item, account.as_str(), id.to_owned());
        }
        if self.is_closed() && !self.is_erased() {
            put_into(BY_STATE, item, CLOSED, format!("{}#{id}", self.source()));
        }
        if let Some(market) = &self.profile.market {
            put_into(BY_MARKET, item, market.as_str(), id.to_owned());
        }
        if let Some((market, state)) = self.waits_in() {
            put_into(BY_STATE, item, &state_key(market, state), format!("{}#{id}", self.source()));
        }
        Ok(())
    }

    fn requested(fact: &LeadFact) -> Option<&Notification> {
        if let LeadFact::Notification(NotificationFact::Requested(notification)) = fact {
            Some(notification)
        } else {
            None
        }
    }

    fn rests_on(command: &Command, decision: &Decision<Self>) -> Option<AccountId> {
        let links = |entry: &Entry<LeadFact>| matches!(&entry.fact, LeadFact::Updated { changes, .. } if !changes.account_id.is_keep());
        let asked = matches!(command.input, Input::ApplyAccount) || decision.entries.iter().any(links);
        decision.changed.as_ref().filter(|_| asked)?.profile.account_id.clone()
    }

    fn load_changes(before: Option<&Self>, after: &Self, entries: &[Entry<LeadFact>]) -> Vec<LoadChange> {
        load_changes(before, after, entries)
    }
}
