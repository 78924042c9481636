//! Notifications, recipients and particulars for the tests.

use super::super::{Context, Links, outbound};
use crate::outbound::Outbound;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::NotificationId;
use policy::{Message, Policy, Template, WorkflowId};
use rules::notification::{About, Notification, Particulars, Recipient, Role};
use rules::still_true::CurrentMessage;

pub fn directory() -> Directory {
    Directory::parse(include_str!("../../../../../infra/policies/directory.yaml")).unwrap()
}

/// The default policy, with its own text for a message.
pub fn policy(message: Message, title: Option<&str>, text: Option<&str>) -> Policy {
    let mut policy = Policy::parse(include_str!("../../../../../infra/policies/default.yaml")).unwrap();
    if title.is_none() && text.is_none() {
        return policy;
    }
    let own = Template { title: title.map(str::to_owned), text: text.map(str::to_owned) };
    let workflows = &mut policy.workflows;
    let messages = match message.workflow() {
        Some(WorkflowId::SlaBreach) => &mut workflows.sla_breach.messages,
        Some(WorkflowId::StuckLead) => &mut workflows.stuck_lead.messages,
        Some(WorkflowId::HighValue) => &mut workflows.high_value.messages,
        Some(WorkflowId::ComplianceFlag) => &mut workflows.compliance_flag.messages,
        Some(WorkflowId::ChurnRisk) => &mut workflows.churn_risk.messages,
        None => return policy,
    };
    messages.insert(message, own);
    policy.check().unwrap();
    policy
}

pub fn everything() -> Particulars {
    Particulars {
        step: Some("imminent".into()),
        state: Some("NEW".into()),
        company: Some("Acme".to_owned()),
        market: Some("us".into()),
        owner: Some("rep-ana".into()),
        previous_owner: Some("rep-bob".into()),
        elapsed_s: Some(2880),
        window_s: Some(3600),
        reasons: vec!["Score 91".to_owned(), "strategic account".to_owned()],
        criteria: Vec::new(),
        flagged_by: None,
        published_by: Some("pia@example.test".to_owned()),
        instead_of: None,
    }
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn notification(to: Recipient, message: Message, particulars: Particulars) -> Notification {
    let id = NotificationId::new("lead/L-1/5");
    Notification { id, to, message, particulars, about: About::default(), not_before: None }
}

pub fn owner() -> Recipient {
    Recipient::Person { role: Role::Owner, person: "rep-ana".into() }
}

pub fn manager() -> Recipient {
    Recipient::TeamChannel { team: "us-sales".into(), manager: "mgr-max".into() }
}

/// The message that goes out at ten in New York.
pub fn sent(notification: &Notification, told: &CurrentMessage, subject: &str, policy: &Policy) -> Outbound {
    let (directory, links) = (directory(), Links::new(None, None, "https://api.test"));
    let context = Context { policy, directory: &directory, links: &links, now: at("2026-03-02T15:00:00Z") };
    outbound(notification, told, &subject.parse().unwrap(), &context)
}

pub fn said(message: Message, particulars: Particulars, policy: &Policy) -> Outbound {
    let told = CurrentMessage { particulars: particulars.clone(), ..CurrentMessage::default() };
    sent(&notification(owner(), message, particulars), &told, "lead/L-1", policy)
}
