//! What is refused at the door, and what is then left of it: an answer that says where and why,
//! and, where the lead is known, an entry in its history.

use crate::world::{Answer, World, count, now, types, written};
use chrono::TimeDelta;
use platform::standard_webhooks::SigningKey;
use serde_json::{Value, json};

crate::flows![
    what_is_not_signed_by_the_source_is_refused_and_not_stored,
    a_body_over_256_kib_is_refused,
    a_body_that_is_not_one_plain_document_is_refused,
    a_field_that_is_wrong_is_named_and_the_refusal_is_in_the_leads_history,
    all_that_is_wrong_is_named_at_once,
    an_event_of_a_lead_nobody_knows_creates_none,
    a_refused_event_of_an_account_is_in_the_accounts_history,
    when_the_secret_store_cannot_be_reached_the_source_is_told_to_come_again,
];

async fn what_is_not_signed_by_the_source_is_refused_and_not_stored(world: &'static World) {
    let id = world.id("L");
    let body = world.event("lead.upserted", json!({"lead": world.plain_lead(&id)})).to_string().into_bytes();
    let (ours, theirs) = (&world.state.hook_secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let mut altered = body.clone();
    altered.push(b' ');
    let key = SigningKey::parse(ours).unwrap();
    let over_other_bytes = key.headers("msg", now(), &altered);
    let headers = |all: &[(&'static str, String)]| -> Vec<(&'static str, String)> { all.to_vec() };
    let cases: [(&str, Vec<(&'static str, String)>); 6] = [
        ("another key", headers(&SigningKey::parse(theirs).unwrap().headers("msg", now(), &body))),
        ("over other bytes", headers(&over_other_bytes)),
        ("six minutes old", headers(&key.headers("msg", now() - TimeDelta::minutes(6), &body))),
        ("six minutes ahead", headers(&key.headers("msg", now() + TimeDelta::minutes(6), &body))),
        ("no signature", headers(&key.headers("msg", now(), &body)[..2])),
        ("unsigned", Vec::new()),
    ];
    for (what, headers) in cases {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = world.post_raw("generic", &headers, body.clone()).await;
        assert_eq!(answer.status, 401, "{what}: {:#}", answer.body);
        answer.shows_problem(401, None);
    }
    world.get("vera", &format!("/v1/leads/{id}")).await.shows_problem(404, None);
    // The very same bytes, signed, are taken: nothing of the refused ones was kept.
    let answer = world.post_signed("generic", ours, now(), body).await.is(200);
    assert_eq!(answer.body["duplicate"], false);
}

async fn signed(world: &World, body: impl Into<Vec<u8>>) -> Answer {
    world.post_signed("generic", &world.state.hook_secret, now(), body.into()).await
}

async fn a_body_over_256_kib_is_refused(world: &'static World) {
    let body = |filling: usize| {
        let mut event = world.event("lead.upserted", json!({"lead": world.plain_lead(&world.id("L"))}));
        event["filling"] = json!("x".repeat(filling));
        event.to_string()
    };
    let fits = body(0).len();
    signed(world, body(256 * 1024 - fits)).await.is(200);
    signed(world, body(256 * 1024 - fits + 1)).await.shows_problem(413, None);
}

async fn a_body_that_is_not_one_plain_document_is_refused(world: &'static World) {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deep = |depth: usize| {
        let event = world.event("lead.upserted", json!({"lead": world.plain_lead(&world.id("L"))}));
        // The document itself is the first level.
        event.to_string().replacen('{', &format!("{{\"beside\":{},", nested(depth - 1)), 1)
    };
    let at_most = signed(world, deep(32)).await;
    assert_eq!(at_most.status, 200, "32 levels are read: {:#}", at_most.body);
    let refused = [
        ("not json", None, b"score=1".to_vec()),
        ("cut off", None, br#"{"id": "evt_1", "#.to_vec()),
        ("two documents", None, br#"{"id": "evt_1"} {}"#.to_vec()),
        ("nothing", None, Vec::new()),
        ("a key twice", Some("/lead/id"), br#"{"id": "evt_1", "lead": {"id": "L-1", "id": "L-2"}}"#.to_vec()),
    ];
    for (what, field, body) in refused {
        let answer = signed(world, body).await;
        assert_eq!(answer.status, 400, "{what}: {:#}", answer.body);
        if field.is_some() {
            answer.shows_problem(400, field);
        }
    }
    let answer = signed(world, deep(33)).await.is(400);
    assert!(answer.detail().contains("deeper than 32"), "{}", answer.detail());
}

async fn a_field_that_is_wrong_is_named_and_the_refusal_is_in_the_leads_history(world: &'static World) {
    let lead = world.lead(json!({})).await;
    let ahead = written(now() + TimeDelta::minutes(6));
    let upserted = |field: &str, value: Value| {
        let mut event = world.event("lead.upserted", json!({"lead": {"id": lead}}));
        event["lead"][field] = value;
        event
    };
    let with = |field: &str, value: Value| {
        let mut event = world.event("lead.upserted", json!({"lead": {"id": lead}}));
        event[field] = value;
        event
    };
    let deal = |amount: Value, currency: &str| json!({"amount": amount, "currency": currency});
    let state =
        |state: &str| world.event("lead.state_changed", json!({"lead": {"id": lead, "state": state}}));
    let cases = [
        ("wrong type", "/lead/score", upserted("score", json!("72"))),
        ("out of range", "/lead/score", upserted("score", json!(-1))),
        ("bad instant", "/occurred_at", with("occurred_at", json!("2026-03-02 14:00"))),
        ("no offset", "/occurred_at", with("occurred_at", json!("2026-03-02T14:00:00"))),
        ("in the future", "/occurred_at", with("occurred_at", json!(ahead))),
        ("negative money", "/lead/deal_size/amount", upserted("deal_size", deal(json!("-1.00"), "USD"))),
        ("money as a number", "/lead/deal_size/amount", upserted("deal_size", deal(json!(100.5), "USD"))),
        ("unknown currency", "/lead/deal_size/currency", upserted("deal_size", deal(json!("1.00"), "XXQ"))),
        ("unknown country", "/lead/country", upserted("country", json!("usa"))),
        ("unknown tier", "/lead/account_tier", upserted("account_tier", json!("golden"))),
        ("unknown state", "/lead/state", state("DAYDREAMING")),
        ("reserved state", "/lead/state", state("COMPLIANCE_HOLD")),
        ("no match", "/lead/flags", world.event("lead.flagged", json!({"lead": {"id": lead, "flags": {}}}))),
    ];
    let known = types(&world.history(&format!("leads/{lead}")).await).len();
    let mut expected = Vec::new();
    for (what, field, event) in cases {
        let answer = world.send(&event).await;
        assert_eq!(answer.status, 422, "{what}: {:#}", answer.body);
        assert_eq!(answer.body["field"], field, "{what}: {:#}", answer.body);
        answer.shows_problem(422, Some(field));
        expected.push(field.trim_start_matches('/').replace('/', "."));
    }
    let history = world.history(&format!("leads/{lead}")).await;
    let refused: Vec<String> = history[known..]
        .iter()
        .map(|entry| {
            assert_eq!(entry["type"], "input.refused");
            assert_eq!(entry["actor"], json!({"kind": "source", "id": "generic"}));
            entry["data"]["what"].as_str().unwrap().trim_start_matches('/').replace('/', ".")
        })
        .collect();
    assert_eq!(refused, expected);

    // Of an unknown type nobody can say what it is about.
    let unknown = world.event("lead.sneezed", json!({"lead": {"id": lead}}));
    world.send(&unknown).await.shows_problem(422, Some("/type"));
}

async fn all_that_is_wrong_is_named_at_once(world: &'static World) {
    let event = json!({"type": "lead.upserted", "occurred_at": "soon", "lead": {"id": "a b", "score": 5000}});
    let answer = world.send(&event).await.is(422);
    let mut fields: Vec<&str> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["/id", "/lead/id", "/lead/score", "/occurred_at"]);
}

async fn an_event_of_a_lead_nobody_knows_creates_none(world: &'static World) {
    let id = world.id("L");
    let event = world.event("lead.state_changed", json!({"lead": {"id": id, "state": "CONTACTED"}}));
    world.send(&event).await.shows_problem(422, Some("/lead/id"));
    world.get("vera", &format!("/v1/leads/{id}")).await.shows_problem(404, None);
}

async fn a_refused_event_of_an_account_is_in_the_accounts_history(world: &'static World) {
    let id = world.id("A");
    world.take("account.upserted", json!({"account": {"id": id, "name": "Acme", "owner": "rep-sue"}})).await;
    let signal = json!({"account": {"id": id, "signal": "bad_mood", "evidence": {"tickets": 3}}});
    let event = world.event("account.churn_signal", signal);
    world.send(&event).await.shows_problem(422, Some("/account/signal"));
    let history = world.history(&format!("accounts/{id}")).await;
    assert_eq!(count(&history, "input.refused"), 1, "{history:#?}");
}

/// The real binary, started by hand with its AWS endpoint at a port where nobody listens.
async fn when_the_secret_store_cannot_be_reached_the_source_is_told_to_come_again(world: &'static World) {
    let lead = world.plain_lead(&world.id("L"));
    let body = world.event("lead.upserted", json!({"lead": lead})).to_string();
    let mut headers = json!({"content-type": "application/json"});
    for (name, value) in
        SigningKey::parse(&world.state.hook_secret).unwrap().headers("msg", now(), body.as_bytes())
    {
        headers[name] = json!(value);
    }
    let event = json!({
        "version": "2.0", "routeKey": "POST /v1/hooks/{source}", "rawPath": "/v1/hooks/generic", "rawQueryString": "",
        "headers": headers, "pathParameters": {"source": "generic"}, "body": body, "isBase64Encoded": false,
        "requestContext": {"requestId": "r", "http": {"method": "POST", "path": "/v1/hooks/generic"}},
    });
    let answer = crate::aws::invoke_alone("ingest", &event).await;
    assert_eq!(answer["statusCode"], 503, "{answer}");
    assert!(answer["headers"]["retry-after"].is_string(), "{answer}");
    let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(problem["type"], "urn:leadwatch:problem:unavailable");
}
