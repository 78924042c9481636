//! Requests as API Gateway sends them.

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
fn unknown_and_duplicate_parameters_are_refused() {
    let asked = |query: Value| request(json!({"queryStringParameters": query}));
    let known = ["owner", "limit"];
    assert_eq!(asked(json!({"owner": "rep-ana", "limit": "2"})).knows_query(&known), Ok(()));
    let problem = asked(json!({"ownr": "rep-ana"})).knows_query(&known).unwrap_err();
    assert_eq!(problem.status, 400);
    assert_eq!(problem.detail, "`ownr` is not a parameter of this route; did you mean `owner`?");
    let problem = asked(json!({"x\ny": "1"})).knows_query(&known).unwrap_err();
    assert_eq!(
        problem.detail,
        "`x\u{fffd}y` is not a parameter of this route; the parameters are owner, limit"
    );
    assert_eq!(asked(json!({"x": "1"})).knows_query(&[]).unwrap_err().status, 400);
    let twice = asked(json!({"owner": "rep-ana,rep-bob"}));
    assert_eq!(twice.knows_query(&known).unwrap_err().detail, "duplicate parameter `owner`; send it once");
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
fn a_cursor_is_read_back_and_anything_else_is_refused() {
    let position = ("owner/rep-ana".to_owned(), 7_u64);
    let cursor = request(json!({})).next_cursor(&position).unwrap();
    assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    let with = |cursor: &str| request(json!({"queryStringParameters": {"owner": "", "cursor": cursor}}));
    assert_eq!(with(&cursor).cursor::<(String, u64)>().unwrap(), Some(position));
    assert_eq!(with(&cursor).cursor::<u64>().unwrap_err().status, 400);
    assert_eq!(with("!").cursor::<u64>().unwrap_err().status, 400);
    assert_eq!(with(&"A".repeat(5000)).cursor::<u64>().unwrap_err().status, 400);
    assert_eq!(request(json!({})).next_cursor(&"x".repeat(5000)), None);
}

#[test]
fn a_cursor_is_good_only_for_its_own_list() {
    let list = |route: &str, id: &str, query: Value| {
        request(json!({"routeKey": route, "pathParameters": {"id": id}, "queryStringParameters": query}))
    };
    let leads = "GET /v1/leads";
    let cursor = list(leads, "", json!({"owner": "rep-ana", "limit": "2"})).next_cursor(&"L-7").unwrap();
    let read = |route: &str, id: &str, mut query: Value| {
        query["cursor"] = json!(cursor);
        list(route, id, query).cursor::<String>().map_err(|problem| problem.status)
    };
    assert_eq!(read(leads, "", json!({"owner": "rep-ana", "limit": "50"})), Ok(Some("L-7".to_owned())));
    for (route, id, query) in [
        (leads, "", json!({"owner": "rep-ben"})),
        (leads, "", json!({"market": "rep-ana"})),
        (leads, "", json!({"owner": "rep-ana", "state": "NEW"})),
        (leads, "", json!({})),
        ("GET /v1/leads/{id}/audit", "L-7", json!({})),
        ("GET /v1/operations/reviews", "", json!({"owner": "rep-ana"})),
    ] {
        assert_eq!(read(route, id, query.clone()), Err(400), "{route} {id} {query}");
    }
    let audit = "GET /v1/accounts/{id}/audit";
    let of_one = list(audit, "A-1", json!({})).next_cursor(&"3").unwrap();
    let other = list(audit, "A-2", json!({"cursor": of_one}));
    assert_eq!(other.cursor::<String>().unwrap_err().status, 400, "another account's");
}

#[test]
fn a_number_is_written_in_one_way() {
    assert_eq!([whole_number("0"), whole_number("17")], [Some(0), Some(17)]);
    for other in ["", "+4", "-4", "04", "00", " 4", "4 ", "4.0", "0x4", "٤", "18446744073709551616"] {
        assert_eq!(whole_number(other), None, "{other:?}");
    }
    let limit = |text: &str| request(json!({"queryStringParameters": {"limit": text}})).limit(50, 100);
    assert_eq!(limit("20"), Ok(20));
    for other in ["+20", "020", "0", "101"] {
        assert_eq!(limit(other).unwrap_err().status, 400, "{other:?}");
    }
}

#[test]
fn a_request_that_cannot_be_read_is_the_callers_fault() {
    let raw = |text: String| RawValue::from_string(text).unwrap();
    let now = DateTime::UNIX_EPOCH;
    let good = serde_json::to_value(event(json!({}))).unwrap();
    assert!(super::event(&raw(good.to_string()), now).is_ok());
    for control in [r"\u0000", r"\u0001", r"\u001b[31m", r"\r\nx: y", r"\u007f"] {
        let text = format!(
            r#"{{"headers":{{"x-any":"a{control}b"}},"requestContext":{{"http":{{"method":"GET"}}}}}}"#
        );
        let refused = super::event(&raw(text), now).unwrap_err();
        assert_eq!(refused.status, 400, "{control}");
        assert!(!refused.detail.contains("x-any"));
    }
    // Half of a surrogate pair is no character.
    let half = r#"{"rawPath":"/v1/\ud800","requestContext":{"http":{"method":"GET"}}}"#;
    assert_eq!(super::event(&raw(half.to_owned()), now).unwrap_err().status, 400);
    assert_eq!(super::event(&raw("[]".to_owned()), now).unwrap_err().status, 400);
}
