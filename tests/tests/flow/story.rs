//! The reference story through the running stack: all five workflows on one lead.

use crate::world::{World, count, eventually, is, sanction};
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

crate::flows![the_reference_story_is_told_whole_and_in_order];

/// What happens to the lead until it is held, in the order in which it has to.
const UNTIL_HELD: &str = "
lead.created
lead.updated
owner.set
threshold.reached [sla-breach/imminent]
notification.requested [sla-breach/imminent] sla-warning to rep-ida
threshold.reached [sla-breach/breached]
breach.recorded [sla-breach/breached]
notification.requested [sla-breach/breached] sla-breached to story-sales (mgr-story)
threshold.reached [sla-breach/significantly-past]
lead.reassigned [sla-breach/significantly-past]
notification.requested [sla-breach/significantly-past] lead-taken to rep-ida
notification.requested [sla-breach/significantly-past] lead-given to rep-jon
threshold.reached [sla-breach/imminent]
notification.requested [sla-breach/imminent] sla-warning to rep-jon
threshold.reached [sla-breach/breached]
breach.recorded [sla-breach/breached]
notification.requested [sla-breach/breached] sla-breached to story-sales (mgr-story)
threshold.reached [sla-breach/significantly-past]
reassignment.impossible [sla-breach/significantly-past]
notification.requested [sla-breach/significantly-past] reassignment-impossible to story-sales (mgr-story)
operations.queued [sla-breach/significantly-past]
threshold.reached [stuck-lead/ask-owner]
notification.requested [stuck-lead/ask-owner] stuck-ask to rep-jon
lead.updated
high-value.flagged [high-value]
priority.raised [high-value]
notification.requested [high-value] high-value to rep-jon
notification.requested [high-value] high-value to story-sales (mgr-story)
compliance.held [compliance-flag]
compliance.matched [compliance-flag]
notification.requested [compliance-flag] held to rep-jon
notification.requested [compliance-flag] review-needed to compliance-desk
";

/// And what from then on.
const FROM_THEN_ON: &str = "
input.refused
lead.updated
review.decided [compliance-flag]
notification.requested [compliance-flag] cleared to rep-jon
compliance.match-remembered [compliance-flag]
account.applied
state.changed
operations.settled
";

const ACCOUNT: &str = "
account.created
account.updated
churn.elevated [churn-risk]
churn.signal-recorded [churn-risk]
notification.requested [churn-risk] churn-risk to rep-ida
notification.requested [churn-risk] churn-risk to cs-sam
touchpoint.scheduled [churn-risk]
outreach.paused [churn-risk]
leads.told
";

/// An entry as a line: its type, the workflow's part in it, and who is told what.
fn line(entry: &Value) -> String {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let mut line = text("/type").unwrap();
    if let Some(workflow) = text("/workflow/id") {
        let step = text("/workflow/step").map(|step| format!("/{step}")).unwrap_or_default();
        line.push_str(&format!(" [{workflow}{step}]"));
    }
    if let Some(message) = text("/data/message") {
        let to = match text("/data/to/kind").unwrap().as_str() {
            "person" => text("/data/to/person").unwrap(),
            "team-channel" => {
                format!("{} ({})", text("/data/to/team").unwrap(), text("/data/to/manager").unwrap())
            }
            desk => desk.to_owned(),
        };
        line.push_str(&format!(" {message} to {to}"));
    }
    line
}

/// A history but for deliveries, which come when they come.
fn told(history: &[Value]) -> Vec<String> {
    history.iter().filter(|entry| entry["type"] != "notification.delivered").map(line).collect()
}

fn lines(text: &str) -> Vec<String> {
    text.trim().lines().map(str::to_owned).collect()
}

async fn the_reference_story_is_told_whole_and_in_order(world: &'static World) {
    let (id, account) = (world.id("L"), world.id("A"));
    let of = format!("leads/{id}");
    let match_id = world.id("ofac");
    let flag = json!({"lead": {"id": id, "flags": {"sanctions": [sanction(&match_id)]}}});
    world
        .take("account.upserted", json!({"account": {"id": account, "name": "Acme", "owner": "rep-ida", "customer_success_owner": "cs-sam"}}))
        .await;
    let lead = json!({"id": id, "market": "story", "country": "US", "source": "story", "company": "Acme",
        "account_id": account, "state": "NEW", "owner": "rep-ida", "score": 72});
    world.take("lead.upserted", json!({"lead": lead})).await;
    world.entry(&of, "the owner is asked to move it", |e| e["workflow"]["step"] == "ask-owner").await;
    // What waits to be sent when the next message comes goes out as a part of that one.
    world.told(&of).await;
    world.take("lead.upserted", json!({"lead": {"id": id, "score": 91}})).await;
    // What sales is told of a lead is withdrawn once it is held; so everybody is told before.
    world.told(&of).await;
    world.take("lead.flagged", flag.clone()).await;
    let history = world.told(&of).await;
    assert_eq!(told(&history), lines(UNTIL_HELD));
    let held = history.len();

    // Everybody got it, with a link; and everything that was due came at or after its instant.
    let messages = world.messages(&id);
    let firsts: Vec<String> = messages
        .iter()
        .map(|message| format!("{} {}", message.to(), message.text.lines().next().unwrap_or_default()))
        .collect();
    assert_eq!(
        messages.len(),
        count(&history, "notification.delivered"),
        "one message for each: {firsts:#?}"
    );
    for entry in history.iter().filter(|entry| !entry["due_at"].is_null()) {
        assert_eq!(entry["at"], entry["due_at"], "{entry}");
        assert_eq!(entry["actor"], json!({"kind": "system", "id": "clock"}), "{entry}");
    }

    // While it is held, the CRM cannot move it; what it knows better is taken over.
    world.take("lead.state_changed", json!({"lead": {"id": id, "state": "CONTACTED"}})).await;
    world.take("lead.upserted", json!({"lead": {"id": id, "source": "partner"}})).await;
    clear(world, &id).await;
    let shown = world.get("vera", &format!("/v1/{of}")).await.is(200);
    assert_eq!((&shown.body["state"], &shown.body["owner"]), (&json!("NEW"), &json!("rep-jon")));

    // The same screening again does not hold it again.
    world.take("lead.flagged", flag).await;
    let signal =
        json!({"account": {"id": account, "signal": "usage_down", "evidence": {"weekly_users": 12}}});
    world.take("account.churn_signal", signal).await;
    world.entry(&of, "outreach to it is paused", is("account.applied")).await;
    world.take("lead.state_changed", json!({"lead": {"id": id, "state": "WON"}})).await;
    let history = world.told(&of).await;
    assert_eq!(told(&history[held..]), lines(FROM_THEN_ON));
    is_a_chain(&history);

    let of = format!("accounts/{account}");
    world.entry(&of, "the account's leads are told", is("leads.told")).await;
    let of_account = world.told(&of).await;
    assert_eq!(told(&of_account), lines(ACCOUNT));
    is_a_chain(&of_account);
    let all = history.iter().chain(&of_account);
    let workflows: BTreeSet<&str> = all.filter_map(|entry| entry["workflow"]["id"].as_str()).collect();
    assert_eq!(workflows.len(), 5, "each has its part: {workflows:?}");
}

async fn clear(world: &World, lead: &str) {
    let path = format!("/v1/compliance/reviews/{lead}");
    let review = world.get("cora", &path).await.is(200);
    let decision =
        json!({"decision": "clear", "reason_code": "false-match", "reason": "Somebody else of that name."});
    let headers = [("authorization", world.bearer("cora")), ("if-match", review.etag.unwrap())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let path = format!("{path}/decision");
    eventually("the decision is taken", || async {
        let answer = world.call(Method::POST, &path, &headers, Some(decision.clone())).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

/// Entries count from one without a gap, never go back in time, and name what brought them about.
fn is_a_chain(history: &[Value]) {
    for (n, entry) in history.iter().enumerate() {
        assert_eq!(entry["seq"], n + 1);
        assert!(entry["cause"].as_str().is_some_and(|cause| !cause.is_empty()), "{entry}");
        assert!(entry["policy_revision"].as_u64().is_some_and(|revision| revision >= 2), "{entry}");
        if let Some(before) = n.checked_sub(1).and_then(|before| history.get(before)) {
            assert!(instant(entry) >= instant(before), "{before} then {entry}");
            assert!(entry["commit"].as_u64() >= before["commit"].as_u64(), "{before} then {entry}");
        }
    }
}

fn instant(entry: &Value) -> DateTime<Utc> {
    entry["at"].as_str().unwrap().parse().unwrap()
}
