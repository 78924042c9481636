//! The answer of an API function.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderName, HeaderValue};
use serde::Serialize;

use crate::problem::{CONTENT_TYPE, Problem};

/// A JSON answer, with an entity tag if the thing has a version. No cache may store it.
///
/// The tag comes without quotes: `7` becomes `ETag: "7"`, and callers send it back in `If-Match`. A body that
/// cannot be written as JSON answers 500.
pub fn json(status: u16, body: &impl Serialize, etag: Option<&str>) -> ApiGatewayV2httpResponse {
    let text = match serde_json::to_string(body) {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(line = error.line(), "could not write an answer as JSON");
            return Problem::internal().into();
        }
    };
    let mut answer = answer(status, "application/json", text);
    if let Some(tag) = etag {
        set_header(&mut answer, "etag", &format!("\"{tag}\""));
    }
    answer
}

/// An answer without a body.
#[must_use]
pub fn empty(status: u16) -> ApiGatewayV2httpResponse {
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = i64::from(status);
    set_header(&mut answer, "cache-control", "no-store");
    answer
}

/// An answer with any text.
#[must_use]
pub fn answer(status: u16, content_type: &'static str, body: String) -> ApiGatewayV2httpResponse {
    let mut answer = empty(status);
    set_header(&mut answer, "content-type", content_type);
    set_header(&mut answer, "x-content-type-options", "nosniff");
    answer.body = Some(Body::Text(body));
    answer
}

impl From<Problem> for ApiGatewayV2httpResponse {
    fn from(problem: Problem) -> Self {
        let mut response = answer(problem.status, CONTENT_TYPE, problem.to_json().to_string());
        if let Some(seconds) = problem.retry_after_s {
            set_header(&mut response, "retry-after", &seconds.to_string());
        }
        if let Some(challenge) = problem.challenge {
            set_header(&mut response, "www-authenticate", challenge.scheme());
        }
        response
    }
}

/// Sets a header. Omits a value that no header may hold.
pub fn set_header(answer: &mut ApiGatewayV2httpResponse, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Challenge;
    use serde_json::{Value, json};

    fn body(answer: &ApiGatewayV2httpResponse) -> Value {
        let Some(aws_lambda_events::encodings::Body::Text(text)) = &answer.body else { panic!("no text") };
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_problem_goes_out_as_problem_json_and_is_not_stored() {
        let problem = Problem::conflict("the lead is in PROPOSAL by now")
            .of_kind("lead-moved-on")
            .with("state", "PROPOSAL");
        let answer = ApiGatewayV2httpResponse::from(problem);
        assert_eq!(answer.status_code, 409);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let expected = json!({
            "type": "urn:leadwatch:problem:lead-moved-on",
            "status": 409,
            "title": "Conflict with the current state",
            "detail": "the lead is in PROPOSAL by now",
            "state": "PROPOSAL",
        });
        assert_eq!(body(&answer), expected);
    }

    #[test]
    fn an_unavailable_answer_says_when_to_come_back() {
        let answer = ApiGatewayV2httpResponse::from(Problem::unavailable(30, "the store is busy"));
        assert_eq!((answer.status_code, &answer.headers["retry-after"]), (503, &"30".parse().unwrap()));
    }

    #[test]
    fn an_unauthorized_answer_names_the_scheme() {
        let answer = ApiGatewayV2httpResponse::from(Problem::unauthorized(Challenge::Bearer, "no token"));
        assert_eq!(
            (answer.status_code, &answer.headers["www-authenticate"]),
            (401, &"Bearer".parse().unwrap())
        );
    }

    #[test]
    fn json_goes_out_with_its_tag_and_is_not_stored() {
        let answer = json(200, &json!({"id": "L-1"}), Some("7"));
        let wire = serde_json::to_value(&answer).unwrap();
        let expected = json!({
            "statusCode": 200,
            "headers": {
                "cache-control": "no-store",
                "content-type": "application/json",
                "x-content-type-options": "nosniff",
                "etag": "\"7\"",
            },
            "multiValueHeaders": {},
            "body": r#"{"id":"L-1"}"#,
            "isBase64Encoded": false,
            "cookies": [],
        });
        assert_eq!(wire, expected);
    }

    #[test]
    fn a_body_that_is_no_json_is_an_internal_error() {
        let keys_are_not_text = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(json(200, &keys_are_not_text, None).status_code, 500);
    }

    #[test]
    fn a_header_cannot_be_split() {
        let mut answer = empty(204);
        set_header(&mut answer, "etag", "a\r\nset-cookie: b");
        assert!(!answer.headers.contains_key("etag"));
    }
}
