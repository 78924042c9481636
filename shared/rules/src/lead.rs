//! A lead as its history made it. It is only ever changed by `evolve`.

use crate::clock::Clock;
use crate::compliance::{Clearance, MatchDetails, Rejection, Review, UnderReview};
use crate::patch::Patch;
use crate::pending::Pending;
use crate::screened;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, Country, LeadId, MarketId, PersonId, PublicationId, Source, StateId, TeamId};
use policy::measure::Money;
use policy::{InForce, StateKind, WorkflowId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::operations::{Dismissal, OperationsReason, OperationsReview, Queued};
pub use crate::orphans::{Gone, Orphaned, OwnerGone};
pub use crate::pending::UntoldOwner;

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
    pub applied: Vec<Applied>,
    /// When each field was last said to be as it is, by the source's time.
    pub said_at: BTreeMap<String, DateTime<Utc>>,

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
    pub untold: Option<UntoldOwner>,
    /// What the workflows keep of this state.
    pub visit: Visit,
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
    pub undelivered: Vec<Pending>,
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

/// What the CRM says of a lead, none of it personal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of `ProfileChanges`")]
pub struct Profile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_tier: Option<Tier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal_size: Option<Money>,
}

/// Changes of a lead's profile: absent stays, `null` clears.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProfileChanges {
    /// Where the lead came from.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub source: Patch<Source>,
    /// The market it belongs to; one that the directory lacks quarantines it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub market: Patch<MarketId>,
    /// Its jurisdiction.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub country: Patch<Country>,
    /// The company's name.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub company: Patch<String>,
    /// The account it belongs to.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub account_id: Patch<AccountId>,
    /// The account's tier, as the lead's record says.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub account_tier: Patch<Tier>,
    /// 0–1000.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub score: Patch<u16>,
    /// The estimated deal size.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub deal_size: Patch<Money>,
}

impl ProfileChanges {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything personal in a lead.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Personal {
    /// The contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// What screenings found, by the match's key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub matches: BTreeMap<String, MatchDetails>,
}

impl Personal {
    /// Whether there is nothing personal.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Its texts.
    pub fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { contact, matches } = self;
        let details = matches.values_mut().flat_map(MatchDetails::texts);
        contact.iter_mut().flat_map(Contact::texts).chain(details)
    }
}

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonalKind {
    /// Whom to talk to.
    Contact,
    /// What screenings found about a person, and what was noted with a flag.
    Screening,
}

/// Whom to talk to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Contact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Who it is, written so that two spellings of one person are the same text; see `screened`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

impl Contact {
    /// The contact with its identity.
    #[must_use]
    pub fn identified(self) -> Self {
        Self { identity: screened::identity(&self), ..self }
    }

    /// All that is known of them.
    pub fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { name, email, phone, identity } = self;
        [name, email, phone, identity].into_iter().flatten()
    }
}

/// An account's tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Tier {
    Standard,
    Strategic,
}

/// How urgent a lead is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Priority {
    #[default]
    Normal,
    High,
}

/// What the workflows keep for as long as the lead is in one state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Visit {
    /// The SLA clock; `None` in states without work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla: Option<Clock>,
    /// The stuck clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<Clock>,
    /// How often the SLA workflow gave it to somebody else.
    #[serde(default)]
    pub reassignments: u32,
    /// From whom it was taken; they do not get it back in this state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_from: Vec<PersonId>,
    /// Why operations is to look at it for as long as it stays in this state.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub for_operations: BTreeSet<OperationsReason>,
}

impl Visit {
    /// Whether a clock of it has passed a step.
    pub fn has_passed_a_step(&self) -> bool {
        [&self.sla, &self.stuck].into_iter().flatten().any(|clock| !clock.passed.is_empty())
    }
}

/// How many breaches a lead remembers for late evidence: those of one visit, with as many
/// reassignments as a policy sensibly allows, and of the visits right before it. All of them are in
/// its record.
pub(crate) const BREACHES_MAX: usize = 8;

/// How many publications a lead remembers: each counts what it made passed while others may come
/// after it. All of them are in its record.
pub(crate) const APPLIED_MAX: usize = 8;

/// Why a clock of sales rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Compliance holds the lead.
    ComplianceHold,
    /// It is on hold.
    OnHold,
    /// The customer is to act next.
    WaitingOnCustomer,
    /// New outreach to its account is paused.
    OutreachPaused,
}

impl Rest {
    /// Whether it is a state of the lead: then the stuck clock rests, too.
    pub fn is_hold(self) -> bool {
        matches!(self, Self::ComplianceHold | Self::OnHold)
    }
}

/// How many returns a lead keeps. All of its moves are in its record.
pub(crate) const RETURNS_MAX: usize = 64;

/// A return to a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// To which.
    pub state: StateId,
    /// When.
    pub at: DateTime<Utc>,
}

/// A breach of the SLA that was recorded, with what its source had said of the time before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// The entry that recorded it.
    pub seq: u64,
    /// The step that recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// When the step was due.
    pub due_at: DateTime<Utc>,
    /// The state that the lead was in.
    pub state: StateId,
    /// The stuck clock of that time in the state: it tells one visit from another.
    pub visit: u32,
    /// Whom it counts against; absent where the owner had not been told that the lead is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// The last time before the breach of which the source said that the lead was in that state.
    pub in_state_at: DateTime<Utc>,
    /// The last time before the breach of which it said that nothing was waited for.
    pub in_work_at: DateTime<Utc>,
    /// The hold that had ended by itself before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ended: Option<HoldEnded>,
}

/// The name under which a lead remembers of when its source said the state that it went on hold from.
pub(crate) const BEFORE_HOLD: &str = "before_hold";

/// When the state before the one that it is in was said last.
pub(crate) const BEFORE_STATE: &str = "before_state";

/// Where it is kept when a transition said a field anew.
fn reset(field: &str) -> String {
    format!("{field}.reset")
}

/// A state that was left for a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Which.
    pub state: StateId,
    /// What the workflows kept of it, clocks paused.
    pub visit: Visit,
}

/// A hold that ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldEnded {
    /// The state that the lead was on hold in.
    pub state: StateId,
    /// When the hold ended, as its source had said.
    pub at: DateTime<Utc>,
}

/// The state compliance took a lead from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldFrom {
    /// Which.
    pub state: StateId,
    /// Its kind.
    pub kind: StateKind,
    /// Since when it was in it.
    pub entered_at: DateTime<Utc>,
}

/// What a publication made of a lead in flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Which one.
    pub publication: PublicationId,
    /// The revisions that were put in force for it.
    pub in_force: InForce,
    /// The thresholds that were passed already under them, and are not acted on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<PassedStep>,
    /// The thresholds that an earlier publication had made passed, and that are to come under them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rearmed: Vec<PassedStep>,
    /// What became of it because its owner left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphaned: Option<Orphaned>,
}

/// A step of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PassedStep {
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// Its name.
    pub step: String,
}

/// What a lead needs to know of its account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountView {
    /// The account's tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Whether new outreach is paused for a retention motion.
    #[serde(default)]
    pub outreach_paused: bool,
    /// The account's entry that this is as of.
    #[serde(default)]
    pub as_of: u64,
}

/// Under which name of `said_at` stands since when a field has had its value; the name of the field itself is of
/// when it was last said.
pub(crate) fn since(field: &str) -> String {
    format!("{field}.since")
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
            self.said_at.insert(field.to_owned(), said_of);
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
    pub fn rests(&self) -> Vec<Rest> {
        let all = [
            (self.is_held(), Rest::ComplianceHold),
            (self.kind == StateKind::Hold && !self.is_held(), Rest::OnHold),
            (self.waiting_on_customer, Rest::WaitingOnCustomer),
            (self.account_view.outreach_paused, Rest::OutreachPaused),
        ];
        all.into_iter().filter_map(|(rests, why)| rests.then_some(why)).collect()
    }

    /// Since when a field has had its value, by the source's time.
    pub fn known_since(&self, field: &str) -> Option<DateTime<Utc>> {
        self.said_at.get(&since(field)).copied().or_else(|| self.said(field))
    }

    /// Its source, `other` if none is known.
    pub fn source(&self) -> Source {
        self.profile.source.clone().unwrap_or_else(|| Source::from("other"))
    }

    /// Whether its account is strategic, by its own record or by the account's.
    pub fn is_strategic(&self) -> bool {
        [self.profile.account_tier, self.account_view.tier].contains(&Some(Tier::Strategic))
    }
}
