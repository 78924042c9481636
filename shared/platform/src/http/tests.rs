//! Requests as API Gateway sends them, and what is read from them.

use super::*;
use serde_json::{Value, json};

fn event(overrides: Value) -> ApiGatewayV2httpRequest {
    let mut event = json!({
        "version": "2.0",
        "routeKey": "POST /v1/hooks/{source}",
        "rawPath": "/v1/hooks/generic",
        "headers": {"Webhook-Id": "evt_1", "content-type": "application/json"},
        "queryStringParameters": {"limit": "20", "owner": ""},
        "pathParameters": {"source": "generic"},
        "requestContext": {"requestId": "r-1", "http": {"method": "POST", "path": "/v1/hooks/generic"}},
        "isBase64Encoded": false,
    });
    for (name, value) in overrides.as_object().unwrap() {
        event[name] = value.clone();
    }
    serde_json::from_value(event).unwrap()
}

fn request(overrides: Value) -> Request {
    Request::decode(event(overrides), 1000).unwrap()
}

#[test]
fn a_body_comes_plain_or_as_base64_and_is_the_same_bytes() {
    assert_eq!(request(json!({"body": "{\"ü\":1}"})).body(), "{\"ü\":1}".as_bytes());
    let encoded = request(json!({"body": STANDARD.encode([0, 255, 7]), "isBase64Encoded": true}));
    assert_eq!(encoded.body(), [0, 255, 7]);
    assert!(request(json!({})).body().is_empty());
    let broken = Request::decode(event(json!({"body": "%%", "isBase64Encoded": true})), 10).unwrap_err();
    assert_eq!(broken.status, 400);
}

#[test]
fn a_body_over_the_bound_is_refused_and_one_at_the_bound_is_not() {
    for encoded in [false, true] {
        let body = |bytes: usize| {
            let text = "x".repeat(bytes);
            let text = if encoded { STANDARD.encode(text) } else { text };
            Request::decode(event(json!({"body": text, "isBase64Encoded": encoded})), 10)
        };
        assert_eq!(body(10).unwrap().body().len(), 10);
        assert_eq!(body(11).unwrap_err().status, 413);
        assert_eq!(body(1000).unwrap_err().status, 413);
    }
}

#[test]
fn headers_are_found_in_any_case() {
    let request = request(json!({}));
    assert_eq!(request.header("webhook-id"), Some("evt_1"));
    assert_eq!(request.header("WEBHOOK-ID"), Some("evt_1"));
    assert_eq!(request.header("webhook-timestamp"), None);
}

#[test]
fn a_route_that_is_not_listed_is_not_served() {
    let table = [("GET /v1/leads", 1), ("POST /v1/hooks/{source}", 2)];
    assert_eq!(request(json!({})).route(&table), Ok(2));
    assert_eq!(request(json!({"routeKey": "$default"})).route(&table).unwrap_err().status, 404);
}

#[test]
fn parameters_are_bounded() {
    let found = request(json!({}));
    assert_eq!(found.path_parameter("source").unwrap(), "generic");
    assert_eq!(found.path_parameter("id").unwrap_err().status, 404);
    assert_eq!((found.query("owner"), found.limit(50, 100).unwrap()), (None, 20));
    assert_eq!(found.limit(50, 10).unwrap_err().status, 400);
    let odd = request(json!({"pathParameters": {"source": "a\nb", "id": "x".repeat(300)}}));
    assert!(odd.path_parameter("source").is_err() && odd.path_parameter("id").is_err());
}

#[test]
fn an_idempotency_key_is_visible_ascii_or_refused() {
    let key = |value: &str| {
        let request = request(json!({"headers": {"Idempotency-Key": value}}));
        request.idempotency_key().map(|key| key.map(str::to_owned)).map_err(|problem| problem.status)
    };
    assert_eq!(key("a-1"), Ok(Some("a-1".to_owned())));
    assert_eq!(key("\"a-1\""), Ok(Some("a-1".to_owned())));
    assert_eq!(key("a b"), Err(400));
    assert_eq!(key(""), Err(400));
    assert_eq!(key(&"x".repeat(129)), Err(400));
    assert_eq!(request(json!({})).idempotency_key(), Ok(None));
}

#[test]
fn a_decision_must_name_one_version() {
    let tag = |value: &str| {
        let request = request(json!({"headers": {"if-match": value}}));
        request.if_match().map(str::to_owned).map_err(|problem| problem.status)
    };
    assert_eq!(tag("\"7\""), Ok("7".to_owned()));
    for refused in ["*", "7", "W/\"7\"", "\"7\", \"8\"", "\"\"", "\""] {
        assert_eq!(tag(refused), Err(400), "{refused}");
    }
    assert_eq!(request(json!({})).if_match().unwrap_err().status, 428);
}

#[test]
fn a_cursor_comes_back_as_it_went_and_anything_else_is_refused() {
    let position = ("owner/rep-ana".to_owned(), 7_u64);
    let cursor = encode_cursor(&position).unwrap();
    assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_eq!(decode_cursor::<(String, u64)>(&cursor).unwrap(), position);
    assert_eq!(decode_cursor::<u64>(&cursor).unwrap_err().status, 400);
    assert_eq!(decode_cursor::<u64>("!").unwrap_err().status, 400);
    assert_eq!(decode_cursor::<u64>(&"A".repeat(5000)).unwrap_err().status, 400);
    assert_eq!(encode_cursor(&"x".repeat(5000)), None);
}
