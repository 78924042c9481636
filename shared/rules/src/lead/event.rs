//! The facts of a lead: a closed set, each named in the past tense. They are the `type` and `data` of an
//! audit entry.

use crate::account_view::AccountView;
use crate::lead::applied::AppliedPublication;
use crate::lead::owner::OwnerGone;
use crate::lead::party::ScreenedParty;
use crate::lead::profile::{Priority, ProfileChanges};
use crate::lead::queue::OperationsReason;
use crate::lead::review::UnderReview;
use crate::notification::NotificationFact;
use crate::patch::Patch;
use crate::personal::PersonalKind;
use crate::routing::PassedOver;
use crate::screening::{Criterion, MatchDetails};
use crate::unread::Unread;
use chrono::{DateTime, Utc};
use policy::ids::{MarketId, NotificationId, PersonId, StateId, TeamId};
use policy::{OrphanAction, StateKind, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub use crate::lead::fact_data::{
    AssignmentReason, ErasureBasis, EvidenceKind, LateEvidence, PersonalChanges, Threshold,
};

/// Supersedes a threshold that had passed when its rule was published.
pub(crate) const PUBLICATION: &str = "publication";

/// A fact about a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum LeadFact {
    /// The first event about the lead arrived.
    #[serde(rename = "lead.created")]
    Created {
        /// The first state.
        state: StateId,
        /// The kind of the state.
        kind: StateKind,
        /// When it entered the state, by our clock: never in the future.
        entered_at: DateTime<Utc>,
        /// The end of history for an event that came late: thresholds passed until then are not acted on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        history_until: Option<DateTime<Utc>>,
        /// The source's time, if it differs from `entered_at`. It decides the order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<DateTime<Utc>>,
        /// Whether Leadwatch chose the state because the source named none.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ours: bool,
    },
    /// A source sent fields.
    #[serde(rename = "lead.updated")]
    Updated {
        /// The fields that changed.
        #[serde(default)]
        changes: ProfileChanges,
        /// The fields that the source repeated unchanged.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        confirmed: Vec<String>,
        /// The owner that the source names. `owner.set` records whether it took effect.
        #[serde(default, skip_serializing_if = "Patch::is_keep")]
        crm_owner: Patch<PersonId>,
        /// The source's time.
        occurred_at: DateTime<Utc>,
        /// The changes to the contact.
        #[serde(default, skip_serializing_if = "PersonalChanges::is_empty")]
        personal: PersonalChanges,
    },
    /// A source sent values older than those known.
    #[serde(rename = "input.stale")]
    InputStale {
        /// The fields.
        fields: Vec<String>,
        /// The source's time.
        occurred_at: DateTime<Utc>,
    },
    /// A request was refused: it is not permitted or not valid.
    #[serde(rename = "input.refused")]
    InputRefused {
        /// The request.
        what: String,
        /// The reason.
        why: String,
    },
    /// An input had unknown members; the rest of it was applied.
    #[serde(rename = "input.not-understood")]
    InputNotUnderstood(Unread),
    /// It moved to another state.
    #[serde(rename = "state.changed")]
    StateChanged {
        /// The state before.
        from: StateId,
        /// The state after.
        to: StateId,
        /// The kind of the state.
        kind: StateKind,
        /// When it entered the state, by our clock: never in the future, and never before it entered `from`.
        entered_at: DateTime<Utc>,
        /// Whether it resumes the state that it left for a hold.
        resumed: bool,
        /// The end of the hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold_until: Option<DateTime<Utc>>,
        /// The end of history for an event that came late: thresholds passed until then are not acted on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        history_until: Option<DateTime<Utc>>,
        /// The source's time, if it differs from `entered_at`. It decides the order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<DateTime<Utc>>,
        /// Whether Leadwatch moved it: the state that the source sent last stays as it was sent.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ours: bool,
    },
    /// The lead started or stopped waiting on the customer.
    #[serde(rename = "waiting.changed")]
    WaitingChanged {
        /// Whether the customer must act next.
        waiting_on_customer: bool,
        /// Since when, by our clock: never in the future.
        since: DateTime<Utc>,
        /// The source's time, if it differs from `since`. It decides the order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<DateTime<Utc>>,
    },
    /// A source changed the end of a hold.
    #[serde(rename = "hold.changed")]
    HoldChanged {
        /// The new end.
        hold_until: Option<DateTime<Utc>>,
        /// When the change took effect, by our clock: never in the future.
        since: DateTime<Utc>,
        /// The source's time, if it differs from `since`. It decides the order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<DateTime<Utc>>,
    },
    /// A source sent late the state before a hold. The lead resumes that state after the hold.
    #[serde(rename = "hold.entered-from")]
    HoldEnteredFrom {
        /// The state.
        state: StateId,
        /// Its kind in the policy.
        kind: StateKind,
        /// When it had entered the state, by our clock: never in the future.
        since: DateTime<Utc>,
        /// The source's time, if it differs from `since`. It decides the order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred_at: Option<DateTime<Utc>>,
    },
    /// A source set its owner.
    #[serde(rename = "owner.set")]
    OwnerSet {
        /// The owner before.
        from: Option<PersonId>,
        /// The owner after.
        to: Option<PersonId>,
        /// The new owner's team, if they are a rep.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<TeamId>,
    },
    /// The owner cannot work the lead: they left or are away.
    #[serde(rename = "owner.gone")]
    OwnerGone {
        /// Who, why, and until when.
        #[serde(flatten)]
        gone: OwnerGone,
        /// The policy's action. An owner who left loses the lead if it is reassigned.
        then: OrphanAction,
    },
    /// The owner, who was away, is back.
    #[serde(rename = "owner.back")]
    OwnerBack {
        /// Who.
        owner: PersonId,
    },
    /// The lead was assigned to a rep of its market's team.
    #[serde(rename = "lead.assigned")]
    Assigned {
        /// The rep.
        to: PersonId,
        /// Their team.
        team: TeamId,
        /// Why.
        reason: AssignmentReason,
        /// When the new owner's quiet hours end, if a publication's digest notifies them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told_from: Option<DateTime<Utc>>,
    },
    /// The lead was reassigned from its owner to another rep.
    #[serde(rename = "lead.reassigned")]
    Reassigned {
        /// The owner before.
        from: Option<PersonId>,
        /// To whom.
        to: PersonId,
        /// Of which team.
        team: TeamId,
        /// The SLA workflow's reassignments in this state, including this one.
        reassignments: u32,
    },
    /// The lead could not be reassigned.
    #[serde(rename = "reassignment.impossible")]
    ReassignmentImpossible {
        /// Why.
        reason: OperationsReason,
        /// The reps considered, and why each was passed over.
        considered: Vec<PassedOver>,
    },
    /// A clock reached a threshold.
    #[serde(rename = "threshold.reached")]
    ThresholdReached(Threshold),
    /// A clock passed a threshold that was not acted on.
    #[serde(rename = "threshold.superseded")]
    ThresholdSuperseded {
        /// The threshold.
        #[serde(flatten)]
        threshold: Threshold,
        /// The step acted on instead, or `history`.
        by: String,
    },
    /// The lead came back to a state too often.
    #[serde(rename = "lead.bounced")]
    Bounced {
        /// The state.
        state: StateId,
        /// How often, including this time.
        times: u32,
        /// The first return that counts.
        since: DateTime<Utc>,
    },
    /// An SLA was breached.
    #[serde(rename = "breach.recorded")]
    BreachRecorded {
        /// The owner.
        owner: Option<PersonId>,
        /// The owner's team.
        team: Option<TeamId>,
        /// Business hours elapsed, in seconds.
        elapsed_s: i64,
        /// The window, in seconds of business hours.
        window_s: i64,
        /// Whether the owner had not been notified of the lead yet, so that the breach does not count against them.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        owner_not_told: bool,
    },
    /// A breach was excused: a late event shows that the lead was worked in time. The actions taken at the
    /// breach stay.
    #[serde(rename = "breach.excused")]
    BreachExcused {
        /// The entry that recorded the breach.
        breach: u64,
        /// When the step was due.
        breached_at: DateTime<Utc>,
        /// The evidence. Its input is the entry's `cause`.
        evidence: LateEvidence,
    },
    /// The lead entered the operations queue, or got another reason to be there.
    #[serde(rename = "operations.queued")]
    OperationsQueued {
        /// Why.
        reason: OperationsReason,
        /// The notification that failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notification: Option<NotificationId>,
    },
    /// A reason to be in the operations queue no longer holds.
    #[serde(rename = "operations.settled")]
    OperationsSettled {
        /// Which.
        reason: OperationsReason,
        /// The notification that had failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notification: Option<NotificationId>,
    },
    /// Operations set the market.
    #[serde(rename = "market.set")]
    MarketSet {
        /// The market before.
        from: Option<MarketId>,
        /// The market after.
        to: MarketId,
    },
    /// The lead left quarantine. Its clocks start now, because nothing could be measured before.
    #[serde(rename = "clocks.restarted")]
    ClocksRestarted {},
    /// Operations resolved the lead's queue entries.
    #[serde(rename = "operations.resolved")]
    OperationsResolved {
        /// The resolution.
        resolution: String,
        /// The note.
        note: String,
        /// The reasons it covers. Absent in old records: all that were in the queue.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<OperationsReason>,
        /// The last entry that the person had seen. Reasons queued after it stay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<u64>,
        /// Reasons that still hold and are left alone until new information about the lead arrives.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        dismissed: Vec<OperationsReason>,
    },
    /// It became a high-value lead.
    #[serde(rename = "high-value.flagged")]
    HighValueFlagged {
        /// The criteria met.
        criteria: Vec<String>,
        /// The length of the windows of later states, as a percentage of the policy's.
        window_percent: u16,
    },
    /// The lead is no longer a high-value lead; the workflow can fire again.
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
        /// The company and contact that the lead named then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        screened: Option<ScreenedParty>,
        /// The person who flagged it by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flagged_by: Option<String>,
        /// What the screening found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        personal: Option<MatchDetails>,
    },
    /// A criterion matched that an officer already cleared, or saw for another party. It does not hold the lead.
    #[serde(rename = "compliance.match-remembered")]
    ComplianceMatchRemembered {
        /// The criterion.
        criterion: Criterion,
        /// The person who flagged it by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flagged_by: Option<String>,
    },
    /// Compliance holds it.
    #[serde(rename = "compliance.held")]
    ComplianceHeld {
        /// The state it was in.
        from: StateId,
        /// The would-be owner.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        would_be_owner: Option<PersonId>,
    },
    /// The would-be owner of a held lead became known.
    #[serde(rename = "compliance.would-be-owner")]
    WouldBeOwnerNamed {
        /// The would-be owner.
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
        /// The criteria decided on. A clearance covers these and nothing else.
        criteria: Vec<UnderReview>,
        /// Criteria that no longer hold. The decision does not cover them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lapsed: Vec<UnderReview>,
        /// Business hours in review on the compliance desk's calendar, in seconds.
        in_review_s: i64,
        /// The state the lead goes to.
        to: StateId,
        /// Its kind.
        kind: StateKind,
    },
    /// One of two officers asked to reopen the review of a rejected lead.
    #[serde(rename = "review.reopening-asked")]
    ReopeningAsked {
        /// The reason.
        reason: String,
        /// The officer.
        officer: String,
    },
    /// Two officers reopened the review of a rejected lead. Compliance holds the lead.
    #[serde(rename = "review.reopened")]
    ReviewReopened {
        /// The second officer's reason; the first one's is in their own entry.
        reason: String,
        /// By whom.
        officers: Vec<String>,
    },
    /// A publication changed what the lead waits for. Fired thresholds stay fired; those already passed under
    /// the new rules are not acted on.
    #[serde(rename = "rules.applied")]
    RulesApplied(AppliedPublication),
    /// The lead's personal data was erased: the key that it is sealed under was destroyed with this entry.
    /// Decisions and their criteria stay in the record.
    #[serde(rename = "lead.erased")]
    Erased {
        /// The ground.
        basis: ErasureBasis,
        /// The request that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// Why, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The kinds of personal data that its history held.
        kinds: BTreeSet<PersonalKind>,
    },
    /// What the lead takes from its account changed.
    #[serde(rename = "account.applied")]
    AccountApplied {
        /// The new values.
        view: AccountView,
    },
    /// A notification was requested, delivered, withdrawn, or failed.
    #[serde(untagged)]
    Notification(NotificationFact),
}
