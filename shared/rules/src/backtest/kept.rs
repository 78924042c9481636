//! A lead between its commits: as it is while more is likely to come soon, and else as small as it
//! can be kept, as JSON; once for both histories until they part.

use super::parting::Parting;
use crate::ids::NotificationId;
use crate::input::InForce;
use crate::lead::Lead;
use crate::notification::{Message, Recipient};
use chrono::{DateTime, Utc};

/// Requests of a lead that parted are remembered for their deliveries, so many at most.
const ASKED_MAX: usize = 32;

/// A lead between its commits.
#[derive(Debug)]
pub(super) struct Kept {
    /// As the record has it.
    recorded: Form,
    /// Counts when it was last touched.
    pub touched: u64,
    /// When the record has to look at it again.
    pub recorded_wake: Option<DateTime<Utc>>,
    /// The replay waits for the same instant, so that the recorded wake stands for both.
    pub follows: bool,
    /// When the replay looks at it by itself.
    pub armed: Option<DateTime<Utc>>,
    /// A timer of its own came due while the record's was late: it runs when the record says that
    /// timers run again.
    pub is_waiting: bool,
    /// What is kept once the histories have parted.
    pub apart: Option<Box<Apart>>,
}

/// What is kept of a lead whose histories have parted.
#[derive(Debug, Default)]
pub(super) struct Apart {
    /// As the replay has it.
    replayed: Form,
    /// What people would notice of both.
    pub parting: Parting,
    /// What was asked to be told since they parted.
    recorded_asked: Vec<Asked>,
    replayed_asked: Vec<Asked>,
}

/// A lead, or none, in one of two forms.
#[derive(Debug, Default)]
enum Form {
    #[default]
    None,
    Whole(Box<Lead>),
    Packed(Box<[u8]>),
}

impl Form {
    fn of(lead: Option<Lead>) -> Self {
        lead.map_or(Self::None, |lead| Self::Whole(Box::new(lead)))
    }

    fn lead(&self) -> Result<Option<Lead>, serde_json::Error> {
        match self {
            Self::None => Ok(None),
            Self::Whole(lead) => Ok(Some((**lead).clone())),
            Self::Packed(bytes) => serde_json::from_slice(bytes).map(Some),
        }
    }

    fn pack(&mut self) -> Result<(), serde_json::Error> {
        if let Self::Whole(lead) = self {
            *self = Self::Packed(serde_json::to_vec(lead)?.into_boxed_slice());
        }
        Ok(())
    }
}

/// A request to tell somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub id: NotificationId,
    pub message: Message,
    pub to: Recipient,
}

impl Kept {
    /// A lead that nothing is known of: both histories begin alike.
    pub fn new() -> Self {
        Self {
            recorded: Form::None,
            touched: 0,
            recorded_wake: None,
            follows: true,
            armed: None,
            is_waiting: false,
            apart: None,
        }
    }

    /// As the record has it.
    pub fn recorded(&self) -> Result<Option<Lead>, serde_json::Error> {
        self.recorded.lead()
    }

    /// As the replay has it, if that is another.
    pub fn replayed(&self) -> Option<Result<Option<Lead>, serde_json::Error>> {
        self.apart.as_ref().map(|apart| apart.replayed.lead())
    }

    /// Keeps what a commit of the record made of it.
    pub fn keep_recorded(&mut self, lead: Lead) {
        self.recorded = Form::of(Some(lead));
    }

    /// Keeps what the replay made of it.
    pub fn keep_replayed(&mut self, lead: Option<Lead>) {
        self.apart.get_or_insert_default().replayed = Form::of(lead);
    }

    /// Nothing is likely to come of it soon: it is made small.
    pub fn pack(&mut self) -> Result<(), serde_json::Error> {
        self.recorded.pack()?;
        self.apart.as_mut().map_or(Ok(()), |apart| apart.replayed.pack())
    }
}

impl Apart {
    /// Remembers requests of the record.
    pub fn recorded_asks(&mut self, asked: impl Iterator<Item = Asked>) {
        remember(&mut self.recorded_asked, asked);
    }

    /// Remembers requests of the replay.
    pub fn replayed_asks(&mut self, asked: impl Iterator<Item = Asked>) {
        remember(&mut self.replayed_asked, asked);
    }

    /// The request of the replay that a delivery of the record speaks of. One that was made before
    /// they parted has the same id in both; one that the replay did not make has none.
    pub fn delivered(&mut self, id: &NotificationId) -> Option<NotificationId> {
        let Some(place) = self.recorded_asked.iter().position(|asked| asked.id == *id) else {
            return Some(id.clone());
        };
        let recorded = self.recorded_asked.remove(place);
        let same = |asked: &Asked| asked.message == recorded.message && asked.to == recorded.to;
        let place = self.replayed_asked.iter().position(same)?;
        Some(self.replayed_asked.remove(place).id)
    }
}

fn remember(all: &mut Vec<Asked>, asked: impl Iterator<Item = Asked>) {
    all.extend(asked);
    let too_many = all.len().saturating_sub(ASKED_MAX);
    all.drain(..too_many);
}

/// Whether two leads are the same but for the revisions that they were decided under.
pub(super) fn is_same(recorded: &Lead, replayed: &Lead) -> bool {
    let in_force = recorded.in_force;
    // Most differ in their number of entries, if at all.
    recorded.seq == replayed.seq && *recorded == under(replayed.clone(), in_force)
}

/// A lead as if it had been decided under these revisions.
pub(super) fn under(mut lead: Lead, in_force: InForce) -> Lead {
    lead.in_force = in_force;
    lead
}
