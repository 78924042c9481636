//! Notifications: who gets which message. They hold no contact's personal data, and of matches only what the
//! compliance desk may see.

use crate::screening::Criterion;

use chrono::{DateTime, Utc};
use policy::Message;
use policy::directory::Directory;
use policy::ids::{MarketId, NotificationId, PersonId, StateId, TeamId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A request to send a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Stable: the same on every attempt to send it.
    pub id: NotificationId,
    /// The recipient.
    pub to: Recipient,
    /// The message.
    pub message: Message,
    /// The particulars.
    #[serde(default, skip_serializing_if = "Particulars::is_empty")]
    pub particulars: Particulars,
    /// The clock, visit, and review it is about, to check later whether it is still true.
    #[serde(default, skip_serializing_if = "About::is_empty")]
    pub about: About,
    /// The end of the recipient's quiet hours, before which it is not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
}

/// The clock, visit, and review of a lead that a notification is about. With another one, the notification is no
/// longer true. Notifications from before this type have none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct About {
    /// The SLA clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla_clock: Option<u32>,
    /// The stuck clock, which identifies the visit of the state.
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

/// The facts about a notification in a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum NotificationFact {
    /// The message is to be sent.
    #[serde(rename = "notification.requested")]
    Requested(Box<Notification>),
    /// The message was delivered.
    #[serde(rename = "notification.delivered")]
    Delivered {
        /// The request.
        id: NotificationId,
        /// The channel.
        channel: String,
        /// The channel's own reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// How many attempts it took.
        attempts: u32,
    },
    /// The message was no longer true and was not sent.
    #[serde(rename = "notification.withdrawn")]
    Withdrawn {
        /// The request.
        id: NotificationId,
        /// Why.
        reason: String,
        /// The message that covers it, if several were due together.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        with: Option<NotificationId>,
    },
    /// The message could not be delivered.
    #[serde(rename = "notification.failed")]
    Failed {
        /// The request.
        id: NotificationId,
        /// Why.
        reason: String,
        /// How many attempts were made.
        attempts: u32,
    },
    /// A person cannot be reached on their channel.
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
    /// The facts about the notifications that the same message covers.
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

    /// The fact about a delivery.
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

/// The recipient of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Recipient {
    /// A person, directly.
    Person {
        /// The role in which they get it.
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

/// The role in which a person gets a message.
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

/// The details of a message; each message uses those that it needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Particulars {
    /// The step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<SmolStr>,
    /// The state the lead is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateId>,
    /// The company's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    /// The owner or would-be owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// The previous owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_owner: Option<PersonId>,
    /// Business hours elapsed, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_s: Option<i64>,
    /// The window, in seconds of business hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<i64>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The matching criteria, for the compliance desk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Criterion>,
    /// The person who raised the flag, for the compliance desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flagged_by: Option<String>,
    /// The publisher of the rules that the message is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_by: Option<String>,
    /// The person who could not be reached, if the message goes to another recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<PersonId>,
}

impl Particulars {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The outcome of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Which.
    pub id: NotificationId,
    /// How many attempts were made.
    pub attempts: u32,
    /// The outcome.
    pub result: DeliveryResult,
    /// Earlier notifications to the same recipient that the message covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<NotificationId>,
}

/// The outcome of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryResult {
    /// The channel accepted it.
    Delivered {
        /// Which channel.
        channel: String,
        /// The channel's reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// It was no longer true for its recipient.
    Withdrawn {
        /// Why.
        reason: String,
    },
    /// No attempt is left, or another attempt would not help.
    Failed {
        /// Why.
        reason: String,
    },
    /// The person cannot be reached there, so another recipient must get it.
    Unreachable {
        /// Who.
        person: PersonId,
        /// Why.
        reason: String,
        /// The notification.
        notification: Box<crate::notification::Notification>,
    },
}
