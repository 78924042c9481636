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
    /// The last entry that is folded in.
    pub seq: u64,
    /// The last commit that is folded in.
    pub commit: u64,
    /// When it was first heard of.
    pub created_at: DateTime<Utc>,
    /// When the last entry took effect; none is ever before it.
    pub changed_at: DateTime<Utc>,
    /// What the CRM says of it.
    #[serde(flatten)]
    pub profile: Profile,
    /// Everything personal, in one place.
    #[serde(default, skip_serializing_if = "Personal::is_empty")]
    pub personal: Personal,
    /// What kinds of personal data its history holds.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub personal_kinds: BTreeSet<PersonalKind>,
    /// When its personal data was erased. None is taken after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<DateTime<Utc>>,
    /// The revisions that its last entry was decided under.
    pub in_force: InForce,
    /// What the last publications that concerned it found passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<AppliedPublication>,
    /// When each field was last said to be as it is, by the source's time.
    pub said_at: BTreeMap<SmolStr, DateTime<Utc>>,

    /// The state it is in.
    pub state: StateId,
    /// What kind of state that is.
    pub kind: StateKind,
    /// Since when.
    pub entered_at: DateTime<Utc>,
    /// Until when it is on hold, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<DateTime<Utc>>,
    /// Whether the customer is to act next.
    #[serde(default)]
    pub waiting_on_customer: bool,
    /// The state it left for a hold, with its clocks, to go on there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// The hold that ended by itself and that it is back from, for as long as no source moves it on:
    /// what a source says late of the time of that hold is no new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ended: Option<HoldEnded>,
    /// The state compliance took it from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_from: Option<HeldFrom>,

    /// Who works it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// Who works it as its source last said. A source that repeats itself undoes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm_owner: Option<PersonId>,
    /// The market as its source last said it; operations may know better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm_market: Option<MarketId>,
    /// Its owner who left or is away, until somebody else owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_gone: Option<OwnerGone>,
    /// The team of its owner when they came to have it, if they were a rep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_team: Option<TeamId>,
    /// Its owner, where no message of the lead tells them so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<UnnotifiedOwner>,
    /// What the workflows keep of this state.
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
    /// The last notifications that nobody has been told of yet, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undelivered: Vec<PendingNotification>,
    /// How many SLA clocks there were.
    pub sla_clocks: u32,
    /// How many stuck clocks there were.
    pub stuck_clocks: u32,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Priority,
    /// The criteria that made it high-value; empty while armed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub high_value: Vec<String>,
    /// The windows of later states are this share of the policy's.
    pub window_percent: u16,
    /// The account's part in it.
    #[serde(default)]
    pub account_view: AccountView,
    /// The open compliance review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The matches that were cleared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clearances: Vec<Clearance>,
    /// What was found of a company or contact that the lead did not name any more when its review was
    /// decided. Nobody has answered it: it holds the lead as soon as the lead names them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<UnderReview>,
    /// The people who flagged the lead by hand in the review that left matches unanswered. They cannot decide on
    /// those matches later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered_flagged_by: Vec<String>,
    /// Why compliance closed it; two officers can open the review again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// Why it is in the operations queue, since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<OperationsReview>,
    /// What operations left alone although it still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<Dismissal>,
}

/// The name under which a lead remembers of when its source said the state that it went on hold from.
pub(crate) const BEFORE_HOLD: &str = "before_hold";

/// When the state before the one that it is in was said last.
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

    /// Whether it is over.
    pub fn is_closed(&self) -> bool {
        self.kind == StateKind::Terminal
    }

    /// Who carries it in their capacity: its owner, while it is not over.
    pub fn carried_by(&self) -> Option<&PersonId> {
        if self.is_closed() { None } else { self.owner.as_ref() }
    }

    /// Whether the SLA clock is to run.
    pub fn is_being_worked(&self) -> bool {
        self.kind == StateKind::Working && self.rests().is_empty()
    }

    /// Why the SLA clock is to rest, all there is. The stuck clock rests on a hold only.
    pub fn rests(&self) -> Vec<PauseReason> {
        let all = [
            (self.is_held(), PauseReason::ComplianceHold),
            (self.kind == StateKind::Hold && !self.is_held(), PauseReason::OnHold),
            (self.waiting_on_customer, PauseReason::WaitingOnCustomer),
            (self.account_view.outreach_paused, PauseReason::OutreachPaused),
        ];
        all.into_iter().filter_map(|(rests, why)| rests.then_some(why)).collect()
    }

    /// Since when a field has had its value, by the source's time.
    pub fn known_since(&self, field: &str) -> Option<DateTime<Utc>> {
        self.said_at.get(&since(field)).copied().or_else(|| self.said(field))
    }

    /// Its source, `other` if none is known.
    pub fn source(&self) -> Source {
        self.profile.source.clone().unwrap_or_else(|| Source::from(Source::OTHER))
    }

    /// Whether its account is strategic, by its own record or by the account's.
    pub fn is_strategic(&self) -> bool {
        [self.profile.account_tier, self.account_view.tier].contains(&Some(Tier::Strategic))
    }
}

impl Lead {
    /// Whether operations left a reason alone that still holds.
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
    /// The market and the state that it waits in, if it is open. On hold it waits in the state that it left, and
    /// its clocks rest there; so it does while compliance holds it. One that came on hold waits there.
    pub fn waits_in(&self) -> Option<(&MarketId, &StateId)> {
        let market = self.profile.market.as_ref().filter(|_| !self.is_closed())?;
        Some((market, WorkState::behind_holds(self).state))
    }

    /// Since when compliance has to decide on it, or on opening it again.
    pub fn in_review_since(&self) -> Option<DateTime<Utc>> {
        let asked = self.rejection.as_ref().and_then(|rejection| rejection.asked.as_ref());
        self.review.as_ref().map(|review| review.opened_at).or(asked.map(|asked| asked.at))
    }
}

/// Where the sales clocks of a lead stand: its state and what the workflows keep of it.
#[derive(Debug, Clone, Copy)]
pub struct WorkState<'l> {
    /// The state.
    pub state: &'l StateId,
    /// What the workflows keep of it.
    pub visit: &'l StateVisit,
}

impl<'l> WorkState<'l> {
    /// Where a lead is.
    pub fn of(lead: &'l Lead) -> Self {
        Self { state: &lead.state, visit: &lead.visit }
    }

    /// Where it is, or where it was before it came to rest.
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
