//! A request to an API function: its body, route, parameters and preconditions.
//!
//! [`Request::decode`] bounds and decodes the body once; everything else reads from it. It keeps the raw
//! bytes, because a webhook's signature covers them.

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

/// Characters of a parameter's name that a problem repeats.
const PARAMETER_CHARS_MAX: usize = 40;

/// Reads an event of API Gateway. A function takes its event as a [`RawValue`] and reads it here. Otherwise
/// the runtime would reject an unreadable event before the function, and the caller would get a 500.
///
/// # Errors
/// 400 if a header holds a control byte, or a text of the request is not Unicode.
pub fn event(raw: &RawValue, now: DateTime<Utc>) -> Result<ApiGatewayV2httpRequest, Problem> {
    serde_json::from_str(raw.get()).map_err(|_| {
        // The error can repeat parts of the request.
        refusals::log("a request", "unreadable", now);
        Problem::bad_request("a header, the path or the query contains a forbidden byte")
    })
}

/// Reads a whole number in its only spelling: no sign, no leading zero, no space.
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
    /// Decodes an event of API Gateway (payload format 2.0).
    ///
    /// # Errors
    /// 413 if the body has more than `body_bytes_max` bytes, 400 if it claims to be base64 and is not.
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

    /// The request's id in the log; empty if there is none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.event.request_context.request_id.as_deref().unwrap_or_default()
    }

    /// The body as it was sent.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// A header, by its name in any case. `None` if it is missing or not text.
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

    /// Looks up the request's route in a function's table.
    ///
    /// # Errors
    /// 404 if the table does not have the route.
    pub fn route<R: Copy>(&self, table: &[(&str, R)]) -> Result<R, Problem> {
        let found = table.iter().find(|(key, _)| *key == self.route_key());
        found.map(|(_, route)| *route).ok_or_else(|| Problem::not_found("this route does not exist"))
    }

    /// A parameter in the path, which API Gateway has percent-decoded.
    ///
    /// # Errors
    /// 404 if it is missing, blank, too long or has control characters: nothing can have such an id.
    pub fn path_parameter(&self, name: &str) -> Result<&str, Problem> {
        let value = self.event.path_parameters.get(name).map(String::as_str).unwrap_or_default();
        let bounded = !value.trim().is_empty() && value.len() <= PATH_PARAMETER_BYTES_MAX;
        if bounded && !value.chars().any(char::is_control) {
            Ok(value)
        } else {
            Err(Problem::not_found(format!("nothing has this `{name}`")))
        }
    }

    /// A parameter in the query; `None` if it is missing or blank, the first value if it is repeated.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.event.query_string_parameters.first(name).filter(|value| !value.trim().is_empty())
    }

    /// Refuses query parameters that are unknown to a route or duplicate. Otherwise a misspelled condition
    /// would return a longer list than the caller meant.
    ///
    /// # Errors
    /// 400, with the parameter and the known ones.
    pub fn knows_query(&self, known: &[&str]) -> Result<(), Problem> {
        let mut seen = BTreeSet::new();
        for (name, _) in self.event.query_string_parameters.iter() {
            let shown = unread::harmless(name, PARAMETER_CHARS_MAX);
            if !known.contains(&name) {
                let there_is = match (unread::meant(name, known), known) {
                    (_, []) => "this route takes none".to_owned(),
                    (Some(meant), _) => format!("did you mean `{meant}`?"),
                    (None, _) => format!("the parameters are {}", known.join(", ")),
                };
                let detail = format!("`{shown}` is not a parameter of this route; {there_is}");
                return Err(Problem::bad_request(detail).of_kind("unknown-parameter"));
            }
            if !seen.insert(name) {
                return Err(Problem::bad_request(format!("duplicate parameter `{shown}`; send it once")));
            }
        }
        Ok(())
    }

    /// The `limit` of a list.
    ///
    /// # Errors
    /// 400 if it is not a number from 1 to `max`.
    pub fn limit(&self, default: u32, max: u32) -> Result<u32, Problem> {
        let Some(text) = self.query("limit") else {
            return Ok(default);
        };
        match whole_number(text).and_then(|limit| u32::try_from(limit).ok()) {
            Some(limit) if (1..=max).contains(&limit) => Ok(limit),
            _ => Err(Problem::bad_request(format!("`limit` must be a number from 1 to {max}"))),
        }
    }

    /// The `cursor` of a list: where the previous page ended.
    ///
    /// # Errors
    /// 400 if [`Self::next_cursor`] did not make it for this list.
    pub fn cursor<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        let Some(cursor) = self.query("cursor") else { return Ok(None) };
        let ListCursor { list, at } = decode_cursor(cursor)?;
        if list == self.list() { Ok(Some(at)) } else { Err(foreign_cursor()) }
    }

    /// The cursor of the next page. `None` if it would be too long.
    pub fn next_cursor<T: Serialize>(&self, position: &T) -> Option<String> {
        encode_cursor(&ListCursor { list: self.list(), at: position })
    }

    /// A digest of the list that a request is for: its route, its path parameters, and its query without
    /// `limit` and `cursor`. It prevents a cursor of another list, such as another owner's, from continuing in
    /// the middle of this one.
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
            // Length first, so that no two lists give the same bytes.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(digest.finalize().get(..LIST_DIGEST_BYTES).unwrap_or_default())
    }

    /// The `Idempotency-Key`, with or without quotes.
    ///
    /// # Errors
    /// 400 if it is not 1 to [`IDEMPOTENCY_KEY_BYTES_MAX`] visible ASCII characters.
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

    /// The entity tag in `If-Match`, without its quotes. Any version (`*`), several tags and weak tags are
    /// refused, because a decision must name the version it is based on.
    ///
    /// # Errors
    /// 428 if the header is missing, 400 if it does not hold one strong tag.
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

/// Bytes of a list's digest in its cursors: enough to prevent confusion between lists.
const LIST_DIGEST_BYTES: usize = 12;

/// A cursor with its list.
///
/// It is neither signed nor secret: put no personal data into it, and check it like any input.
#[derive(Serialize, Deserialize)]
struct ListCursor<T> {
    list: String,
    at: T,
}

fn foreign_cursor() -> Problem {
    Problem::bad_request("the cursor belongs to another list; start again without it")
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
