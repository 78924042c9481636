//! What is to be told to whom. Only what everybody may read is in here: no contact's personal
//! data, no match details beyond what the compliance desk is to see.

use crate::compliance::Criterion;
use crate::directory::Directory;
use crate::ids::{NotificationId, PersonId, TeamId};
use crate::input::{Delivery, DeliveryResult};
use crate::policy::WorkflowId;
use chrono::{DateTime, Utc};
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
            DeliveryResult::Delivered { .. } => "told together with a later message",
            _ => "part of a later message, which did not arrive",
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

/// What a notification is about; each has one wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// The window nears its end (or any earlier step for the owner).
    SlaWarning,
    /// The window is over (or any step for the manager).
    SlaBreached,
    /// The lead was taken from you.
    LeadTaken,
    /// The lead is yours now.
    LeadGiven,
    /// It should be given to somebody else, and could not be.
    ReassignmentImpossible,
    /// It has been in its state too long: update or move it.
    StuckAsk,
    /// It has been in its state far too long.
    StuckManager,
    /// It keeps coming back to the same state.
    Bounced,
    /// It is worth more than most.
    HighValue,
    /// It is held by compliance and cannot be worked.
    Held,
    /// It waits for a compliance decision.
    ReviewNeeded,
    /// A review is getting old.
    ReviewAgeing,
    /// Compliance cleared it; it is yours.
    Cleared,
    /// Compliance closed it.
    ClosedByCompliance,
    /// The account may leave.
    ChurnRisk,
    /// The retention touchpoint is due.
    TouchpointDue,
    /// A publication made thresholds passed that nobody was told of one by one.
    PublicationDigest,
    /// Leads have another owner, since theirs left or is away.
    ChangedHands,
}

impl Message {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 18] = [
        Self::SlaWarning,
        Self::SlaBreached,
        Self::LeadTaken,
        Self::LeadGiven,
        Self::ReassignmentImpossible,
        Self::StuckAsk,
        Self::StuckManager,
        Self::Bounced,
        Self::HighValue,
        Self::Held,
        Self::ReviewNeeded,
        Self::ReviewAgeing,
        Self::Cleared,
        Self::ClosedByCompliance,
        Self::ChurnRisk,
        Self::TouchpointDue,
        Self::PublicationDigest,
        Self::ChangedHands,
    ];

    /// Its name in documents and audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SlaWarning => "sla-warning",
            Self::SlaBreached => "sla-breached",
            Self::LeadTaken => "lead-taken",
            Self::LeadGiven => "lead-given",
            Self::ReassignmentImpossible => "reassignment-impossible",
            Self::StuckAsk => "stuck-ask",
            Self::StuckManager => "stuck-manager",
            Self::Bounced => "bounced",
            Self::HighValue => "high-value",
            Self::Held => "held",
            Self::ReviewNeeded => "review-needed",
            Self::ReviewAgeing => "review-ageing",
            Self::Cleared => "cleared",
            Self::ClosedByCompliance => "closed-by-compliance",
            Self::ChurnRisk => "churn-risk",
            Self::TouchpointDue => "touchpoint-due",
            Self::PublicationDigest => "publication-digest",
            Self::ChangedHands => "changed-hands",
        }
    }

    /// Whether it is about work on a lead: none is to be done while compliance holds the lead, or once
    /// it is closed. What compliance says is said whatever became of the lead.
    pub fn is_about_work(self) -> bool {
        matches!(self.workflow(), Some(WorkflowId::SlaBreach | WorkflowId::StuckLead | WorkflowId::HighValue))
    }

    /// The workflow it belongs to: its wording is part of that workflow's version. What is said of
    /// a publication belongs to none.
    pub fn workflow(self) -> Option<WorkflowId> {
        Some(match self {
            Self::SlaWarning
            | Self::SlaBreached
            | Self::LeadTaken
            | Self::LeadGiven
            | Self::ReassignmentImpossible => WorkflowId::SlaBreach,
            Self::StuckAsk | Self::StuckManager | Self::Bounced => WorkflowId::StuckLead,
            Self::HighValue => WorkflowId::HighValue,
            Self::Held
            | Self::ReviewNeeded
            | Self::ReviewAgeing
            | Self::Cleared
            | Self::ClosedByCompliance => WorkflowId::ComplianceFlag,
            Self::ChurnRisk | Self::TouchpointDue => WorkflowId::ChurnRisk,
            Self::PublicationDigest | Self::ChangedHands => return None,
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_named_as_it_is_written() {
        for message in Message::ALL {
            assert_eq!(serde_json::to_value(message).unwrap(), message.as_str());
        }
    }
}
