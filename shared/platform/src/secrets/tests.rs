//! The cache against a local server that speaks Secrets Manager's protocol to the real SDK.

use super::*;
use crate::test_aws::{Answer, Server};
use serde_json::json;

const ID: &str = "leadwatch/hooks/generic";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn value(text: &str) -> Answer {
    Answer::json(200, json!({"ARN": "arn:x", "Name": ID, "SecretString": text}))
}

fn refusal(status: u16, kind: &str) -> Answer {
    Answer::json(status, json!({"__type": kind, "Message": "no"}))
}

async fn secrets(answers: Vec<Answer>) -> (Secrets, Server) {
    let server = Server::start(answers).await;
    (Secrets::new(Client::new(&server.sdk_config()), TTL_DEFAULT), server)
}

#[tokio::test]
async fn a_value_is_asked_for_once_within_its_time_to_live() {
    let (secrets, server) = secrets(vec![value("one"), value("two")]).await;
    for (second, expected) in [(0, "one"), (299, "one"), (300, "two"), (599, "two")] {
        assert_eq!(secrets.text(ID, at(second)).await.unwrap().expose(), expected, "{second}");
    }
    assert_eq!(server.requests().len(), 2);
    assert_eq!(server.requests()[0], json!({"SecretId": ID}));
}

#[tokio::test]
async fn a_missing_secret_is_not_found_and_remembered_for_a_minute() {
    let absent = refusal(400, "ResourceNotFoundException");
    let (secrets, server) = secrets(vec![absent, value("now there")]).await;
    for second in [0, 59] {
        let error = secrets.text(ID, at(second)).await.unwrap_err();
        assert_eq!(Problem::from(error).status, 404);
    }
    assert_eq!(secrets.text(ID, at(60)).await.unwrap().expose(), "now there");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_unreachable_store_is_unavailable_and_never_unauthorized() {
    let (secrets, _server) = secrets(vec![refusal(400, "AccessDeniedException")]).await;
    let error = secrets.text(ID, at(0)).await.unwrap_err();
    assert!(matches!(error, SecretError::Unreachable { .. }));
    assert_eq!(Problem::from(error).status, 503);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_given_up_in_time_for_the_sender() {
    let (secrets, _server) = secrets(vec![Answer::never()]).await;
    let begun = std::time::Instant::now();
    let error = secrets.text(ID, at(0)).await.unwrap_err();
    assert!(matches!(error, SecretError::Unreachable { cause: None, .. }));
    assert!(begun.elapsed() >= FETCH_TIMEOUT);
}

#[tokio::test]
async fn an_outage_is_bridged_for_an_hour_with_pauses_between_the_calls() {
    let down = || refusal(400, "AccessDeniedException");
    let (secrets, server) = secrets(vec![value("one"), down(), down(), down(), down()]).await;
    for second in [0, 300, 329, 330, 3600] {
        assert_eq!(secrets.text(ID, at(second)).await.unwrap().expose(), "one", "{second}");
    }
    assert_eq!(server.requests().len(), 4);
    assert!(secrets.text(ID, at(3601)).await.is_err());
}

#[tokio::test]
async fn a_deleted_secret_is_not_served_from_the_cache() {
    let (secrets, _server) = secrets(vec![value("one"), refusal(400, "InvalidRequestException")]).await;
    assert!(secrets.text(ID, at(0)).await.is_ok());
    assert!(matches!(secrets.text(ID, at(300)).await, Err(SecretError::NotFound { .. })));
}

#[tokio::test]
async fn one_or_two_signing_keys_are_read_and_anything_else_is_malformed() {
    let whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let cases = [
        (json!({"active": [whsec]}), Some(1)),
        (json!({"active": [whsec, whsec], "note": "rotating"}), Some(2)),
        (json!({"active": [whsec, whsec, whsec]}), None),
        (json!({"active": []}), None),
        (json!({"active": ["plain"]}), None),
        (json!({}), None),
        (json!("text"), None),
    ];
    for (document, expected) in cases {
        let (secrets, _server) = secrets(vec![value(&document.to_string())]).await;
        match secrets.signing_keys(ID, at(0)).await {
            Ok(keys) => assert_eq!(Some(keys.len()), expected, "{document}"),
            Err(error) => {
                assert_eq!(expected, None, "{document}");
                assert!(!format!("{error} {error:?}").contains("whsec_M"));
                assert_eq!(Problem::from(error).status, 503);
            }
        }
    }
}

#[tokio::test]
async fn names_that_do_not_exist_cannot_push_out_those_that_do() {
    let mut answers = vec![value("one")];
    answers.extend((0..ENTRIES_MAX + 10).map(|_| refusal(400, "ResourceNotFoundException")));
    let (secrets, _server) = secrets(answers).await;
    assert!(secrets.text(ID, at(0)).await.is_ok());
    for number in 0..ENTRIES_MAX + 10 {
        assert!(secrets.text(&format!("guess/{number}"), at(1)).await.is_err());
    }
    assert_eq!(secrets.text(ID, at(2)).await.unwrap().expose(), "one");
    assert_eq!(secrets.entries.lock().unwrap().len(), ENTRIES_MAX);
}
