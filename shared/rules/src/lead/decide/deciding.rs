//! A decision in the making: the lead as far as it is decided, and the facts so far. What the
//! workflows and the inputs share: facts, notifications, the operations queue, routing.

use crate::account_view::AccountView;
use crate::aggregate::{Consulted, FoldError};
use crate::entry::{Actor, Entry, WorkflowRef};
use crate::lead::command::Command;
use crate::lead::event::{LeadFact, Threshold};
use crate::lead::evolve::evolve;
use crate::lead::queue::OperationsReason;
use crate::lead::state::{Lead, Place};
use crate::notification::{About, Notification, NotificationFact, Particulars, Recipient, Role};
use crate::roster::Roster;
use crate::routing::Wanted;
use crate::world::{Need, World};
use crate::{quiet, routing};
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, LeadId, NotificationId, PersonId, Subject, TeamId};
use policy::{Message, WorkflowId};
use std::collections::BTreeMap;

/// The workflow that takes a fact, and the step of it, where it has steps.
pub(crate) type Tag<'a> = Option<(WorkflowId, Option<&'a str>)>;

/// A decision in the making: the lead as far as it is decided, and the facts so far.
pub(crate) struct Deciding<'a> {
    pub world: World<'a>,
    pub lead: Option<Lead>,
    /// The instant of the decision: never before the lead's last fact.
    pub now: DateTime<Utc>,
    id: &'a LeadId,
    commit: u64,
    actor: &'a Actor,
    cause: &'a str,
    /// The circumstances of the next fact.
    at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    by_timer: bool,
    pub entries: Vec<Entry<LeadFact>>,
    /// The first of the entries that the input brings about.
    input_from: usize,
    pub relied_on: BTreeMap<PersonId, u64>,
    pub consulted: Consulted,
}

impl<'a> Deciding<'a> {
    pub fn new(lead: Option<&Lead>, world: &World<'a>, command: &'a Command, now: DateTime<Utc>) -> Self {
        // Clocks of machines differ: a lead's facts never go back in time.
        let now = lead.map_or(now, |l| now.max(l.changed_at));
        Self {
            world: *world,
            lead: lead.cloned(),
            now,
            id: &command.lead,
            commit: lead.map_or(0, |l| l.commit).saturating_add(1),
            actor: &command.actor,
            cause: &command.cause,
            at: now,
            due_at: None,
            by_timer: false,
            entries: Vec::new(),
            input_from: 0,
            relied_on: BTreeMap::new(),
            consulted: Consulted::default(),
        }
    }

    /// What follows is brought about by a timer that was due at an instant.
    pub fn begin_timer(&mut self, due: DateTime<Utc>, at: DateTime<Utc>) {
        self.at = self.lead.as_ref().map_or(at, |l| at.max(l.changed_at));
        self.due_at = Some(due);
        self.by_timer = true;
    }

    /// What follows is brought about by a publication, at its instant.
    pub fn begin_publication(&mut self, at: DateTime<Utc>) {
        self.at = self.lead.as_ref().map_or(at, |l| at.max(l.changed_at));
        self.due_at = None;
        self.by_timer = true;
    }

    /// What follows is brought about by the input.
    pub fn begin_input(&mut self, at: DateTime<Utc>) {
        self.at = self.lead.as_ref().map_or(at, |l| at.max(l.changed_at));
        self.due_at = None;
        self.by_timer = false;
        self.input_from = self.entries.len();
    }

    /// The instant that the next fact takes effect.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Adds a fact to the history and folds it in.
    pub fn fact(&mut self, tag: Tag<'_>, fact: LeadFact) {
        let seq = self.lead.as_ref().map_or(0, |l| l.seq).saturating_add(1);
        let entry = Entry {
            subject: Subject::Lead(self.id.clone()),
            seq,
            commit: self.commit,
            at: self.at,
            due_at: self.due_at,
            actor: if self.by_timer { Actor::system("clock") } else { self.actor.clone() },
            cause: self.cause.to_owned(),
            workflow: tag.map(|(id, step)| WorkflowRef {
                id,
                version: self.world.policy.version_of(id),
                step: step.map(str::to_owned),
            }),
            policy_revision: self.world.policy.revision,
            directory_revision: self.world.directory.revision(),
            fact,
        };
        let before = self.lead.take();
        match evolve(before.clone(), &entry) {
            Ok(lead) => {
                self.lead = Some(lead);
                self.entries.push(entry);
            }
            // A fact that does not fit the history is a mistake of this crate; it changes
            // nothing, and the tests fold every history they make.
            Err(FoldError::Beginning { .. } | FoldError::Gap { .. }) => self.lead = before,
        }
    }

    /// Asks for somebody to be told, after their quiet hours if need be. Its id comes from its place
    /// in the history.
    pub fn notify(&mut self, tag: Tag<'_>, to: Recipient, message: Message, particulars: Particulars) {
        let seq = self.lead.as_ref().map_or(0, |l| l.seq).saturating_add(1);
        let id = NotificationId::new(format!("lead/{}/{seq}", self.id));
        let world = self.world;
        // By when the request takes effect, so that it does not hang on when a sweep ran.
        let not_before = quiet::not_before(&world.policy.policy, world.directory, &to, message, self.at);
        let about = self.about();
        let notification = Notification { id, to, message, particulars, about, not_before };
        self.fact(tag, LeadFact::Notification(NotificationFact::Requested(Box::new(notification))));
    }

    /// When a person's quiet hours end, if the digest of a publication has to wait for that.
    pub fn told_by_digest_from(&self, person: &PersonId) -> Option<DateTime<Utc>> {
        let to = Recipient::Person { role: Role::Owner, person: person.clone() };
        let world = &self.world;
        quiet::not_before(&world.policy.policy, world.directory, &to, Message::ChangedHands, self.at)
    }

    /// What of the lead a message is about right now.
    fn about(&self) -> About {
        self.lead.as_ref().map_or_else(About::default, |lead| About {
            sla_clock: Some(lead.sla_clocks),
            visit: Some(lead.stuck_clocks),
            review: lead.review.as_ref().map(|review| review.opened_at),
            due_at: self.due_at,
        })
    }

    /// Puts it into the operations queue for a reason, once.
    pub fn queue_for_operations(&mut self, tag: Tag<'_>, reason: OperationsReason) {
        if !self.is_queued_for(reason) {
            self.fact(tag, LeadFact::OperationsQueued { reason, notification: None });
        }
    }

    /// Puts it into the operations queue for a notification that did not reach anybody.
    pub fn queue_for_failed(&mut self, notification: &NotificationId) {
        let reason = OperationsReason::NotificationFailed;
        let queued = self.lead.as_ref().and_then(|l| l.operations.as_ref());
        if !queued.is_some_and(|review| review.has(reason, Some(notification))) {
            let notification = Some(notification.clone());
            self.fact(None, LeadFact::OperationsQueued { reason, notification });
        }
    }

    /// Takes a reason to be in the operations queue away, if it is there or was left alone.
    pub fn settle_operations(&mut self, reason: OperationsReason) {
        if self.is_queued_for(reason) || self.lead.as_ref().is_some_and(|lead| lead.is_dismissed(reason)) {
            self.fact(None, LeadFact::OperationsSettled { reason, notification: None });
        }
    }

    /// Whether it is in the operations queue for a reason.
    pub fn is_queued_for(&self, reason: OperationsReason) -> bool {
        let queued = self.lead.as_ref().and_then(|l| l.operations.as_ref());
        queued.is_some_and(|review| review.has(reason, None))
    }

    /// Whether its market is not known and operations was told, whatever operations made of it.
    pub fn is_quarantined(&self) -> bool {
        let reason = OperationsReason::MarketUnknown;
        self.is_queued_for(reason) || self.lead.as_ref().is_some_and(|lead| lead.is_dismissed(reason))
    }

    /// Whether the lead was given to its owner at this instant. What one decision settles of an earlier
    /// instant does not count: how much that is depends on when the sweep ran.
    pub fn is_given_just_now(&self) -> bool {
        let owner = self.lead.as_ref().and_then(|lead| lead.owner.as_ref());
        let now = self.entries.iter().rev().take_while(|entry| entry.at == self.at);
        now.into_iter().any(|entry| match &entry.fact {
            LeadFact::Assigned { to, .. } | LeadFact::Reassigned { to, .. } => Some(to) == owner,
            _ => false,
        })
    }

    /// Whether the input said anything new of the lead; what it repeats, and what is refused or older
    /// than what is known, is no news.
    pub fn has_news(&self) -> bool {
        self.entries.iter().skip(self.input_from).any(|entry| match &entry.fact {
            LeadFact::Updated { changes, crm_owner, personal, .. } => {
                !changes.is_empty() || !crm_owner.is_keep() || !personal.is_empty()
            }
            LeadFact::Created { .. }
            | LeadFact::StateChanged { .. }
            | LeadFact::WaitingChanged { .. }
            | LeadFact::HoldChanged { .. }
            | LeadFact::HoldEnteredFrom { .. }
            | LeadFact::OwnerSet { .. }
            | LeadFact::ComplianceMatched { .. }
            | LeadFact::ReviewDecided { .. } => true,
            _ => false,
        })
    }

    /// What follows when the lead is in another state, or the policy's states are others: nobody would
    /// hear of a lead that waits in a state without a policy.
    pub fn follow_state(&mut self) {
        let Some(lead) = &self.lead else { return };
        let is_known = self.world.policy.policy.kind_of(&lead.state).is_some();
        if is_known || lead.is_closed() {
            self.settle_operations(OperationsReason::StateUnknown);
        } else {
            self.queue_for_operations(None, OperationsReason::StateUnknown);
        }
    }

    /// What follows when the lead's market is another than it was: quarantine, or the end of it.
    pub fn follow_market(&mut self, was_known: bool, is_new: bool) {
        let Some(lead) = &self.lead else { return };
        match self.team() {
            None if !lead.is_closed() => self.queue_for_operations(None, OperationsReason::MarketUnknown),
            None => {}
            Some(_) => {
                if !was_known && !is_new && !Place::behind_holds(lead).visit.has_passed_a_step() {
                    self.fact(None, LeadFact::ClocksRestarted {});
                }
                self.settle_operations(OperationsReason::MarketUnknown);
            }
        }
    }

    /// What every message about the lead may say.
    pub fn particulars(&self) -> Particulars {
        self.lead.as_ref().map_or_else(Particulars::default, |lead| Particulars {
            state: Some(lead.state.to_string()),
            company: lead.profile.company.clone(),
            market: lead.profile.market.as_ref().map(ToString::to_string),
            owner: lead.owner.clone(),
            ..Particulars::default()
        })
    }

    /// What a message about a threshold says.
    pub fn particulars_at(&self, step: &str, threshold: &Threshold) -> Particulars {
        Particulars {
            step: Some(step.to_owned()),
            elapsed_s: Some(threshold.elapsed_s),
            window_s: Some(threshold.window_s),
            ..self.particulars()
        }
    }

    /// The team of the lead's market.
    pub fn team(&self) -> Option<TeamId> {
        let market = self.lead.as_ref()?.profile.market.as_ref()?;
        Some(self.world.directory.market(market)?.team.clone())
    }

    /// The manager of the owner, or of the market's team where nobody of a team owns it.
    pub fn manager(&self) -> Option<Recipient> {
        let owner = self.lead.as_ref().and_then(|l| l.owner.as_ref());
        let team = owner.and_then(|o| self.world.directory.team_of(o)).cloned().or_else(|| self.team())?;
        self.manager_of(team)
    }

    /// The manager of a team.
    pub fn manager_of(&self, team: TeamId) -> Option<Recipient> {
        let manager = self.world.directory.team(&team)?.manager.clone();
        Some(Recipient::TeamChannel { team, manager })
    }

    /// The owner; the manager where nobody known owns it, so that the message is not lost.
    pub fn owner(&self, role: Role) -> Option<Recipient> {
        let owner = self.lead.as_ref().and_then(|l| l.owner.clone());
        match owner.filter(|o| self.world.directory.person(o).is_some()) {
            Some(person) => Some(Recipient::Person { role, person }),
            None => self.manager(),
        }
    }

    /// How a team stands.
    pub fn roster(&mut self, team: &TeamId) -> Result<&'a Roster, Need> {
        self.consulted.teams.insert(team.clone());
        self.world.rosters.get(team).ok_or_else(|| Need::Team(team.clone()))
    }

    /// What leads are to know of an account.
    pub fn account(&mut self, account: &AccountId) -> Result<&'a AccountView, Need> {
        self.consulted.accounts.insert(account.clone());
        self.world.accounts.get(account).ok_or_else(|| Need::Account(account.clone()))
    }

    /// What routing is asked for this lead.
    pub fn wanted<'b>(&'b self, lead: &'b Lead, senior: bool) -> Wanted<'b> {
        Wanted {
            lead: &lead.id,
            country: lead.profile.country.as_ref(),
            owner: lead.owner.as_ref(),
            taken_from: &lead.visit.taken_from,
            senior,
            now: self.at,
        }
    }

    /// The rep whom routing chooses, or why there is none.
    pub fn route(&mut self, senior: bool) -> Result<Routed, Need> {
        let Some(team) = self.team() else {
            return Ok(Routed::NoTeam);
        };
        let roster = self.roster(&team)?;
        let Some(lead) = &self.lead else {
            return Ok(Routed::NoTeam);
        };
        match routing::choose(self.world.directory, &team, roster, &self.wanted(lead, senior)) {
            Ok(rep) => {
                self.rely_on(roster, &rep);
                Ok(Routed::To { rep, team })
            }
            Err(considered) => Ok(Routed::Nobody { considered }),
        }
    }

    pub fn rely_on(&mut self, roster: &Roster, rep: &PersonId) {
        let version = roster.standings.get(rep).map_or(0, |s| s.version);
        self.relied_on.insert(rep.clone(), version);
    }
}

/// What routing found.
pub(crate) enum Routed {
    To { rep: PersonId, team: TeamId },
    Nobody { considered: Vec<crate::routing::PassedOver> },
    NoTeam,
}
