//! A lead and an account with every field filled.

use super::values::{
    applied, at, clock, decided, found, money, owner_gone, person, rejection, request, secret, under_review,
    view, visit,
};
use policy::ids::NotificationId;
use policy::{InForce, StateKind, Verdict};
use rules::account::{Account, ChurnRiskElevated, Signal, SignalRecord};
use rules::account_view::Tier;
use rules::clock::Clock;
use rules::lead::{
    Breach, Clearance, Dismissal, HeldFrom, HoldEnded, Lead, Left, OperationsReason, OperationsReview,
    PendingNotification, Priority, Profile, Queued, Return, Review, UnnotifiedOwner, Vote,
};
use rules::notification::Recipient;
use rules::personal::{Personal, PersonalKind};
use std::collections::{BTreeMap, BTreeSet};

/// A lead with every field filled.
pub fn lead() -> Lead {
    let said_at = BTreeMap::from([("state".into(), at())]);
    Lead {
        id: "L-1".into(),
        seq: 9,
        commit: 4,
        created_at: at(),
        changed_at: at(),
        profile: Profile {
            source: Some("inbound_web".into()),
            market: Some("us".into()),
            country: Some("US".into()),
            company: Some("Acme".to_owned()),
            account_id: Some("A-1".into()),
            account_tier: Some(Tier::Strategic),
            score: Some(91),
            deal_size: Some(money()),
        },
        personal: Personal {
            contact: Some(person()),
            matches: BTreeMap::from([("ofac-9".to_owned(), found())]),
        },
        personal_kinds: BTreeSet::from([PersonalKind::Contact, PersonalKind::Screening]),
        erased_at: Some(at()),
        in_force: InForce { policy: 2, directory: 1 },
        applied: vec![applied()],
        said_at,
        state: "COMPLIANCE_HOLD".into(),
        kind: StateKind::Hold,
        entered_at: at(),
        hold_until: Some(at()),
        waiting_on_customer: true,
        left: Some(Left { state: "NEW".into(), visit: visit() }),
        hold_ended: Some(HoldEnded { state: "ON_HOLD".into(), at: at() }),
        held_from: Some(HeldFrom { state: "NEW".into(), kind: StateKind::Working, entered_at: at() }),
        owner: Some("rep-ana".into()),
        owner_gone: Some(owner_gone()),
        owner_team: Some("us-sales".into()),
        untold: Some(UnnotifiedOwner { person: "rep-ana".into(), from: Some(at()) }),
        crm_owner: Some("rep-ana".into()),
        crm_market: Some("us".into()),
        visit: visit(),
        visited: BTreeSet::from(["NEW".into()]),
        returns: vec![Return { state: "NEW".into(), at: at() }],
        breaches: vec![Breach {
            seq: 5,
            step: Some("breached".to_owned()),
            due_at: at(),
            state: "NEW".into(),
            owner: Some("rep-ana".into()),
            visit: 1,
            in_state_at: at(),
            in_work_at: at(),
            hold_ended: Some(HoldEnded { state: "ON_HOLD".into(), at: at() }),
        }],
        undelivered: vec![PendingNotification::of(&request(Recipient::ComplianceDesk), Some(at()))],
        sla_clocks: 1,
        stuck_clocks: 1,
        priority: Priority::High,
        high_value: vec!["score 91".to_owned()],
        window_percent: 50,
        account_view: view(),
        review: Some(Review {
            opened_at: at(),
            revision: 3,
            clock: Clock { passed: vec![secret("day-1")], ..clock() },
            criteria: vec![under_review()],
            flagged_by: vec![secret("u-flagger")],
            would_be_owner: Some(secret("rep-ana").as_str().into()),
            vote: Some(Vote {
                officer: secret("u-cleo"),
                verdict: Verdict::Clear,
                reason_code: secret("false-match"),
                reason: secret("Somebody else."),
            }),
        }),
        clearances: vec![Clearance::of(&under_review(), decided())],
        unanswered: vec![under_review()],
        unanswered_flagged_by: vec!["cora".to_owned()],
        rejection: Some(rejection()),
        operations: Some(OperationsReview {
            since: at(),
            reasons: vec![Queued {
                reason: OperationsReason::NotificationFailed,
                since: at(),
                seq: 4,
                notification: Some(NotificationId::new("lead/L-1/7")),
            }],
        }),
        dismissed: Some(Dismissal {
            reasons: vec![OperationsReason::NoRepAvailable],
            at: at(),
            by: Some("u-otto".to_owned()),
            note: "She knows them.".to_owned(),
        }),
    }
}

/// An account with every field filled.
pub fn account() -> Account {
    Account {
        id: "A-1".into(),
        seq: 4,
        commit: 2,
        changed_at: at(),
        name: Some("Acme".to_owned()),
        tier: Some(Tier::Strategic),
        owner: Some("ava".into()),
        customer_success_owner: Some("sam".into()),
        said_at: BTreeMap::from([("tier".into(), at())]),
        churn_risk: Some(ChurnRiskElevated {
            since: at(),
            signals: vec![SignalRecord {
                id: "crm/e-1".to_owned(),
                signal: Signal::UsageDown,
                false_positive: true,
            }],
            touchpoint_due: Some(at()),
            outreach_paused_until: Some(at()),
        }),
        leads_told: view(),
        news_seq: 4,
        news_at: Some(at()),
    }
}
