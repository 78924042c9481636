//! Events as sources send them, right and wrong.

use super::*;
use rules::patch::Patch;
use serde_json::json;

fn documented() -> Value {
    json!({"id":"evt_0001","type":"lead.upserted","occurred_at":"2026-03-02T14:00:00Z",
        "lead":{"id":"L-1001","source":"inbound_web","market":"us","country":"US","company":"Acme","account_id":"A-77",
            "account_tier":"standard","score":72,"deal_size":{"amount":"48000.00","currency":"USD"},
            "state":"NEW","owner":"rep-ana",
            "flags":{"sanctions":[{"match_id":"ofac-123","list":"OFAC-SDN","list_version":"2026-02-27","name":"A. N. Other"}],
                "pep":[],"adverse_media":[]}}})
}

fn pointers(value: &Value) -> Vec<String> {
    read(value).unwrap_err().problems.into_iter().map(|p| p.pointer).collect()
}

#[test]
fn the_documented_example_is_read_whole() {
    let event = read(&documented()).unwrap();
    let Body::Lead(id, lead) = event.body else { panic!("a lead's event") };
    assert_eq!((id.as_str(), event.id.as_str()), ("L-1001", "evt_0001"));
    assert_eq!(lead.matches.len(), 1);
    assert_eq!(lead.state.unwrap().as_str(), "NEW");
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let mut value = documented();
    value["occurred_at"] = json!("2026-03-02 14:00");
    value["lead"]["deal_size"]["amount"] = json!("-1");
    value["lead"]["score"] = json!("72");
    value["lead"]["country"] = json!("us");
    assert_eq!(pointers(&value), ["/occurred_at", "/lead/country", "/lead/score", "/lead/deal_size/amount"]);
    value = documented();
    value["lead"]["deal_size"]["currency"] = json!("XXQ");
    assert_eq!(pointers(&value), ["/lead/deal_size/currency"]);
}

#[test]
fn an_unknown_type_is_refused_and_an_unknown_field_is_a_warning() {
    let mut value = documented();
    value["lead"]["colour"] = json!("blue");
    assert_eq!(warnings(&value), ["/lead/colour unknown member, ignored"]);
    value["type"] = json!("lead.deleted");
    assert_eq!(pointers(&value), ["/type"]);
    assert_eq!(pointers(&json!([])), [""]);
    assert_eq!(pointers(&json!({})), ["/id", "/occurred_at", "/type"]);
}

fn warnings(value: &Value) -> Vec<String> {
    let said = read(value).map_or_else(|refused| refused.warnings, |event| event.warnings);
    said.into_iter().map(|warning| format!("{} {}", warning.pointer, warning.detail)).collect()
}

#[test]
fn a_warning_names_the_place_and_not_the_content() {
    let mut value = documented();
    value["lead"]["scor"] = json!(99);
    value["lead"]["contact"] = json!({"name": "Kim", "e-mail": "kim@example.test"});
    value["lead"]["deal_size"]["a/b~c"] = json!(1);
    value["lead"]["flags"]["sanctions"][0]["heading"] = json!("secret");
    value["oddity\u{202e}"] = json!(1);
    value["flagged_by"] = json!("cleo");
    let told = warnings(&value);
    for expected in [
        "/lead/scor unknown member, ignored; did you mean `score`?",
        "/lead/contact/e-mail unknown member, ignored; did you mean `email`?",
        "/lead/deal_size/a~1b~0c unknown member, ignored",
        "/oddity\u{fffd} unknown member, ignored",
    ] {
        assert!(told.iter().any(|warning| warning == expected), "{expected} in {told:#?}");
    }
    assert!(told.iter().any(|warning| warning.starts_with("/lead/flags/sanctions/0/heading ")), "{told:#?}");
    assert_eq!(told.len(), 5, "{told:#?}");
    assert!(!told.concat().contains("secret") && !told.concat().contains("kim@"));
    let Body::Lead(_, event) = read(&value).unwrap().body else { panic!("a lead's event") };
    assert_eq!((event.unread.members.len(), event.unread.more), (5, 0));
    assert_eq!(event.flagged_by.as_deref(), Some("cleo"), "in any type of event");
}

#[test]
fn members_of_another_type_of_event_are_warnings() {
    let moved = json!({"id": "e1", "type": "lead.state_changed", "occurred_at": "2026-03-02T14:00:00Z",
        "flagged_by": "cleo", "lead": {"id": "L-1", "state": "NEW", "score": 9, "flags": null}});
    let told = warnings(&moved);
    assert_eq!(told.len(), 3, "{told:#?}");
    for place in ["/lead/score ", "/lead/flags ", "/flagged_by "] {
        assert!(told.iter().any(|warning| warning.starts_with(place)), "{place} in {told:#?}");
    }
    let mut twice = documented();
    let one = twice["lead"]["flags"]["sanctions"][0].clone();
    twice["lead"]["flags"]["sanctions"].as_array_mut().unwrap().push(one);
    assert_eq!(warnings(&twice), ["/lead/flags/sanctions/1 duplicate match; the strongest one counts"]);
    let account = json!({"id": "e1", "type": "account.upserted", "occurred_at": "2026-03-02T14:00:00Z",
        "account": {"id": "A-1", "tire": "strategic"}});
    assert_eq!(warnings(&account), ["/account/tire unknown member, ignored; did you mean `tier`?"]);
}

#[test]
fn a_match_counts_in_an_event_without_an_id_or_of_no_known_type() {
    let mut value = documented();
    value.as_object_mut().unwrap().remove("id");
    let refused = read(&value).unwrap_err();
    assert_eq!((refused.id, refused.matches.len()), (None, 1));
    assert_eq!(refused.subject, Some(Subject::Lead("L-1001".into())));
    value = documented();
    value["type"] = json!("lead.screened");
    let refused = read(&value).unwrap_err();
    assert_eq!(refused.matches.len(), 1);
    assert_eq!(refused.subject, Some(Subject::Lead("L-1001".into())));
}

#[test]
fn two_events_of_one_millisecond_have_an_order() {
    let at = |text: &str| {
        let mut value = documented();
        value["occurred_at"] = json!(text);
        read(&value).unwrap().occurred_at
    };
    assert!(at("2026-03-02T14:00:00.0001Z") < at("2026-03-02T14:00:00.0009Z"));
}

#[test]
fn the_screened_party_of_a_refused_event_is_read() {
    let mut value = documented();
    value["lead"]["score"] = json!("many");
    value["lead"]["company"] = json!("Bravo");
    value["lead"]["contact"] = json!({"name": "Bob Stone"});
    let NamedParty { company, contact, occurred_at, .. } = read(&value).unwrap_err().named;
    assert_eq!(company, Patch::Set("Bravo".to_owned()));
    assert_eq!(contact.as_set().unwrap().name.as_deref(), Some("Bob Stone"));
    assert_eq!(occurred_at.unwrap().to_rfc3339(), "2026-03-02T14:00:00+00:00");
    // No clearance covers an unreadable party.
    value["lead"]["company"] = json!(["Acme"]);
    assert!(read(&value).unwrap_err().named.unreadable);
    // An event that changes no company still names the screened party.
    value = documented();
    value["type"] = json!("lead.flagged");
    let Body::Lead(_, event) = read(&value).unwrap().body else { panic!("a lead's event") };
    assert_eq!(event.named_party().company, Patch::Set("Acme".to_owned()));
    // Without a match the party does not matter.
    value = documented();
    value["lead"]["flags"] = json!({});
    value["lead"]["score"] = json!("many");
    assert_eq!(read(&value).unwrap_err().named, NamedParty::default());
}

#[test]
fn a_refusal_names_its_subject() {
    let mut value = documented();
    value["lead"]["score"] = json!(-1);
    let refused = read(&value).unwrap_err();
    assert_eq!(refused.subject, Some(Subject::Lead("L-1001".into())));
}
