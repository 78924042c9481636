//! Every message in the policy's own words and in ours, with everything there and with nothing.

use super::*;
use rules::compliance::CriterionKind;
use rules::ids::NotificationId;
use rules::notification::Role;
use rules::policy::{Template, WorkflowId};

fn directory() -> Directory {
    Directory::parse(include_str!("../../../../infra/policies/directory.yaml")).unwrap()
}

/// The default policy, with a message in words of its own.
fn policy(message: Message, title: Option<&str>, text: Option<&str>) -> Policy {
    let mut policy = Policy::parse(include_str!("../../../../infra/policies/default.yaml")).unwrap();
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

fn everything() -> Particulars {
    Particulars {
        step: Some("imminent".to_owned()),
        state: Some("NEW".to_owned()),
        company: Some("Acme".to_owned()),
        market: Some("us".to_owned()),
        owner: Some("rep-ana".into()),
        previous_owner: Some("rep-bob".into()),
        elapsed_s: Some(2880),
        window_s: Some(3600),
        reasons: vec!["Score 91".to_owned(), "strategic account".to_owned()],
        criteria: Vec::new(),
        flagged_by: None,
        instead_of: None,
    }
}

fn said(message: Message, particulars: Particulars, policy: &Policy) -> Outbound {
    let notification = Notification {
        id: NotificationId::new("lead/L-1/5"),
        to: Recipient::Person { role: Role::Owner, person: "rep-ana".into() },
        message,
        particulars,
        not_before: None,
    };
    let subject = Subject::Lead("L-1".into());
    outbound(&notification, &subject, policy, &directory(), &Links::new(None, None, "https://api.test"))
}

#[test]
fn every_placeholder_of_every_message_says_what_is_so() {
    for message in Message::ALL {
        for placeholder in Placeholder::of(message) {
            let expected = match placeholder {
                Placeholder::Lead => "L-1",
                Placeholder::Company => "Acme",
                Placeholder::State => "NEW",
                Placeholder::Market => "us",
                Placeholder::Owner => "Ana Alvarez",
                Placeholder::PreviousOwner => "Bob Brown",
                Placeholder::Step => "imminent",
                Placeholder::Elapsed => "48m",
                Placeholder::Window => "1h",
                Placeholder::Left => "12m",
                Placeholder::Reasons => "Score 91; strategic account",
            };
            let own = policy(message, Some(&format!("T {placeholder}")), Some(&format!("<{placeholder}>")));
            let said = said(message, everything(), &own);
            assert_eq!(said.title, format!("T {expected}"), "{message:?}");
            assert_eq!(said.text, format!("<{expected}>"), "{message:?}");
        }
    }
}

#[test]
fn what_a_notification_does_not_have_is_said_in_words() {
    for message in Message::ALL {
        for placeholder in Placeholder::of(message) {
            let own = policy(message, None, Some(&format!("About {placeholder}.")));
            let said = said(message, Particulars::default(), &own).text;
            assert!(said.len() > "About .".len() && !said.contains(['{', '}']), "{message:?}: {said}");
        }
    }
}

#[test]
fn what_the_policy_does_not_word_is_said_in_our_words() {
    let message = Message::SlaWarning;
    let ours = said(message, everything(), &policy(message, None, None));
    assert_eq!(ours.title, "Lead L-1 (Acme): 12m left");
    assert_eq!(ours.text, "48m of 1h working time in NEW have passed, 12m are left. Please act on it.");
    let titled = said(message, everything(), &policy(message, Some("{{{left}}} {lead}"), None));
    assert_eq!((titled.title.as_str(), &titled.text), ("{12m} L-1", &ours.text));
    let worded = said(message, everything(), &policy(message, None, Some("Hurry.")));
    assert_eq!((&worded.title, worded.text.as_str()), (&ours.title, "Hurry."));
    // The links and the fields are there in any words.
    assert_eq!((worded.fields, worded.buttons), (ours.fields, ours.buttons));
}

#[test]
fn our_own_words_are_whole_sentences_with_everything_and_with_nothing() {
    for message in Message::ALL {
        for particulars in [everything(), Particulars::default()] {
            let Outbound { title, text, .. } = said(message, particulars, &policy(message, None, None));
            assert!(
                title.contains("L-1") && text.ends_with('.') && !text.starts_with('.'),
                "{message:?}: {title} / {text}"
            );
            assert!(!text.contains("  ") && !text.contains(['{', '}']), "{message:?}: {text}");
        }
    }
}

#[test]
fn a_window_that_is_over_has_nothing_left() {
    let particulars = Particulars { elapsed_s: Some(5400), ..everything() };
    let own = policy(Message::SlaBreached, None, Some("{left} left of {window}"));
    assert_eq!(said(Message::SlaBreached, particulars, &own).text, "0s left of 1h");
}

#[test]
fn the_reasons_of_a_review_are_its_criteria() {
    let criterion = Criterion {
        kind: CriterionKind::Sanctions,
        match_id: "ofac-1".to_owned(),
        list: "OFAC-SDN".to_owned(),
        list_version: "2026".to_owned(),
        strength: Some(92),
    };
    let particulars = Particulars { criteria: vec![criterion], reasons: Vec::new(), ..everything() };
    let own = policy(Message::ReviewNeeded, None, Some("{reasons}"));
    let text = said(Message::ReviewNeeded, particulars, &own).text;
    assert_eq!(text, "sanctions list: ofac-1 on OFAC-SDN of 2026, strength 92 %");
}

#[test]
fn a_name_from_outside_is_text_and_never_a_placeholder() {
    let particulars = Particulars { company: Some("{owner} <!channel>".to_owned()), ..everything() };
    let own = policy(Message::StuckAsk, Some("{company}"), Some("{company} *waits*"));
    let said = said(Message::StuckAsk, particulars, &own);
    assert_eq!(said.text, "{owner} <!channel> *waits*");
    // Each channel escapes it as any other text.
    let blocks = serde_json::to_string(&crate::render::blocks(&said)).unwrap();
    assert!(blocks.contains("&lt;!channel&gt; *waits*") && !blocks.contains("<!channel> *"), "{blocks}");
}

#[test]
fn the_manager_who_is_told_instead_and_who_waited_is_said_in_any_words() {
    let own = policy(Message::SlaWarning, None, Some("Hurry."));
    let mut notification = Notification {
        id: NotificationId::new("lead/L-1/5"),
        to: Recipient::TeamChannel { team: "us-sales".into(), manager: "mgr-max".into() },
        message: Message::SlaWarning,
        particulars: Particulars { instead_of: Some("rep-ana".into()), ..everything() },
        not_before: None,
    };
    let links = Links::new(None, None, "");
    let subject = Subject::Lead("L-1".into());
    let said = |n: &Notification| outbound(n, &subject, &own, &directory(), &links).text;
    assert_eq!(said(&notification), "For Max Miller: Hurry. (Ana Alvarez could not be reached.)");
    notification.to = Recipient::Person { role: Role::Owner, person: "rep-ana".into() };
    notification.particulars.instead_of = None;
    notification.not_before = Some("2026-03-03T13:00:00Z".parse().unwrap());
    assert_eq!(said(&notification), "Hurry. (It waited for the end of your quiet hours.)");
}
