//! Receives messages as a Microsoft Teams workflow does: an Adaptive Card, unsigned, at an address that is the secret. To
//! try out failures, a name that begins with `down` gets a 503.
//!
//! The sink keeps the card's text and, for its page, blocks like Slack's.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::context::Shared;
use super::store::Message;

const CARD: &str = "application/vnd.microsoft.card.adaptive";

pub(super) async fn receive(
    State(context): Shared,
    Path(name): Path<String>,
    Json(message): Json<Value>,
) -> StatusCode {
    if name.starts_with("down") {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let Some(card) = card(&message) else { return StatusCode::BAD_REQUEST };
    let paragraphs = paragraphs(card);
    let mut blocks: Vec<Value> = paragraphs
        .iter()
        .map(|text| json!({"type": "section", "text": {"type": "plain_text", "text": text}}))
        .collect();
    blocks.push(json!({"type": "actions", "elements": buttons(card)}));
    context.store.add(Message {
        seq: 0,
        at: String::new(),
        method: "teams".into(),
        channel: name,
        recipient: None,
        text: paragraphs.join("\n"),
        blocks: Some(Value::Array(blocks)),
        metadata: None,
        headers: BTreeMap::new(),
        signature: None,
    });
    StatusCode::ACCEPTED
}

fn card(message: &Value) -> Option<&Value> {
    let attachments = message.get("attachments")?.as_array()?;
    attachments.iter().find(|attachment| text(attachment, "contentType") == CARD)?.get("content")
}

/// One per text block, its runs joined.
fn paragraphs(card: &Value) -> Vec<String> {
    list(card, "body")
        .map(|block| match text(block, "type") {
            "RichTextBlock" => {
                list(block, "inlines").map(|run| run.as_str().unwrap_or_else(|| text(run, "text"))).collect()
            }
            _ => text(block, "text").to_owned(),
        })
        .filter(|paragraph| !paragraph.is_empty())
        .collect()
}

fn buttons(card: &Value) -> Vec<Value> {
    list(card, "actions")
        .filter(|action| text(action, "type") == "Action.OpenUrl")
        .map(|action| {
            let label = json!({"type": "plain_text", "text": text(action, "title")});
            json!({"type": "button", "text": label, "url": text(action, "url")})
        })
        .collect()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_kept_as_the_text_it_shows() {
        let message = json!({"type": "message", "attachments": [{"contentType": CARD, "content": {
            "type": "AdaptiveCard",
            "body": [
                {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "Owner: "}, {"type": "TextRun", "text": "ana"}]},
                {"type": "TextBlock", "text": "48 minutes"}
            ],
            "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": "https://crm.example.test/"}]
        }}]});
        let card = card(&message).unwrap();
        assert_eq!(paragraphs(card), ["Owner: ana", "48 minutes"]);
        assert_eq!(buttons(card)[0]["url"], "https://crm.example.test/");
    }
}
