//! What should happen to a rep.

use super::command::{RepCommand, RepInput};
use super::event::{AbsenceDigest, RepFact};
use super::evolve::is_over;
use crate::aggregate::{Decision, Undecided};
use crate::draft::Draft;
use crate::notification::{NotificationFact, Particulars, Recipient};
use crate::outcome::Outcome;
use crate::roster::Standing;
use crate::world::World;
use chrono::{DateTime, Utc};
use policy::Message;

/// What should happen to a rep, given an input at an instant. What is so already changes nothing.
pub(super) fn decide(
    before: Option<&Standing>,
    world: &World,
    command: &RepCommand,
    now: DateTime<Utc>,
) -> Result<Decision<Standing>, Undecided> {
    let mut d = Draft::new(before, world, command, now);
    let nothing = Standing::default();
    let standing = before.unwrap_or(&nothing);
    // What people are told is told of what was said before.
    let told_at = standing.said_at.map_or(now, |said_at| now.max(said_at));
    match &command.input {
        RepInput::Availability(_) if d.rules.directory().rep(&command.rep).is_none() => {
            return d.finish(Outcome::NotFound, None);
        }
        RepInput::Availability(said) if is_over(said, now) => {
            let why = "is in the past; send a later time, or leave it out".to_owned();
            return d.finish(Outcome::Invalid { field: "until".to_owned(), why }, None);
        }
        RepInput::Availability(said) if standing.availability.as_ref() == Some(said) => {}
        RepInput::Availability(said) => d.fact(None, RepFact::AvailabilitySet(said.clone())),
        RepInput::LeadsLookedAt { untold, kept, .. } => {
            d.begin_input(told_at);
            let (directory, policy) = (d.rules.directory(), d.rules.policy());
            let seen = (untold, *kept);
            if let Some(digest) = AbsenceDigest::of(directory, policy, &command.rep, standing, seen, now) {
                let to = Recipient::manager_of(directory.team_of(&command.rep), directory);
                let particulars = Particulars { reasons: digest.lines(directory), ..Particulars::default() };
                d.fact(None, RepFact::AbsenceFollowed(digest));
                d.notify(None, to, Message::ChangedHands, particulars);
            }
        }
        RepInput::Delivery(delivery) => {
            d.begin_input(told_at);
            d.fact(None, NotificationFact::of(delivery));
        }
    }
    let outcome = if d.entries.is_empty() { Outcome::Unchanged } else { Outcome::Applied };
    d.finish(outcome, None)
}
