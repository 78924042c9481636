//! The bus: whoever subscribes gets a lead's whole history as it comes about.

use crate::world::{World, eventually, is};
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use contracts::sight::{self, Reader};
use serde_json::{Value, json};
use std::sync::Mutex;

crate::flows![a_subscriber_gets_a_leads_history_in_order_and_nothing_personal];

async fn a_subscriber_gets_a_leads_history_in_order_and_nothing_personal(world: &'static World) {
    let (id, name) = (world.id("L"), world.id("subscriber"));
    let queue = subscribe(world, &name, &format!("lead/{id}")).await;
    let mut lead = world.plain_lead(&id);
    lead["score"] = json!(91);
    lead["contact"] = json!({"name": "Kim Contact", "email": "kim.contact@acme.test"});
    world.take("lead.upserted", json!({"lead": lead})).await;
    let flag = json!({"kind": "pep", "note": "It says so about Kim Contact."});
    world.post("otto", &format!("/v1/leads/{id}/flags"), flag).await.is(200);
    let of = format!("leads/{id}");
    world.entry(&of, "it is held", is("compliance.held")).await;
    let history = world.told(&of).await;
    let held = history.iter().find(|entry| entry["type"] == "compliance.held").unwrap();
    let flagger = held["actor"]["id"].as_str().unwrap().to_owned();

    let got: Mutex<Vec<Value>> = Mutex::default();
    eventually("all of it is on the bus", || async {
        let bodies = world.aws.take(&queue, |_| true).await;
        let mut got = got.lock().unwrap();
        got.extend(bodies.iter().map(|body| serde_json::from_str::<Value>(body).unwrap()));
        (got.len() >= history.len()).then_some(())
    })
    .await;
    let got = got.into_inner().unwrap();
    let seqs: Vec<u64> = got.iter().map(|event| event["detail"]["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=history.len() as u64).collect::<Vec<u64>>());
    // As operations reads it, but for what is not for everybody. Entries of one commit are shown together.
    let mut for_the_bus = Vec::new();
    for commit in history.chunk_by(|a, b| a["commit"] == b["commit"]) {
        for_the_bus.extend(sight::commit(commit.to_vec(), &[Reader::Bus]));
    }
    for (event, entry) in got.iter().zip(&for_the_bus) {
        assert_eq!((&event["source"], &event["detail-type"]), (&json!("leadwatch"), &entry["type"]));
        assert_eq!(event["resources"], json!([format!("lead/{id}")]));
        let text = event.to_string();
        assert!(!text.contains("Kim Contact") && !text.contains("\"personal\""), "{text}");
        assert!(!text.contains(&flagger), "nobody is named who flagged it: {text}");
        for member in ["at", "actor", "cause", "data", "policy_revision"] {
            assert_eq!(event["detail"][member], entry[member], "{member} of {event:#}");
        }
    }
}

/// Subscribes a queue of its own to what is said of a subject; gives its URL.
async fn subscribe(world: &World, name: &str, subject: &str) -> String {
    let created = world.aws.sqs.create_queue().queue_name(name).send().await.unwrap();
    let queue = created.queue_url().unwrap().to_owned();
    let arn = world.aws.queue_attribute(&queue, QueueAttributeName::QueueArn).await.unwrap();
    let bus = world.state.output("EventBusName").unwrap();
    let pattern = json!({"source": ["leadwatch"], "detail": {"subject": [subject]}}).to_string();
    let events = &world.aws.events;
    events.put_rule().name(name).event_bus_name(bus).event_pattern(pattern).send().await.unwrap();
    let target = Target::builder().id("queue").arn(arn).build().unwrap();
    let put = events.put_targets().rule(name).event_bus_name(bus).targets(target).send().await.unwrap();
    assert_eq!(put.failed_entry_count(), 0);
    queue
}
