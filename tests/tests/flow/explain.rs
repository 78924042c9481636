//! Explanations, through the running bundle.

use crate::documents::{PLAIN, SUE};
use crate::world::{World, now, written};
use chrono::{DateTime, TimeDelta, Utc};
use leadctl::explain;
use reqwest::Method;
use serde_json::{Value, json};

crate::flows![
    a_lead_is_explained_as_it_is_and_as_it_was,
    what_screenings_found_is_explained_to_those_who_must_know,
    what_cannot_be_explained_is_said_to_be_so,
];

/// One workflow's part of an explanation.
fn part<'a>(explanation: &'a Value, workflow: &str) -> &'a Value {
    let parts = explanation["workflows"].as_array().unwrap();
    parts.iter().find(|part| part["workflow"] == workflow).unwrap()
}

fn reasons(part: &Value) -> Vec<&str> {
    part["because"].as_array().unwrap().iter().map(|because| because["text"].as_str().unwrap()).collect()
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

async fn a_lead_is_explained_as_it_is_and_as_it_was(world: &'static World) {
    let lead = world.lead(json!({})).await;
    let path = format!("/v1/leads/{lead}/explain");
    let fresh = world.get("vera", &path).await.is(200).body;
    let sla = part(&fresh, "sla-breach");
    assert_eq!(sla["status"], "armed", "{fresh:#}");
    // Four hours round the clock: at 80 % the owner is told.
    let imminent = instant(&fresh["entered_at"]) + TimeDelta::seconds(4 * 3600 * 80 / 100);
    let imminent = DateTime::from_timestamp(imminent.timestamp(), 0).unwrap();
    assert_eq!(instant(&sla["steps"][0]["at"]), imminent, "{fresh:#}");
    assert_eq!(fresh["wake_at"], sla["steps"][0]["at"]);
    let told =
        explain::ask(&world.state, "vera", &lead, None).await.unwrap().expect("there is an explanation");
    assert!(told.to_string().contains("next  "), "{told}");
    assert_eq!(json!(told.workflows[0].steps), sla["steps"], "the command line is told the same");
    let told = json!({"does": "tell", "message": "sla-warning", "to": {"kind": "person", "role": "owner", "person": SUE}});
    assert_eq!(sla["steps"][0]["does"], json!([told]));
    assert_eq!(reasons(part(&fresh, "high-value"))[0], "score 50 is 35 below 85");
    assert_eq!(reasons(part(&fresh, "churn-risk")), ["the lead belongs to no account"]);

    world.take("lead.state_changed", json!({"lead": {"id": lead, "state": "NEGOTIATION"}})).await;
    let moved = world.get("vera", &path).await.is(200).body;
    let sla = part(&moved, "sla-breach");
    assert_eq!(sla["status"], "not");
    assert_eq!(reasons(sla), [format!("no window for state NEGOTIATION in market {PLAIN}")]);
    assert_eq!(moved["wake_at"], Value::Null);

    let history = world.history(&format!("leads/{lead}")).await;
    let before = history.iter().rev().find(|entry| entry["commit"] == 1).unwrap()["at"].as_str().unwrap();
    let was = world.get("vera", &format!("{path}?at={before}")).await.is(200).body;
    assert_eq!(was["state"], "NEW");
    assert_eq!(part(&was, "sla-breach")["steps"], part(&fresh, "sla-breach")["steps"]);
    let ahead = written(now() + TimeDelta::days(1));
    let ahead = world.get("vera", &format!("{path}?at={ahead}")).await.is(200).body;
    assert!(instant(&ahead["ahead_to"]) > instant(&ahead["at"]), "{ahead:#}");
    // A policy may have been published since, by another scenario: the version is what is in force.
    let but_version = |part: &Value| {
        let mut part = part.clone();
        part.as_object_mut().unwrap().remove("version").expect("a version");
        part
    };
    assert_eq!(but_version(part(&ahead, "sla-breach")), but_version(sla));
}

async fn what_screenings_found_is_explained_to_those_who_must_know(world: &'static World) {
    let (lead, match_id) = world.held_lead(json!({})).await;
    let path = format!("/v1/leads/{lead}/explain");
    for who in ["cora", "otto"] {
        let body = world.get(who, &path).await.is(200).body;
        let review = part(&body, "compliance-flag");
        assert_eq!(review["status"], "armed", "an ageing review is surfaced: {body:#}");
        assert!(reasons(review).iter().any(|reason| reason.contains(&match_id)), "{body:#}");
        assert_eq!(part(&body, "sla-breach")["status"], "paused");
        assert!(!body.to_string().contains("Zebedee"), "whom it matched is in the review alone: {body:#}");
    }
    for who in ["vera", "ana", "sam"] {
        let body = world.get(who, &path).await.is(200).body;
        assert_eq!(reasons(part(&body, "compliance-flag")), ["compliance holds the lead"]);
        assert!(!body.to_string().contains(&match_id), "{body:#}");
    }
}

async fn what_cannot_be_explained_is_said_to_be_so(world: &'static World) {
    let lead = world.lead(json!({})).await;
    let path = format!("/v1/leads/{lead}/explain");
    for at in ["yesterday", "2026-03-02", "2026-03-02T25:00:00Z", "0"] {
        let answer = world.get("vera", &format!("{path}?at={at}")).await.shows_problem(422, None);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(at) && detail.contains("RFC 3339"), "{detail}");
    }
    let began = world.history(&format!("leads/{lead}")).await[0]["at"].as_str().unwrap().to_owned();
    let before = written(now() - TimeDelta::days(1));
    let answer = world.get("vera", &format!("{path}?at={before}")).await.shows_problem(404, None);
    assert!(answer.body["detail"].as_str().unwrap().contains(&began), "{:#}", answer.body);
    let nobody = format!("/v1/leads/{}/explain", world.id("L"));
    world.get("vera", &nobody).await.shows_problem(404, None);
    let why = explain::ask(&world.state, "vera", "L-nobody", None).await.unwrap().unwrap_err();
    assert_eq!(why, "lead `L-nobody` does not exist");
    assert_eq!(world.call(Method::GET, &path, &[], None).await.status, 401);
}
