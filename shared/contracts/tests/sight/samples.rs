//! One of each fact with every field filled: each variant leads to the next one, so that a new variant does
//! not compile until it has its place here. A member that can name somebody, or say what compliance knows,
//! says so in its value: [`SECRET`] or [`PERSON`] is in it.

use chrono::{DateTime, Utc};
use policy::ids::{NotificationId, PublicationId, PublicationKind};
use policy::measure::Money;
use policy::{InForce, Message, Orphan, StateKind, Verdict, WorkflowId};
use rules::account::{
    Account, AccountChanges, AccountFact, ChurnRiskElevated, Evidence, Signal, SignalRecord,
};
use rules::account_view::{AccountView, Tier};
use rules::clock::{Clock, Interval};
use rules::lead::{
    Applied, AssignmentReason, Breach, Clearance, Decided, Dismissal, ErasureBasis, EvidenceKind, Gone,
    HeldFrom, HoldEnded, LateEvidence, Lead, LeadFact, Left, OperationsReason, OperationsReview, Orphaned,
    OwnerGone, PassedStep, Pending, PersonalChanges, Priority, Profile, ProfileChanges, Queued, Rejection,
    ReopeningAsked, Return, Review, Screened, Threshold, UnderReview, UntoldOwner, Visit, Vote,
};
use rules::notification::{About, Notification, NotificationFact, Particulars, Recipient, Role};
use rules::patch::Patch;
use rules::personal::{Contact, Personal, PersonalKind};
use rules::publication::{OrphanedLeads, Passed, PublicationFact, Totals};
use rules::rep::{AbsenceDigest, RepFact};
use rules::roster::{Availability, LeadsOfAbsent};
use rules::routing::{PassedOver, Unfit};
use rules::screening::{Criterion, CriterionKind, MatchDetails};
use rules::unread::Unread;
use std::collections::{BTreeMap, BTreeSet};

/// In every value that is for compliance and operations alone.
pub const SECRET: &str = "hush";
/// In every value that is sealed in the record.
pub const PERSON: &str = "Kim Carter";

fn secret(what: &str) -> String {
    format!("{what}-{SECRET}")
}

pub fn at() -> DateTime<Utc> {
    "2026-03-02T14:00:00Z".parse().expect("an instant")
}

fn money() -> Money {
    Money::parse("48000.00", "USD").expect("money")
}

fn person() -> Contact {
    let said = Some(PERSON.to_owned());
    Contact { name: said.clone(), email: said.clone(), phone: said.clone(), identity: said }
}

fn found() -> MatchDetails {
    let said = Some(PERSON.to_owned());
    MatchDetails {
        name: said.clone(),
        aliases: vec![PERSON.to_owned()],
        date_of_birth: said.clone(),
        nationality: said.clone(),
        screened_name: said.clone(),
        headline: said.clone(),
        url: said.clone(),
        source: said.clone(),
        note: said,
    }
}

fn screened() -> Screened {
    Screened { company: Some(secret("Acme")), contact: Some(secret("fingerprint")) }
}

fn under_review() -> UnderReview {
    UnderReview { criterion: criterion(), screened: Some(screened()) }
}

fn decided() -> Decided {
    Decided { at: at(), officers: vec![secret("u-cleo")], reason_code: secret("true-match"), seq: 7 }
}

fn rejection() -> Rejection {
    Rejection {
        at: at(),
        revision: 7,
        decided: decided(),
        held_from: HeldFrom { state: "NEW".into(), kind: StateKind::Working, entered_at: at() },
        left: None,
        criteria: vec![under_review()],
        flagged_by: vec![secret("u-flagger")],
        would_be_owner: Some(secret("rep-ana").as_str().into()),
        asked: Some(ReopeningAsked {
            officer: secret("u-cora"),
            reason: secret("The list was wrong."),
            at: at(),
        }),
    }
}

fn criterion() -> Criterion {
    Criterion {
        kind: CriterionKind::Sanctions,
        match_id: secret("ofac-9"),
        list: secret("OFAC-SDN"),
        list_version: secret("2026-02-27"),
        strength: Some(92),
    }
}

fn threshold() -> Threshold {
    Threshold {
        clock: 1,
        percent: 80,
        elapsed_s: 2880,
        window_s: 3600,
        state: "NEW".into(),
        market: Some("us".into()),
        owner: Some("rep-ana".into()),
    }
}

fn view() -> AccountView {
    AccountView { tier: Some(Tier::Strategic), outreach_paused: true, as_of: 3 }
}

fn applied() -> Applied {
    let step = |name: &str| vec![PassedStep { workflow: WorkflowId::SlaBreach, step: name.to_owned() }];
    Applied {
        publication: PublicationId { kind: PublicationKind::Policy, revision: 2 },
        in_force: InForce { policy: 2, directory: 1 },
        passed: step("imminent"),
        rearmed: step("breached"),
        orphaned: Some(orphaned()),
    }
}

fn orphaned() -> Orphaned {
    Orphaned {
        from: "rep-bob".into(),
        name: Some("Bob Brown".to_owned()),
        to: Some("rep-ana".into()),
        kept: true,
    }
}

fn owner_gone() -> OwnerGone {
    OwnerGone { owner: "rep-bob".into(), because: Gone::Absent, until: Some(at()) }
}

/// Every particular of a message.
pub fn particulars() -> Particulars {
    Particulars {
        step: Some("imminent".to_owned()),
        state: Some("NEW".to_owned()),
        company: Some("Acme".to_owned()),
        market: Some("us".to_owned()),
        owner: Some("rep-ana".into()),
        previous_owner: Some("rep-bob".into()),
        elapsed_s: Some(2880),
        window_s: Some(3600),
        reasons: vec!["nobody of the team can take it".to_owned()],
        criteria: vec![criterion()],
        flagged_by: Some(secret("u-flagger")),
        published_by: Some("otto".to_owned()),
        instead_of: Some("rep-bob".into()),
    }
}

/// Each kind of recipient.
pub fn recipients() -> Vec<Recipient> {
    let next = |after: Option<&Recipient>| match after {
        None => Some(Recipient::Person { role: Role::WouldBeOwner, person: "rep-ana".into() }),
        Some(Recipient::Person { .. }) => {
            Some(Recipient::TeamChannel { team: "us-sales".into(), manager: "mia".into() })
        }
        Some(Recipient::TeamChannel { .. }) => Some(Recipient::ComplianceDesk),
        Some(Recipient::ComplianceDesk) => Some(Recipient::OperationsDesk),
        Some(Recipient::OperationsDesk) => None,
    };
    all(next)
}

fn about() -> About {
    About { sla_clock: Some(2), visit: Some(1), review: Some(at()), due_at: Some(at()) }
}

pub fn request(to: Recipient) -> Notification {
    Notification {
        id: NotificationId::new("lead/L-1/7"),
        to,
        message: Message::Held,
        particulars: particulars(),
        about: about(),
        not_before: Some(at()),
    }
}

/// Follows the chain of variants to its end.
fn all<T>(next: impl Fn(Option<&T>) -> Option<T>) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(one) = next(all.last()) {
        all.push(one);
    }
    all
}

/// One of each fact about a notification, and a request to each kind of recipient.
fn notifications() -> Vec<NotificationFact> {
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
        LeadFact::OwnerSet { .. } => LeadFact::OwnerGone { gone: owner_gone(), then: Orphan::HandOn },
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
            considered: vec![PassedOver { rep: "rep-bob".into(), because: Unfit::Absent }],
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

/// One of each fact about an account.
pub fn account_facts() -> Vec<AccountFact> {
    let notifications = notifications().into_iter().map(AccountFact::Notification);
    all(next_of_account).into_iter().chain(notifications).collect()
}

fn next_of_account(after: Option<&AccountFact>) -> Option<AccountFact> {
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
            AccountFact::InputRefused { what: "/account/tier".to_owned(), why: "is no tier".to_owned() }
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
            AccountFact::OutreachResumed { reason: "the lease ran out".to_owned() }
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

fn next_of_rep(after: Option<&RepFact>) -> Option<RepFact> {
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
            passed: vec![Passed {
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

fn unread() -> Unread {
    Unread { members: vec![secret("/lead/flags/sanctions/0/headline")], more: 1 }
}

fn clock() -> Clock {
    Clock {
        number: 1,
        ran: vec![Interval { from: at(), to: Some(at()) }],
        passed: vec!["imminent".to_owned()],
        unheard: vec!["imminent".to_owned()],
        window_percent: 50,
        history_until: Some(at()),
    }
}

fn visit() -> Visit {
    Visit {
        sla: Some(clock()),
        stuck: Some(clock()),
        reassignments: 1,
        taken_from: vec!["rep-bob".into()],
        for_operations: BTreeSet::from([OperationsReason::Stuck]),
    }
}

/// A lead with every field filled.
pub fn lead() -> Lead {
    let said_at = BTreeMap::from([("state".to_owned(), at())]);
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
        untold: Some(UntoldOwner { person: "rep-ana".into(), from: Some(at()) }),
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
        undelivered: vec![Pending::of(&request(Recipient::ComplianceDesk), Some(at()))],
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
        said_at: BTreeMap::from([("tier".to_owned(), at())]),
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
