//! Channels: what goes out on each, and what comes of one that does not work.

use crate::documents::{LARK, OWL, end_of_larks_quiet_hours};
use crate::queues::{body, commit_only_at, send, tick};
use crate::world::{World, count, eventually, is, now, written};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::queue::Notify;
use leadctl::sink::Signature;
use policy::ids::NotificationId;
use serde_json::{Value, json};

crate::flows![
    whoever_has_quiet_hours_is_told_when_they_end_and_not_a_second_earlier,
    in_quiet_hours_a_message_waits_and_the_channel_is_told_at_once,
    somebody_who_cannot_be_reached_is_recorded_and_the_manager_is_told_instead,
    a_channel_that_asks_to_slow_down_gets_the_message_later_and_once,
    a_channel_that_does_not_exist_leaves_a_dead_letter_and_a_case_for_operations,
    a_webhook_goes_out_signed_under_a_stable_id,
    who_wants_e_mail_gets_e_mail,
    a_message_comes_in_the_policys_own_words,
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

async fn a_message_comes_in_the_policys_own_words(world: &'static World) {
    let (lead, _) = world.held_lead(json!({})).await;
    let message = world.message(&lead, "sue@example.test").await;
    let words = format!("Acme is out of bounds, sue: {lead} waits for compliance.");
    assert!(message.text.contains(&words), "{}", message.text);
    // Its title was left as it is.
    assert!(
        message.text.starts_with(&format!("Lead {lead} (Acme) is held by compliance")),
        "{}",
        message.text
    );
}

async fn whoever_has_quiet_hours_is_told_when_they_end_and_not_a_second_earlier(world: &'static World) {
    let end = end_of_larks_quiet_hours(world.begun);
    let lead = world.id("L");
    let asked = json!({"market": "odd", "owner": LARK, "score": 91});
    // Whenever this test has its turn, it was asked for within the quiet hours.
    let done = commit_only_at(world, &lead, asked, end - TimeDelta::seconds(20)).await;
    let larks = done.notifications.iter().find(|n| n.not_before.is_some()).expect("it is to wait");
    assert_eq!(larks.not_before, Some(end));
    send(
        world,
        world.state.output("NotificationQueueUrl").unwrap(),
        &[body(&Notify::V1 { id: larks.id.clone() })],
    )
    .await;
    world.message(&lead, "lark@example.test").await;
    let of = format!("leads/{lead}");
    let delivered =
        |e: &Value| e["type"] == "notification.delivered" && e["data"]["id"] == *larks.id.as_str();
    let delivered = world.entry(&of, "its delivery is recorded", delivered).await;
    let at: DateTime<Utc> = delivered["at"].as_str().unwrap().parse().unwrap();
    assert!(at >= end, "{at} is before {end}");
    assert_eq!(world.store.outbox(&larks.id).await.unwrap(), None);
}

async fn in_quiet_hours_a_message_waits_and_the_channel_is_told_at_once(world: &'static World) {
    let lead = world.lead(json!({"market": "odd", "owner": OWL, "score": 91})).await;
    let of = format!("leads/{lead}");
    let owls = |e: &Value| e["type"] == "notification.requested" && e["data"]["to"]["person"] == OWL;
    let asked = world.entry(&of, "the owner is to be told", owls).await;
    let id = NotificationId::new(asked["data"]["id"].as_str().unwrap().to_owned());
    let end: DateTime<Utc> = asked["data"]["not_before"].as_str().unwrap().parse().unwrap();
    assert!(end > now() + TimeDelta::hours(1), "{end}");
    assert_eq!(world.store.outbox(&id).await.unwrap().unwrap().wake_at, Some(end), "it is the sweep's then");
    world.message(&lead, "#odd-sales").await;

    // Handed on too early, by whatever mistake, it is left until then again.
    assert!(
        world.store.lease_outbox(&id, now() - TimeDelta::seconds(1), store::MaybeSent::No).await.unwrap()
    );
    tick(world, &written(now())).await;
    eventually("it is left until the quiet hours end", || async {
        let wake_at = world.store.outbox(&id).await.unwrap().expect("it was not sent").wake_at;
        (wake_at == Some(end)).then_some(())
    })
    .await;
    assert_eq!(world.messages(&lead).len(), 1, "nobody but the manager was told");
    let delivered = |e: &&Value| e["type"] == "notification.delivered" && e["data"]["id"] == *id.as_str();
    assert!(!world.history(&of).await.iter().any(|entry| delivered(&entry)));
}
