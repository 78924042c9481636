//! The client against a local server that answers as Slack does.

use super::*;
use crate::client;
use crate::reach::WebhookReach;
use crate::test_server::{Reply, Server};
use std::time::Duration;

const ANA: &str = "ana+leads@example.com";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_460_000 + seconds, 0).unwrap()
}

fn outbound() -> Outbound {
    let text = "Acme <!channel> & co".to_owned();
    Outbound { id: "n-1".to_owned(), title: "Breached".to_owned(), text, ..Outbound::default() }
}

fn user() -> Reply {
    Reply::json(json!({"ok": true, "user": {"id": "U1", "deleted": false, "tz": "Europe/Berlin"}}))
}

fn opened() -> Reply {
    Reply::json(json!({"ok": true, "channel": {"id": "D1"}}))
}

fn posted() -> Reply {
    Reply::json(json!({"ok": true, "channel": "D1", "ts": "1.2"}))
}

fn no(code: &str) -> Reply {
    Reply::json(json!({"ok": false, "error": code}))
}

async fn slack(replies: Vec<Reply>) -> (Slack, Server) {
    slack_within(client::CALL_TIMEOUT, replies).await
}

async fn slack_within(timeout: Duration, replies: Vec<Reply>) -> (Slack, Server) {
    let server = Server::start(replies).await;
    let base_url = Url::parse(server.url()).unwrap().join("api/").unwrap();
    let slack = Slack::new(
        Arc::new(client::webhook_client_within(WebhookReach::Anywhere, timeout).unwrap()),
        base_url,
    );
    slack.use_token(Some("xoxb-1"));
    (slack, server)
}

fn paths(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|asked| asked.path).collect()
}

async fn post_with(reply: Reply) -> Result<(), SendError> {
    let (slack, _server) = slack(vec![reply]).await;
    slack.send_to_channel("C1", &outbound(), at(0)).await
}

#[tokio::test]
async fn a_person_is_looked_up_and_gets_the_message() {
    let (slack, server) = slack(vec![user(), opened(), posted()]).await;
    slack.send_dm(ANA, &outbound(), at(0)).await.unwrap();
    let asked = server.requests();
    assert_eq!(
        paths(&server),
        ["/api/users.lookupByEmail", "/api/conversations.open", "/api/chat.postMessage"]
    );
    assert_eq!(asked[0].body, "email=ana%2Bleads%40example.com");
    assert_eq!(asked[0].header("authorization"), Some("Bearer xoxb-1"));
    assert_eq!(asked[1].json(), json!({"users": "U1"}));
    let message = asked[2].json();
    assert_eq!(message["channel"], "D1");
    assert_eq!(message["text"], "Breached\nAcme &lt;!channel&gt; &amp; co");
    assert_eq!(message["blocks"][1]["text"]["text"], "Acme &lt;!channel&gt; &amp; co");
    assert_eq!(message["metadata"]["event_payload"], json!({"notification_id": "n-1"}));
}

#[tokio::test]
async fn a_person_is_looked_up_once_an_hour() {
    let replies = vec![user(), opened(), posted(), posted(), user(), opened(), posted()];
    let (slack, server) = slack(replies).await;
    for second in [0, 3599, 3600] {
        slack.send_dm(ANA, &outbound(), at(second)).await.unwrap();
    }
    assert_eq!(server.requests().len(), 7);
}

#[tokio::test]
async fn no_more_people_are_remembered_than_allowed() {
    let (slack, _server) = slack(Vec::new()).await;
    for number in 0..=CONVERSATIONS_MAX {
        let second = i64::try_from(number).unwrap();
        slack.remember(&format!("rep-{number}@example.com"), "D1", at(second));
    }
    let people = slack.conversations();
    assert_eq!(people.len(), CONVERSATIONS_MAX);
    assert!(!people.contains_key("rep-0@example.com"));
}

#[tokio::test]
async fn a_person_unknown_or_switched_off_is_an_unknown_recipient() {
    let off = Reply::json(json!({"ok": true, "user": {"id": "U1", "deleted": true}}));
    for reply in [no("users_not_found"), off] {
        let (slack, server) = slack(vec![reply]).await;
        assert_eq!(slack.send_dm(ANA, &outbound(), at(0)).await, Err(SendError::UnknownRecipient));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_person_switched_off_since_is_looked_up_again_next_time() {
    let replies = vec![user(), opened(), posted(), no("user_disabled"), no("users_not_found")];
    let (slack, server) = slack(replies).await;
    slack.send_dm(ANA, &outbound(), at(0)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(slack.send_dm(ANA, &outbound(), at(1)).await, Err(SendError::UnknownRecipient));
    }
    assert_eq!(paths(&server)[3..], ["/api/chat.postMessage", "/api/users.lookupByEmail"]);
}

#[tokio::test]
async fn a_remembered_conversation_that_is_gone_is_opened_again_at_once() {
    let replies = vec![user(), opened(), posted(), no(CHANNEL_NOT_FOUND), user(), opened(), posted()];
    let (slack, server) = slack(replies).await;
    for second in [0, 1] {
        slack.send_dm(ANA, &outbound(), at(second)).await.unwrap();
    }
    assert_eq!(server.requests().len(), 7);
}

#[tokio::test]
async fn an_error_inside_an_answer_of_200_is_an_error() {
    let permanent = |code: &str| SendError::Permanent(code.to_owned());
    let cases = [
        ("channel_not_found", permanent("channel_not_found")),
        ("is_archived", permanent("is_archived")),
        ("invalid_blocks", permanent("invalid_blocks")),
        ("Something: else, jane@example.com", permanent("unknown error")),
        ("internal_error", SendError::transient("internal_error")),
        ("token_revoked", SendError::deployment_fault("token_revoked")),
        ("ratelimited", SendError::RateLimited { retry_after: RATE_LIMIT_DEFAULT }),
    ];
    for (code, expected) in cases {
        assert_eq!(post_with(no(code)).await, Err(expected), "{code}");
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long_and_no_longer() {
    let limited = Reply::error(429, json!({"ok": false, "error": "ratelimited"}));
    let outcome = post_with(limited.header("retry-after", "30")).await;
    assert_eq!(outcome, Err(SendError::RateLimited { retry_after: Duration::from_secs(30) }));
    let outcome = post_with(Reply::status(429)).await;
    assert_eq!(outcome, Err(SendError::RateLimited { retry_after: RATE_LIMIT_DEFAULT }));
}

#[tokio::test]
async fn an_outage_a_silence_and_an_odd_answer_are_transient() {
    assert_eq!(post_with(Reply::status(503)).await, Err(SendError::transient("HTTP 503")));
    assert_eq!(post_with(Reply::never()).await, Err(SendError::transient("time-out")));
    for odd in [Reply::status(200), Reply::json(json!([])), Reply::json(json!("x".repeat(300_000)))] {
        assert_eq!(post_with(odd).await, Err(unexpected()));
    }
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_token_elsewhere() {
    let elsewhere = Server::start(vec![posted()]).await;
    let outcome = post_with(Reply::status(302).header("location", elsewhere.url())).await;
    assert_eq!(outcome, Err(SendError::Permanent("HTTP 302".to_owned())));
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn without_a_token_slack_is_not_configured() {
    let (slack, server) = slack(Vec::new()).await;
    slack.use_token(None);
    let outcome = slack.send_dm(ANA, &outbound(), at(0)).await;
    assert_eq!(outcome, Err(SendError::NotConfigured));
    slack.use_token(Some(""));
    let outcome = slack.send_dm(ANA, &outbound(), at(0)).await;
    assert!(outcome.unwrap_err().is_worth_retrying(), "an operator has yet to set it");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_new_token_counts_at_once_and_what_was_known_under_the_old_one_does_not() {
    let (slack, server) = slack(vec![user(), opened(), posted(), posted(), user(), opened(), posted()]).await;
    for token in ["xoxb-1", "xoxb-1", "xoxb-2"] {
        slack.use_token(Some(token));
        slack.send_dm(ANA, &outbound(), at(0)).await.unwrap();
    }
    let tokens: Vec<String> =
        server.requests().iter().map(|asked| asked.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(tokens[..4], ["Bearer xoxb-1"; 4]);
    assert_eq!(tokens[4..], ["Bearer xoxb-2"; 3]);
}

fn said(id: &str) -> serde_json::Value {
    json!({"type": "message", "ts": "1.2", "metadata": {"event_type": METADATA_TYPE, "event_payload": {"notification_id": id}}})
}

#[tokio::test]
async fn a_message_that_is_there_already_is_found_by_its_id() {
    let other = json!({"type": "message", "text": "hello"});
    let first =
        json!({"ok": true, "messages": [other, said("n-2")], "response_metadata": {"next_cursor": "more"}});
    let second = json!({"ok": true, "messages": [said("n-1")]});
    let replies = vec![user(), opened(), Reply::json(first), Reply::json(second)];
    let (slack, server) = slack(replies).await;
    assert_eq!(slack.has_dm(ANA, &outbound(), at(0), at(90)).await, Ok(true));
    let asked = server.requests();
    assert_eq!(paths(&server)[2..], ["/api/conversations.history", "/api/conversations.history"]);
    let oldest = at(0).timestamp() - 60;
    let body = format!("channel=D1&oldest={oldest}&limit=100&include_all_metadata=true");
    assert_eq!(
        (asked[2].body.as_str(), asked[3].body.as_str()),
        (body.as_str(), &*format!("{body}&cursor=more"))
    );
}

#[tokio::test]
async fn a_channel_that_is_known_by_name_is_looked_up_by_its_id() {
    let channels = json!({"ok": true, "channels": [{"id": "C7", "name": "us-sales"}]});
    let nothing = json!({"ok": true, "messages": [said("n-2")]});
    let (slack, server) = slack(vec![Reply::json(channels), Reply::json(nothing)]).await;
    assert_eq!(slack.has_in_channel("#us-sales", &outbound(), at(0), at(90)).await, Ok(false));
    let asked = server.requests();
    assert_eq!(paths(&server), ["/api/conversations.list", "/api/conversations.history"]);
    assert!(asked[1].body.starts_with("channel=C7&"), "{}", asked[1].body);
}

#[tokio::test]
async fn where_slack_forbids_the_search_the_message_is_sent_again() {
    for code in ["missing_scope", "not_in_channel", "channel_not_found"] {
        let (slack, _server) = slack(vec![no(code)]).await;
        assert_eq!(slack.has_in_channel("C1", &outbound(), at(0), at(90)).await, Ok(false), "{code}");
    }
    let (slack, _server) = slack(vec![no("missing_scope")]).await;
    assert_eq!(slack.has_in_channel("#us-sales", &outbound(), at(0), at(90)).await, Ok(false));
    // If Slack does not answer for now, the search is repeated before anything is sent.
    let (slack, _server) = slack_within(client::CALL_TIMEOUT, vec![no("ratelimited")]).await;
    assert!(slack.has_in_channel("C1", &outbound(), at(0), at(90)).await.is_err());
}
