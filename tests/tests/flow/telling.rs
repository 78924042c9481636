//! Channels: what goes out on each, and what comes of one that does not work.

use crate::world::{World, count, eventually, is};
use leadctl::sink::Signature;
use serde_json::{Value, json};

crate::flows![
    somebody_who_cannot_be_reached_is_recorded_and_the_manager_is_told_instead,
    a_channel_that_asks_to_slow_down_gets_the_message_later_and_once,
    a_channel_that_does_not_exist_leaves_a_dead_letter_and_a_case_for_operations,
    a_webhook_goes_out_signed_under_a_stable_id,
    who_wants_e_mail_gets_e_mail,
];

async fn somebody_who_cannot_be_reached_is_recorded_and_the_manager_is_told_instead(world: &'static World) {
    let lead = world.lead(json!({"market": "odd", "owner": "rep-gone", "score": 91})).await;
    let of = format!("leads/{lead}");
    let entry = world.entry(&of, "they cannot be reached", is("recipient.unreachable")).await;
    assert_eq!(entry["data"]["person"], "rep-gone");
    let history = world.told(&of).await;
    let instead: Vec<&Value> =
        history.iter().filter(|entry| entry["data"]["particulars"]["instead_of"] == "rep-gone").collect();
    assert_eq!(instead.len(), 1, "{history:#?}");
    assert_eq!(
        instead[0]["data"]["to"],
        json!({"kind": "team-channel", "team": "odd-sales", "manager": "mgr-odd"})
    );
    assert_eq!(instead[0]["data"]["message"], "high-value");
    let messages = world.messages(&lead);
    assert!(messages.iter().all(|message| message.to() == "#odd-sales"), "{messages:?}");
    // The manager's own, and the owner's.
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().any(|message| message.text.contains("could not be reached")), "{messages:?}");
}

async fn a_channel_that_asks_to_slow_down_gets_the_message_later_and_once(world: &'static World) {
    // The sink answers the first message to this channel with 429 and `Retry-After`.
    let lead = world.lead(json!({"market": "limited", "owner": "rep-lim", "score": 91})).await;
    let history = world.told(&format!("leads/{lead}")).await;
    assert_eq!(count(&history, "notification.delivered"), 2, "{history:#?}");
    let messages = world.messages(&lead);
    assert_eq!(messages.iter().filter(|message| message.to() == "#limited-sales").count(), 1);
}

async fn a_channel_that_does_not_exist_leaves_a_dead_letter_and_a_case_for_operations(world: &'static World) {
    let lead = world.lead(json!({"market": "missing", "owner": "rep-mis", "score": 91})).await;
    let of = format!("leads/{lead}");
    let failed = world.entry(&of, "the manager cannot be told", is("notification.failed")).await;
    assert!(
        failed["data"]["reason"].as_str().unwrap().contains("channel_not_found")
            || failed["data"]["reason"].as_str().unwrap().contains("recipient"),
        "{failed}"
    );
    let reviews = world.all("otto", "/v1/operations/reviews?limit=100", "reviews").await;
    let review = reviews.iter().find(|review| review["lead_id"] == *lead).expect("operations sees it");
    assert_eq!(review["reasons"], json!(["notification-failed"]));
    let dead = world.state.output("NotificationDeadLettersUrl").unwrap();
    eventually("it is among the dead letters", || async {
        let found = world.aws.take(dead, |body| body.contains(&lead)).await;
        (!found.is_empty()).then_some(())
    })
    .await;
    // The owner got theirs.
    world.message(&lead, "mis@example.test").await;
    let history = world.told(&of).await;
    assert_eq!(count(&history, "notification.failed"), 1);
    assert_eq!(count(&history, "notification.delivered"), 1);
}

async fn a_webhook_goes_out_signed_under_a_stable_id(world: &'static World) {
    let lead = world.lead(json!({"market": "odd", "owner": "rep-hook", "score": 91})).await;
    let message = world.message(&lead, "flow").await;
    assert_eq!(message.method, "webhook");
    assert_eq!(message.signature, Some(Signature::Valid));
    let document: Value = serde_json::from_str(&message.text).expect("its body is JSON");
    assert_eq!((&document["type"], &document["version"]), (&json!("leadwatch.notification"), &json!(1)));
    let history = world.told(&format!("leads/{lead}")).await;
    let requested = history
        .iter()
        .find(|entry| entry["data"]["to"]["person"] == "rep-hook")
        .expect("the owner is to be told");
    assert_eq!(document["data"]["id"], requested["data"]["id"]);
    assert_eq!(json!(message.headers["webhook-id"]), requested["data"]["id"]);
    assert!(document["data"]["links"][0]["url"].as_str().unwrap().ends_with(&lead), "{document:#}");
}

async fn who_wants_e_mail_gets_e_mail(world: &'static World) {
    let lead = world.lead(json!({"market": "odd", "owner": "rep-mail", "score": 91})).await;
    let message = world.message(&lead, "mail@example.test").await;
    assert_eq!((message.method.as_str(), message.channel.as_str()), ("email", "leadwatch@example.test"));
    let (subject, text) = message.text.split_once("\n\n").unwrap();
    assert!(subject.contains(&lead), "{subject}");
    assert!(text.contains("Score 91") && text.contains(&format!("/v1/leads/{lead}")), "{text}");
    let history = world.told(&format!("leads/{lead}")).await;
    assert!(history.iter().any(|entry| entry["data"]["channel"] == "email"), "{history:#?}");
}
