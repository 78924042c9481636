//! A message in Block Kit, within Slack's own limits (<https://docs.slack.dev/reference/block-kit/blocks>).
//!
//! Text from outside is escaped, so that a company's name can neither address a whole channel (`<!channel>`) nor
//! disguise a link.

use serde_json::{Value, json};

use crate::fit::{cut, one_line, units};
use crate::outbound::{Outbound, UNTITLED};

/// Blocks of one message.
pub const BLOCKS_MAX: usize = 50;
/// Length of a section's text.
pub const SECTION_MAX: usize = 3000;
/// Length of a header's text.
pub const HEADER_MAX: usize = 150;
/// Fields of one section.
pub const SECTION_FIELDS_MAX: usize = 10;
/// Length of a field.
pub const FIELD_MAX: usize = 2000;
/// Buttons of one message: as many as one block of actions takes.
pub const BUTTONS_MAX: usize = 25;
/// Length of a button's label.
pub const BUTTON_LABEL_MAX: usize = 75;
/// Sections that a text is spread over; a longer text is cut.
pub const TEXT_SECTIONS_MAX: usize = 10;

/// The message as Block Kit.
#[must_use]
pub fn blocks(outbound: &Outbound) -> Vec<Value> {
    let title = cut(outbound.title(), HEADER_MAX);
    let mut blocks = vec![json!({"type": "header", "text": plain(&title)})];
    for chunk in escaped_chunks(&outbound.text, SECTION_MAX, TEXT_SECTIONS_MAX) {
        blocks.push(json!({"type": "section", "text": mrkdwn(&chunk)}));
    }
    let buttons: Vec<Value> = outbound
        .links()
        .take(BUTTONS_MAX)
        .enumerate()
        .map(|(index, (label, url))| {
            let label = plain(&cut(label, BUTTON_LABEL_MAX));
            json!({"type": "button", "text": label, "url": url, "action_id": format!("link-{index}")})
        })
        .collect();
    let room = BLOCKS_MAX - usize::from(!buttons.is_empty());
    for group in outbound.fields.chunks(SECTION_FIELDS_MAX) {
        if blocks.len() == room {
            break;
        }
        let fields: Vec<Value> = group.iter().map(|(label, value)| mrkdwn(&field(label, value))).collect();
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    blocks
}

/// The text that goes with the blocks, for notifications, screen readers and old clients.
#[must_use]
pub fn fallback(outbound: &Outbound) -> String {
    let separator = if outbound.text.is_empty() { "" } else { "\n" };
    let text = format!("{}{separator}{}", outbound.title(), outbound.text);
    escaped_chunks(&text, SECTION_MAX, 1).pop().unwrap_or_else(|| UNTITLED.to_owned())
}

fn field(label: &str, value: &str) -> String {
    let escape = |text: &str, max: usize| escaped_chunks(text, max, 1).pop().unwrap_or_default();
    let label = escape(&one_line(label), HEADER_MAX);
    let rest = FIELD_MAX - units(&label) - "**\n".len();
    format!("*{label}*\n{}", escape(value, rest))
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

/// Escapes text for mrkdwn and spreads it over chunks of a length, never through the middle of an entity. Blank text
/// gives no chunk. If the text does not fit, the last chunk is cut, with an ellipsis.
fn escaped_chunks(text: &str, max: usize, chunks_max: usize) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let (mut chunk, mut length) = (String::new(), 0);
    for character in text.trim().chars() {
        let mut buffer = [0; 4];
        let piece: &str = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => character.encode_utf8(&mut buffer),
        };
        let is_last = chunks.len() + 1 == chunks_max;
        // The last chunk keeps room for its ellipsis.
        if length + units(piece) > max - usize::from(is_last) {
            if is_last {
                chunk.push('…');
                break;
            }
            chunks.push(std::mem::take(&mut chunk));
            length = 0;
        }
        chunk.push_str(piece);
        length += units(piece);
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbound() -> Outbound {
        Outbound {
            id: "n-1".to_owned(),
            title: "Lead L-1 is 80 % through its SLA".to_owned(),
            text: "Acme <!channel> & Söhne".to_owned(),
            fields: vec![("Left".to_owned(), "12 min".to_owned())],
            buttons: vec![("Open".to_owned(), "https://crm.example/L-1?a=1&b=2".to_owned())],
        }
    }

    #[test]
    fn a_message_becomes_blocks_with_everything_from_outside_escaped() {
        let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
        let mrkdwn = |text: &str| json!({"type": "mrkdwn", "text": text, "verbatim": true});
        let expected = json!([
            {"type": "header", "text": plain("Lead L-1 is 80 % through its SLA")},
            {"type": "section", "text": mrkdwn("Acme &lt;!channel&gt; &amp; Söhne")},
            {"type": "section", "fields": [mrkdwn("*Left*\n12 min")]},
            {"type": "actions", "elements": [
                {"type": "button", "text": plain("Open"), "url": "https://crm.example/L-1?a=1&b=2", "action_id": "link-0"},
            ]},
        ]);
        assert_eq!(Value::from(blocks(&outbound())), expected);
        let text = "Lead L-1 is 80 % through its SLA\nAcme &lt;!channel&gt; &amp; Söhne";
        assert_eq!(fallback(&outbound()), text);
    }

    #[test]
    fn an_empty_message_still_has_a_title_and_a_text() {
        let empty = Outbound::default();
        assert_eq!(blocks(&empty).len(), 1);
        assert_eq!(blocks(&empty)[0]["text"]["text"], UNTITLED);
        assert_eq!(fallback(&empty), UNTITLED);
    }

    #[test]
    fn every_limit_of_slack_is_kept_for_oversized_messages() {
        for text in ["&", "𝄞", "x"] {
            let huge = Outbound {
                id: "n-1".to_owned(),
                title: text.repeat(5000),
                text: text.repeat(100_000),
                fields: vec![(text.repeat(5000), text.repeat(5000)); 1000],
                buttons: vec![(text.repeat(500), "https://crm.example/".to_owned()); 100],
            };
            let blocks = blocks(&huge);
            assert_eq!(blocks.len(), BLOCKS_MAX);
            assert!(units(blocks[0]["text"]["text"].as_str().unwrap()) <= HEADER_MAX);
            assert_eq!(blocks[BLOCKS_MAX - 1]["elements"].as_array().unwrap().len(), BUTTONS_MAX);
            for section in &blocks[1..BLOCKS_MAX - 1] {
                assert!(units(section["text"]["text"].as_str().unwrap_or_default()) <= SECTION_MAX);
                for field in section["fields"].as_array().unwrap_or(&Vec::new()) {
                    assert!(units(field["text"].as_str().unwrap()) <= FIELD_MAX);
                }
            }
            assert!(units(&fallback(&huge)) <= SECTION_MAX);
        }
    }

    #[test]
    fn an_entity_is_never_cut_in_two_and_no_character_is_lost_between_chunks() {
        let chunks = escaped_chunks("a&b<c>d&&", 6, 10);
        assert_eq!(chunks, ["a&amp;", "b&lt;c", "&gt;d", "&amp;", "&amp;"]);
        assert_eq!(escaped_chunks("a&b<c>d", 6, 2), ["a&amp;", "b&lt;…"]);
        assert_eq!(escaped_chunks(" \n", 6, 2), Vec::<String>::new());
    }
}
