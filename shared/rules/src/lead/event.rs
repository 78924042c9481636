//! What can happen to a lead: a closed set of facts, each named in the past tense. `type` and
//! `data` of an audit entry are these.

use crate::account_view::AccountView;
use crate::lead::applied::Applied;
use crate::lead::owner::OwnerGone;
use crate::lead::party::Screened;
use crate::lead::profile::{Priority, ProfileChanges};
use crate::lead::queue::OperationsReason;
use crate::lead::review::UnderReview;
use crate::notification::NotificationFact;
use crate::patch::Patch;
use crate::personal::{Contact, PersonalKind};
use crate::routing::PassedOver;
use crate::screening::{Criterion, MatchDetails};
use crate::unread::Unread;
use chrono::{DateTime, Utc};
use policy::ids::{MarketId, NotificationId, PersonId, StateId, TeamId};
use policy::{Orphan, StateKind, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// By what a threshold is superseded that was passed already when the rule it belongs to was
/// published.
pub(crate) const PUBLICATION: &str = "publication";

/// A fact about a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum LeadFact {
    /// It was heard of for the first time, in a state.
    #[serde(rename = "lead.created")]
    Created {
        /// The state it begins in.
        state: StateId,
        /// What kind of state that is.
        kind: StateKind,
        /// Since when it is in it, by our clock: never in the future.
        entered_at: DateTime<Utc>,
        /// It came late: thresholds passed until then are history.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        history_until: Option<DateTime<Utc>>,
        /// When the source says so, where that is not `entered_at`. Order goes by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<DateTime<Utc>>,
        /// Leadwatch chose the state: the source named none.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ours: bool,
    },
    /// A source said what its fields are.
    #[serde(rename = "lead.updated")]
    Updated {
        /// The fields that changed.
        #[serde(default)]
        changes: ProfileChanges,
        /// The fields that were said to be as they are already known.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        confirmed: Vec<String>,
        /// Who owns it, as the source says; whether that is so, `owner.set` tells.
        #[serde(default, skip_serializing_if = "Patch::is_keep")]
        crm_owner: Patch<PersonId>,
        /// When the source says so.
        occurred_at: DateTime<Utc>,
        /// What changed of the contact.
        #[serde(default, skip_serializing_if = "PersonalChanges::is_empty")]
        personal: PersonalChanges,
    },
    /// A source said something older than what was applied.
    #[serde(rename = "input.stale")]
    InputStale {
        /// The fields it said it of.
        fields: Vec<String>,
        /// When the source says so.
        occurred_at: DateTime<Utc>,
    },
    /// Something was asked for that is not permitted or makes no sense.
    #[serde(rename = "input.refused")]
    InputRefused {
        /// What was asked for.
        what: String,
        /// Why not.
        why: String,
    },
    /// An input had members that nobody here understands; the rest of it was taken.
    #[serde(rename = "input.not-understood")]
    InputNotUnderstood(Unread),
    /// It moved to another state.
    #[serde(rename = "state.changed")]
    StateChanged {
        /// Where it was.
        from: StateId,
        /// Where it is.
        to: StateId,
        /// What kind of state that is.
        kind: StateKind,
        /// Since when, by our clock: never in the future, and never before it entered the state it left.
        entered_at: DateTime<Utc>,
        /// Whether it goes on where it was before a hold.
        resumed: bool,
        /// Until when it is on hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold_until: Option<DateTime<Utc>>,
        /// It came late: thresholds passed until then are history.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        history_until: Option<DateTime<Utc>>,
        /// When the source says so, where that is not `entered_at`. Order goes by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<DateTime<Utc>>,
        /// Leadwatch moved it: no source said so, and the source's last word of its state stands.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ours: bool,
    },
    /// Whether the customer is to act next, and until when a hold lasts, was said anew.
    #[serde(rename = "waiting.changed")]
    WaitingChanged {
        /// Whether the customer is to act next.
        waiting_on_customer: bool,
        /// Since when, by our clock: never in the future.
        since: DateTime<Utc>,
        /// When the source says so, where that is not `since`. Order goes by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<DateTime<Utc>>,
    },
    /// The end of a hold was said anew.
    #[serde(rename = "hold.changed")]
    HoldChanged {
        /// Until when.
        hold_until: Option<DateTime<Utc>>,
        /// Since when that is so, by our clock: never in the future.
        since: DateTime<Utc>,
        /// When the source says so, where that is not `since`. Order goes by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<DateTime<Utc>>,
    },
    /// A source said late in which state it was before it went on hold: it goes on there after the hold.
    #[serde(rename = "hold.entered-from")]
    HoldEnteredFrom {
        /// The state.
        state: StateId,
        /// What it is in the policy.
        kind: StateKind,
        /// Since when it was in it, by our clock: never in the future.
        since: DateTime<Utc>,
        /// When the source says so, where that is not `since`. Order goes by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<DateTime<Utc>>,
    },
    /// A source set its owner.
    #[serde(rename = "owner.set")]
    OwnerSet {
        /// Who had it.
        from: Option<PersonId>,
        /// Who has it.
        to: Option<PersonId>,
        /// Of which team they are a rep, if of any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<TeamId>,
    },
    /// Its owner cannot work it: they left, or are away.
    #[serde(rename = "owner.gone")]
    OwnerGone {
        /// Who, why, and until when.
        #[serde(flatten)]
        gone: OwnerGone,
        /// What the policy says is done then. An owner who left has it no longer if it is handed on.
        then: Orphan,
    },
    /// Its owner, who was away, is back.
    #[serde(rename = "owner.back")]
    OwnerBack {
        /// Who.
        owner: PersonId,
    },
    /// It was given to a rep of its market's team.
    #[serde(rename = "lead.assigned")]
    Assigned {
        /// To whom.
        to: PersonId,
        /// Of which team.
        team: TeamId,
        /// Why.
        reason: AssignmentReason,
        /// When their quiet hours end, where the digest of a publication tells them that it is theirs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told_from: Option<DateTime<Utc>>,
    },
    /// It was taken from its owner and given to somebody else.
    #[serde(rename = "lead.reassigned")]
    Reassigned {
        /// From whom.
        from: Option<PersonId>,
        /// To whom.
        to: PersonId,
        /// Of which team.
        team: TeamId,
        /// Counts the SLA workflow's reassignments in this state, this one included.
        reassignments: u32,
    },
    /// It should have been given to somebody else, and could not be.
    #[serde(rename = "reassignment.impossible")]
    ReassignmentImpossible {
        /// Why.
        reason: OperationsReason,
        /// Who was considered, and why not.
        considered: Vec<PassedOver>,
    },
    /// A clock reached a threshold.
    #[serde(rename = "threshold.reached")]
    ThresholdReached(Threshold),
    /// A clock had passed a threshold, and it was not acted on.
    #[serde(rename = "threshold.superseded")]
    ThresholdSuperseded {
        /// The threshold.
        #[serde(flatten)]
        threshold: Threshold,
        /// The step acted on instead, or `history`.
        by: String,
    },
    /// It came back to a state so often that somebody is to look at it.
    #[serde(rename = "lead.bounced")]
    Bounced {
        /// To which.
        state: StateId,
        /// How often, this time included.
        times: u32,
        /// Since when: the first return that is counted.
        since: DateTime<Utc>,
    },
    /// An SLA was breached.
    #[serde(rename = "breach.recorded")]
    BreachRecorded {
        /// By whom it was owned.
        owner: Option<PersonId>,
        /// Which team's.
        team: Option<TeamId>,
        /// Working time elapsed, in seconds.
        elapsed_s: i64,
        /// The window, in seconds of working time.
        window_s: i64,
        /// The owner had not been told yet that the lead is theirs: it does not count against them.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        owner_not_told: bool,
    },
    /// A breach is excused: the lead had been worked in time, and word of it came late. What was
    /// done at the breach is not undone.
    #[serde(rename = "breach.excused")]
    BreachExcused {
        /// The entry that recorded the breach.
        breach: u64,
        /// When the step was due.
        breached_at: DateTime<Utc>,
        /// What shows it; the input that brought it is the entry's `cause`.
        evidence: LateEvidence,
    },
    /// It went into the operations queue, or has one more reason to be there.
    #[serde(rename = "operations.queued")]
    OperationsQueued {
        /// Why.
        reason: OperationsReason,
        /// The notification that failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notification: Option<NotificationId>,
    },
    /// A reason to be in the operations queue is gone.
    #[serde(rename = "operations.settled")]
    OperationsSettled {
        /// Which.
        reason: OperationsReason,
        /// The notification that had failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notification: Option<NotificationId>,
    },
    /// Operations said which market it belongs to.
    #[serde(rename = "market.set")]
    MarketSet {
        /// Which the lead had.
        from: Option<MarketId>,
        /// Which it has.
        to: MarketId,
    },
    /// It left quarantine: no clock could be measured before, so that they begin now.
    #[serde(rename = "clocks.restarted")]
    ClocksRestarted {},
    /// Operations dealt with it.
    #[serde(rename = "operations.resolved")]
    OperationsResolved {
        /// What was done.
        resolution: String,
        /// In words.
        note: String,
        /// What it deals with; absent in old records: everything that was in the queue.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<OperationsReason>,
        /// The last entry that the person had seen: what came into the queue after it stays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<u64>,
        /// What still holds and is left alone until something new is said of the lead.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        dismissed: Vec<OperationsReason>,
    },
    /// It became a high-value lead.
    #[serde(rename = "high-value.flagged")]
    HighValueFlagged {
        /// The criteria met.
        criteria: Vec<String>,
        /// The windows of later states are this share of the policy's.
        window_percent: u16,
    },
    /// It is no high-value lead any more; the workflow is armed again.
    #[serde(rename = "high-value.rearmed")]
    HighValueRearmed {},
    /// Its priority rose.
    #[serde(rename = "priority.raised")]
    PriorityRaised {
        /// To what.
        to: Priority,
    },
    /// Its priority went back to what it was before it rose.
    #[serde(rename = "priority.lowered")]
    PriorityLowered {
        /// To what.
        to: Priority,
    },
    /// A criterion of compliance matched.
    #[serde(rename = "compliance.matched")]
    ComplianceMatched {
        /// The criterion.
        criterion: Criterion,
        /// Whom the lead named then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        screened: Option<Screened>,
        /// Who raised it by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flagged_by: Option<String>,
        /// What the screening found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        personal: Option<MatchDetails>,
    },
    /// A criterion matched that an officer has cleared, or seen of another party; it does not hold the lead.
    #[serde(rename = "compliance.match-remembered")]
    ComplianceMatchRemembered {
        /// The criterion.
        criterion: Criterion,
        /// Who raised it by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flagged_by: Option<String>,
    },
    /// Compliance holds it.
    #[serde(rename = "compliance.held")]
    ComplianceHeld {
        /// The state it was taken from.
        from: StateId,
        /// Who would have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        would_be_owner: Option<PersonId>,
    },
    /// Who would have a held lead came to be known.
    #[serde(rename = "compliance.would-be-owner")]
    WouldBeOwnerNamed {
        /// Who.
        to: PersonId,
    },
    /// One officer of two decided.
    #[serde(rename = "review.voted")]
    ReviewVoted {
        /// What.
        verdict: Verdict,
        /// The reason's code.
        reason_code: String,
        /// The reason.
        reason: String,
        /// The officer.
        officer: String,
    },
    /// The review was decided.
    #[serde(rename = "review.decided")]
    ReviewDecided {
        /// How.
        verdict: Verdict,
        /// The reason's code.
        reason_code: String,
        /// The reason.
        reason: String,
        /// By whom.
        officers: Vec<String>,
        /// What was decided on, and nothing else: a clearance covers these.
        criteria: Vec<UnderReview>,
        /// What was found and does not hold any more; the decision does not cover it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lapsed: Vec<UnderReview>,
        /// Working time in review on the compliance desk's calendar, in seconds.
        in_review_s: i64,
        /// The state the lead goes to.
        to: StateId,
        /// Its kind.
        kind: StateKind,
    },
    /// One of two officers asks to open the review of a rejected lead again.
    #[serde(rename = "review.reopening-asked")]
    ReopeningAsked {
        /// The reason.
        reason: String,
        /// The officer.
        officer: String,
    },
    /// Two officers opened the review of a rejected lead again. Compliance holds the lead.
    #[serde(rename = "review.reopened")]
    ReviewReopened {
        /// The second officer's reason; the first one's is in their own entry.
        reason: String,
        /// By whom.
        officers: Vec<String>,
    },
    /// A policy or directory that was published changed what it waits for. What fired stays fired;
    /// thresholds that are passed already under the new one are not acted on.
    #[serde(rename = "rules.applied")]
    RulesApplied(Applied),
    /// Its personal data was erased: the key it is sealed under was destroyed with this entry. What
    /// was decided, and on which criteria, stays in the record.
    #[serde(rename = "lead.erased")]
    Erased {
        /// On what ground.
        basis: ErasureBasis,
        /// The request that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// Why, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What kinds of personal data its history held.
        kinds: BTreeSet<PersonalKind>,
    },
    /// The account's part in it changed.
    #[serde(rename = "account.applied")]
    AccountApplied {
        /// What it is now.
        view: AccountView,
    },
    /// Somebody is to be told, or was, or was not.
    #[serde(untagged)]
    Notification(NotificationFact),
}

/// The ground of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureBasis {
    /// The person, or somebody for them, asked for it.
    Request,
    /// The policy keeps personal data of closed leads for so long and no longer.
    Retention,
}

/// Changes of the contact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PersonalChanges {
    /// The contact.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub contact: Patch<Contact>,
}

impl PersonalChanges {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.contact.is_keep()
    }
}

/// What a source said late of the time before a breach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateEvidence {
    /// What had happened.
    pub what: EvidenceKind,
    /// The state that it had gone to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateId>,
    /// When, by the source's time.
    pub occurred_at: DateTime<Utc>,
    /// How long after that the word of it came, in seconds.
    pub late_s: i64,
}

/// What shows that a lead was worked in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// It had moved to another state.
    StateChanged,
    /// It had been put on hold: its clock rested.
    PutOnHold,
    /// The customer was to act next: its clock rested.
    WaitingOnCustomer,
    /// Its owner had not been told that it is theirs.
    OwnerNotTold,
}

/// Why a lead was given to a rep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssignmentReason {
    /// It arrived without an owner.
    Arrival,
    /// It was without an owner for a while: its market was not known, or nobody could take it, or
    /// its owner was taken away.
    Unowned,
    /// Compliance cleared it.
    Cleared,
    /// Operations decided so.
    Operations,
    /// Its owner is no rep any more.
    OwnerLeft,
    /// Its owner is away for longer than it can wait.
    OwnerAbsent,
}

/// A threshold of a clock, with what was so when it was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// Which clock of the workflow.
    pub clock: u32,
    /// At which share of the window; 100 for a reminder, whose time is its window.
    pub percent: u16,
    /// Working time elapsed, in seconds.
    pub elapsed_s: i64,
    /// The window, in seconds of working time.
    pub window_s: i64,
    /// The state.
    pub state: StateId,
    /// The market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    /// The owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
}
