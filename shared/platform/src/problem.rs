//! The refusal of a request: `application/problem+json` (RFC 9457).
//!
//! A problem says what is wrong, where, and what to do. It never holds personal data, a secret or internals
//! of the system: the cause goes to the log, under the request's id.

use serde_json::{Map, Value, json};

use crate::strict_json::StrictJsonError;

/// Media type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";
/// The prefix of a problem's `type`; the kind follows, as in `urn:leadwatch:problem:conflict`.
pub const TYPE_PREFIX: &str = "urn:leadwatch:problem:";

/// One of several errors of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemDetail {
    /// The place, as a JSON pointer (RFC 6901) into the request's body.
    pub pointer: String,
    /// The error there.
    pub detail: String,
}

/// How a caller has to authenticate: the `WWW-Authenticate` header, which RFC 9110 requires with a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// A token of the identity provider.
    Bearer,
    /// A signature over the body.
    StandardWebhooks,
}

impl Challenge {
    /// The scheme's name in the header.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::StandardWebhooks => "StandardWebhooks",
        }
    }
}

/// Why a request was refused or failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{status} {title}: {detail}")]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Identifies the kind of problem, for programs: `type` without [`TYPE_PREFIX`].
    pub kind: &'static str,
    /// The kind of problem, for people; the same each time.
    pub title: &'static str,
    /// The error of this request, and the action to take.
    pub detail: String,
    /// The place, as a JSON pointer (RFC 6901) into the request's body.
    pub field: Option<String>,
    /// Further members, such as the current state on a conflict. They cannot replace the members above.
    pub extra: Map<String, Value>,
    /// When to try again, in seconds: the `Retry-After` header.
    pub retry_after_s: Option<u32>,
    /// The way to authenticate.
    pub challenge: Option<Challenge>,
}

impl Problem {
    fn new(status: u16, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let (field, extra, retry_after_s, challenge) = (None, Map::new(), None, None);
        Self { status, kind, title, detail, field, extra, retry_after_s, challenge }
    }

    /// 400: the request cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad-request", "The request cannot be read", detail)
    }

    /// 401: the caller is not authenticated.
    pub fn unauthorized(challenge: Challenge, detail: impl Into<String>) -> Self {
        let problem = Self::new(401, "unauthorized", "Authentication required", detail);
        Self { challenge: Some(challenge), ..problem }
    }

    /// 403: the caller may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "Not permitted", detail)
    }

    /// 404: the thing does not exist.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", "Not found", detail)
    }

    /// 409: the state of the thing does not allow this.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "Conflict with the current state", detail)
    }

    /// 412: the thing is not at the version that `If-Match` names.
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::new(412, "precondition-failed", "Changed in the meantime", detail)
    }

    /// 413: the request exceeds the limit.
    pub fn payload_too_large(bytes_max: usize) -> Self {
        let detail = format!("a request can hold at most {bytes_max} bytes; send less at a time");
        Self::new(413, "payload-too-large", "The request is too large", detail)
    }

    /// 422: the request is readable but cannot be processed.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(422, "unprocessable", "The request cannot be processed", detail)
    }

    /// 422: fields are wrong. The detail has the first one, and `errors` has all.
    pub fn of_fields(found: &[contracts::FieldProblem]) -> Self {
        let listed: Vec<ProblemDetail> = found
            .iter()
            .map(|field| ProblemDetail { pointer: field.pointer.clone(), detail: field.detail.clone() })
            .collect();
        let first = found.first();
        let detail = first.map_or_else(String::new, |field| format!("`{}` {}", field.pointer, field.detail));
        let pointer = first.map(|field| field.pointer.clone()).unwrap_or_default();
        Self::unprocessable(detail).at(pointer).with_errors(&listed)
    }

    /// 428: the request must name the version that it refers to.
    pub fn precondition_required(detail: impl Into<String>) -> Self {
        Self::new(428, "precondition-required", "Precondition required", detail)
    }

    /// 500: an internal error. Takes no detail, so that none leaks.
    #[must_use]
    pub fn internal() -> Self {
        let detail = "the request failed; the log has the cause under the request's id";
        Self::new(500, "internal", "Internal error", detail)
    }

    /// 503: temporarily unavailable; try again after `retry_after_s` seconds.
    pub fn unavailable(retry_after_s: u32, detail: impl Into<String>) -> Self {
        let problem = Self::new(503, "unavailable", "Temporarily unavailable", detail);
        Self { retry_after_s: Some(retry_after_s), ..problem }
    }

    /// Sets the kind: `lead-moved-on` for `urn:leadwatch:problem:lead-moved-on`.
    #[must_use]
    pub fn of_kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// Sets the place in the body. An empty pointer is the whole body.
    #[must_use]
    pub fn at(self, pointer: impl Into<String>) -> Self {
        Self { field: Some(pointer.into()), ..self }
    }

    /// Lists everything that is wrong, as the member `errors`.
    #[must_use]
    pub fn with_errors(self, errors: &[ProblemDetail]) -> Self {
        let errors = errors.iter().map(|error| json!({"pointer": error.pointer, "detail": error.detail}));
        self.with("errors", errors.collect::<Vec<Value>>())
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(member.to_owned(), value.into());
        self
    }

    /// The members of the document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = self.extra.clone();
        let mut set = |member: &str, value: Value| members.insert(member.to_owned(), value);
        set("type", Value::from(format!("{TYPE_PREFIX}{}", self.kind)));
        set("status", Value::from(self.status));
        set("title", Value::from(self.title));
        set("detail", Value::from(self.detail.as_str()));
        if let Some(field) = &self.field {
            set("field", Value::from(field.as_str()));
        }
        Value::Object(members)
    }
}

impl From<StrictJsonError> for Problem {
    fn from(error: StrictJsonError) -> Self {
        let problem = Self::bad_request(error.to_string()).of_kind("invalid-json");
        if error.pointer.is_empty() { problem } else { problem.at(error.pointer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_members_cannot_replace_the_standard_ones() {
        let problem = Problem::not_found("no such lead").with("status", 200).with("title", "OK");
        assert_eq!(problem.to_json()["status"], 404);
        assert_eq!(problem.to_json()["title"], "Not found");
    }

    #[test]
    fn several_errors_go_out_together() {
        let detail = |pointer: &str| ProblemDetail { pointer: pointer.to_owned(), detail: "odd".to_owned() };
        let problem = Problem::unprocessable("two rows are wrong").with_errors(&[detail("/a"), detail("/b")]);
        let errors = json!([{"pointer": "/a", "detail": "odd"}, {"pointer": "/b", "detail": "odd"}]);
        assert_eq!(problem.to_json()["errors"], errors);
    }

    #[test]
    fn a_duplicate_key_becomes_a_problem_at_its_field() {
        let error = crate::strict_json::parse(br#"{"a":{"b":1,"b":2}}"#).unwrap_err();
        let problem = Problem::from(error);
        assert_eq!((problem.status, problem.field.as_deref()), (400, Some("/a/b")));
        assert_eq!(problem.detail, "duplicate key at `/a/b` (line 1, column 15)");
    }
}
