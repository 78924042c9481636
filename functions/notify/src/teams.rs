//! A message as an Adaptive Card, in the envelope that a workflow of Microsoft Teams takes
//! (<https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>).
//!
//! Text goes into text runs, which know no Markdown, so that a company's name cannot become a link.

use serde_json::{Value, json};

use crate::fit::cut;
use crate::outbound::Outbound;

/// Largest message, in bytes. Teams takes 28 KB.
pub const MESSAGE_BYTES_MAX: usize = 24 * 1024;
/// Most actions of one card.
pub const ACTIONS_MAX: usize = 6;
/// Most fields of one card.
pub const FIELDS_MAX: usize = 30;
/// Length of the title, in UTF-16 units, like every length here.
pub const TITLE_MAX: usize = 150;
/// Length of an action's label.
pub const ACTION_LABEL_MAX: usize = 75;
/// Length of the text.
pub const TEXT_MAX: usize = 3000;
/// Length of a label or value.
pub const FIELD_MAX: usize = 300;

/// The message, with as many fields and links as fit.
#[must_use]
pub fn message(outbound: &Outbound) -> Value {
    let mut fields = outbound.fields.get(..FIELDS_MAX).unwrap_or(&outbound.fields);
    let mut links: Vec<(&str, &str)> = outbound.links().take(ACTIONS_MAX).collect();
    loop {
        let message = envelope(outbound, fields, &links);
        let fits = message.to_string().len() <= MESSAGE_BYTES_MAX;
        match fields.split_last() {
            _ if fits => return message,
            Some((_, fewer)) => fields = fewer,
            None if links.pop().is_none() => return message,
            None => {}
        }
    }
}

fn envelope(outbound: &Outbound, fields: &[(String, String)], links: &[(&str, &str)]) -> Value {
    let title = cut(outbound.title(), TITLE_MAX);
    let mut body =
        vec![paragraph(vec![json!({"type": "TextRun", "text": title, "size": "large", "weight": "bolder"})])];
    let text = cut(outbound.text.trim(), TEXT_MAX);
    if !text.is_empty() {
        body.push(paragraph(vec![json!({"type": "TextRun", "text": text})]));
    }
    for (label, value) in fields {
        let label = format!("{}: ", cut(label, FIELD_MAX));
        let value = cut(value, FIELD_MAX);
        body.push(paragraph(vec![
            json!({"type": "TextRun", "text": label, "weight": "bolder"}),
            json!({"type": "TextRun", "text": value}),
        ]));
    }
    let actions: Vec<Value> = links
        .iter()
        .map(|(label, url)| {
            let label = cut(label, ACTION_LABEL_MAX);
            json!({"type": "Action.OpenUrl", "title": label, "url": url})
        })
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "fallbackText": title,
                "body": body,
                "actions": actions,
            },
        }],
    })
}

fn paragraph(runs: Vec<Value>) -> Value {
    json!({"type": "RichTextBlock", "inlines": runs})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_card_of_plain_text() {
        let outbound = Outbound {
            id: "n-1".to_owned(),
            title: "Breached".to_owned(),
            text: "[Acme](https://evil.example)".to_owned(),
            fields: vec![("Left".to_owned(), "0 min".to_owned())],
            buttons: vec![("Open".to_owned(), "https://crm.example/".to_owned())],
        };
        let card = message(&outbound)["attachments"][0]["content"].take();
        let run = |text: &str| json!({"type": "TextRun", "text": text});
        assert_eq!(card["body"][1]["inlines"], json!([run("[Acme](https://evil.example)")]));
        assert_eq!(card["body"][2]["inlines"][1], run("0 min"));
        assert_eq!(card["actions"][0]["url"], "https://crm.example/");
    }

    #[test]
    fn a_card_is_never_larger_than_teams_takes() {
        let url = format!("https://crm.example/{}", "x".repeat(2900));
        for text in ["x", "\u{1d11e}", "\u{1}"] {
            let huge = Outbound {
                id: "n-1".to_owned(),
                title: text.repeat(5000),
                text: text.repeat(100_000),
                fields: vec![(text.repeat(5000), text.repeat(5000)); 100],
                buttons: vec![("Open".to_owned(), url.clone()); 100],
            };
            assert!(message(&huge).to_string().len() <= MESSAGE_BYTES_MAX, "{text:?}");
        }
    }
}
