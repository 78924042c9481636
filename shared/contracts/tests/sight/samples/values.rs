//! The values that samples are made of.

use chrono::{DateTime, Utc};
use policy::ids::{NotificationId, PublicationId, PublicationKind};
use policy::measure::Money;
use policy::{InForce, Message, StateKind, WorkflowId};
use rules::account_view::{AccountView, Tier};
use rules::clock::{Clock, Interval};
use rules::lead::{
    AppliedPublication, DecisionRef, GoneReason, HeldFrom, OperationsReason, Orphaned, OwnerGone, PassedStep,
    Rejection, ReopeningAsked, ScreenedParty, StateVisit, Threshold, UnderReview,
};
use rules::notification::{About, Notification, Particulars, Recipient, Role};
use rules::personal::Contact;
use rules::screening::{Criterion, CriterionKind, MatchDetails};
use rules::unread::Unread;
use std::collections::BTreeSet;

/// Part of every value that only compliance and operations may see.
pub const SECRET: &str = "hush";
/// Part of every value that is sealed.
pub const PERSON: &str = "Kim Carter";

pub fn secret(what: &str) -> String {
    format!("{what}-{SECRET}")
}

pub fn at() -> DateTime<Utc> {
    "2026-03-02T14:00:00Z".parse().expect("an instant")
}

pub fn money() -> Money {
    Money::parse("48000.00", "USD").expect("money")
}

pub fn person() -> Contact {
    let said = Some(PERSON.to_owned());
    Contact { name: said.clone(), email: said.clone(), phone: said.clone(), identity: said }
}

pub fn found() -> MatchDetails {
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

pub fn screened() -> ScreenedParty {
    ScreenedParty { company: Some(secret("Acme")), contact: Some(secret("fingerprint")) }
}

pub fn under_review() -> UnderReview {
    UnderReview { criterion: criterion(), screened: Some(screened()) }
}

pub fn decided() -> DecisionRef {
    DecisionRef { at: at(), officers: vec![secret("u-cleo")], reason_code: secret("true-match"), seq: 7 }
}

pub fn rejection() -> Rejection {
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

pub fn criterion() -> Criterion {
    Criterion {
        kind: CriterionKind::Sanctions,
        match_id: secret("ofac-9"),
        list: secret("OFAC-SDN"),
        list_version: secret("2026-02-27"),
        strength: Some(92),
    }
}

pub fn threshold() -> Threshold {
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

pub fn view() -> AccountView {
    AccountView { tier: Some(Tier::Strategic), outreach_paused: true, as_of: 3 }
}

pub fn applied() -> AppliedPublication {
    let step = |name: &str| vec![PassedStep { workflow: WorkflowId::SlaBreach, step: name.to_owned() }];
    AppliedPublication {
        publication: PublicationId { kind: PublicationKind::Policy, revision: 2 },
        in_force: InForce { policy: 2, directory: 1 },
        passed: step("imminent"),
        rearmed: step("breached"),
        orphaned: Some(orphaned()),
    }
}

pub fn orphaned() -> Orphaned {
    Orphaned {
        from: "rep-bob".into(),
        name: Some("Bob Brown".to_owned()),
        to: Some("rep-ana".into()),
        kept: true,
    }
}

pub fn owner_gone() -> OwnerGone {
    OwnerGone { owner: "rep-bob".into(), because: GoneReason::Absent, until: Some(at()) }
}

/// Every particular of a message.
pub fn particulars() -> Particulars {
    Particulars {
        step: Some("imminent".into()),
        state: Some("NEW".into()),
        company: Some("Acme".to_owned()),
        market: Some("us".into()),
        owner: Some("rep-ana".into()),
        previous_owner: Some("rep-bob".into()),
        elapsed_s: Some(2880),
        window_s: Some(3600),
        reasons: vec!["no rep on the team can take it".to_owned()],
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

pub fn about() -> About {
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
pub fn all<T>(next: impl Fn(Option<&T>) -> Option<T>) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(one) = next(all.last()) {
        all.push(one);
    }
    all
}

pub fn unread() -> Unread {
    Unread { members: vec![secret("/lead/flags/sanctions/0/headline")], more: 1 }
}

pub fn clock() -> Clock {
    Clock {
        number: 1,
        ran: vec![Interval { from: at(), to: Some(at()) }],
        passed: vec!["imminent".to_owned()],
        unheard: vec!["imminent".to_owned()],
        window_percent: 50,
        history_until: Some(at()),
    }
}

pub fn visit() -> StateVisit {
    StateVisit {
        sla: Some(clock()),
        stuck: Some(clock()),
        reassignments: 1,
        taken_from: vec!["rep-bob".into()],
        for_operations: BTreeSet::from([OperationsReason::Stuck]),
    }
}
