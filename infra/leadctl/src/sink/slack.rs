//! The methods of Slack's Web API that the functions call, with Slack's own answers and errors.
//!
//! An id derives from the address, so that a person has the same id in every run. Some names fail, to try out failures:
//!
//! | name | answer |
//! | --- | --- |
//! | an address that ends in `@unreachable.test` | `users_not_found` |
//! | a channel that starts with `#missing` | `channel_not_found` |
//! | a channel that starts with `#archived` | `is_archived` |
//! | a channel that starts with `#limited` | 429 to the first call, with a retry after one second |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::context::{Context, Shared};
use super::store::Message;

/// Slack truncates longer texts; the sink refuses them, so that the mistake shows.
const TEXT_CHARS_MAX: usize = 40_000;
const BLOCKS_MAX: usize = 50;

/// Answers one call.
pub(super) async fn call(
    State(context): Shared,
    Path(method): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let reads = ["users.lookupByEmail", "auth.test", "conversations.history", "conversations.list"];
    let takes_json = !reads.contains(&method.as_str());
    let arguments = match arguments(query.as_deref(), &headers, &body, takes_json) {
        Ok(arguments) => arguments,
        Err(error) => return refusal(error),
    };
    if let Err(error) = authorize(&context, &headers, &arguments) {
        return refusal(error);
    }
    match method.as_str() {
        "auth.test" => answer(json!({"team": "local", "user": "leadwatch", "user_id": "U0LEADWATCH"})),
        "users.lookupByEmail" => look_up(&context, &arguments),
        "conversations.open" => open(&context, &arguments),
        "chat.postMessage" => post(&context, &arguments),
        "conversations.history" => history(&context, &arguments),
        "conversations.list" => list(&context),
        _ => refusal("unknown_method"),
    }
}

/// The arguments of a call, from the query, a form or JSON.
fn arguments(
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
    takes_json: bool,
) -> Result<Map<String, Value>, &'static str> {
    let mut arguments = form(query.unwrap_or_default().as_bytes()).ok_or("invalid_form_data")?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        // Slack's reading methods ignore a JSON body.
        if takes_json {
            match serde_json::from_slice(body) {
                Ok(Value::Object(object)) => arguments.extend(object),
                Ok(_) => return Err("json_not_object"),
                Err(_) => return Err("invalid_json"),
            }
        }
    } else if !body.is_empty() {
        arguments.extend(form(body).ok_or("invalid_form_data")?);
    }
    Ok(arguments)
}

fn form(bytes: &[u8]) -> Option<Map<String, Value>> {
    // Any address will do: only its query is parsed, as leniently as browsers and Slack parse it.
    let mut url = reqwest::Url::parse("http://sink/").ok()?;
    url.set_query(Some(std::str::from_utf8(bytes).ok()?));
    Some(
        url.query_pairs().map(|(key, value)| (key.into_owned(), Value::String(value.into_owned()))).collect(),
    )
}

fn authorize(
    context: &Context,
    headers: &HeaderMap,
    arguments: &Map<String, Value>,
) -> Result<(), &'static str> {
    let bearer =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let token = bearer.or_else(|| arguments.get("token")?.as_str()).ok_or("not_authed")?;
    if token == context.options.slack_token { Ok(()) } else { Err("invalid_auth") }
}

fn look_up(context: &Arc<Context>, arguments: &Map<String, Value>) -> Response {
    let Some(email) = text(arguments, "email") else { return refusal("invalid_arguments") };
    if !email.contains('@') || email.ends_with("@unreachable.test") {
        return refusal("users_not_found");
    }
    let id = id('U', email);
    context.store.keep_address(id.clone(), email.to_owned());
    let name = email.split('@').next().unwrap_or(email);
    answer(json!({"user": {"id": id, "team_id": "T0LOCAL", "name": name, "deleted": false, "is_bot": false,
        "profile": {"email": email, "real_name": name}}}))
}

fn open(context: &Arc<Context>, arguments: &Map<String, Value>) -> Response {
    let Some(users) = text(arguments, "users") else { return refusal("users_list_not_supplied") };
    let mut people = Vec::new();
    for user in users.split(',').map(str::trim) {
        match context.store.email_of(user) {
            Some(email) => people.push(email),
            None => return refusal("user_not_found"),
        }
    }
    people.sort();
    let members = people.join(", ");
    let channel = id('D', &members);
    context.store.keep_address(channel.clone(), members);
    answer(json!({"no_op": false, "already_open": false, "channel": {"id": channel}}))
}

fn post(context: &Arc<Context>, arguments: &Map<String, Value>) -> Response {
    let Some(channel) = text(arguments, "channel") else { return refusal("channel_not_found") };
    let recipient = context.store.email_of(channel);
    let direct = channel.starts_with('D') || channel.starts_with('U');
    if channel.starts_with("#missing") || (direct && recipient.is_none()) {
        return refusal("channel_not_found");
    }
    if channel.starts_with("#archived") {
        return refusal("is_archived");
    }
    let blocks = match arguments.get("blocks").map(blocks).transpose() {
        Ok(blocks) => blocks,
        Err(error) => return refusal(error),
    };
    let text = text(arguments, "text").unwrap_or_default();
    if text.is_empty() && blocks.is_none() {
        return refusal("no_text");
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        return refusal("msg_too_long");
    }
    if channel.starts_with("#limited") && context.store.slow_down_once(channel) {
        let later = [(header::RETRY_AFTER, "1")];
        return (StatusCode::TOO_MANY_REQUESTS, later, Json(json!({"ok": false, "error": "ratelimited"})))
            .into_response();
    }
    let seq = context.store.add(Message {
        seq: 0,
        at: String::new(),
        method: "chat.postMessage".into(),
        channel: channel.to_owned(),
        recipient,
        text: text.to_owned(),
        blocks,
        metadata: arguments.get("metadata").cloned(),
        headers: BTreeMap::new(),
        signature: None,
    });
    let id = if direct { channel.to_owned() } else { id('C', channel.trim_start_matches('#')) };
    answer(
        json!({"channel": id, "ts": format!("{}.{:06}", 1_700_000_000 + seq, seq % 1_000_000), "message": {"type": "message", "text": text}}),
    )
}

/// The messages of a conversation, newest first. Slack names channels by id here.
fn history(context: &Arc<Context>, arguments: &Map<String, Value>) -> Response {
    let Some(channel) = text(arguments, "channel") else { return refusal("channel_not_found") };
    let oldest = text(arguments, "oldest").and_then(|oldest| oldest.parse::<f64>().ok()).unwrap_or(0.0);
    let limit = text(arguments, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(100);
    let with_metadata = text(arguments, "include_all_metadata") == Some("true");
    let messages = context.store.after(0);
    let in_channel =
        messages.iter().rev().filter(|m| m.method == "chat.postMessage" && id_of(&m.channel) == channel);
    let mut shown_messages = Vec::new();
    for message in in_channel.take(limit) {
        let at =
            DateTime::parse_from_rfc3339(&message.at).map(|at| at.timestamp_millis()).unwrap_or_default();
        if (at as f64) / 1000.0 <= oldest {
            continue;
        }
        let ts = format!("{}.{:03}{:03}", at / 1000, at % 1000, message.seq % 1000);
        let mut shown = json!({"type": "message", "ts": ts, "text": message.text, "bot_id": "B0LEADWATCH"});
        if let (true, Some(metadata), Some(shown)) = (with_metadata, &message.metadata, shown.as_object_mut())
        {
            shown.insert("metadata".into(), metadata.clone());
        }
        shown_messages.push(shown);
    }
    answer(json!({"messages": shown_messages, "has_more": false, "response_metadata": {"next_cursor": ""}}))
}

/// The channels with messages.
fn list(context: &Arc<Context>) -> Response {
    let messages = context.store.after(0);
    let names: BTreeSet<&str> = messages.iter().filter_map(|m| m.channel.strip_prefix('#')).collect();
    let channels: Vec<Value> = names
        .into_iter()
        .map(|name| json!({"id": id('C', name), "name": name, "is_channel": true}))
        .collect();
    answer(json!({"channels": channels, "response_metadata": {"next_cursor": ""}}))
}

/// The id of a conversation that the sender named.
fn id_of(channel: &str) -> String {
    channel.strip_prefix('#').map_or_else(|| channel.to_owned(), |name| id('C', name))
}

/// The blocks. A form carries them as JSON text.
fn blocks(value: &Value) -> Result<Value, &'static str> {
    let blocks = match value {
        Value::String(text) => serde_json::from_str(text).map_err(|_| "invalid_blocks_format")?,
        other => other.clone(),
    };
    match &blocks {
        Value::Array(list) if list.len() > BLOCKS_MAX => Err("invalid_blocks"),
        Value::Array(list) if list.iter().all(|block| block.get("type").is_some_and(Value::is_string)) => {
            Ok(blocks)
        }
        _ => Err("invalid_blocks"),
    }
}

fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// An id in Slack's form, derived from what it is for.
fn id(kind: char, of: &str) -> String {
    let digest: String = Sha256::digest(of).iter().take(5).map(|byte| format!("{byte:02X}")).collect();
    format!("{kind}{digest}")
}

fn answer(mut body: Value) -> Response {
    if let Some(object) = body.as_object_mut() {
        object.insert("ok".into(), Value::Bool(true));
    }
    Json(body).into_response()
}

/// Refuses as Slack does: with a 200 and an error code.
fn refusal(error: &str) -> Response {
    Json(json!({"ok": false, "error": error})).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_parsed_even_if_its_encoding_is_sloppy() {
        let read = form(b"channel=%23sales&text=hi,+the second%20time #2&email=a%2Bb%40x.test").unwrap();
        assert_eq!(read["channel"], "#sales");
        assert_eq!(read["text"], "hi, the second time #2");
        assert_eq!(read["email"], "a+b@x.test");
    }

    #[test]
    fn an_id_is_the_same_in_every_run() {
        assert_eq!(id('U', "ana@example.test"), "UFFC4B5D8FD");
    }
}
