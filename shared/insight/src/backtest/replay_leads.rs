//! The leads of a replay: what a recorded commit, or the replay's own timer, makes of one.

use super::commits::{LeadChange, LeadCommit};
use super::history::History;
use super::overlay::{LeadOverlay, is_same, under};
use super::policy_replay::PolicyReplay;
use crate::replay::ReplayError;
use chrono::{DateTime, Utc};
use policy::ids::{LeadId, Subject};
use rules::aggregate::Decision;
use rules::cause;
use rules::clock::MISSED_AFTER;
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead};
use rules::notification::DeliveryResult;
use rules::patch::Patch;
use rules::record::Saw;

impl PolicyReplay {
    /// Replays a recorded commit of a lead.
    pub fn follow_lead(
        &mut self,
        commit: &LeadCommit<'_>,
        history: &History,
    ) -> Result<LeadChange, ReplayError> {
        let LeadCommit { id, record, recorded, .. } = commit;
        let mut overlay = self.leads.take(id).unwrap_or_default();
        self.standings.observe(commit.saw);
        if let Some(directory) = commit.directory {
            self.standings.change_recorded(directory, commit.load_changes);
        }
        let before = self.lead(id, &overlay, commit.before.cloned())?;
        let command = commit.command.cloned();
        let command = command.and_then(|c| self.adapt(&mut overlay, commit.before, before.as_ref(), c));
        let decision = command.as_ref().and_then(|command| {
            let decision = self.decide(history, before.as_ref(), command, commit.saw, record.recorded_at)?;
            self.check_applied(command, recorded.outcome.as_ref(), &decision.outcome);
            Some(decision)
        });
        let (after, entries, wake_at) = match decision {
            Some(Decision { changed, entries, wake_at, .. }) => {
                (changed.map(|after| *after).or_else(|| before.clone()), entries, wake_at)
            }
            None if record.recorded.is_none() && overlay.diverged.is_none() => {
                // The input is not recorded, so take the recorded result.
                let in_force = self.in_force(recorded.after.in_force);
                (Some(under(recorded.after.clone(), in_force)), recorded.entries.clone(), recorded.wake_at)
            }
            None if overlay.shares_timer => (before.clone(), Vec::new(), commit.wake_before),
            None => (before.clone(), Vec::new(), overlay.wake_at),
        };
        self.track_lead(id, before.as_ref(), after.as_ref(), &entries);
        let same = overlay.diverged.is_none() && after.as_ref().is_some_and(|l| is_same(&recorded.after, l));
        if !same {
            overlay.diverge(after.clone());
        }
        if let Some(diverged) = &mut overlay.diverged {
            diverged.remember_requests(&recorded.entries, &entries);
        }
        overlay.shares_timer = same && wake_at == recorded.wake_at;
        overlay.is_delayed = false;
        let own_timer = if overlay.shares_timer { None } else { wake_at };
        self.set_timer(Subject::Lead((*id).clone()), overlay.wake_at, own_timer);
        overlay.wake_at = own_timer;
        self.put_overlay(id, overlay)?;
        Ok(LeadChange { before, after, entries })
    }

    /// Runs the replay's own timer of a lead.
    pub fn wake_lead(
        &mut self,
        id: &LeadId,
        due: DateTime<Utc>,
        history: &History,
    ) -> Result<Option<LeadChange>, ReplayError> {
        let Some(mut overlay) = self.leads.take(id) else { return Ok(None) };
        overlay.wake_at = None;
        // The recorded timer is late: there was an outage.
        let recorded_wake = history.leads.get(id).and_then(|lead| lead.wake_at);
        if recorded_wake.is_some_and(|wake| due - wake > MISSED_AFTER) {
            overlay.is_delayed = true;
            self.put_overlay(id, overlay)?;
            return Ok(None);
        }
        let command = Command {
            lead: id.clone(),
            actor: Actor::system("clock"),
            cause: cause::wake(due),
            input: Input::Wake,
        };
        let change = self.replay_only(id, &mut overlay, &command, due, history)?;
        // A wake that changes nothing must not repeat forever.
        if overlay.wake_at == Some(due) {
            self.set_timer(Subject::Lead(id.clone()), overlay.wake_at, None);
            overlay.wake_at = None;
        }
        self.put_overlay(id, overlay)?;
        Ok(change)
    }

    /// Applies a change of the account to a lead in the replay.
    pub fn apply_account_to(
        &mut self,
        id: &LeadId,
        command: &Command,
        now: DateTime<Utc>,
        history: &History,
    ) -> Result<Option<LeadChange>, ReplayError> {
        let mut overlay = self.leads.take(id).unwrap_or_default();
        let change = self.replay_only(id, &mut overlay, command, now, history)?;
        self.put_overlay(id, overlay)?;
        Ok(change)
    }

    fn put_overlay(&mut self, id: &LeadId, overlay: LeadOverlay) -> Result<(), ReplayError> {
        if overlay.is_empty() { Ok(()) } else { self.leads.put(id, overlay) }
    }

    /// Decides a command that exists only in the replay.
    fn replay_only(
        &mut self,
        id: &LeadId,
        overlay: &mut LeadOverlay,
        command: &Command,
        now: DateTime<Utc>,
        history: &History,
    ) -> Result<Option<LeadChange>, ReplayError> {
        let recorded = if overlay.diverged.is_some() { None } else { history.lead(id)? };
        let before = self.lead(id, overlay, recorded)?;
        let nothing_seen = Saw::default();
        let Some(decision) = self.decide(history, before.as_ref(), command, &nothing_seen, now) else {
            return Ok(None);
        };
        let Decision { changed, entries, wake_at, .. } = decision;
        let after = changed.map(|after| *after).or_else(|| before.clone());
        self.track_lead(id, before.as_ref(), after.as_ref(), &entries);
        if !entries.is_empty() {
            overlay.diverge(after.clone());
            overlay.shares_timer = false;
        }
        if let Some(diverged) = &mut overlay.diverged {
            diverged.remember_requests(&[], &entries);
        }
        if !overlay.shares_timer {
            self.set_timer(Subject::Lead(id.clone()), overlay.wake_at, wake_at);
            overlay.wake_at = wake_at;
        }
        Ok(Some(LeadChange { before, after, entries }))
    }

    /// Adapts a recorded command to the replay. `None` if it has no place there.
    fn adapt(
        &self,
        overlay: &mut LeadOverlay,
        recorded: Option<&Lead>,
        replayed: Option<&Lead>,
        mut command: Command,
    ) -> Option<Command> {
        if let Input::Wake = command.input {
            // Such a wake can also apply a directory that was published since.
            let current = self.directory().map_or(0, |directory| directory.revision());
            let applies_directory = replayed.is_some_and(|lead| lead.in_force.directory != current);
            return (overlay.shares_timer || overlay.is_delayed || applies_directory).then_some(command);
        }
        let Some(diverged) = &mut overlay.diverged else { return Some(command) };
        match &mut command.input {
            Input::Event(event) => {
                // The CRM repeats the owner that Leadwatch gave it. In the replay it would repeat the other owner.
                let repeated = recorded.and_then(|lead| lead.owner.as_ref());
                if let (Patch::Set(owner), Some(repeated)) = (&event.owner, repeated)
                    && owner == repeated
                {
                    let replayed_owner = replayed.and_then(|lead| lead.owner.clone());
                    event.owner = replayed_owner.map_or(Patch::Keep, Patch::Set);
                }
            }
            Input::Decide(decision) => {
                let revision = |lead: &Lead| lead.review.as_ref().map(|review| review.revision);
                let (in_record, in_replay) = (recorded.and_then(revision), replayed.and_then(revision));
                decision.revision = revision_in_replay(decision.revision, in_record, in_replay);
            }
            Input::Reopen(reopening) => {
                let revision = |lead: &Lead| lead.rejection.as_ref().map(|rejection| rejection.revision);
                let (in_record, in_replay) = (recorded.and_then(revision), replayed.and_then(revision));
                reopening.revision = revision_in_replay(reopening.revision, in_record, in_replay);
            }
            Input::Delivery(delivery) => {
                let id = diverged.counterpart(&delivery.id)?;
                // A delivered or withdrawn notification changes nothing.
                let matters = matches!(
                    delivery.result,
                    DeliveryResult::Failed { .. } | DeliveryResult::Unreachable { .. }
                );
                if !matters {
                    return None;
                }
                delivery.id = id;
            }
            // The replay numbers its entries differently, so the resolution covers everything in the queue.
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

/// The revision that a person would have seen in the replay: the current one, if what they saw was current
/// in the record.
fn revision_in_replay(seen: u64, in_record: Option<u64>, in_replay: Option<u64>) -> u64 {
    in_replay.filter(|_| in_record == Some(seen)).unwrap_or(0)
}
