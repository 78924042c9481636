//! What is not ours and answers: Slack, mail, the event bus, the secrets.

use crate::wire::{Answer, Call};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use notify::slack::METADATA_TYPE;
use platform::standard_webhooks::SigningKey;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Where the functions find their secrets.
pub const HOOK_SECRET_PREFIX: &str = "hooks/";
pub const SLACK_SECRET: &str = "slack";
pub const WEBHOOK_SECRET: &str = "outgoing";
pub const SLACK_URL: &str = "https://slack.simulated.invalid/api/";
/// The key that wraps data keys.
pub const MASTER_KEY: &str = "arn:aws:kms:eu-central-1:000000000000:key/simulated";
/// The source that webhooks come from.
pub const SOURCE: &str = "crm";
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The key that the source signs with.
pub fn signing_key() -> SigningKey {
    SigningKey::parse(KEY).expect("a key")
}

/// A message that somebody got.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The notification that it tells.
    pub notification: String,
    /// Which invocation sent it.
    pub invocation: u64,
    /// Whether whoever sent it was told so.
    pub is_answered: bool,
    /// Whether Slack can be asked for it afterwards.
    pub is_in_slack: bool,
    /// When, in milliseconds.
    pub at_ms: i64,
}

/// Everybody outside.
#[derive(Debug, Default)]
pub struct Outside {
    /// What was delivered, in order.
    pub sent: Vec<Sent>,
    /// The entries that the bus took: subject and place.
    pub published: BTreeMap<String, BTreeSet<u64>>,
    /// How many data keys were made.
    keys_made: u64,
}

impl Outside {
    /// Slack's Web API.
    pub fn slack(&mut self, call: &Call, invocation: u64, now: i64) -> Answer {
        match call.operation.as_str() {
            "users.lookupByEmail" => Answer::done(&json!({"ok": true, "user": {"id": "U1"}})),
            "conversations.open" => Answer::done(&json!({"ok": true, "channel": {"id": "D1"}})),
            "chat.postMessage" => {
                self.deliver(notification_of(call), invocation, now, true);
                Answer::done(&json!({"ok": true, "ts": "1"}))
            }
            // All conversations are one here: an id is one message's.
            "conversations.history" => {
                let sent = self.sent.iter().rev();
                let messages: Vec<Value> = sent.map(|sent| metadata(&sent.notification)).collect();
                Answer::done(&json!({"ok": true, "messages": messages}))
            }
            "conversations.list" => {
                let names = ["us-sales", "dach-sales", "compliance", "sales-operations"];
                let channels: Vec<Value> =
                    names.iter().map(|name| json!({"id": format!("C-{name}"), "name": name})).collect();
                Answer::done(&json!({"ok": true, "channels": channels}))
            }
            other => panic!("Slack has no method {other} here"),
        }
    }

    /// Mail, as SES takes it.
    pub fn mail(&mut self, call: &Call, invocation: u64, now: i64) -> Answer {
        self.deliver(notification_of(call), invocation, now, false);
        Answer::done(&json!({"MessageId": "mail"}))
    }

    fn deliver(&mut self, id: Option<String>, invocation: u64, now: i64, is_in_slack: bool) {
        let notification = id.expect("every message carries its notification's id");
        self.sent.push(Sent { notification, invocation, is_answered: true, is_in_slack, at_ms: now });
    }

    /// The event bus; entries that are refused are not taken.
    pub fn bus(&mut self, call: &Call, refused: impl Fn(usize) -> bool) -> Answer {
        let mut answers = Vec::new();
        let mut failed = 0;
        for (n, entry) in call.body["Entries"].as_array().into_iter().flatten().enumerate() {
            if refused(n) {
                failed += 1;
                answers.push(json!({"ErrorCode": "InternalFailure", "ErrorMessage": "of the simulation"}));
                continue;
            }
            let detail: Value =
                serde_json::from_str(entry["Detail"].as_str().unwrap_or_default()).expect("a detail is JSON");
            let subject = entry["Resources"][0].as_str().unwrap_or_default().to_owned();
            let seq = detail["seq"].as_u64().expect("an event has its place");
            self.published.entry(subject).or_default().insert(seq);
            answers.push(json!({"EventId": "e"}));
        }
        Answer::done(&json!({"FailedEntryCount": failed, "Entries": answers}))
    }

    /// The key service. It wraps by writing down whose key it is and its number; a key comes of
    /// that alone, so that a run comes out the same again. What seals with it is the real thing.
    pub fn keys(&mut self, call: &Call) -> Answer {
        let subject = call.body["EncryptionContext"]["leadwatch-subject"].as_str().unwrap_or_default();
        match call.operation.as_str() {
            "GenerateDataKey" => {
                self.keys_made += 1;
                opened(&format!("{subject}#{}", self.keys_made))
            }
            "Decrypt" => open(call),
            other => panic!("no function of ours asks the key service for {other}"),
        }
    }
}

fn metadata(notification: &str) -> Value {
    json!({"metadata": {"event_type": METADATA_TYPE, "event_payload": {"notification_id": notification}}})
}

/// The notification that a message tells.
pub fn notification_of(call: &Call) -> Option<String> {
    let of_slack = call.body.pointer("/metadata/event_payload/notification_id");
    let id = of_slack.or_else(|| call.body.pointer("/Content/Simple/Headers/0/Value"));
    id.and_then(Value::as_str).map(str::to_owned)
}

/// The secrets.
pub fn secret(call: &Call) -> Answer {
    let id = call.body["SecretId"].as_str().unwrap_or_default();
    let value = match id.strip_prefix(HOOK_SECRET_PREFIX).unwrap_or(id) {
        SOURCE | WEBHOOK_SECRET => json!({"active": [KEY]}),
        SLACK_SECRET => json!({"bot_token": "xoxb-simulated"}),
        _ => return Answer::error(400, "ResourceNotFoundException"),
    };
    Answer::done(&json!({"ARN": "arn", "Name": id, "SecretString": value.to_string()}))
}

/// Unwraps a data key, for whom it was made.
pub fn open(call: &Call) -> Answer {
    let subject = call.body["EncryptionContext"]["leadwatch-subject"].as_str().unwrap_or_default();
    let wrapped = BASE64.decode(call.body["CiphertextBlob"].as_str().unwrap_or_default());
    let wrapped = wrapped.ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    match wrapped.rsplit_once('#') {
        Some((of, _)) if of == subject => opened(&wrapped),
        _ => Answer::error(400, "InvalidCiphertextException"),
    }
}

fn opened(wrapped: &str) -> Answer {
    let key = audit::sha256([wrapped.as_bytes()]);
    let (key, wrapped) = (BASE64.encode(key.as_bytes()), BASE64.encode(wrapped));
    Answer::done(&json!({"CiphertextBlob": wrapped, "Plaintext": key, "KeyId": MASTER_KEY}))
}
