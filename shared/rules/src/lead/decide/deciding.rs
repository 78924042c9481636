//! A decision on a lead in the making: what the workflows and the inputs share.

use crate::account_view::AccountView;
use crate::draft::{AsOf, Draft, NextDue, Tag};
use crate::lead::event::{LeadFact, Threshold};
use crate::lead::queue::OperationsReason;
use crate::lead::state::{Lead, WorkState};
use crate::lead::timers;
use crate::notification::{Particulars, Recipient, Role};
use crate::roster::Roster;
use crate::routing;
use crate::routing::{PassedOver, RoutingRequest};
use crate::world::Missing;
use chrono::{DateTime, Utc};
use policy::Message;
use policy::ids::{AccountId, NotificationId, PersonId, TeamId};

/// A decision on a lead in the making.
pub(crate) type Deciding<'a> = Draft<'a, Lead>;

impl<'a> Deciding<'a> {
    /// The lead as far as it is decided.
    pub fn lead(&self) -> Option<&Lead> {
        self.state.get()
    }

    /// What the lead waits for. As long as nothing moves its timers, it is computed once.
    pub fn next_due(&mut self) -> NextDue {
        let known = self.wake.filter(|known| {
            let since = self.entries.iter().skip(known.facts);
            known.in_force == self.rules.in_force()
                && !since.map(|entry| &entry.fact).any(timers::are_moved_by)
        });
        let next = known.map_or_else(|| self.compute_next_due(), |known| known.what);
        debug_assert_eq!(next, self.compute_next_due(), "a fact moves timers: {:?}", self.entries);
        self.wake = Some(self.as_of_now(next));
        next
    }

    /// Something that holds until a fact or a publication changes it.
    pub fn as_of_now<T>(&self, what: T) -> AsOf<T> {
        AsOf { facts: self.entries.len(), in_force: self.rules.in_force(), what }
    }

    fn compute_next_due(&self) -> NextDue {
        self.lead().map_or_else(NextDue::default, |lead| timers::next_due(lead, self.rules))
    }

    /// When a person's quiet hours end, if the digest of a publication has to wait for that.
    pub fn told_by_digest_from(&self, person: &PersonId) -> Option<DateTime<Utc>> {
        let to = Recipient::Person { role: Role::Owner, person: person.clone() };
        self.quiet_until(&to, Message::ChangedHands)
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
        let queued = self.lead().and_then(|l| l.operations.as_ref());
        if !queued.is_some_and(|review| review.has(reason, Some(notification))) {
            let notification = Some(notification.clone());
            self.fact(None, LeadFact::OperationsQueued { reason, notification });
        }
    }

    /// Takes a reason to be in the operations queue away, if it is there or was left alone.
    pub fn settle_operations(&mut self, reason: OperationsReason) {
        if self.is_queued_for(reason) || self.lead().is_some_and(|lead| lead.is_dismissed(reason)) {
            self.fact(None, LeadFact::OperationsSettled { reason, notification: None });
        }
    }

    /// Whether it is in the operations queue for a reason.
    pub fn is_queued_for(&self, reason: OperationsReason) -> bool {
        let queued = self.lead().and_then(|l| l.operations.as_ref());
        queued.is_some_and(|review| review.has(reason, None))
    }

    /// Whether its market is not known and operations was told, whatever operations made of it.
    pub fn is_quarantined(&self) -> bool {
        let reason = OperationsReason::MarketUnknown;
        self.is_queued_for(reason) || self.lead().is_some_and(|lead| lead.is_dismissed(reason))
    }

    /// Whether the lead was given to its owner at this instant. What one decision settles of an earlier
    /// instant does not count: how much that is depends on when the sweep ran.
    pub fn is_given_just_now(&self) -> bool {
        let owner = self.lead().and_then(|lead| lead.owner.as_ref());
        let now = self.entries.iter().rev().take_while(|entry| entry.at == self.at());
        now.into_iter().any(|entry| match &entry.fact {
            LeadFact::Assigned { to, .. } | LeadFact::Reassigned { to, .. } => Some(to) == owner,
            _ => false,
        })
    }

    /// Whether the input said anything new of the lead; what it repeats, and what is refused or older
    /// than what is known, is no news.
    pub fn has_news(&self) -> bool {
        self.of_input().any(|entry| match &entry.fact {
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
        let Some(lead) = self.lead() else { return };
        let is_known = self.rules.kind_of(&lead.state).is_some();
        if is_known || lead.is_closed() {
            self.settle_operations(OperationsReason::StateUnknown);
        } else {
            self.queue_for_operations(None, OperationsReason::StateUnknown);
        }
    }

    /// What follows when the lead's market is another than it was: quarantine, or the end of it.
    pub fn follow_market(&mut self, was_known: bool, is_new: bool) {
        let Some(lead) = self.lead() else { return };
        match self.team() {
            None if !lead.is_closed() => self.queue_for_operations(None, OperationsReason::MarketUnknown),
            None => {}
            Some(_) => {
                if !was_known && !is_new && !WorkState::behind_holds(lead).visit.has_passed_a_step() {
                    self.fact(None, LeadFact::ClocksRestarted {});
                }
                self.settle_operations(OperationsReason::MarketUnknown);
            }
        }
    }

    /// What every message about the lead may say.
    pub fn particulars(&self) -> Particulars {
        self.lead().map_or_else(Particulars::default, |lead| Particulars {
            state: Some(lead.state.clone()),
            company: lead.profile.company.clone(),
            market: lead.profile.market.clone(),
            owner: lead.owner.clone(),
            ..Particulars::default()
        })
    }

    /// What a message about a threshold says.
    pub fn particulars_at(&self, step: &str, threshold: &Threshold) -> Particulars {
        Particulars {
            step: Some(step.into()),
            elapsed_s: Some(threshold.elapsed_s),
            window_s: Some(threshold.window_s),
            ..self.particulars()
        }
    }

    /// The team of the lead's market.
    pub fn team(&self) -> Option<TeamId> {
        let market = self.lead()?.profile.market.as_ref()?;
        Some(self.rules.directory().market(market)?.team.clone())
    }

    /// The manager of the owner, or of the market's team where nobody of a team owns it.
    pub fn manager(&self) -> Option<Recipient> {
        let owner = self.lead().and_then(|l| l.owner.as_ref());
        let team = owner.and_then(|o| self.rules.directory().team_of(o)).cloned().or_else(|| self.team())?;
        self.manager_of(team)
    }

    /// The manager of a team.
    pub fn manager_of(&self, team: TeamId) -> Option<Recipient> {
        let manager = self.rules.directory().team(&team)?.manager.clone();
        Some(Recipient::TeamChannel { team, manager })
    }

    /// The owner; the manager where nobody known owns it, so that the message is not lost.
    pub fn owner(&self, role: Role) -> Option<Recipient> {
        let owner = self.lead().and_then(|l| l.owner.clone());
        match owner.filter(|o| self.rules.directory().person(o).is_some()) {
            Some(person) => Some(Recipient::Person { role, person }),
            None => self.manager(),
        }
    }

    /// How a team stands.
    pub fn roster(&mut self, team: &TeamId) -> Result<&'a Roster, Missing> {
        self.consulted.teams.insert(team.clone());
        self.world.rosters.get(team).ok_or_else(|| Missing::Team(team.clone()))
    }

    /// What leads are to know of an account.
    pub fn account(&mut self, account: &AccountId) -> Result<&'a AccountView, Missing> {
        self.consulted.accounts.insert(account.clone());
        self.world.accounts.get(account).ok_or_else(|| Missing::Account(account.clone()))
    }

    /// What routing is asked for this lead.
    pub fn wanted<'b>(&'b self, lead: &'b Lead, senior: bool) -> RoutingRequest<'b> {
        RoutingRequest {
            lead: &lead.id,
            country: lead.profile.country.as_ref(),
            owner: lead.owner.as_ref(),
            taken_from: &lead.visit.taken_from,
            senior,
            now: self.at(),
        }
    }

    /// The rep whom routing chooses, or why there is none.
    pub fn route(&mut self, senior: bool) -> Result<RoutingResult, Missing> {
        let Some(team) = self.team() else {
            return Ok(RoutingResult::NoTeam);
        };
        let roster = self.roster(&team)?;
        let Some(lead) = self.lead() else {
            return Ok(RoutingResult::NoTeam);
        };
        match routing::choose(self.rules.directory(), &team, roster, &self.wanted(lead, senior)) {
            Ok(rep) => {
                self.rely_on(roster, &rep);
                Ok(RoutingResult::To { rep, team })
            }
            Err(considered) => Ok(RoutingResult::Nobody { considered }),
        }
    }

    pub fn rely_on(&mut self, roster: &Roster, rep: &PersonId) {
        let version = roster.standings.get(rep).map_or(0, |s| s.version);
        self.relied_on.insert(rep.clone(), version);
    }
}

/// What routing found.
pub(crate) enum RoutingResult {
    To { rep: PersonId, team: TeamId },
    Nobody { considered: Vec<PassedOver> },
    NoTeam,
}
