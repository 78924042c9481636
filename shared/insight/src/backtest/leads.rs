//! Leads of a replay: what a record, or a timer of the replay's own, makes of one.

use super::kept::{Asked, History, LeadInPlay, is_same, under};
use super::play::{LeadCommit, Made, Play, note_asked};
use crate::replay::ReplayError;
use chrono::{DateTime, Utc};
use policy::ids::{LeadId, Subject};
use rules::aggregate::Decision;
use rules::cause;
use rules::clock::MISSED_AFTER;
use rules::entry::{Actor, Entry};
use rules::lead::{Command, Input, Lead, LeadFact};
use rules::notification::{DeliveryResult, NotificationFact};
use rules::patch::Patch;
use rules::record::Saw;

impl Play {
    /// Follows a recorded commit of a lead.
    pub fn follow_lead(&mut self, commit: &LeadCommit<'_>, history: &History) -> Result<Made, ReplayError> {
        let LeadCommit { id, record, is: recorded, .. } = commit;
        let mut kept = self.leads.take(id).unwrap_or_default();
        self.standings.see(commit.saw);
        if let Some(directory) = commit.directory {
            self.standings.change_recorded(directory, commit.load_changes);
        }
        let was = self.lead(id, &kept, commit.was.cloned())?;
        let command = commit.command.cloned();
        let command = command.and_then(|c| self.in_replay(&mut kept, commit.was, was.as_ref(), c));
        let decision = command.as_ref().and_then(|command| {
            let decision = self.decide(history, was.as_ref(), command, commit.saw, record.recorded_at)?;
            self.note_not_applied(command, recorded.outcome.as_ref(), &decision.outcome);
            Some(decision)
        });
        let (is, entries, wake_at) = match decision {
            Some(Decision { changed, entries, wake_at, .. }) => {
                (changed.map(|after| *after).or_else(|| was.clone()), entries, wake_at)
            }
            None if record.recorded.is_none() && kept.apart.is_none() => {
                // Nobody knows what it answered: it is taken as it is.
                let in_force = self.in_force(recorded.after.in_force);
                (Some(under(recorded.after.clone(), in_force)), recorded.entries.clone(), recorded.wake_at)
            }
            None if kept.follows => (was.clone(), Vec::new(), commit.was_wake),
            None => (was.clone(), Vec::new(), kept.armed),
        };
        self.note_lead(id, was.as_ref(), is.as_ref(), &entries);
        // What they are to each other now.
        let same = kept.apart.is_none() && is.as_ref().is_some_and(|l| is_same(&recorded.after, l));
        if !same {
            kept.keep(is.clone());
        }
        if let Some(apart) = &mut kept.apart {
            note_asked(apart, &recorded.entries, &entries);
        }
        kept.follows = same && wake_at == recorded.wake_at;
        kept.is_waiting = false;
        let armed = if kept.follows { None } else { wake_at };
        self.arm(Subject::Lead((*id).clone()), kept.armed, armed);
        kept.armed = armed;
        self.keep(id, kept)?;
        Ok(Made::Own { was, is, entries })
    }

    /// Runs what is due of a lead by the replay's own timers.
    pub fn wake_lead(
        &mut self,
        id: &LeadId,
        due: DateTime<Utc>,
        history: &History,
    ) -> Result<Option<Made>, ReplayError> {
        let Some(mut kept) = self.leads.take(id) else { return Ok(None) };
        kept.armed = None;
        // History's own timer is late: timers did not run then.
        let recorded_wake = history.leads.get(id).and_then(|lead| lead.wake);
        if recorded_wake.is_some_and(|wake| due - wake > MISSED_AFTER) {
            kept.is_waiting = true;
            self.keep(id, kept)?;
            return Ok(None);
        }
        let command = Command {
            lead: id.clone(),
            actor: Actor::system("clock"),
            cause: cause::wake(due),
            input: Input::Wake,
        };
        let made = self.alone(id, &mut kept, &command, due, history)?;
        // A wake that changes nothing must not come again for ever.
        if kept.armed == Some(due) {
            self.arm(Subject::Lead(id.clone()), kept.armed, None);
            kept.armed = None;
        }
        self.keep(id, kept)?;
        Ok(made)
    }

    /// Tells a lead of the replay what concerns it of its account.
    pub fn tell_lead(
        &mut self,
        id: &LeadId,
        command: &Command,
        now: DateTime<Utc>,
        history: &History,
    ) -> Result<Option<Made>, ReplayError> {
        let mut kept = self.leads.take(id).unwrap_or_default();
        let made = self.alone(id, &mut kept, command, now, history)?;
        self.keep(id, kept)?;
        Ok(made)
    }

    fn keep(&mut self, id: &LeadId, kept: LeadInPlay) -> Result<(), ReplayError> {
        if kept.is_as_in_history() { Ok(()) } else { self.leads.put(id, kept) }
    }

    /// Something that happens in the replay alone.
    fn alone(
        &mut self,
        id: &LeadId,
        kept: &mut LeadInPlay,
        command: &Command,
        now: DateTime<Utc>,
        history: &History,
    ) -> Result<Option<Made>, ReplayError> {
        let recorded = if kept.apart.is_some() { None } else { history.lead(id)? };
        let was = self.lead(id, kept, recorded)?;
        let nothing_seen = Saw::default();
        let Some(decision) = self.decide(history, was.as_ref(), command, &nothing_seen, now) else {
            return Ok(None);
        };
        let Decision { changed, entries, wake_at, .. } = decision;
        let is = changed.map(|after| *after).or_else(|| was.clone());
        self.note_lead(id, was.as_ref(), is.as_ref(), &entries);
        if !entries.is_empty() {
            kept.keep(is.clone());
            kept.follows = false;
        }
        if let Some(apart) = &mut kept.apart {
            note_asked(apart, &[], &entries);
        }
        if !kept.follows {
            self.arm(Subject::Lead(id.clone()), kept.armed, wake_at);
            kept.armed = wake_at;
        }
        Ok(Some(Made::Own { was, is, entries }))
    }

    /// What a recorded command is in the replay; `None` if it is nothing there.
    fn in_replay(
        &self,
        kept: &mut LeadInPlay,
        recorded: Option<&Lead>,
        replayed: Option<&Lead>,
        mut command: Command,
    ) -> Option<Command> {
        if let Input::Wake = command.input {
            // A directory that was published since is shown to leads by such a wake.
            let current = self.directory().map_or(0, |directory| directory.revision());
            let is_shown = replayed.is_some_and(|lead| lead.in_force.directory != current);
            return (kept.follows || kept.is_waiting || is_shown).then_some(command);
        }
        let Some(apart) = &mut kept.apart else { return Some(command) };
        match &mut command.input {
            Input::Event(event) => {
                // The CRM repeats the owner that it was told by us: it would repeat the other one.
                let repeated = recorded.and_then(|lead| lead.owner.as_ref());
                if let (Patch::Set(said), Some(repeated)) = (&event.owner, repeated)
                    && said == repeated
                {
                    let owner = replayed.and_then(|lead| lead.owner.clone());
                    event.owner = owner.map_or(Patch::Keep, Patch::Set);
                }
            }
            Input::Decide(decision) => {
                let revision = |lead: &Lead| lead.review.as_ref().map(|review| review.revision);
                let (stood, stands) = (recorded.and_then(revision), replayed.and_then(revision));
                decision.revision = as_it_stands(decision.revision, stood, stands);
            }
            Input::Reopen(reopening) => {
                let revision = |lead: &Lead| lead.rejection.as_ref().map(|rejection| rejection.revision);
                let (stood, stands) = (recorded.and_then(revision), replayed.and_then(revision));
                reopening.revision = as_it_stands(reopening.revision, stood, stands);
            }
            Input::Delivery(delivery) => {
                let id = apart.delivered(&delivery.id)?;
                // That it went well, or was not needed, changes nothing.
                let matters = matches!(
                    delivery.result,
                    DeliveryResult::Failed { .. } | DeliveryResult::Unreachable { .. }
                );
                if !matters {
                    return None;
                }
                delivery.id = id;
            }
            // Entries are counted otherwise here: it deals with everything that is in the queue.
            Input::Resolve(resolution) => resolution.seen = None,
            Input::Wake
            | Input::RefusedAtDoor { .. }
            | Input::ApplyAccount
            | Input::Offer
            | Input::OwnerPresence
            | Input::Erase(_) => {}
        }
        Some(command)
    }
}

/// The revision that somebody would have seen in the replay who saw one of the record: the one that
/// stands here, if what they saw stood there.
fn as_it_stands(seen: u64, stood: Option<u64>, stands: Option<u64>) -> u64 {
    stands.filter(|_| stood == Some(seen)).unwrap_or(0)
}

/// What entries ask to be told.
pub(super) fn asked(entries: &[Entry<LeadFact>]) -> impl Iterator<Item = Asked> {
    entries.iter().filter_map(|entry| match &entry.fact {
        LeadFact::Notification(NotificationFact::Requested(n)) => {
            Some(Asked { id: n.id.clone(), message: n.message, to: n.to.clone() })
        }
        _ => None,
    })
}
