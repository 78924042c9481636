//! Queues lose and repeat messages. What was committed comes about all the same, once.

use crate::documents::HASTY;
use crate::world::{World, count, now, written};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::event::Body;
use contracts::queue::{Due, Notify};
use policy::ids::Subject;
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead};
use serde_json::{Value, json};
use store::Committed;

crate::flows![
    a_notification_that_never_reached_the_queue_is_found_by_the_sweep,
    a_due_lead_that_two_ticks_see_is_decided_on_once,
    a_message_that_comes_many_times_has_one_effect,
];

/// Commits a lead as `ingest` would, had it died before it could tell the queues.
pub async fn commit_only(world: &World, id: &str, changes: Value) -> Committed<Lead> {
    commit_only_at(world, id, changes, now()).await
}

/// The same, at another instant than the present.
pub async fn commit_only_at(world: &World, id: &str, changes: Value, at: DateTime<Utc>) -> Committed<Lead> {
    let mut lead = world.plain_lead(id);
    lead.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let mut event = world.event("lead.upserted", json!({"lead": lead}));
    event["occurred_at"] = json!(written(at));
    let read = contracts::event::read(&event).expect("it is an event");
    let Body::Lead(lead, event) = read.body else { panic!("it is of a lead") };
    let cause = format!("generic/{}", read.id);
    let command =
        Command { lead, actor: Actor::source("generic"), cause: cause.clone(), input: Input::Event(event) };
    world.store.execute(&command, Some(&cause), at).await.expect("it is committed")
}

/// Puts messages on a queue.
pub async fn send(world: &World, url: &str, bodies: &[String]) {
    let entries = bodies.iter().enumerate().map(|(n, body)| {
        SendMessageBatchRequestEntry::builder().id(format!("m{n}")).message_body(body).build().unwrap()
    });
    let entries = entries.collect::<Vec<_>>();
    let sent =
        world.aws.sqs.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await.unwrap();
    assert!(sent.failed().is_empty());
}

/// A message as it is on a queue.
pub fn body(message: &impl serde::Serialize) -> String {
    serde_json::to_string(message).unwrap()
}

async fn a_notification_that_never_reached_the_queue_is_found_by_the_sweep(world: &'static World) {
    let id = world.id("L");
    let done = commit_only(world, &id, json!({"score": 91})).await;
    assert_eq!(done.notifications.len(), 2);
    assert!(world.messages(&id).is_empty(), "nobody has told the queue");
    for notification in &done.notifications {
        // As if the queue's time for it were over.
        let was_waiting = world
            .store
            .lease_outbox(&notification.id, now() - TimeDelta::seconds(1), store::MaybeSent::No)
            .await
            .unwrap();
        assert!(was_waiting);
    }
    tick(world, &written(now())).await;
    let history = world.told(&format!("leads/{id}")).await;
    assert_eq!(count(&history, "notification.delivered"), 2);
    for notification in &done.notifications {
        assert_eq!(world.store.outbox(&notification.id).await.unwrap(), None, "nothing is left to be done");
    }
    assert_eq!(world.messages(&id).len(), 2);
}

pub async fn tick(world: &World, scheduled: &str) -> Value {
    world.aws.invoke("leadwatch-sweep", &json!({"kind": "tick", "scheduled_time": scheduled})).await
}

async fn a_due_lead_that_two_ticks_see_is_decided_on_once(world: &'static World) {
    let id = world.id("L");
    commit_only(world, &id, json!({"source": HASTY})).await;
    let scheduled = written(now());
    // The same tick twice at once, and again.
    let (first, second) = futures::join!(tick(world, &scheduled), tick(world, &scheduled));
    assert!(first["handed_on"].is_u64() && second["handed_on"].is_u64(), "{first} {second}");
    tick(world, &scheduled).await;
    decided_once(world, &id).await;
}

async fn a_message_that_comes_many_times_has_one_effect(world: &'static World) {
    let id = world.id("L");
    let done = commit_only(world, &id, json!({"source": HASTY, "score": 91})).await;
    let due = body(&Due::V1 {
        subject: Subject::Lead(id.as_str().into()),
        due: done.wake_at.unwrap(),
        indexed: None,
        last: false,
    });
    send(world, world.state.output("DueQueueUrl").unwrap(), &vec![due; 10]).await;
    let notify: Vec<String> =
        done.notifications.iter().cycle().take(10).map(|n| body(&Notify::V1 { id: n.id.clone() })).collect();
    send(world, world.state.output("NotificationQueueUrl").unwrap(), &notify).await;
    decided_once(world, &id).await;
    let history = world.told(&format!("leads/{id}")).await;
    // Those that were due to one recipient together are one message.
    let told = count(&history, "notification.delivered") + count(&history, "notification.withdrawn");
    assert_eq!(told, count(&history, "notification.requested"));
}

/// The lead went all the way through its window: each threshold of its one clock once.
async fn decided_once(world: &World, id: &str) {
    let of = format!("leads/{id}");
    // Its team has nobody else, so that it stays and the clock does not begin anew.
    world.entry(&of, "its window is over", |e| e["type"] == "reassignment.impossible").await;
    let history = world.told(&of).await;
    let steps: Vec<&str> = history
        .iter()
        .filter(|entry| entry["type"] == "threshold.reached")
        .map(|entry| entry["workflow"]["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["imminent", "breached", "significantly-past"]);
    assert_eq!(count(&history, "breach.recorded"), 1);
}
