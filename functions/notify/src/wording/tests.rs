//! Every message in the policy's own words and in ours, with everything there and with nothing.

mod fixtures;
mod situations;

use super::*;
use fixtures::{everything, manager, notification, owner, policy, said, sent};
use policy::wording::Placeholder;
use rules::notification::Role;
use rules::screening::{Criterion, CriterionKind};
use situations::situations;

#[test]
fn every_placeholder_of_every_message_has_its_value() {
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
fn a_missing_value_is_replaced_by_words() {
    for message in Message::ALL {
        for placeholder in Placeholder::of(message) {
            let own = policy(message, None, Some(&format!("About {placeholder}.")));
            let said = said(message, Particulars::default(), &own).text;
            assert!(said.len() > "About .".len() && !said.contains(['{', '}']), "{message:?}: {said}");
        }
    }
}

#[test]
fn a_message_without_a_template_has_leadwatchs_own_text() {
    let message = Message::SlaWarning;
    let ours = said(message, everything(), &policy(message, None, None));
    assert_eq!(ours.title, "Lead L-1 (Acme): 12m left");
    let text = "Move the lead on, or mark it as waiting. 48m of the 1h SLA window in NEW have passed.";
    assert_eq!(ours.text, text);
    let titled = said(message, everything(), &policy(message, Some("{{{left}}} {lead}"), None));
    assert_eq!((titled.title.as_str(), &titled.text), ("{12m} L-1", &ours.text));
    let worded = said(message, everything(), &policy(message, None, Some("Hurry.")));
    assert_eq!((&worded.title, worded.text.as_str()), (&ours.title, "Hurry."));
    // The links and the fields are there in any words.
    assert_eq!((worded.fields, worded.buttons), (ours.fields, ours.buttons));
}

#[test]
fn own_texts_are_whole_sentences_with_and_without_facts() {
    for message in Message::ALL {
        for particulars in [everything(), Particulars::default()] {
            let Outbound { title, text, .. } = said(message, particulars, &policy(message, None, None));
            // A digest about several leads names them in its text.
            let names_it = title.contains("L-1") || message == Message::ChangedHands;
            assert!(
                names_it && text.ends_with('.') && !text.starts_with('.'),
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
        list_version: "2026-02-27".to_owned(),
        strength: Some(92),
    };
    let particulars = Particulars { criteria: vec![criterion], reasons: Vec::new(), ..everything() };
    let own = policy(Message::ReviewNeeded, None, Some("{reasons}"));
    let told = CurrentMessage { particulars: particulars.clone(), ..CurrentMessage::default() };
    let to = |to| {
        let notification = notification(to, Message::ReviewNeeded, particulars.clone());
        sent(&notification, &told, "lead/L-1", &own).text
    };
    assert_eq!(to(Recipient::ComplianceDesk), "OFAC SDN match ofac-1 (list of Feb 27, 2026), 92 %");
    assert_eq!(to(owner()), "no reason given", "it is not for an owner to know");
}

#[test]
fn a_name_from_outside_is_text_and_never_a_placeholder() {
    let particulars = Particulars { company: Some("{owner} <!channel>".to_owned()), ..everything() };
    let own = policy(Message::StuckAsk, Some("{company}"), Some("{company} *waits*"));
    let said = said(Message::StuckAsk, particulars, &own);
    assert_eq!(said.text, "{owner} <!channel> *waits*");
    // Each channel escapes it as any other text.
    let blocks = serde_json::to_string(&crate::slack::blocks::blocks(&said)).unwrap();
    assert!(blocks.contains("&lt;!channel&gt; *waits*") && !blocks.contains("<!channel> *"), "{blocks}");
}

#[test]
fn an_unreachable_recipient_and_a_delay_are_mentioned_in_any_wording() {
    let own = policy(Message::SlaWarning, None, Some("Hurry."));
    let particulars = Particulars { instead_of: Some("rep-ana".into()), ..everything() };
    let mut notification = notification(manager(), Message::SlaWarning, particulars);
    let said = |n: &Notification| {
        let told = CurrentMessage { particulars: n.particulars.clone(), ..CurrentMessage::default() };
        sent(n, &told, "lead/L-1", &own).text
    };
    assert_eq!(said(&notification), "For Max Miller: Hurry. (Ana Alvarez could not be reached.)");
    notification.to = Recipient::Person { role: Role::Owner, person: "rep-ana".into() };
    notification.particulars.instead_of = None;
    notification.not_before = Some("2026-03-03T13:00:00Z".parse().unwrap());
    assert_eq!(said(&notification), "Hurry. (Delayed until your quiet hours ended.)");
}

/// A message as every channel shows it.
fn shown(outbound: &Outbound) -> String {
    let mut shown = format!("{}\n\n{}\n", outbound.title, outbound.text);
    for (label, value) in &outbound.fields {
        shown += &format!("\n{label}: {value}");
    }
    for (label, url) in &outbound.buttons {
        shown += &format!("\n[{label}] {url}");
    }
    shown
}

#[test]
fn each_message_reads_so_to_each_of_its_recipients() {
    for message in Message::ALL {
        let subject = match message {
            Message::ChurnRisk | Message::TouchpointDue => "account/A-77",
            Message::PublicationDigest => "policy/13",
            Message::ChangedHands => "directory/13",
            _ => "lead/L-1",
        };
        let mut all = String::new();
        for (whom, to, told) in situations(message) {
            let notification = notification(to, message, told.particulars.clone());
            let of_rep = message == Message::ChangedHands && whom == "the manager";
            let subject = if of_rep { "rep/rep-ana" } else { subject };
            let outbound = sent(&notification, &told, subject, &policy(message, None, None));
            all += &format!("--- {whom}\n{}\n\n", shown(&outbound));
        }
        insta::assert_snapshot!(message.as_str(), all);
    }
}

#[test]
fn a_message_of_each_channel_is_this() {
    let (_, to, told) = situations(Message::SlaWarning).remove(0);
    let notification = notification(to, Message::SlaWarning, told.particulars.clone());
    let outbound = sent(&notification, &told, "lead/L-1", &policy(Message::SlaWarning, None, None));
    let json = |value: serde_json::Value| serde_json::to_string_pretty(&value).unwrap();
    insta::assert_snapshot!("channel-slack", json(crate::slack::blocks::blocks(&outbound).into()));
    insta::assert_snapshot!("channel-teams", json(crate::teams::message(&outbound)));
    insta::assert_snapshot!("channel-email", crate::email::text(&outbound));
    insta::assert_snapshot!("channel-webhook", json(crate::webhook::document(&outbound)));
}

#[test]
fn a_channel_that_is_not_private_gets_only_the_kinds() {
    let mut policy = policy(Message::ReviewNeeded, None, Some("{lead} of {company}: {reasons}"));
    policy.workflows.compliance_flag.channel = ComplianceChannel::Short;
    for message in [Message::ReviewNeeded, Message::ReviewAgeing] {
        let (_, to, told) = situations(message).remove(0);
        let outbound = sent(&notification(to, message, told.particulars.clone()), &told, "lead/L-1", &policy);
        let shown = shown(&outbound);
        for hidden in ["Acme", "ofac", "OFAC", "France", "Eva", "dach", "DACH", "Ana"] {
            assert!(!shown.contains(hidden), "{message:?}: {shown}");
        }
        assert!(shown.contains("Sanctions match") && shown.contains("Adverse media"), "{shown}");
        assert!(shown.contains("/compliance/reviews/L-1"), "{shown}");
    }
}

#[test]
fn no_message_shows_an_id_of_a_person_or_breaks_on_a_name() {
    let odd = Particulars {
        company: Some("Acme\u{202e}\r\n\u{2066}".to_owned() + &"x".repeat(500)),
        owner: Some("005Hs00000Ab3dEFG".into()),
        reasons: vec!["one\ntwo".to_owned()],
        ..everything()
    };
    for message in Message::ALL {
        let outbound = said(message, odd.clone(), &policy(message, None, None));
        let shown = shown(&outbound);
        assert!(!shown.contains("005Hs"), "{message:?}: {shown}");
        assert!(!shown.contains(['\u{202e}', '\u{2066}', '\r']) && !outbound.title.contains('\n'), "{shown}");
        assert!(
            outbound.title.chars().count() <= TITLE_MAX && outbound.title.len() > 12,
            "{}",
            outbound.title
        );
        assert!(outbound.text.len() > 15, "only the name is cut: {shown}");
    }
    // An identifier of a machine gives way to the name.
    let policy = policy(Message::Held, None, None);
    let told = CurrentMessage { particulars: everything(), ..CurrentMessage::default() };
    let notification = notification(owner(), Message::Held, everything());
    let subject = "lead/0199c3a4-1111-7222-8333-444455556666";
    assert_eq!(sent(&notification, &told, subject, &policy).title, "Lead Acme is held by compliance");
}
