//! A rep: the third, small aggregate. What a rep carries follows from the leads; whether they take any
//! more is said by them or for them, and recorded, and so is what their manager is told while they are away.

use crate::absence::{AbsenceDigest, LeadsOfAbsent, ToldOf};
use crate::entry::{Actor, Entry};
use crate::input::{Delivery, World};
use crate::notification::{About, Notification, NotificationFact, Particulars, Recipient};
use crate::quiet;
use crate::routing::{Availability, Standing};
use chrono::{DateTime, Utc};
use policy::Message;
use policy::ids::{NotificationId, PersonId, Subject};
use serde::{Deserialize, Serialize};

/// A fact about a rep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum RepFact {
    /// Somebody said whether they take leads.
    #[serde(rename = "rep.availability-set")]
    AvailabilitySet(Availability),
    /// They are away, and their leads were looked after.
    #[serde(rename = "rep.absence-followed")]
    AbsenceFollowed(AbsenceDigest),
    /// Somebody is to be told, or was, or was not.
    #[serde(untagged)]
    Notification(NotificationFact),
}

/// An input to a rep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepCommand {
    /// Who.
    pub rep: PersonId,
    /// Who acts.
    pub actor: Actor,
    /// Its identity: the same input has the same, however often it comes.
    pub cause: String,
    /// What it is.
    pub input: RepInput,
}

/// What can be asked of a rep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RepInput {
    /// Whether they take leads.
    Availability(Availability),
    /// All their leads were looked after.
    LeadsLookedAt {
        /// What became of leads and their manager was not told yet, by [`RepCommand::seen_from`].
        untold: LeadsOfAbsent,
        /// How many open ones are theirs and wait for nobody else.
        kept: u32,
        /// The change that they were looked at for: once there is another one, they are looked at again
        /// before anybody is told.
        change: u64,
    },
    /// A notification reached its recipient, or did not.
    Delivery(Delivery),
}

impl RepInput {
    /// That all leads of a rep were looked after, so many of which stay theirs.
    pub fn looked_at(kept: u32, change: u64) -> Self {
        Self::LeadsLookedAt { untold: LeadsOfAbsent::default(), kept, change }
    }
}

impl RepCommand {
    /// The command with what it is about as the rep stands: the record is to have it.
    #[must_use]
    pub fn seen_from(&self, standing: &Standing) -> Self {
        let mut command = self.clone();
        if let RepInput::LeadsLookedAt { untold, .. } = &mut command.input {
            untold.clone_from(&standing.untold);
        }
        command
    }
}

/// Whether what is said is over already: nobody means that.
pub fn is_over(availability: &Availability, now: DateTime<Utc>) -> bool {
    availability.until.is_some_and(|until| until <= now)
}

/// What an input brings about; nothing, if that is so already.
pub fn decide_rep(
    standing: &Standing,
    world: &World<'_>,
    command: &RepCommand,
    now: DateTime<Utc>,
) -> Vec<Entry<RepFact>> {
    let rep = &command.rep;
    let subject = Subject::Rep(rep.clone());
    let facts = match &command.input {
        RepInput::Availability(said) if standing.availability.as_ref() == Some(said) => Vec::new(),
        RepInput::Availability(said) => vec![RepFact::AvailabilitySet(said.clone())],
        RepInput::LeadsLookedAt { untold, kept, .. } => {
            let (directory, policy) = (world.directory, &world.policy.policy);
            match AbsenceDigest::of(directory, policy, rep, standing, (untold, *kept), now) {
                Some(digest) => {
                    let id = NotificationId::new(format!("{subject}/{}", standing.seq.saturating_add(2)));
                    let (to, message) =
                        (Recipient::manager_of(directory.team_of(rep), directory), Message::ChangedHands);
                    let reasons = digest.lines(directory);
                    let particulars = Particulars { reasons, ..Particulars::default() };
                    let not_before = quiet::not_before(policy, directory, &to, message, now);
                    let about = About::default();
                    let notification = Notification { id, to, message, particulars, about, not_before };
                    let requested = NotificationFact::Requested(Box::new(notification));
                    vec![RepFact::AbsenceFollowed(digest), RepFact::Notification(requested)]
                }
                None => Vec::new(),
            }
        }
        RepInput::Delivery(delivery) => vec![RepFact::Notification(NotificationFact::of(delivery))],
    };
    let entry = |(n, fact)| Entry {
        subject: subject.clone(),
        seq: standing.seq.saturating_add(n),
        commit: standing.commit.saturating_add(1),
        // What is told is told of what was said before.
        at: match &fact {
            RepFact::AvailabilitySet(_) => now,
            _ => standing.said_at.map_or(now, |said_at| now.max(said_at)),
        },
        due_at: None,
        actor: command.actor.clone(),
        cause: command.cause.clone(),
        workflow: None,
        policy_revision: world.policy.revision,
        directory_revision: world.directory.revision(),
        fact,
    };
    (1..).zip(facts).map(entry).collect()
}

/// What an entry makes of a standing.
pub fn evolve(standing: &mut Standing, entry: &Entry<RepFact>) {
    match &entry.fact {
        RepFact::AvailabilitySet(availability) => {
            let goes_on = |before: &Availability| !before.available && !is_over(before, entry.at);
            if availability.available || !standing.availability.as_ref().is_some_and(goes_on) {
                standing.told_of = None;
            }
            standing.availability = Some(availability.clone());
            standing.said_at = Some(entry.at);
        }
        RepFact::AbsenceFollowed(digest) => {
            standing.untold = LeadsOfAbsent::default();
            if !digest.is_over {
                standing.told_of = Some(ToldOf { until: digest.until });
            }
        }
        RepFact::Notification(_) => {}
    }
    (standing.seq, standing.commit) = (entry.seq, entry.commit);
}
