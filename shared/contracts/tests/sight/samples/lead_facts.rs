//! The facts about leads.

use super::facts::notifications;
use super::values::{
    all, applied, at, criterion, found, money, owner_gone, person, screened, secret, threshold, under_review,
    unread, view,
};
use policy::ids::NotificationId;
use policy::{OrphanAction, StateKind, Verdict};
use rules::account_view::Tier;
use rules::lead::{
    AssignmentReason, ErasureBasis, EvidenceKind, LateEvidence, LeadFact, OperationsReason, PersonalChanges,
    Priority, ProfileChanges,
};
use rules::patch::Patch;
use rules::personal::PersonalKind;
use rules::routing::{Ineligibility, PassedOver};
use std::collections::BTreeSet;

/// One of each fact about a lead.
pub fn lead_facts() -> Vec<LeadFact> {
    let notifications = notifications().into_iter().map(LeadFact::Notification);
    let sales = LeadFact::InputRefused { what: "state CONTACTED".to_owned(), why: "it is held".to_owned() };
    all(next_of_lead).into_iter().chain(notifications).chain([sales]).collect()
}

fn next_of_lead(after: Option<&LeadFact>) -> Option<LeadFact> {
    let Some(after) = after else {
        return Some(LeadFact::Created {
            state: "NEW".into(),
            kind: StateKind::Working,
            entered_at: at(),
            history_until: Some(at()),
            occurred_at: Some(at()),
            ours: true,
        });
    };
    Some(match after {
        LeadFact::Created { .. } => LeadFact::Updated {
            changes: ProfileChanges {
                source: Patch::Set("inbound_web".into()),
                market: Patch::Set("us".into()),
                country: Patch::Set("US".into()),
                company: Patch::Set("Acme".to_owned()),
                account_id: Patch::Set("A-1".into()),
                account_tier: Patch::Set(Tier::Strategic),
                score: Patch::Set(91),
                deal_size: Patch::Set(money()),
            },
            confirmed: vec!["owner".to_owned()],
            crm_owner: Patch::Set("rep-ana".into()),
            occurred_at: at(),
            personal: PersonalChanges { contact: Patch::Set(person()) },
        },
        LeadFact::Updated { .. } => {
            LeadFact::InputStale { fields: vec!["state".to_owned()], occurred_at: at() }
        }
        LeadFact::InputStale { .. } => {
            LeadFact::InputRefused { what: secret("review decision"), why: secret("whoever raised a flag") }
        }
        LeadFact::InputRefused { .. } => LeadFact::InputNotUnderstood(unread()),
        LeadFact::InputNotUnderstood(_) => LeadFact::StateChanged {
            from: "NEW".into(),
            to: "ON_HOLD".into(),
            kind: StateKind::Hold,
            entered_at: at(),
            resumed: true,
            hold_until: Some(at()),
            history_until: Some(at()),
            occurred_at: Some(at()),
            ours: true,
        },
        LeadFact::StateChanged { .. } => {
            LeadFact::WaitingChanged { waiting_on_customer: true, since: at(), occurred_at: Some(at()) }
        }
        LeadFact::WaitingChanged { .. } => {
            LeadFact::HoldChanged { hold_until: Some(at()), since: at(), occurred_at: Some(at()) }
        }
        LeadFact::HoldChanged { .. } => LeadFact::HoldEnteredFrom {
            state: "NEW".into(),
            kind: StateKind::Working,
            since: at(),
            occurred_at: Some(at()),
        },
        LeadFact::HoldEnteredFrom { .. } => LeadFact::OwnerSet {
            from: Some("rep-bob".into()),
            to: Some("rep-ana".into()),
            team: Some("us-sales".into()),
        },
        LeadFact::OwnerSet { .. } => LeadFact::OwnerGone { gone: owner_gone(), then: OrphanAction::HandOn },
        LeadFact::OwnerGone { .. } => LeadFact::OwnerBack { owner: "rep-bob".into() },
        LeadFact::OwnerBack { .. } => LeadFact::Assigned {
            to: "rep-ana".into(),
            team: "us-sales".into(),
            reason: AssignmentReason::Arrival,
            told_from: Some(at()),
        },
        LeadFact::Assigned { .. } => LeadFact::Reassigned {
            from: Some("rep-bob".into()),
            to: "rep-ana".into(),
            team: "us-sales".into(),
            reassignments: 1,
        },
        LeadFact::Reassigned { .. } => LeadFact::ReassignmentImpossible {
            reason: OperationsReason::NoRepAvailable,
            considered: vec![PassedOver { rep: "rep-bob".into(), because: Ineligibility::Absent }],
        },
        LeadFact::ReassignmentImpossible { .. } => LeadFact::ThresholdReached(threshold()),
        LeadFact::ThresholdReached(_) => {
            LeadFact::ThresholdSuperseded { threshold: threshold(), by: "breached".to_owned() }
        }
        LeadFact::ThresholdSuperseded { .. } => LeadFact::BreachRecorded {
            owner: Some("rep-ana".into()),
            team: Some("us-sales".into()),
            elapsed_s: 3600,
            window_s: 3600,
            owner_not_told: true,
        },
        LeadFact::BreachRecorded { .. } => LeadFact::BreachExcused {
            breach: 4,
            breached_at: at(),
            evidence: LateEvidence {
                what: EvidenceKind::StateChanged,
                state: Some("CONTACTED".into()),
                occurred_at: at(),
                late_s: 60,
            },
        },
        LeadFact::BreachExcused { .. } => LeadFact::Bounced { state: "NEW".into(), times: 4, since: at() },
        LeadFact::Bounced { .. } => LeadFact::OperationsQueued {
            reason: OperationsReason::NotificationFailed,
            notification: Some(NotificationId::new("lead/L-1/7")),
        },
        LeadFact::OperationsQueued { .. } => LeadFact::OperationsSettled {
            reason: OperationsReason::NotificationFailed,
            notification: Some(NotificationId::new("lead/L-1/7")),
        },
        LeadFact::OperationsSettled { .. } => {
            LeadFact::MarketSet { from: Some("us".into()), to: "dach".into() }
        }
        LeadFact::MarketSet { .. } => LeadFact::ClocksRestarted {},
        LeadFact::ClocksRestarted {} => LeadFact::OperationsResolved {
            resolution: "assigned to rep-ana".to_owned(),
            note: "She knows them.".to_owned(),
            reasons: vec![OperationsReason::Stuck],
            seen: Some(4),
            dismissed: vec![OperationsReason::NoRepAvailable],
        },
        LeadFact::OperationsResolved { .. } => {
            LeadFact::HighValueFlagged { criteria: vec!["score 91".to_owned()], window_percent: 50 }
        }
        LeadFact::HighValueFlagged { .. } => LeadFact::HighValueRearmed {},
        LeadFact::HighValueRearmed {} => LeadFact::PriorityRaised { to: Priority::High },
        LeadFact::PriorityRaised { .. } => LeadFact::PriorityLowered { to: Priority::Normal },
        LeadFact::PriorityLowered { .. } => LeadFact::ComplianceMatched {
            criterion: criterion(),
            screened: Some(screened()),
            flagged_by: Some(secret("u-flagger")),
            personal: Some(found()),
        },
        LeadFact::ComplianceMatched { .. } => {
            LeadFact::ComplianceMatchRemembered { criterion: criterion(), flagged_by: Some("ana".to_owned()) }
        }
        LeadFact::ComplianceMatchRemembered { .. } => LeadFact::ComplianceHeld {
            from: "NEW".into(),
            would_be_owner: Some(secret("rep-ana").as_str().into()),
        },
        LeadFact::ComplianceHeld { .. } => {
            LeadFact::WouldBeOwnerNamed { to: secret("rep-ana").as_str().into() }
        }
        LeadFact::WouldBeOwnerNamed { .. } => LeadFact::ReviewVoted {
            verdict: Verdict::Reject,
            reason_code: secret("true-match"),
            reason: secret("It is them."),
            officer: secret("u-cleo"),
        },
        LeadFact::ReviewVoted { .. } => LeadFact::ReviewDecided {
            verdict: Verdict::Reject,
            reason_code: secret("true-match"),
            reason: secret("It is them."),
            officers: vec![secret("u-cora"), secret("u-cleo")],
            criteria: vec![under_review()],
            lapsed: vec![under_review()],
            in_review_s: 4711,
            to: "DISQUALIFIED_COMPLIANCE".into(),
            kind: StateKind::Terminal,
        },
        LeadFact::ReviewDecided { .. } => {
            LeadFact::ReopeningAsked { reason: secret("The list was wrong."), officer: secret("u-cora") }
        }
        LeadFact::ReopeningAsked { .. } => LeadFact::ReviewReopened {
            reason: secret("So I think."),
            officers: vec![secret("u-cora"), secret("u-cleo")],
        },
        LeadFact::ReviewReopened { .. } => LeadFact::RulesApplied(applied()),
        LeadFact::RulesApplied(_) => LeadFact::Erased {
            basis: ErasureBasis::Request,
            reference: Some(secret("DSR-1")),
            reason: Some(secret("They asked.")),
            kinds: BTreeSet::from([PersonalKind::Screening]),
        },
        LeadFact::Erased { .. } => LeadFact::AccountApplied { view: view() },
        // `notifications` has each of them.
        LeadFact::AccountApplied { .. } | LeadFact::Notification(_) => return None,
    })
}
