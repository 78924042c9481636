//! Notifications of a lead that are not delivered yet: they wait for the end of quiet hours, in a queue, or for an
//! outage to end. They are part of the lead, so that every decision sees them.

use crate::notification::{About, Notification, NotificationFact, Recipient};
use chrono::{DateTime, Utc};
use policy::Message;
use policy::ids::{NotificationId, PersonId, StateId};
use serde::{Deserialize, Serialize};

/// How many a lead keeps. One that it no longer keeps is still delivered, on its own.
const PENDING_MAX: usize = 32;

/// A notification that is not delivered yet, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingNotification {
    /// The notification.
    pub id: NotificationId,
    /// The recipient.
    pub to: Recipient,
    /// The message.
    pub message: Message,
    /// What of the lead it is about.
    #[serde(default)]
    pub about: About,
    /// When it was asked for; not known of one that is read back from the outbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<DateTime<Utc>>,
    /// It is to go out no earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
    /// Who owned the lead then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// The state the lead was in then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateId>,
    /// Who could not be reached, where the message was passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<PersonId>,
    /// Whether it reports that a window is over; otherwise it warns.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_report: bool,
    /// Why it is obsolete, if the history alone shows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moot: Option<ObsoleteReason>,
}

/// Why a message became obsolete while it waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObsoleteReason {
    /// The breach that it reports was excused.
    Excused,
    /// Its recipient was never told that they owned the lead.
    NeverGiven,
}

impl PendingNotification {
    /// A notification in short.
    pub fn of(notification: &Notification, asked_at: Option<DateTime<Utc>>) -> Self {
        let Notification { id, to, message, particulars, about, not_before } = notification;
        let is_report = particulars.elapsed_s.zip(particulars.window_s).is_some_and(|(e, w)| e >= w);
        Self {
            id: id.clone(),
            to: to.clone(),
            message: *message,
            about: about.clone(),
            asked_at,
            not_before: *not_before,
            owner: particulars.owner.clone(),
            state: particulars.state.clone(),
            instead_of: particulars.instead_of.clone(),
            is_report,
            moot: None,
        }
    }

    /// The person it is for, if it is for one.
    pub fn person(&self) -> Option<&PersonId> {
        match &self.to {
            Recipient::Person { person, .. } => Some(person),
            _ => self.instead_of.as_ref(),
        }
    }

    /// Whether it tells a person that they own a lead.
    pub fn gives(&self) -> bool {
        gives(self.message)
    }

    /// Whether it may go out.
    pub fn is_ready(&self, at: DateTime<Utc>) -> bool {
        self.not_before.is_none_or(|not_before| not_before <= at)
    }
}

/// Whether a message tells a person that they own a lead.
fn gives(message: Message) -> bool {
    matches!(message, Message::LeadGiven | Message::Cleared)
}

/// An owner who has got no message that they own the lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnnotifiedOwner {
    /// Who.
    pub person: PersonId,
    /// The digest of a publication tells them, from then on; absent: their message was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
}

/// Who is not told after a fact that the lead is theirs; `None`: the fact says nothing of that.
pub(crate) fn untold_after(
    pending: &[PendingNotification],
    fact: &NotificationFact,
) -> Option<Option<UnnotifiedOwner>> {
    match fact {
        NotificationFact::Requested(notification) => gives(notification.message).then_some(None),
        NotificationFact::Withdrawn { id, with: None, .. } => {
            let gone = pending.iter().find(|p| p.id == *id && p.gives())?;
            Some(gone.person().map(|person| UnnotifiedOwner { person: person.clone(), from: None }))
        }
        _ => None,
    }
}

/// Takes a fact into account.
pub(crate) fn follow(pending: &mut Vec<PendingNotification>, fact: &NotificationFact, at: DateTime<Utc>) {
    let (id, is_untold) = match fact {
        NotificationFact::Requested(notification) => {
            if pending.len() >= PENDING_MAX {
                pending.remove(0);
            }
            return pending.push(PendingNotification::of(notification, Some(at)));
        }
        NotificationFact::Withdrawn { id, with, .. } => (id, with.is_none()),
        NotificationFact::Delivered { id, .. }
        | NotificationFact::Failed { id, .. }
        | NotificationFact::Unreachable { id, .. } => (id, false),
    };
    let Some(place) = pending.iter().position(|p| p.id == *id) else { return };
    let gone = pending.remove(place);
    if is_untold && gone.message == Message::LeadGiven {
        // Nobody is told that they lost what they never heard they had. Who was told that it is held has heard of it.
        let later = pending.iter_mut().skip(place).filter(|p| p.to.is_same_as(&gone.to));
        for p in later.take_while(|p| !p.gives()).filter(|p| p.message == Message::LeadTaken) {
            p.moot = Some(ObsoleteReason::NeverGiven);
        }
    }
}

/// The breach of a step that was due at an instant is excused: what would report it is not true.
pub(crate) fn excuse(pending: &mut [PendingNotification], breached_at: DateTime<Utc>) {
    let reports = |p: &&mut PendingNotification| {
        p.message == Message::SlaBreached && p.is_report && p.about.due_at == Some(breached_at)
    };
    pending.iter_mut().filter(reports).for_each(|p| p.moot = Some(ObsoleteReason::Excused));
}
