//! Leads in the store.

use crate::Store;
use crate::aggregate::{Aggregate, Decided, Done};
use crate::error::StoreError;
use crate::item::{Item, get_document};
use crate::keys::{Key, instant};
use crate::outbox::Requested;
use crate::schema::{
    BY_ACCOUNT, BY_MARKET, BY_OWNER, BY_STATE, COMPLIANCE_REVIEWS, OPERATIONS_REVIEWS, put_into,
};
use crate::seen::digest;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, LeadId, MarketId, PersonId, StateId, Subject};
use rules::aggregate::Consulted;
use rules::entry::Entry;
use rules::lead::{Command, Input, Lead, LeadFact};
use rules::notification::{Delivery, Notification, NotificationFact};
use rules::outcome::Outcome;
use rules::record::{Recorded, RecordedInput};
use rules::recordable::Recordable as _;
use rules::rep::{LoadChange, load_changes};
use rules::reuse;
use rules::reuse::Reuse;
use rules::world::{Need, World};

/// What became of a command to a lead.
#[derive(Debug, Clone)]
pub struct Executed {
    /// What became of it; of a duplicate, what became of it the first time.
    pub outcome: Outcome,
    /// It was applied before; nothing was written now.
    pub duplicate: bool,
    /// The entries that were written now.
    pub entries: Vec<Entry<LeadFact>>,
    /// The lead as it stands; `None` if there is none.
    pub lead: Option<Lead>,
    /// The notifications that this commit asks for, to be handed to the queue.
    pub notifications: Vec<Requested>,
    /// When the lead has to be looked at again; of a duplicate, the due key that stands.
    pub wake_at: Option<DateTime<Utc>>,
    /// Whether the commit moved its due key: then nobody has been asked to look at it then.
    pub wake_moved: bool,
    /// The reps who have to be looked at: they have a lead less, or are away and their manager is to be told.
    pub look_at: Vec<PersonId>,
}

/// A dedupe key that is of a command's cause and content: the same content is known by it, and other
/// content under the same cause is another input.
///
/// # Errors
/// None in practice: every input can be written as JSON.
pub fn key_by_content(command: &Command) -> Result<String, StoreError> {
    Ok(format!("{}/{}", command.cause, Lead::asked(command)?))
}

/// The digest of what a command asks; see [`rules::lead::LeadEvent::said`].
///
/// # Errors
/// None in practice: every input can be written as JSON.
pub fn content_of(command: &Command) -> Result<String, StoreError> {
    Lead::asked(command)
}

/// The one partition of a queue of reviews.
pub(crate) const QUEUE: &str = "REVIEW";

/// The partition of the operations index that holds what operations dismissed although its condition
/// holds, so that nothing that is left alone is out of sight.
pub(crate) const DISMISSED: &str = "DISMISSED";

impl Store {
    /// Decides on a command to a lead and commits what follows. With a dedupe key it is applied
    /// once, however often it comes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Contention`] go away by asking again; after
    /// the first it may have been applied, which a dedupe key settles.
    pub async fn execute(
        &self,
        command: &Command,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Executed, StoreError> {
        let Done { outcome, duplicate, entries, after: lead, notifications, wake_at, wake_moved, look_at } =
            self.run::<Lead>(command, dedupe, now).await?;
        Ok(Executed { outcome, duplicate, entries, lead, notifications, wake_at, wake_moved, look_at })
    }

    /// A lead as it stands.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn lead(&self, id: &LeadId) -> Result<Option<Lead>, StoreError> {
        self.read_one(&Key::lead(id)).await?.as_ref().map(get_document).transpose()
    }
}

/// The partition of the index by state that holds the closed leads whose personal data is still
/// there: a publication can change for how long it is kept. No market is called so.
pub(crate) const CLOSED: &str = "#closed";

/// The partition of the index by state.
pub(crate) fn state_key(market: &MarketId, state: &StateId) -> String {
    format!("{market}#{state}")
}

impl Aggregate for Lead {
    type Fact = LeadFact;
    type Command = Command;

    fn subject(command: &Command) -> Subject {
        Subject::Lead(command.lead.clone())
    }

    fn key(command: &Command) -> Key {
        Key::lead(&command.lead)
    }

    fn cause(command: &Command) -> &str {
        &command.cause
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

    fn asked(command: &Command) -> Result<String, StoreError> {
        if let Input::Event(event) = &command.input
            && let Some(said) = &event.said
        {
            return Ok(said.clone());
        }
        digest(&Self::subject(command), &RecordedInput::of(&command.asked()).asked)
    }

    fn asked_personal(command: &Command) -> Result<Option<String>, StoreError> {
        let mut personal = RecordedInput::of(&command.input).personal;
        // Whether a source may write a contact changes, and what it says of matches always counts.
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

    fn decide(
        before: Option<&Self>,
        world: &World<'_>,
        command: &Command,
        now: DateTime<Utc>,
    ) -> Result<Decided<Self>, Need> {
        let decision = rules::lead::decide(before, world, command, now)?;
        Ok(Decided {
            outcome: decision.outcome,
            entries: decision.entries,
            after: decision.lead,
            wake_at: decision.wake_at,
            relied_on: decision.relied_on,
            consulted: decision.consulted,
        })
    }

    fn recorded(
        command: &Command,
        consulted: &Consulted,
        world: &World<'_>,
    ) -> Result<Option<Recorded>, serde_json::Error> {
        Recorded::of(&command.actor, &command.input, consulted, world).map(Some)
    }

    fn version(&self) -> u64 {
        self.commit
    }

    fn index(&self, item: &mut Item) {
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
    }

    fn requested(fact: &LeadFact) -> Option<&Notification> {
        if let LeadFact::Notification(NotificationFact::Requested(notification)) = fact {
            Some(notification)
        } else {
            None
        }
    }

    fn rests_on(command: &Command, decided: &Decided<Self>) -> Option<AccountId> {
        let links = |entry: &Entry<LeadFact>| matches!(&entry.fact, LeadFact::Updated { changes, .. } if !changes.account_id.is_keep());
        let asked = matches!(command.input, Input::ApplyAccount) || decided.entries.iter().any(links);
        decided.after.as_ref().filter(|_| asked)?.profile.account_id.clone()
    }

    fn load_changes(before: Option<&Self>, after: &Self, entries: &[Entry<LeadFact>]) -> Vec<LoadChange> {
        load_changes(before, after, entries)
    }
}
