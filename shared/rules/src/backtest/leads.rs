//! Leads of a backtest: what a record, or a timer of the replay's own, makes of one.

use super::Backtest;
use super::kept::{Asked, Kept, is_same, under};
use super::tally::Side;
use crate::decide::MISSED_AFTER;
use crate::entry::{Actor, Entry};
use crate::ids::{LeadId, Subject};
use crate::input::{Command, DeliveryResult, Input, Need, Outcome, World};
use crate::lead::Lead;
use crate::lead_fact::LeadFact;
use crate::notification::NotificationFact;
use crate::patch::Patch;
use crate::record::{CommitRecord, Saw};
use crate::replay::{Replay, ReplayError, unreadable};
use crate::routing::load_changes;
use crate::simulate::wake_cause;
use crate::{Decision, decide};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// So many touches a lead stays as it is: what follows at once, as deliveries do, finds it so.
const RECENT_MAX: usize = 16_384;
/// A decision asks for no more than this.
const NEEDS_MAX: usize = 16;

impl Backtest<'_> {
    /// Follows a commit of a lead in both histories.
    pub(super) fn follow_lead(&mut self, id: &LeadId, record: &CommitRecord) -> Result<(), ReplayError> {
        let mut kept = self.leads.remove(id).unwrap_or_else(Kept::new);
        let unreadable = |source| unreadable(record, source);
        let was_recorded = kept.recorded().map_err(unreadable)?;
        let was_replayed = match kept.replayed() {
            Some(lead) => lead.map_err(unreadable)?,
            None => was_recorded.clone().map(|lead| {
                let in_force = self.replayed_in_force(lead.in_force);
                under(lead, in_force)
            }),
        };
        let nothing_seen = Saw::default();
        let saw = record.recorded.as_ref().map_or(&nothing_seen, |recorded| &recorded.saw);
        self.standings.see(saw);

        // By the record.
        let command = Replay::command(record)?;
        let recorded = self.replay.lead(was_recorded.as_ref(), record, command.as_ref())?;
        self.note_identity(recorded.outcome.is_some(), recorded.difference);
        self.tally.lead(Side::Recorded, was_recorded.as_ref(), &recorded.after, &recorded.entries);
        if let Some(directory) = self.directory_of(record) {
            let changes = load_changes(was_recorded.as_ref(), &recorded.after, &recorded.entries);
            self.standings.change_recorded(&directory, changes);
        }

        // In the replay.
        let now = record.recorded_at;
        let command =
            command.and_then(|c| self.in_replay(&mut kept, was_recorded.as_ref(), was_replayed.as_ref(), c));
        let decision = command.as_ref().and_then(|command| {
            let decision = self.decide(was_replayed.as_ref(), command, saw, now)?;
            self.note_not_applied(command, recorded.outcome.as_ref(), &decision.outcome);
            Some(decision)
        });
        let (is_replayed, entries, wake_at) = match decision {
            Some(Decision { lead, entries, wake_at, .. }) => (lead, entries, wake_at),
            None if record.recorded.is_none() && kept.apart.is_none() => {
                // Nobody knows what it answered: it is taken as it is.
                let in_force = self.replayed_in_force(recorded.after.in_force);
                (Some(under(recorded.after.clone(), in_force)), recorded.entries.clone(), recorded.wake_at)
            }
            None if kept.follows => (was_replayed.clone(), Vec::new(), kept.recorded_wake),
            None => (was_replayed.clone(), Vec::new(), kept.armed),
        };
        self.after_replay(id, was_replayed.as_ref(), is_replayed.as_ref(), &entries);

        // What they are to each other now.
        let same = kept.apart.is_none() && is_replayed.as_ref().is_some_and(|l| is_same(&recorded.after, l));
        kept.keep_recorded(recorded.after);
        kept.recorded_wake = recorded.wake_at;
        if !same {
            kept.keep_replayed(is_replayed);
        }
        if let Some(apart) = &mut kept.apart {
            apart.recorded_asks(asked(&recorded.entries));
            apart.replayed_asks(asked(&entries));
            apart.parting.note(Side::Recorded, self.since, &recorded.entries);
            apart.parting.note(Side::Replayed, self.since, &entries);
            if let Some(first) = apart.parting.check(id) {
                self.note_difference(first);
            }
        }
        kept.follows = same && wake_at == recorded.wake_at;
        kept.is_waiting = false;
        let armed = if kept.follows { None } else { wake_at };
        self.arm(Subject::Lead(id.clone()), kept.armed, armed);
        kept.armed = armed;
        self.keep(id, kept)
    }

    /// Runs what is due of a lead by the replay's own timers.
    pub(super) fn wake_lead(&mut self, id: &LeadId, due: DateTime<Utc>) -> Result<(), ReplayError> {
        let Some(mut kept) = self.leads.remove(id) else { return Ok(()) };
        kept.armed = None;
        // The record's own timer is late: timers did not run then.
        if kept.recorded_wake.is_some_and(|wake| due - wake > MISSED_AFTER) {
            kept.is_waiting = true;
            return self.keep(id, kept);
        }
        let command = Command {
            lead: id.clone(),
            actor: Actor::system("clock"),
            cause: wake_cause(due),
            input: Input::Wake,
        };
        self.alone(id, &mut kept, &command, due)?;
        // A wake that changes nothing must not come again for ever.
        if kept.armed == Some(due) {
            self.arm(Subject::Lead(id.clone()), kept.armed, None);
            kept.armed = None;
        }
        self.keep(id, kept)
    }

    /// Tells a lead of the replay what concerns it of its account.
    pub(super) fn tell_lead(
        &mut self,
        id: &LeadId,
        command: &Command,
        now: DateTime<Utc>,
    ) -> Result<(), ReplayError> {
        let Some(mut kept) = self.leads.remove(id) else { return Ok(()) };
        self.alone(id, &mut kept, command, now)?;
        self.keep(id, kept)
    }

    /// Something that happens in the replay alone.
    fn alone(
        &mut self,
        id: &LeadId,
        kept: &mut Kept,
        command: &Command,
        now: DateTime<Utc>,
    ) -> Result<(), ReplayError> {
        let unkept =
            |source| ReplayError::Unreadable { subject: Subject::Lead(id.clone()), commit: 0, source };
        let was = match kept.replayed() {
            Some(lead) => lead.map_err(unkept)?,
            None => kept.recorded().map_err(unkept)?.map(|lead| {
                let in_force = self.replayed_in_force(lead.in_force);
                under(lead, in_force)
            }),
        };
        let Some(decision) = self.decide(was.as_ref(), command, &Saw::default(), now) else { return Ok(()) };
        self.after_replay(id, was.as_ref(), decision.lead.as_ref(), &decision.entries);
        if !decision.entries.is_empty() {
            kept.keep_replayed(decision.lead);
            kept.follows = false;
        }
        if let Some(apart) = &mut kept.apart {
            apart.replayed_asks(asked(&decision.entries));
            apart.parting.note(Side::Replayed, self.since, &decision.entries);
        }
        if !kept.follows {
            self.arm(Subject::Lead(id.clone()), kept.armed, decision.wake_at);
            kept.armed = decision.wake_at;
        }
        Ok(())
    }

    /// Puts a lead back; the one that was not touched for longest is made small.
    fn keep(&mut self, id: &LeadId, mut kept: Kept) -> Result<(), ReplayError> {
        self.touches += 1;
        kept.touched = self.touches;
        self.leads.insert(id.clone(), kept);
        self.recent.push_back((self.touches, id.clone()));
        while self.recent.len() > RECENT_MAX {
            let Some((touched, id)) = self.recent.pop_front() else { break };
            if let Some(kept) = self.leads.get_mut(&id).filter(|kept| kept.touched == touched) {
                let subject = Subject::Lead(id);
                kept.pack().map_err(|source| ReplayError::Unreadable { subject, commit: 0, source })?;
            }
        }
        Ok(())
    }

    /// Counts what the replay made of a lead, and lets the teams and the accounts know.
    fn after_replay(
        &mut self,
        id: &LeadId,
        was: Option<&Lead>,
        is: Option<&Lead>,
        entries: &[Entry<LeadFact>],
    ) {
        let Some(is) = is else { return };
        self.tally.lead(Side::Replayed, was, is, entries);
        if let Some(directory) = self.replayed_directory() {
            let changes = load_changes(was, is, entries);
            self.standings.change_replayed(&directory, changes);
        }
        let account = |lead: Option<&Lead>| lead.and_then(|lead| lead.profile.account_id.clone());
        let (from, to) = (account(was), account(Some(is)));
        if from != to {
            if let Some(leads) = from.and_then(|from| self.leads_of.get_mut(&from)) {
                leads.remove(id);
            }
            if let Some(to) = to {
                self.leads_of.entry(to).or_default().insert(id.clone());
            }
        }
    }

    /// What a recorded command is in the replay; `None` if it is nothing there.
    fn in_replay(
        &self,
        kept: &mut Kept,
        recorded: Option<&Lead>,
        replayed: Option<&Lead>,
        mut command: Command,
    ) -> Option<Command> {
        if let Input::Wake = command.input {
            // A directory that was published since is shown to leads by such a wake.
            let current = self.replayed_directory().map_or(0, |directory| directory.revision());
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
            Input::Wake
            | Input::RefusedAtDoor { .. }
            | Input::ApplyAccount
            | Input::Resolve(_)
            | Input::Erase(_) => {}
        }
        Some(command)
    }

    fn note_not_applied(&mut self, command: &Command, recorded: Option<&Outcome>, replayed: &Outcome) {
        let what = match &command.input {
            Input::Decide(_) => "compliance decisions",
            Input::Reopen(_) => "requests to reopen a review",
            Input::Resolve(_) => "resolutions of operations",
            Input::Erase(_) => "erasures of personal data",
            _ => return,
        };
        if recorded == Some(&Outcome::Applied) && *replayed != Outcome::Applied {
            self.could_not_apply(what);
        }
    }

    /// Decides under the policy that is tried. `None` if the record names no directory yet, or a
    /// revision that it lacks; then nothing could have been decided.
    fn decide(
        &self,
        lead: Option<&Lead>,
        command: &Command,
        saw: &Saw,
        now: DateTime<Utc>,
    ) -> Option<Decision> {
        let directory = self.replayed_directory()?;
        let mut rosters = None;
        let mut accounts = BTreeMap::new();
        for _ in 0..NEEDS_MAX {
            let world = World {
                policy: &self.policy,
                directory: &directory,
                rosters: rosters.as_ref().unwrap_or(self.standings.replayed()),
                accounts: &accounts,
                past: self.revisions,
            };
            match decide(lead, &world, command, now) {
                Ok(decision) => return Some(decision),
                Err(Need::Team(team)) => {
                    let all = rosters.get_or_insert_with(|| self.standings.replayed().clone());
                    all.insert(team, crate::routing::Roster::default());
                }
                Err(Need::Account(id)) => {
                    let view = self.account_view(&id, saw);
                    accounts.insert(id, view);
                }
                Err(Need::Policy(_) | Need::Directory(_)) => return None,
            }
        }
        None
    }
}

/// The revision that somebody would have seen in the replay who saw one of the record: the one that
/// stands here, if what they saw stood there.
fn as_it_stands(seen: u64, stood: Option<u64>, stands: Option<u64>) -> u64 {
    stands.filter(|_| stood == Some(seen)).unwrap_or(0)
}

fn asked(entries: &[Entry<LeadFact>]) -> impl Iterator<Item = Asked> {
    entries.iter().filter_map(|entry| match &entry.fact {
        LeadFact::Notification(NotificationFact::Requested(n)) => {
            Some(Asked { id: n.id.clone(), message: n.message, to: n.to.clone() })
        }
        _ => None,
    })
}
