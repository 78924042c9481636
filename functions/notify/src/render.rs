//! A message in the form of each channel.
//!
//! Block Kit's limits are Slack's own (<https://docs.slack.dev/reference/block-kit/blocks>). Lengths are counted in
//! UTF-16 units, the strictest way to count characters. Text from outside is escaped, so that nobody can address a
//! whole channel (`<!channel>`) or disguise a link by what they call their company.

use serde_json::{Value, json};

use crate::channel::Outbound;

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
/// Buttons of one message: what one block of actions takes.
pub const BUTTONS_MAX: usize = 25;
/// Length of a button's label.
pub const BUTTON_LABEL_MAX: usize = 75;
/// Length of a button's URL.
pub const BUTTON_URL_MAX: usize = 3000;
/// Sections that a text is spread over; what is longer is cut.
pub const TEXT_SECTIONS_MAX: usize = 10;
/// Length of an e-mail's subject.
pub const SUBJECT_MAX: usize = 200;
/// Stands for a title that is missing: no channel takes an empty one.
const UNTITLED: &str = "Leadwatch notification";

/// The message as Block Kit.
#[must_use]
pub fn blocks(outbound: &Outbound) -> Vec<Value> {
    let title = cut(title(outbound), HEADER_MAX);
    let mut blocks = vec![json!({"type": "header", "text": plain(&title)})];
    for chunk in escaped_chunks(&outbound.text, SECTION_MAX, TEXT_SECTIONS_MAX) {
        blocks.push(json!({"type": "section", "text": mrkdwn(&chunk)}));
    }
    let buttons: Vec<Value> = links(outbound)
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

/// The text that goes with the blocks: what notifications, screen readers and old clients show.
#[must_use]
pub fn fallback(outbound: &Outbound) -> String {
    let separator = if outbound.text.is_empty() { "" } else { "\n" };
    let text = format!("{}{separator}{}", title(outbound), outbound.text);
    escaped_chunks(&text, SECTION_MAX, 1).pop().unwrap_or_else(|| UNTITLED.to_owned())
}

/// The subject of an e-mail: one line, without control characters, so that no header can be slipped in.
#[must_use]
pub fn subject(outbound: &Outbound) -> String {
    let line: String = title(outbound)
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    cut(&line, SUBJECT_MAX)
}

/// The body of an e-mail, in plain text.
#[must_use]
pub fn email_text(outbound: &Outbound) -> String {
    let mut body = String::new();
    for line in outbound.text.lines() {
        body.push_str(line);
        body.push('\n');
    }
    if !outbound.fields.is_empty() {
        body.push('\n');
    }
    for (label, value) in &outbound.fields {
        body.push_str(&format!("{}: {}\n", one_line(label), one_line(value)));
    }
    for (label, url) in links(outbound) {
        body.push_str(&format!("\n{}:\n{url}\n", one_line(label)));
    }
    body.push_str(&format!("\n-- \nLeadwatch, notification {}\n", one_line(&outbound.id)));
    body
}

/// The document that a webhook carries. The same message gives the same bytes whenever it is sent.
#[must_use]
pub fn webhook_document(outbound: &Outbound) -> Value {
    let fields: Vec<Value> =
        outbound.fields.iter().map(|(label, value)| json!({"label": label, "value": value})).collect();
    let links: Vec<Value> = links(outbound).map(|(label, url)| json!({"label": label, "url": url})).collect();
    json!({
        "type": "leadwatch.notification",
        "version": 1,
        "data": {
            "id": outbound.id,
            "title": title(outbound),
            "text": outbound.text,
            "fields": fields,
            "links": links,
        },
    })
}

pub(crate) fn title(outbound: &Outbound) -> &str {
    let title = outbound.title.trim();
    if title.is_empty() { UNTITLED } else { title }
}

/// The links that can be shown: anything but a web address is left out, as Slack would refuse the whole message.
pub(crate) fn links(outbound: &Outbound) -> impl Iterator<Item = (&str, &str)> {
    let all = outbound.buttons.iter().map(|(label, url)| (label.trim(), url.trim()));
    all.filter(|(label, url)| {
        let is_web = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
        !label.is_empty() && is_web && units(url) <= BUTTON_URL_MAX
    })
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

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Cuts plain text to a length, with an ellipsis where something is missing.
pub(crate) fn cut(text: &str, max: usize) -> String {
    if units(text) <= max {
        return text.to_owned();
    }
    let mut left = max - 1;
    let mut short: String = text
        .chars()
        .take_while(|character| {
            let fits = character.len_utf16() <= left;
            left = left.saturating_sub(character.len_utf16());
            fits
        })
        .collect();
    short.push('…');
    short
}

/// Escapes text for mrkdwn and spreads it over chunks of a length, never through the middle of an entity. Blank text
/// gives none; what does not fit into the last one is cut, with an ellipsis.
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
        assert_eq!((fallback(&empty), subject(&empty)), (UNTITLED.to_owned(), UNTITLED.to_owned()));
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
            assert!(units(&subject(&huge)) <= SUBJECT_MAX);
        }
    }

    #[test]
    fn an_entity_is_never_cut_in_two_and_no_character_is_lost_between_chunks() {
        let chunks = escaped_chunks("a&b<c>d&&", 6, 10);
        assert_eq!(chunks, ["a&amp;", "b&lt;c", "&gt;d", "&amp;", "&amp;"]);
        assert_eq!(escaped_chunks("a&b<c>d", 6, 2), ["a&amp;", "b&lt;…"]);
        assert_eq!(escaped_chunks(" \n", 6, 2), Vec::<String>::new());
    }

    #[test]
    fn only_web_addresses_become_links() {
        let link = |url: &str| ("Open".to_owned(), url.to_owned());
        let odd = Outbound {
            buttons: ["javascript:alert(1)", "", "/relative", "https://ok.example/"].map(link).into(),
            ..outbound()
        };
        assert_eq!(links(&odd).collect::<Vec<_>>(), [("Open", "https://ok.example/")]);
    }

    #[test]
    fn a_subject_is_one_line() {
        let odd = Outbound { title: "Lead\r\nBcc: all@example.com".to_owned(), ..outbound() };
        assert_eq!(subject(&odd), "Lead  Bcc: all@example.com");
    }

    #[test]
    fn an_email_has_text_facts_links_and_the_notification_id() {
        let expected = "Acme <!channel> & Söhne\n\nLeft: 12 min\n\nOpen:\nhttps://crm.example/L-1?a=1&b=2\n\n-- \nLeadwatch, notification n-1\n";
        assert_eq!(email_text(&outbound()), expected);
    }
}
