//! What is to be told to whom. Only what everybody may read is in here: no contact's personal
//! data, no match details beyond what the compliance desk is to see.

use crate::screening::Criterion;

use chrono::{DateTime, Utc};
use policy::Message;
use policy::directory::Directory;
use policy::ids::{NotificationId, PersonId, TeamId};
use serde::{Deserialize, Serialize};

/// A request to tell somebody something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Stable: every attempt to send it carries the same.
    pub id: NotificationId,
    /// To whom.
    pub to: Recipient,
    /// What about.
    pub message: Message,
    /// The particulars.
    #[serde(default, skip_serializing_if = "Particulars::is_empty")]
    pub particulars: Particulars,
    /// What of the lead it is about, so that it can be asked later whether that is still so.
    #[serde(default, skip_serializing_if = "About::is_empty")]
    pub about: About,
    /// It is to go out no earlier: it was asked for in its recipient's quiet hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
}

/// What of a lead a notification is about: another clock, another visit or another review is
/// something else to tell. Nothing is known of notifications that are older than this type.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct About {
    /// The SLA clock of that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla_clock: Option<u32>,
    /// The stuck clock of that time: it tells one visit of a state from another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<u32>,
    /// When the open review was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<DateTime<Utc>>,
    /// When the threshold was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
}

impl About {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What becomes of a notification, as a history tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum NotificationFact {
    /// Somebody is to be told.
    #[serde(rename = "notification.requested")]
    Requested(Box<Notification>),
    /// Somebody was told.
    #[serde(rename = "notification.delivered")]
    Delivered {
        /// The request.
        id: NotificationId,
        /// By which channel.
        channel: String,
        /// The channel's own reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// How many attempts it took.
        attempts: u32,
    },
    /// Somebody was not told, since there was nothing left to tell.
    #[serde(rename = "notification.withdrawn")]
    Withdrawn {
        /// The request.
        id: NotificationId,
        /// Why.
        reason: String,
        /// The message that told it too, where several were due together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        with: Option<NotificationId>,
    },
    /// Somebody could not be told.
    #[serde(rename = "notification.failed")]
    Failed {
        /// The request.
        id: NotificationId,
        /// Why.
        reason: String,
        /// How many attempts were made.
        attempts: u32,
    },
    /// Somebody cannot be reached on their channel.
    #[serde(rename = "recipient.unreachable")]
    Unreachable {
        /// The request.
        id: NotificationId,
        /// Who.
        person: PersonId,
        /// Why.
        reason: String,
    },
}

impl NotificationFact {
    /// What became of those that were told together with it.
    pub fn told_with(delivery: &Delivery, with: Vec<NotificationId>) -> impl Iterator<Item = Self> {
        let reason = match &delivery.result {
            DeliveryResult::Delivered { .. } => "included in a later message",
            _ => "included in a later message that was not delivered",
        };
        let told_by = delivery.id.clone();
        with.into_iter().map(move |id| Self::Withdrawn {
            id,
            reason: reason.to_owned(),
            with: Some(told_by.clone()),
        })
    }

    /// What became of it, as a history tells it.
    pub fn of(delivery: &Delivery) -> Self {
        let (id, attempts) = (delivery.id.clone(), delivery.attempts);
        match &delivery.result {
            DeliveryResult::Delivered { channel, reference } => {
                Self::Delivered { id, channel: channel.clone(), reference: reference.clone(), attempts }
            }
            DeliveryResult::Withdrawn { reason } => {
                Self::Withdrawn { id, reason: reason.clone(), with: None }
            }
            DeliveryResult::Failed { reason } => Self::Failed { id, reason: reason.clone(), attempts },
            DeliveryResult::Unreachable { person, reason, .. } => {
                Self::Unreachable { id, person: person.clone(), reason: reason.clone() }
            }
        }
    }
}

/// To whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Recipient {
    /// Somebody directly.
    Person {
        /// In which role they are told.
        role: Role,
        /// Who.
        person: PersonId,
    },
    /// The manager, on the team's channel.
    TeamChannel {
        /// Which team.
        team: TeamId,
        /// Its manager, who is mentioned.
        manager: PersonId,
    },
    /// The compliance team, on its channel.
    ComplianceDesk,
    /// Operations, on its channel.
    OperationsDesk,
}

impl Recipient {
    /// The manager of a team, on its channel; operations, where there is no such team.
    pub(crate) fn manager_of(team: Option<&TeamId>, directory: &Directory) -> Self {
        let manager = team.and_then(|team| Some((team.clone(), directory.team(team)?.manager.clone())));
        manager.map_or(Self::OperationsDesk, |(team, manager)| Self::TeamChannel { team, manager })
    }

    /// Whether two messages reach the same person or channel.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Person { person, .. }, Self::Person { person: other, .. }) => person == other,
            (Self::TeamChannel { team, .. }, Self::TeamChannel { team: other, .. }) => team == other,
            _ => self == other,
        }
    }
}

/// In which role somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Role {
    Owner,
    PreviousOwner,
    WouldBeOwner,
    RegionalVp,
    AccountOwner,
    CustomerSuccess,
}

/// The particulars of a message; each message uses those that it needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Particulars {
    /// The step that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The state the lead is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The company's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// Who owns the lead, or would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// Who had it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_owner: Option<PersonId>,
    /// Working time elapsed, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_s: Option<i64>,
    /// The window, in seconds of working time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<i64>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The matching criteria, for the compliance desk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Criterion>,
    /// Who raised the flag, for the compliance desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged_by: Option<String>,
    /// The publisher of the rules that the message is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_by: Option<String>,
    /// Who could not be reached, where the message was passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<PersonId>,
}

impl Particulars {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Which.
    pub id: NotificationId,
    /// How many attempts were made.
    pub attempts: u32,
    /// What became of it.
    pub result: DeliveryResult,
    /// Earlier notifications to the same recipient that the same message tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<NotificationId>,
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryResult {
    /// It was taken by the channel.
    Delivered {
        /// Which channel.
        channel: String,
        /// The channel's reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// It was not true any more for its recipient.
    Withdrawn {
        /// Why.
        reason: String,
    },
    /// No attempt is left, or none would help.
    Failed {
        /// Why.
        reason: String,
    },
    /// The person cannot be reached there: somebody else must be told.
    Unreachable {
        /// Who.
        person: PersonId,
        /// Why.
        reason: String,
        /// What they should have been told.
        notification: Box<crate::notification::Notification>,
    },
}
