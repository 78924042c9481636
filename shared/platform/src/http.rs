//! A request to an API function: its body, route, parameters and preconditions.
//!
//! [`Request::decode`] bounds and decodes the body once; everything else reads from it. The raw bytes stay at hand,
//! because a webhook's signature is over them.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use contracts::unread;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

use crate::problem::Problem;
use crate::refusals;
use crate::strict_json;

/// Largest body of a webhook, in bytes.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 256 * 1024;
/// Longest path parameter, in bytes.
pub const PATH_PARAMETER_BYTES_MAX: usize = 256;
/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;
/// Longest cursor, in characters.
pub const CURSOR_CHARS_MAX: usize = 2048;

/// How much of a parameter's name a problem repeats, in characters.
const PARAMETER_CHARS_MAX: usize = 40;

/// Reads an event of API Gateway. A function takes its event as a [`RawValue`] and reads it here: what the runtime
/// cannot read never comes to the function, and its caller is told of a fault of ours.
///
/// # Errors
/// 400 when a header holds a control byte, or a text of the request is not Unicode.
pub fn event(raw: &RawValue, now: DateTime<Utc>) -> Result<ApiGatewayV2httpRequest, Problem> {
    serde_json::from_str(raw.get()).map_err(|_| {
        // The error can repeat what was sent.
        refusals::refused("a request", "unreadable", now);
        Problem::bad_request("a header, the path or the query holds a byte that it must not hold")
    })
}

/// A whole number as it is written and in no other way: no sign, no leading zero, no blank.
#[must_use]
pub fn whole_number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if is_plain { text.parse().ok() } else { None }
}

/// A request with its body decoded.
#[derive(Debug)]
pub struct Request {
    event: ApiGatewayV2httpRequest,
    body: Vec<u8>,
}

impl Request {
    /// Takes an event of API Gateway (payload format 2.0) apart.
    ///
    /// # Errors
    /// 413 when the body holds more than `body_bytes_max` bytes, 400 when it says base64 and is not.
    pub fn decode(mut event: ApiGatewayV2httpRequest, body_bytes_max: usize) -> Result<Self, Problem> {
        let text = event.body.take().unwrap_or_default();
        // Base64 takes four characters for three bytes: refuse before decoding what cannot fit.
        let wire_max = if event.is_base64_encoded { body_bytes_max.div_ceil(3) * 4 } else { body_bytes_max };
        if text.len() > wire_max {
            return Err(Problem::payload_too_large(body_bytes_max));
        }
        let body = if event.is_base64_encoded {
            STANDARD.decode(text).map_err(|_| Problem::bad_request("the body is not valid base64"))?
        } else {
            text.into_bytes()
        };
        if body.len() > body_bytes_max {
            return Err(Problem::payload_too_large(body_bytes_max));
        }
        Ok(Self { event, body })
    }

    /// The event, without its body.
    #[must_use]
    pub fn event(&self) -> &ApiGatewayV2httpRequest {
        &self.event
    }

    /// The id under which the log has this request; empty when there is none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.event.request_context.request_id.as_deref().unwrap_or_default()
    }

    /// The body as it was sent.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// A header, whatever the case of its name. `None` when it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.event.headers.get(name)?.to_str().ok().map(str::trim)
    }

    /// The route that API Gateway matched, such as `GET /v1/leads/{id}`.
    #[must_use]
    pub fn route_key(&self) -> &str {
        let context = &self.event.request_context;
        self.event.route_key.as_deref().or(context.route_key.as_deref()).unwrap_or_default()
    }

    /// What a function's table of routes says about this request.
    ///
    /// # Errors
    /// 404 when the table does not have the route: what is not listed is not served.
    pub fn route<R: Copy>(&self, table: &[(&str, R)]) -> Result<R, Problem> {
        let found = table.iter().find(|(key, _)| *key == self.route_key());
        found.map(|(_, route)| *route).ok_or_else(|| Problem::not_found("there is no such route"))
    }

    /// A parameter in the path, which API Gateway has percent-decoded.
    ///
    /// # Errors
    /// 404 when it is missing, blank, too long or holds control characters: no such thing can exist.
    pub fn path_parameter(&self, name: &str) -> Result<&str, Problem> {
        let value = self.event.path_parameters.get(name).map(String::as_str).unwrap_or_default();
        let bounded = !value.trim().is_empty() && value.len() <= PATH_PARAMETER_BYTES_MAX;
        if bounded && !value.chars().any(char::is_control) {
            Ok(value)
        } else {
            Err(Problem::not_found(format!("there is nothing under this `{name}`")))
        }
    }

    /// A parameter in the query; `None` when it is missing or blank, the first when it is there several times.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.event.query_string_parameters.first(name).filter(|value| !value.trim().is_empty())
    }

    /// Refuses parameters in the query that a route does not know, or that are there twice: a condition
    /// that is misspelt would be a longer list than was asked for.
    ///
    /// # Errors
    /// 400, which names them and what there is.
    pub fn knows_query(&self, known: &[&str]) -> Result<(), Problem> {
        let mut seen = BTreeSet::new();
        for (name, _) in self.event.query_string_parameters.iter() {
            let shown = unread::harmless(name, PARAMETER_CHARS_MAX);
            if !known.contains(&name) {
                let there_is = match (unread::meant(name, known), known) {
                    (_, []) => "this route takes none".to_owned(),
                    (Some(meant), _) => format!("did you mean `{meant}`?"),
                    (None, _) => format!("there is {}", known.join(", ")),
                };
                let detail = format!("`{shown}` is not a parameter of this route; {there_is}");
                return Err(Problem::bad_request(detail).of_kind("unknown-parameter"));
            }
            if !seen.insert(name) {
                return Err(Problem::bad_request(format!("`{shown}` is there twice; name it once")));
            }
        }
        Ok(())
    }

    /// The `limit` of a list.
    ///
    /// # Errors
    /// 400 when it is not a number from 1 to `max`.
    pub fn limit(&self, default: u32, max: u32) -> Result<u32, Problem> {
        let Some(text) = self.query("limit") else {
            return Ok(default);
        };
        match whole_number(text).and_then(|limit| u32::try_from(limit).ok()) {
            Some(limit) if (1..=max).contains(&limit) => Ok(limit),
            _ => Err(Problem::bad_request(format!("`limit` must be a number from 1 to {max}"))),
        }
    }

    /// The `cursor` of a list: where the page before ended.
    ///
    /// # Errors
    /// 400 when it is not a cursor that [`Self::next_cursor`] gave for this very list.
    pub fn cursor<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        let Some(cursor) = self.query("cursor") else { return Ok(None) };
        let CursorOf { list, at } = decode_cursor(cursor)?;
        if list == self.list() { Ok(Some(at)) } else { Err(foreign_cursor()) }
    }

    /// The cursor of the page after this one. `None` when it would be longer than a cursor may be.
    pub fn next_cursor<T: Serialize>(&self, position: &T) -> Option<String> {
        encode_cursor(&CursorOf { list: self.list(), at: position })
    }

    /// Which list a request is for, as a digest: its route, what its path names, and what its query asks for but for
    /// the part. A cursor of another owner's list would go on in the middle of this one.
    fn list(&self) -> String {
        let mut parts: Vec<(&str, &str)> =
            self.event.path_parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let query = self.event.query_string_parameters.iter();
        parts.extend(
            query.filter(|(name, value)| !["limit", "cursor"].contains(name) && !value.trim().is_empty()),
        );
        parts.sort_unstable();
        let mut digest = Sha256::new();
        for part in
            std::iter::once(("", self.route_key())).chain(parts).flat_map(|(name, value)| [name, value])
        {
            // With its length before it, so that no two lists come to the same bytes.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(digest.finalize().get(..LIST_DIGEST_BYTES).unwrap_or_default())
    }

    /// The `Idempotency-Key`, with or without quotes.
    ///
    /// # Errors
    /// 400 when it is there and not 1 to [`IDEMPOTENCY_KEY_BYTES_MAX`] visible ASCII characters.
    pub fn idempotency_key(&self) -> Result<Option<&str>, Problem> {
        if !self.event.headers.contains_key("idempotency-key") {
            return Ok(None);
        }
        let key = self.header("idempotency-key").unwrap_or_default();
        let key = key.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(key);
        let usable = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len());
        if usable && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Some(key));
        }
        let detail =
            format!("`Idempotency-Key` must hold 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters");
        Err(Problem::bad_request(detail))
    }

    /// The entity tag in `If-Match`, without its quotes. Any version (`*`), several tags and weak tags are refused:
    /// who decides must say on what.
    ///
    /// # Errors
    /// 428 when the header is missing, 400 when it does not hold one strong tag.
    pub fn if_match(&self) -> Result<&str, Problem> {
        if !self.event.headers.contains_key("if-match") {
            let detail = "send `If-Match` with the `ETag` of the version that you have seen";
            return Err(Problem::precondition_required(detail));
        }
        let tag = self.header("if-match").and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
        match tag {
            Some(tag) if !tag.is_empty() && !tag.contains(['"', ',']) => Ok(tag),
            _ => Err(Problem::bad_request(
                "`If-Match` must hold one entity tag in double quotes, as in `\"7\"`",
            )),
        }
    }
}

/// So much of the digest of a list is in its cursors: enough that nobody takes one for another's by mistake.
const LIST_DIGEST_BYTES: usize = 12;

/// A cursor with the list it is for.
///
/// It is neither signed nor secret: put no person's data into it, and check what comes back like any input.
#[derive(Serialize, Deserialize)]
struct CursorOf<T> {
    list: String,
    at: T,
}

fn foreign_cursor() -> Problem {
    Problem::bad_request("the cursor is not one of this list; start again without it")
}

fn encode_cursor<T: Serialize>(position: &T) -> Option<String> {
    let cursor = URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).ok()?);
    (cursor.len() <= CURSOR_CHARS_MAX).then_some(cursor)
}

fn decode_cursor<T: DeserializeOwned>(cursor: &str) -> Result<T, Problem> {
    if cursor.len() > CURSOR_CHARS_MAX {
        return Err(foreign_cursor());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| foreign_cursor())?;
    let document = strict_json::parse(&bytes).map_err(|_| foreign_cursor())?;
    serde_json::from_value(document).map_err(|_| foreign_cursor())
}

#[cfg(test)]
mod tests;
