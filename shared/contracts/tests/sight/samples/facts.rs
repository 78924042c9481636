//! The facts about notifications, accounts, reps and publications.

use super::values::{PERSON, all, at, orphaned, recipients, request, secret, unread, view};
use policy::WorkflowId;
use policy::ids::NotificationId;
use rules::account::{AccountChanges, AccountFact, Evidence, Signal};
use rules::account_view::Tier;
use rules::lead::PassedStep;
use rules::notification::{NotificationFact, Recipient, Role};
use rules::patch::Patch;
use rules::publication::{OrphanedLeads, PassedThreshold, PublicationFact, Totals};
use rules::rep::{AbsenceDigest, RepFact};
use rules::roster::{Availability, LeadsOfAbsent};
use std::collections::BTreeMap;

/// One of each fact about a notification, and a request to each kind of recipient.
pub fn notifications() -> Vec<NotificationFact> {
    let id = || NotificationId::new("lead/L-1/7");
    let next = |after: Option<&NotificationFact>| match after {
        None => Some(NotificationFact::Delivered {
            id: id(),
            channel: "slack".to_owned(),
            reference: Some("1741.5".to_owned()),
            attempts: 1,
        }),
        Some(NotificationFact::Delivered { .. }) => {
            let with = Some(NotificationId::new("lead/L-1/9"));
            Some(NotificationFact::Withdrawn { id: id(), reason: "the lead is held".to_owned(), with })
        }
        Some(NotificationFact::Withdrawn { .. }) => {
            Some(NotificationFact::Failed { id: id(), reason: "no such channel".to_owned(), attempts: 5 })
        }
        Some(NotificationFact::Failed { .. }) => Some(NotificationFact::Unreachable {
            id: id(),
            person: secret("rep-ana").as_str().into(),
            reason: secret("no channel"),
        }),
        Some(NotificationFact::Unreachable { .. }) => {
            let to = Recipient::Person { role: Role::Owner, person: "rep-ana".into() };
            Some(NotificationFact::Requested(Box::new(request(to))))
        }
        Some(NotificationFact::Requested(_)) => None,
    };
    let to = |to| NotificationFact::Requested(Box::new(request(to)));
    all(next).into_iter().chain(recipients().into_iter().map(to)).collect()
}

/// One of each fact about an account.
pub fn account_facts() -> Vec<AccountFact> {
    let notifications = notifications().into_iter().map(AccountFact::Notification);
    all(next_of_account).into_iter().chain(notifications).collect()
}

pub fn next_of_account(after: Option<&AccountFact>) -> Option<AccountFact> {
    let Some(after) = after else { return Some(AccountFact::Created {}) };
    Some(match after {
        AccountFact::Created {} => AccountFact::Updated {
            changes: AccountChanges {
                name: Patch::Set("Acme".to_owned()),
                tier: Patch::Set(Tier::Strategic),
                owner: Patch::Set("ava".into()),
                customer_success_owner: Patch::Set("sam".into()),
            },
            confirmed: vec!["name".to_owned()],
            occurred_at: at(),
        },
        AccountFact::Updated { .. } => {
            AccountFact::InputStale { fields: vec!["tier".to_owned()], occurred_at: at() }
        }
        AccountFact::InputStale { .. } => {
            AccountFact::InputRefused { what: "/account/tier".to_owned(), why: "must be a tier".to_owned() }
        }
        AccountFact::InputRefused { .. } => AccountFact::InputNotUnderstood(unread()),
        AccountFact::InputNotUnderstood(_) => AccountFact::SignalRecorded {
            id: "crm/e-1".to_owned(),
            signal: Signal::UsageDown,
            occurred_at: at(),
            personal: Evidence { evidence: Some(PERSON.to_owned()) },
        },
        AccountFact::SignalRecorded { .. } => AccountFact::Elevated { tag: "churn-risk-elevated".to_owned() },
        AccountFact::Elevated { .. } => AccountFact::TouchpointScheduled { due: at() },
        AccountFact::TouchpointScheduled { .. } => AccountFact::TouchpointDue {},
        AccountFact::TouchpointDue {} => AccountFact::OutreachPaused { until: at() },
        AccountFact::OutreachPaused { .. } => {
            AccountFact::OutreachResumed { reason: "the pause ended".to_owned() }
        }
        AccountFact::OutreachResumed { .. } => {
            AccountFact::RetentionCompleted { note: "They stay.".to_owned() }
        }
        AccountFact::RetentionCompleted { .. } => AccountFact::FalsePositive {
            id: "crm/e-1".to_owned(),
            signal: Signal::UsageDown,
            note: "A holiday.".to_owned(),
        },
        AccountFact::FalsePositive { .. } => AccountFact::Cleared { reason: "false positives".to_owned() },
        AccountFact::Cleared { .. } => AccountFact::LeadsTold { view: view(), leads: 3 },
        AccountFact::LeadsTold { .. } | AccountFact::Notification(_) => return None,
    })
}

/// One of each fact about a rep.
pub fn rep_facts() -> Vec<RepFact> {
    let notifications = notifications().into_iter().map(RepFact::Notification);
    all(next_of_rep).into_iter().chain(notifications).collect()
}

pub fn next_of_rep(after: Option<&RepFact>) -> Option<RepFact> {
    match after {
        None => Some(RepFact::AvailabilitySet(Availability { available: false, until: Some(at()) })),
        Some(RepFact::AvailabilitySet(_)) => Some(RepFact::AbsenceFollowed(AbsenceDigest {
            until: Some(at()),
            is_over: true,
            leads: LeadsOfAbsent { handed_on: BTreeMap::from([("ava".into(), 2)]), queued: 1 },
            kept: 3,
        })),
        Some(RepFact::AbsenceFollowed(_) | RepFact::Notification(_)) => None,
    }
}

/// One of each fact about a publication.
pub fn publication_facts() -> Vec<PublicationFact> {
    let next = |after: Option<&PublicationFact>| match after {
        None => Some(PublicationFact::Published {
            base: 1,
            publisher: Some("otto".to_owned()),
            why: "Partners wait too long.".to_owned(),
            changes: vec!["sla-breach: NEW 1h → 30m".to_owned()],
            versions: BTreeMap::from([(WorkflowId::SlaBreach, 2)]),
            document_sha256: "ab".to_owned(),
        }),
        Some(PublicationFact::Published { .. }) => Some(PublicationFact::Applied(Totals {
            leads: 3,
            moved: 2,
            passed: vec![PassedThreshold {
                team: Some("us-sales".into()),
                step: PassedStep { workflow: WorkflowId::SlaBreach, step: "imminent".to_owned() },
                leads: 1,
            }],
            orphaned: vec![OrphanedLeads {
                team: Some("us-sales".into()),
                orphaned: orphaned(),
                leads: 1,
                first: vec!["L-1".into()],
            }],
        })),
        Some(PublicationFact::Applied(_) | PublicationFact::Notification(_)) => None,
    };
    all(next).into_iter().chain(notifications().into_iter().map(PublicationFact::Notification)).collect()
}
