//! What should happen to a rep.

use crate::entry::Entry;
use crate::notification::{About, Notification, NotificationFact, Particulars, Recipient};
use crate::quiet;
use crate::rep::command::{RepCommand, RepInput};
use crate::rep::event::{AbsenceDigest, RepFact};
use crate::roster::Standing;
use crate::world::World;
use chrono::{DateTime, Utc};
use policy::Message;
use policy::ids::{NotificationId, Subject};

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
