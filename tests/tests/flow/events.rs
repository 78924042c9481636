//! What becomes of events: messages, duplicates, batches, and what cannot be routed.

use crate::documents::SUE;
use crate::world::{World, count, is, sanction, types, written};
use chrono::TimeDelta;
use serde_json::{Value, json};

crate::flows![
    a_signed_lead_becomes_a_message_to_its_owner,
    two_secrets_are_accepted_while_one_replaces_the_other,
    a_secret_that_is_no_secret_takes_nothing_and_says_try_later,
    the_same_event_twice_has_one_effect,
    the_same_event_many_times_at_once_has_one_effect,
    an_event_that_was_refused_may_come_again_mended,
    one_bad_event_of_ten_does_not_take_the_others_with_it,
    a_batch_is_one_to_a_hundred_events,
    events_of_one_lead_in_one_batch_keep_their_order,
    an_older_event_does_not_undo_a_newer_one,
    a_lead_whose_market_is_unknown_waits_for_operations_and_is_then_routed,
    a_lead_of_an_owner_nobody_knows_stays_theirs_and_operations_sees_it,
];

/// What is personal of a contact. None of it may be in any message.
const PERSONAL: [&str; 3] = ["Kim Contact", "kim.contact@acme.test", "+1-555-0100"];

async fn a_signed_lead_becomes_a_message_to_its_owner(world: &'static World) {
    let [name, email, phone] = PERSONAL;
    let contact = json!({"name": name, "email": email, "phone": phone});
    let lead = world.lead(json!({"score": 91, "contact": contact})).await;
    let message = world.message(&lead, "sue@example.test").await;
    assert_eq!(message.method, "chat.postMessage");
    assert!(message.channel.starts_with('D'), "it is a direct message: {message:?}");
    // The fallback says all that is needed where blocks are not shown.
    assert!(message.text.contains(&lead) && message.text.contains("Acme"), "{}", message.text);
    assert!(message.text.contains("Score 91"), "{}", message.text);
    let blocks = message.blocks.expect("it has blocks");
    let kinds: Vec<&str> = blocks.as_array().unwrap().iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"header"), Some(&"actions")));
    let button = blocks.as_array().unwrap().last().unwrap()["elements"][0].clone();
    assert!(button["url"].as_str().unwrap().ends_with(&format!("/v1/leads/{lead}")), "{button}");

    let match_id = world.id("ofac");
    let flags = json!({"sanctions": [sanction(&match_id)]});
    world.take("lead.flagged", json!({"lead": {"id": lead, "flags": flags}})).await;
    let history = world.told(&format!("leads/{lead}")).await;
    let delivered: Vec<&Value> = history.iter().filter(|e| e["type"] == "notification.delivered").collect();
    let mut channels: Vec<&str> =
        delivered.iter().map(|entry| entry["data"]["channel"].as_str().unwrap()).collect();
    channels.sort_unstable();
    // High value: owner and manager. Held: would-be owner and the compliance desk.
    assert_eq!(channels, ["slack-channel", "slack-channel", "slack-dm", "slack-dm"]);
    assert!(delivered.iter().all(|entry| entry["actor"] == json!({"kind": "system", "id": "notify"})));

    // The match is named to the compliance desk alone, and nothing personal to anybody.
    for message in world.messages("") {
        let text = serde_json::to_string(&message).unwrap();
        for personal in PERSONAL.iter().chain(&["Zebedee Quill"]) {
            assert!(!text.contains(personal), "`{personal}` is in {text}");
        }
        assert!(!text.contains(&match_id) || message.channel == "#compliance", "{text}");
    }
    assert!(world.messages(&match_id).len() == 1, "the compliance desk is told of the match");
    // Nor in the logs of any function.
    let log = world.log();
    for personal in PERSONAL {
        assert!(!log.contains(personal), "`{personal}` is in a log");
    }
}

/// A key in the form of Standard Webhooks.
fn secret(n: u8) -> String {
    format!("whsec_{}", ["AAAA", "BBBB", "CCCC"][usize::from(n)].repeat(8))
}

/// A source with these active secrets; gives its name.
async fn source(world: &World, active: &[String]) -> String {
    let name = world.id("crm").to_lowercase();
    let id = format!("{}{name}", world.state.output("HookSecretPrefix").unwrap());
    let value = json!({"active": active}).to_string();
    world.aws.secrets.create_secret().name(id).secret_string(value).send().await.unwrap();
    name
}

async fn post(world: &World, source: &str, secret: &str) -> crate::world::Answer {
    let lead = world.plain_lead(&world.id("L"));
    let event = world.event("lead.upserted", json!({"lead": lead}));
    let now = crate::world::now();
    world.post_signed(source, secret, now, event.to_string().into_bytes()).await
}

async fn two_secrets_are_accepted_while_one_replaces_the_other(world: &'static World) {
    let crm = source(world, &[secret(0), secret(1)]).await;
    post(world, &crm, &secret(0)).await.is(200);
    post(world, &crm, &secret(1)).await.is(200);
    post(world, &crm, &secret(2)).await.shows_problem(401, None);
    // Each source has secrets of its own.
    post(world, "generic", &secret(0)).await.shows_problem(401, None);
    // One that does not exist answers as one whose secret nobody has.
    post(world, &world.id("crm-nobody-made"), &secret(0)).await.shows_problem(401, None);
}

async fn a_secret_that_is_no_secret_takes_nothing_and_says_try_later(world: &'static World) {
    for active in [vec![], vec![secret(0), secret(1), secret(2)], vec!["whsec_short".to_owned()]] {
        let crm = source(world, &active).await;
        let answer = post(world, &crm, &secret(0)).await.shows_problem(503, None);
        assert!(answer.retry_after.is_some(), "{active:?}");
    }
}

async fn the_same_event_twice_has_one_effect(world: &'static World) {
    let id = world.id("L");
    let mut lead = world.plain_lead(&id);
    lead["score"] = json!(95);
    let event = world.event("lead.upserted", json!({"lead": lead}));
    let first = world.send(&event).await.is(200);
    assert_eq!(first.body["duplicate"], false);
    let before = world.told(&format!("leads/{id}")).await;
    let second = world.send(&event).await.is(200);
    assert_eq!((&second.body["duplicate"], &second.body["outcome"]), (&json!(true), &first.body["outcome"]));
    assert_eq!(world.history(&format!("leads/{id}")).await, before);
    // Sends are at least once: on a slow machine an answer can come too late, and the same is sent again.
    let messages = world.messages(&id);
    let told: std::collections::BTreeSet<_> = messages.iter().map(|m| (m.to().to_owned(), &m.text)).collect();
    assert_eq!(told.len(), 2, "owner and manager, one thing each: {messages:?}");
}

async fn the_same_event_many_times_at_once_has_one_effect(world: &'static World) {
    let id = world.id("L");
    let event = world.event("lead.upserted", json!({"lead": world.plain_lead(&id)}));
    let answers = futures::future::join_all((0..6).map(|_| world.send(&event))).await;
    let fresh = answers
        .into_iter()
        .map(|answer| answer.is(200).body["duplicate"] == false)
        .filter(|fresh| *fresh)
        .count();
    assert_eq!(fresh, 1, "one of them is the first");
    assert_eq!(
        types(&world.history(&format!("leads/{id}")).await),
        ["lead.created", "lead.updated", "owner.set"]
    );
}

async fn an_event_that_was_refused_may_come_again_mended(world: &'static World) {
    let lead = world.lead(json!({})).await;
    let mut event = world.event("lead.upserted", json!({"lead": {"id": lead, "score": "ninety"}}));
    world.send(&event).await.shows_problem(422, Some("/lead/score"));
    event["lead"]["score"] = json!(60);
    let answer = world.send(&event).await.is(200);
    assert_eq!((&answer.body["outcome"], &answer.body["duplicate"]), (&json!("applied"), &json!(false)));
    let history = world.history(&format!("leads/{lead}")).await;
    assert_eq!(
        types(&history),
        ["lead.created", "lead.updated", "owner.set", "input.refused", "lead.updated"]
    );
    assert_eq!(history[3]["data"]["what"], "/lead/score");
}

async fn one_bad_event_of_ten_does_not_take_the_others_with_it(world: &'static World) {
    let ids: Vec<String> = (0..10).map(|_| world.id("L")).collect();
    let mut batch: Vec<Value> =
        ids.iter().map(|id| world.event("lead.upserted", json!({"lead": world.plain_lead(id)}))).collect();
    batch[4]["lead"]["deal_size"] = json!({"amount": "-1.00", "currency": "USD"});
    let answer = world.send(&json!(batch)).await.is(200);
    let results = answer.body["results"].as_array().unwrap();
    for (n, (result, event)) in results.iter().zip(&batch).enumerate() {
        assert_eq!(result["id"], event["id"], "answers are in the order of the events");
        assert_eq!(result["status"], if n == 4 { 422 } else { 200 });
    }
    assert_eq!(results.len(), 10);
    assert_eq!(results[4]["problem"]["field"], "/lead/deal_size/amount");
    for (n, id) in ids.iter().enumerate() {
        let status = world.get("vera", &format!("/v1/leads/{id}")).await.status;
        assert_eq!(status, if n == 4 { 404 } else { 200 });
    }
}

async fn a_batch_is_one_to_a_hundred_events(world: &'static World) {
    let lead = world.id("L");
    let events = |n: usize| -> Vec<Value> {
        (0..n).map(|n| world.event("lead.upserted", json!({"lead": {"id": lead, "score": n % 50}}))).collect()
    };
    world.send(&json!(events(101))).await.shows_problem(422, None);
    world.send(&json!([])).await.shows_problem(422, None);
    world.get("vera", &format!("/v1/leads/{lead}")).await.is(404);
}

async fn events_of_one_lead_in_one_batch_keep_their_order(world: &'static World) {
    let id = world.id("L");
    let mut batch = vec![world.event("lead.upserted", json!({"lead": world.plain_lead(&id)}))];
    for state in ["CONTACTED", "QUALIFIED", "PROPOSAL"] {
        batch.push(world.event("lead.state_changed", json!({"lead": {"id": id, "state": state}})));
    }
    world.send(&json!(batch)).await.is(200);
    let history = world.history(&format!("leads/{id}")).await;
    let moves: Vec<&str> = history
        .iter()
        .filter(|e| e["type"] == "state.changed")
        .map(|e| e["data"]["to"].as_str().unwrap())
        .collect();
    assert_eq!(moves, ["CONTACTED", "QUALIFIED", "PROPOSAL"]);
}

async fn an_older_event_does_not_undo_a_newer_one(world: &'static World) {
    let lead = world.lead(json!({"company": "Newer"})).await;
    let mut event = world.event("lead.upserted", json!({"lead": {"id": lead, "company": "Older"}}));
    event["occurred_at"] = json!(written(crate::world::now() - TimeDelta::minutes(2)));
    let answer = world.send(&event).await.is(200);
    assert_eq!(answer.body["outcome"], "stale");
    let shown = world.get("vera", &format!("/v1/leads/{lead}")).await.is(200);
    assert_eq!(shown.body["company"], "Newer");
    let history = world.history(&format!("leads/{lead}")).await;
    assert_eq!(history.last().unwrap()["data"]["fields"], json!(["company"]));
}

async fn a_lead_whose_market_is_unknown_waits_for_operations_and_is_then_routed(world: &'static World) {
    let id = world.id("L");
    let mut lead = world.plain_lead(&id);
    lead["market"] = json!("atlantis");
    lead["owner"] = Value::Null;
    world.take("lead.upserted", json!({"lead": lead})).await;
    let reviews = world.all("otto", "/v1/operations/reviews?limit=100", "reviews").await;
    let review = reviews.iter().find(|review| review["lead_id"] == *id).expect("operations sees it");
    assert_eq!(review["reasons"], json!(["market-unknown"]));
    assert_eq!(review["owner"], Value::Null);

    let path = format!("/v1/operations/reviews/{id}/resolution");
    let set =
        |market: &str| json!({"resolution": "set-market", "market": market, "note": "It is one of ours."});
    world.post("otto", &path, set("lemuria")).await.shows_problem(422, Some("/market"));
    let resolved = world.post("otto", &path, set("plain")).await.is(200);
    assert_eq!(resolved.body["owner"], SUE);
    let mut history = world.history(&format!("leads/{id}")).await;
    history.retain(|entry| entry["type"] != "notification.delivered");
    assert_eq!(
        types(&history),
        [
            "lead.created",
            "lead.updated",
            "operations.queued",
            "market.set",
            "clocks.restarted",
            "operations.settled",
            "operations.resolved",
            "lead.assigned",
            "notification.requested",
        ]
    );
    let assigned = &history[7];
    assert_eq!(assigned["data"], json!({"to": SUE, "team": "plain-sales", "reason": "operations"}));
    assert_eq!(assigned["actor"]["kind"], "staff");
    let reviews = world.all("otto", "/v1/operations/reviews?limit=100", "reviews").await;
    assert!(!reviews.iter().any(|review| review["lead_id"] == *id), "it is done");
    world.post("otto", &path, set("plain")).await.shows_problem(409, None);
}

async fn a_lead_of_an_owner_nobody_knows_stays_theirs_and_operations_sees_it(world: &'static World) {
    let lead = world.lead(json!({"owner": "rep-from-elsewhere", "score": 90})).await;
    let shown = world.get("vera", &format!("/v1/leads/{lead}")).await.is(200);
    assert_eq!(shown.body["owner"], "rep-from-elsewhere");
    let reviews = world.all("otto", "/v1/operations/reviews?limit=100", "reviews").await;
    let review = reviews.iter().find(|review| review["lead_id"] == *lead).expect("operations sees it");
    assert_eq!(review["owner"], "rep-from-elsewhere");
    // What the owner would be told, the manager is.
    let of = format!("leads/{lead}");
    world.told(&of).await;
    let history = world.history(&of).await;
    assert_eq!(count(&history, "operations.queued"), 1);
    let requested: Vec<&Value> = history.iter().filter(|entry| is("notification.requested")(entry)).collect();
    assert!(requested.iter().all(|entry| entry["data"]["to"]["kind"] == "team-channel"), "{requested:?}");
    assert!(!world.messages(&lead).is_empty());
}
