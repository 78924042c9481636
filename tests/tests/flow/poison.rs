//! Poisoned messages: they end among the dead letters and take no good one with them.
//!
//! A queue gives a failed message back after minutes. Here it does after seconds, which is too
//! soon for a machine with all tests on it: so these run alone, after the others.

use crate::documents::HASTY;
use crate::queues::{body, commit_only, send};
use crate::world::{World, eventually, now, written};
use aws_sdk_sqs::types::QueueAttributeName;
use contracts::queue::{Due, Notify};
use futures::future::join_all;
use policy::ids::Subject;
use serde_json::{Value, json};

crate::flows![
    a_poisoned_due_message_goes_to_the_dead_letters_and_nine_good_ones_are_done,
    a_poisoned_notification_goes_to_the_dead_letters_and_nine_good_ones_are_delivered,
];

/// When a failed message comes again.
const SOON_S: u32 = 4;

/// A queue's messages come again so soon, instead of after minutes.
async fn comes_again_after(world: &World, url: &str, seconds: u32) {
    let (name, value) = (QueueAttributeName::VisibilityTimeout, seconds.to_string());
    world.aws.sqs.set_queue_attributes().queue_url(url).attributes(name, value).send().await.unwrap();
}

/// Waits until the message is among the dead letters, and takes it out.
async fn is_dead(world: &World, url: &str, body: &str) {
    eventually("the message is among the dead letters", || async {
        (!world.aws.take(url, |found| found == body).await.is_empty()).then_some(())
    })
    .await;
}

async fn a_poisoned_due_message_goes_to_the_dead_letters_and_nine_good_ones_are_done(world: &'static World) {
    let queue = world.state.output("DueQueueUrl").unwrap();
    comes_again_after(world, queue, SOON_S).await;
    let mut leads = Vec::new();
    let mut messages = Vec::new();
    for _ in 0..9 {
        let id = world.id("L");
        let done = commit_only(world, &id, json!({"source": HASTY})).await;
        let due = done.wake_at.expect("its window ends");
        messages.push(body(&Due::V1 {
            subject: Subject::Lead(id.as_str().into()),
            due,
            indexed: None,
            last: false,
        }));
        leads.push(id);
    }
    let poison =
        json!({"v": "1", "subject": "moon/1", "due": written(now()), "n": world.id("poison")}).to_string();
    messages.insert(4, poison.clone());
    send(world, queue, &messages).await;
    join_all(leads.iter().map(async |lead| {
        let of = format!("leads/{lead}");
        world.entry(&of, "it is decided on", |entry| entry["workflow"]["step"] == "imminent").await;
    }))
    .await;
    is_dead(world, world.state.output("DueDeadLettersUrl").unwrap(), &poison).await;
    comes_again_after(world, queue, 180).await;
}

async fn a_poisoned_notification_goes_to_the_dead_letters_and_nine_good_ones_are_delivered(
    world: &'static World,
) {
    let queue = world.state.output("NotificationQueueUrl").unwrap();
    comes_again_after(world, queue, SOON_S).await;
    let mut leads = Vec::new();
    let mut messages = Vec::new();
    for _ in 0..9 {
        let id = world.id("L");
        let done = commit_only(world, &id, json!({"score": 91})).await;
        // The owner's; the manager's are not sent, and not waited for.
        messages.push(body(&Notify::V1 { id: done.notifications[0].id.clone() }));
        leads.push((id, done.notifications[0].id.to_string()));
    }
    let poison = json!({"v": "1", "n": world.id("poison")}).to_string();
    messages.insert(4, poison.clone());
    send(world, queue, &messages).await;
    join_all(leads.iter().map(async |(lead, notification)| {
        let of = format!("leads/{lead}");
        let delivered =
            |e: &Value| e["type"] == "notification.delivered" && e["data"]["id"] == **notification;
        world.entry(&of, "it is delivered", delivered).await;
    }))
    .await;
    is_dead(world, world.state.output("NotificationDeadLettersUrl").unwrap(), &poison).await;
    comes_again_after(world, queue, 360).await;
}
