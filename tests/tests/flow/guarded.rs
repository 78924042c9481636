//! What somebody tries who knows the API and is not who they should be: bytes that no request holds,
//! tokens of another use, cursors of another list, hooks that do not exist, a source beyond its rights.

use crate::world::{World, count, now, sanction};
use platform::standard_webhooks::SigningKey;
use reqwest::Method;
use serde_json::{Value, json};

crate::flows![
    a_control_byte_in_a_header_is_the_callers_fault,
    a_hook_that_does_not_exist_answers_as_a_bad_signature_does,
    a_token_without_a_group_writes_nothing,
    only_an_id_token_gets_in,
    a_cursor_of_another_list_is_refused,
    a_version_is_written_in_one_way,
    a_source_writes_what_the_directory_lets_it_and_the_rest_is_named,
];

/// A request as the gateway hands it to a function.
fn request(route: &str, path: Value, headers: Value, claims: Option<Value>) -> Value {
    let mut context = json!({"requestId": "r-guarded", "http": {"method": "POST", "path": "/v1/x"}});
    if let Some(claims) = claims {
        context["authorizer"] = json!({"jwt": {"claims": claims, "scopes": []}});
    }
    json!({"version": "2.0", "routeKey": route, "rawPath": "/v1/x", "rawQueryString": "", "headers": headers,
           "pathParameters": path, "body": "{}", "isBase64Encoded": false, "requestContext": context})
}

async fn invoked(world: &World, function: &str, event: &Value) -> (u64, String) {
    let answer = world.aws.invoke(&format!("{}-{function}", world.state.stack_name), event).await;
    (answer["statusCode"].as_u64().unwrap(), answer["body"].as_str().unwrap_or_default().to_owned())
}

async fn a_control_byte_in_a_header_is_the_callers_fault(world: &'static World) {
    for (function, route) in [
        ("ingest", "POST /v1/hooks/{source}"),
        ("operations", "GET /v1/leads"),
        ("compliance", "GET /v1/compliance/reviews"),
    ] {
        for odd in ["a\u{1}b", "a\u{0}", "a\r\nx: y", "\u{7f}"] {
            let event = request(route, json!({"source": "generic"}), json!({"x-any": odd}), None);
            let (status, body) = invoked(world, function, &event).await;
            assert_eq!(status, 400, "{function}: {body}");
            assert!(body.contains("urn:leadwatch:problem:bad-request"), "{body}");
        }
    }
}

async fn a_hook_that_does_not_exist_answers_as_a_bad_signature_does(world: &'static World) {
    let body = b"{}".to_vec();
    let other = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let signed = other.headers("msg", now(), &body);
    let signed: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for headers in [signed.as_slice(), &signed[..2], &[]] {
        let known = world.post_raw("generic", headers, body.clone()).await.is(401);
        for name in ["no-such-hook", "Generic", "x_y"] {
            let unknown = world.post_raw(name, headers, body.clone()).await;
            assert_eq!(
                (unknown.status, &unknown.body, &unknown.content_type),
                (known.status, &known.body, &known.content_type),
                "{name}"
            );
        }
    }
    let line = r#""refused":"webhook-signature""#;
    crate::world::eventually("a line in the log", || async {
        world.log().lines().any(|at| at.contains(line) && at.contains("hook no-such-hook")).then_some(())
    })
    .await;
}

async fn a_token_without_a_group_writes_nothing(world: &'static World) {
    let (lead, _) = world.held_lead(json!({})).await;
    let path = json!({"lead_id": lead, "id": lead});
    for groups in [None, Some("[]"), Some("[admins]")] {
        let mut claims = json!({"sub": "nobody-1", "token_use": "id", "email": "x@example.test", "email_verified": "true"});
        if let Some(groups) = groups {
            claims["cognito:groups"] = json!(groups);
        }
        for (function, route) in [
            ("compliance", "POST /v1/compliance/reviews/{lead_id}/decision"),
            ("compliance", "POST /v1/leads/{id}/erasure"),
            ("operations", "POST /v1/leads/{id}/flags"),
            ("operations", "GET /v1/leads/{id}"),
        ] {
            let event = request(route, path.clone(), json!({}), Some(claims.clone()));
            let (status, body) = invoked(world, function, &event).await;
            assert_eq!(status, 403, "{route}: {body}");
        }
    }
    let history = world.history(&format!("leads/{lead}")).await;
    assert_eq!(count(&history, "input.refused"), 0, "{history:#?}");
}

/// Signs a member of staff in; gives all tokens that the pool issues.
async fn tokens(world: &World, user: &str) -> Value {
    let body = json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": world.state.output("UserPoolClientId").unwrap(),
        "AuthParameters": {"USERNAME": user, "PASSWORD": world.state.password},
    });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(&world.state.endpoint)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth")
        .body(body.to_string());
    let answer: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    answer["AuthenticationResult"].clone()
}

async fn only_an_id_token_gets_in(world: &'static World) {
    let tokens = tokens(world, "otto").await;
    for (kind, status) in [("IdToken", 200), ("AccessToken", 401), ("RefreshToken", 401)] {
        let bearer =
            format!("Bearer {}", tokens[kind].as_str().unwrap_or_else(|| panic!("a {kind}: {tokens}")));
        let headers = [("authorization", bearer.as_str())];
        for path in ["/v1/workflows", "/v1/compliance/reviews"] {
            let answer = world.call(Method::GET, path, &headers, None).await;
            let expected = if status == 200 && path.contains("compliance") { 403 } else { status };
            assert_eq!(answer.status, expected, "{kind} {path}: {:#}", answer.body);
        }
    }
}

async fn a_cursor_of_another_list_is_refused(world: &'static World) {
    let (one, other) = (world.id("A"), world.id("A"));
    for account in [&one, &one, &other, &other] {
        world.lead(json!({"account_id": account})).await;
    }
    let lead = world.lead(json!({})).await;
    let page = |path: &str| {
        let path = format!("{path}&limit=1");
        async move { world.get("otto", &path).await }
    };
    let first = page(&format!("/v1/leads?account={one}")).await.is(200);
    let cursor = first.body["next"].as_str().unwrap();
    page(&format!("/v1/leads?account={one}&cursor={cursor}")).await.is(200);
    for path in [
        format!("/v1/leads?account={other}"),
        format!("/v1/leads?account={one}&state=NEW"),
        "/v1/leads?market=plain".to_owned(),
        format!("/v1/leads/{lead}/audit?x="),
        "/v1/operations/reviews?x=".to_owned(),
        "/v1/policies?x=".to_owned(),
    ] {
        let answer = page(&format!("{path}&cursor={cursor}")).await;
        assert_eq!(answer.status, 400, "{path}: {:#}", answer.body);
    }
}

async fn a_version_is_written_in_one_way(world: &'static World) {
    let (lead, _) = world.held_lead(json!({})).await;
    let path = format!("/v1/compliance/reviews/{lead}");
    let tag = world.get("cora", &path).await.is(200).etag.unwrap();
    let number = tag.trim_matches('"');
    let verdict = json!({"decision": "clear", "reason_code": "false-match", "reason": "Somebody else."});
    let bearer = world.bearer("cora");
    let decide = async |tag: &str| {
        let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
        world.call(Method::POST, &format!("{path}/decision"), &headers, Some(verdict.clone())).await
    };
    let odd = [
        format!("\"+{number}\""),
        format!("\"0{number}\""),
        format!("\" {number}\""),
        format!("\"{number}.0\""),
        format!("W/{tag}"),
        number.to_owned(),
        format!("{tag}, \"9\""),
        "*".to_owned(),
    ];
    for tag in odd {
        let answer = decide(&tag).await;
        assert!([400, 412].contains(&answer.status), "{tag}: {} {:#}", answer.status, answer.body);
    }
    decide(&tag).await.is(200);
}

/// The hook whose source may write scores and owners of the plain market, and nothing else.
pub const LIMITED: &str = "limited";

async fn a_source_writes_what_the_directory_lets_it_and_the_rest_is_named(world: &'static World) {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let name = format!("{}{LIMITED}", world.state.output("HookSecretPrefix").unwrap());
    let value = json!({"active": [secret]}).to_string();
    world.aws.secrets.create_secret().name(name).secret_string(value).send().await.unwrap();
    let send =
        async |event: &Value| world.post_signed(LIMITED, secret, now(), event.to_string().into_bytes()).await;
    let (lead, theirs) = (world.lead(json!({})).await, world.lead(json!({"market": "us"})).await);
    let event = world.event("lead.upserted", json!({"lead": {"id": lead, "score": 77, "company": "Evil"}}));
    for duplicate in [false, true] {
        let answer = send(&event).await.is(200);
        assert_eq!(answer.body["not_permitted"], json!(["/lead/company"]), "{:#}", answer.body);
        assert_eq!(answer.body["duplicate"], duplicate, "{:#}", answer.body);
    }
    let shown = world.get("otto", &format!("/v1/leads/{lead}")).await.is(200);
    assert_eq!((&shown.body["score"], &shown.body["company"]), (&json!(77), &json!("Acme")));
    let history = world.history(&format!("leads/{lead}")).await;
    let refused: Vec<&Value> = history.iter().filter(|entry| entry["type"] == "input.refused").collect();
    assert_eq!(refused.len(), 1, "once: {history:#?}");
    assert_eq!(refused[0]["data"]["what"], "company");

    // Of another market nothing counts but what a screening found.
    let flags = json!({"sanctions": [sanction(&world.id("ofac"))]});
    let event = world.event("lead.upserted", json!({"lead": {"id": theirs, "score": 99, "flags": flags}}));
    let answer = send(&event).await.is(200);
    assert_eq!(answer.body["not_permitted"], json!(["/lead/market"]), "{:#}", answer.body);
    let shown = world.get("otto", &format!("/v1/leads/{theirs}")).await.is(200);
    assert_eq!((&shown.body["score"], &shown.body["state"]), (&json!(50), &json!("COMPLIANCE_HOLD")));
}
