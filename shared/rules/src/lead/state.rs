//! A lead as its history made it. It is only ever changed by `evolve`.

use crate::account_view::{AccountView, Tier};
use crate::lead::applied::AppliedPublication;
use crate::lead::breach::Breach;
use crate::lead::pending::PendingNotification;
use crate::lead::profile::{Priority, Profile};
use crate::lead::review::{Clearance, Rejection, Review, UnderReview};
use crate::lead::visit::{HeldFrom, HoldEnded, Left, PauseReason, Return, StateVisit};
use crate::personal::{Personal, PersonalKind};
use chrono::{DateTime, Utc};
use policy::ids::{LeadId, MarketId, PersonId, PublicationId, Source, StateId, TeamId};
use policy::{InForce, StateKind};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::lead::owner::OwnerGone;
pub use crate::lead::pending::UnnotifiedOwner;
pub use crate::lead::queue::{Dismissal, OperationsReason, OperationsReview};

/// A lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// The CRM's identifier.
    pub id: LeadId,
    /// The last entry that it includes.
    pub seq: u64,
    /// The last commit that it includes.
    pub commit: u64,
    /// When the first event about it arrived.
    pub created_at: DateTime<Utc>,
    /// When the last entry took effect; no later entry takes effect before it.
    pub changed_at: DateTime<Utc>,
    /// The fields that the CRM sends.
    #[serde(flatten)]
    pub profile: Profile,
    /// All personal data, in one place.
    #[serde(default, skip_serializing_if = "Personal::is_empty")]
    pub personal: Personal,
    /// The kinds of personal data in its history.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub personal_kinds: BTreeSet<PersonalKind>,
    /// When its personal data was erased. None is stored after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<DateTime<Utc>>,
    /// The revisions that its last entry was decided under.
    pub in_force: InForce,
    /// The last publications that affected it, each with the thresholds it found passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<AppliedPublication>,
    /// When each field was last sent, by the source's time.
    pub said_at: BTreeMap<SmolStr, DateTime<Utc>>,

    /// The state.
    pub state: StateId,
    /// The kind of the state.
    pub kind: StateKind,
    /// When it entered the state.
    pub entered_at: DateTime<Utc>,
    /// The end of the hold, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<DateTime<Utc>>,
    /// Whether the customer must act next.
    #[serde(default)]
    pub waiting_on_customer: bool,
    /// The state that it left for a hold, with its clocks, to resume later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// The hold that ended at its set time, until a source moves the lead on. A late event about that hold does not
    /// start a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ended: Option<HoldEnded>,
    /// The state that it was in when compliance held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_from: Option<HeldFrom>,

    /// The owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// The owner that its source named last. A repetition of that name undoes no reassignment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm_owner: Option<PersonId>,
    /// The market that its source sent last; operations may have set another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm_market: Option<MarketId>,
    /// Its owner who left or is away, until it has another owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_gone: Option<OwnerGone>,
    /// The owner's team when they got it, if they were a rep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_team: Option<TeamId>,
    /// Its owner, if no message has told them that they own it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<UnnotifiedOwner>,
    /// What the workflows keep for this state.
    pub visit: StateVisit,
    /// The working states that it has been in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub visited: BTreeSet<StateId>,
    /// When it last came back to a state that it had left, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<Return>,
    /// The last breaches of the SLA that late evidence can still excuse, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaches: Vec<Breach>,
    /// The last notifications that are not delivered yet, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undelivered: Vec<PendingNotification>,
    /// How many SLA clocks it has had.
    pub sla_clocks: u32,
    /// How many stuck clocks it has had.
    pub stuck_clocks: u32,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Priority,
    /// The criteria that made it high-value; empty while the workflow can fire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub high_value: Vec<String>,
    /// The length of the windows of later states, as a percentage of the policy's.
    pub window_percent: u16,
    /// What it takes from its account.
    #[serde(default)]
    pub account_view: AccountView,
    /// The open compliance review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The matches that were cleared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clearances: Vec<Clearance>,
    /// Matches of a company or contact that the lead no longer named when its review was decided. They are
    /// undecided, and hold the lead as soon as it names them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<UnderReview>,
    /// The people who flagged the lead by hand in the review that left matches unanswered. They cannot decide on
    /// those matches later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered_flagged_by: Vec<String>,
    /// Why compliance closed it. Two officers can reopen the review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// Why it is in the operations queue, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<OperationsReview>,
    /// Reasons that operations dismissed although they still hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<Dismissal>,
}

/// The name in `said_at` for the time of the state before a hold.
pub(crate) const BEFORE_HOLD: &str = "before_hold";

/// The name in `said_at` for the time of the state before the current one.
pub(crate) const BEFORE_STATE: &str = "before_state";

/// Where it is kept when a transition said a field anew.
fn reset(field: &str) -> SmolStr {
    format_smolstr!("{field}.reset")
}

/// Under which name of `said_at` stands since when a field has had its value; the name of the field itself is of
/// when it was last said.
pub(crate) fn since(field: &str) -> SmolStr {
    format_smolstr!("{field}.since")
}

impl Lead {
    /// Whether compliance holds it.
    pub fn is_held(&self) -> bool {
        self.held_from.is_some()
    }

    /// Whether compliance closed it.
    pub fn is_disqualified(&self) -> bool {
        self.state.as_str() == StateId::DISQUALIFIED_COMPLIANCE
    }

    /// When a source last spoke of a field, by the source's own clock; or moved the lead, which says anew
    /// what was said of the field in another state.
    pub fn said(&self, field: &str) -> Option<DateTime<Utc>> {
        self.said_itself(field).max(self.said_at.get(&reset(field)).copied())
    }

    /// When a source itself spoke of a field; nothing, if the lead was moved since.
    pub(crate) fn said_itself(&self, field: &str) -> Option<DateTime<Utc>> {
        self.said_at.get(field).copied()
    }

    /// Notes that a transition said a field anew: by its own word, or by saying nothing of it.
    pub(crate) fn say_anew(&mut self, field: &str, itself: bool, said_of: DateTime<Utc>) {
        if itself {
            self.said_at.insert(SmolStr::new(field), said_of);
        } else {
            self.said_at.remove(field);
            let anew = self.said_at.entry(reset(field)).or_insert(said_of);
            *anew = said_of.max(*anew);
        }
    }

    /// Whether its personal data was erased.
    pub fn is_erased(&self) -> bool {
        self.erased_at.is_some()
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.kind == StateKind::Terminal
    }

    /// The rep in whose load it counts: its owner, until it is closed.
    pub fn carried_by(&self) -> Option<&PersonId> {
        if self.is_closed() { None } else { self.owner.as_ref() }
    }

    /// Whether the SLA clock runs.
    pub fn is_being_worked(&self) -> bool {
        self.kind == StateKind::Working && self.rests().is_empty()
    }

    /// All reasons to pause the SLA clock. Only a hold pauses the stuck clock too.
    pub fn rests(&self) -> Vec<PauseReason> {
        let all = [
            (self.is_held(), PauseReason::ComplianceHold),
            (self.kind == StateKind::Hold && !self.is_held(), PauseReason::OnHold),
            (self.waiting_on_customer, PauseReason::WaitingOnCustomer),
            (self.account_view.outreach_paused, PauseReason::OutreachPaused),
        ];
        all.into_iter().filter_map(|(rests, why)| rests.then_some(why)).collect()
    }

    /// When a field got its value, by the source's time.
    pub fn known_since(&self, field: &str) -> Option<DateTime<Utc>> {
        self.said_at.get(&since(field)).copied().or_else(|| self.said(field))
    }

    /// Its source; `other` if it is unknown.
    pub fn source(&self) -> Source {
        self.profile.source.clone().unwrap_or_else(|| Source::from(Source::OTHER))
    }

    /// Whether its account is strategic, by its own record or by the account's.
    pub fn is_strategic(&self) -> bool {
        [self.profile.account_tier, self.account_view.tier].contains(&Some(Tier::Strategic))
    }
}

impl Lead {
    /// Whether operations dismissed a reason that still holds.
    pub fn is_dismissed(&self, reason: OperationsReason) -> bool {
        self.dismissed.as_ref().is_some_and(|dismissal| dismissal.reasons.contains(&reason))
    }

    /// Whether it waits for a rep who has room.
    pub fn waits_for_rep(&self) -> bool {
        self.waits_for_rep_since().is_some()
    }

    /// Since when it waits for a rep who has room, if it does.
    pub fn waits_for_rep_since(&self) -> Option<DateTime<Utc>> {
        let mut queued = self.operations.iter().flat_map(|review| &review.reasons);
        let waits = queued.find(|queued| queued.reason == OperationsReason::NoRepAvailable)?;
        (self.owner.is_none() && !self.is_held() && !self.is_closed()).then_some(waits.since)
    }
}

impl Lead {
    /// Whether its owner left with a publication.
    pub fn is_orphaned_by(&self, publication: PublicationId) -> bool {
        self.applied.iter().any(|applied| applied.publication == publication && applied.orphaned.is_some())
    }
}

impl Lead {
    /// The market and the state that it waits in, if it is open. On hold, and while compliance holds it, that is the
    /// state that it left, where its clocks are paused. A lead that arrived on hold waits there.
    pub fn waits_in(&self) -> Option<(&MarketId, &StateId)> {
        let market = self.profile.market.as_ref().filter(|_| !self.is_closed())?;
        Some((market, WorkState::behind_holds(self).state))
    }

    /// When its review was opened, or the first request to reopen it made.
    pub fn in_review_since(&self) -> Option<DateTime<Utc>> {
        let asked = self.rejection.as_ref().and_then(|rejection| rejection.asked.as_ref());
        self.review.as_ref().map(|review| review.opened_at).or(asked.map(|asked| asked.at))
    }
}

/// The state whose sales clocks count for a lead, with what the workflows keep for it.
#[derive(Debug, Clone, Copy)]
pub struct WorkState<'l> {
    /// The state.
    pub state: &'l StateId,
    /// What the workflows keep for it.
    pub visit: &'l StateVisit,
}

impl<'l> WorkState<'l> {
    /// The current state.
    pub fn of(lead: &'l Lead) -> Self {
        Self { state: &lead.state, visit: &lead.visit }
    }

    /// The current state, or the one before a hold.
    pub fn behind_holds(lead: &'l Lead) -> Self {
        match (&lead.left, &lead.held_from) {
            (Some(left), _) if lead.kind == StateKind::Hold => {
                Self { state: &left.state, visit: &left.visit }
            }
            (_, Some(held)) => Self { state: &held.state, visit: &lead.visit },
            _ => Self::of(lead),
        }
    }
}
