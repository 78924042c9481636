//! The queues, as SQS has them: delays, visibility, receive counts, and the dead-letter queue.

use crate::wire::{Answer, Call};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A message comes so often before it goes to the dead-letter queue; the template says the same.
const RECEIVES_MAX: u32 = 5;
/// Invocations of one queue at a time.
const CONCURRENT_MAX: usize = 3;

/// A message of a queue.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    pub body: String,
    pub receives: u32,
    visible_at: i64,
    receipt: u64,
}

/// A queue.
#[derive(Debug)]
pub struct Queue {
    visibility_ms: i64,
    messages: BTreeMap<u64, Message>,
    /// Messages that nobody could deal with.
    pub dead: Vec<Message>,
    /// Invocations that are at some of its messages.
    pub working: usize,
}

/// The queues by name.
#[derive(Debug)]
pub struct Queues {
    pub by_name: BTreeMap<&'static str, Queue>,
    next: u64,
}

/// The two that functions are called from.
pub const DUE: &str = "due";
pub const NOTIFICATIONS: &str = "notifications";
const DEAD: &str = "notifications-dead";

impl Queues {
    pub fn new() -> Self {
        let queue = |visibility_s: i64| Queue {
            visibility_ms: visibility_s * 1000,
            messages: BTreeMap::new(),
            dead: Vec::new(),
            working: 0,
        };
        // The times are those of the template.
        Self { by_name: BTreeMap::from([(DUE, queue(180)), (NOTIFICATIONS, queue(360))]), next: 1 }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Does what is asked; entries of a batch that are refused are not taken.
    pub fn execute(&mut self, call: &Call, now: i64, refused: impl Fn(usize) -> bool) -> Answer {
        match call.operation.as_str() {
            "SendMessageBatch" => self.send(&call.body, now, refused),
            "ChangeMessageVisibility" => self.change_visibility(&call.body, now),
            "GetQueueAttributes" => {
                let queue = self.of_url(call.body["QueueUrl"].as_str().unwrap_or_default());
                let waiting = queue.messages.values().filter(|message| message.visible_at <= now).count();
                Answer::done(&json!({"Attributes": {"ApproximateNumberOfMessages": waiting.to_string()}}))
            }
            other => panic!("no function of ours asks a queue for {other}"),
        }
    }

    fn send(&mut self, body: &Value, now: i64, refused: impl Fn(usize) -> bool) -> Answer {
        let url = body["QueueUrl"].as_str().unwrap_or_default();
        let (mut taken, mut failed) = (Vec::new(), Vec::new());
        for (n, entry) in body["Entries"].as_array().into_iter().flatten().enumerate() {
            if refused(n) {
                failed.push(json!({"Id": entry["Id"], "SenderFault": false, "Code": "InternalError"}));
                continue;
            }
            let number = self.number();
            let id = format!("m-{number}");
            taken.push(json!({"Id": entry["Id"], "MessageId": id, "MD5OfMessageBody": ""}));
            let message = Message {
                id,
                body: entry["MessageBody"].as_str().unwrap_or_default().to_owned(),
                receives: 0,
                visible_at: now + entry["DelaySeconds"].as_i64().unwrap_or(0) * 1000,
                receipt: 0,
            };
            if url.ends_with(DEAD) {
                self.by_name.get_mut(NOTIFICATIONS).expect("a queue").dead.push(message);
            } else {
                self.of_url(url).messages.insert(number, message);
            }
        }
        Answer::done(&json!({"Successful": taken, "Failed": failed}))
    }

    fn of_url(&mut self, url: &str) -> &mut Queue {
        let name = url.rsplit('/').next().unwrap_or_default();
        self.by_name.get_mut(name).unwrap_or_else(|| panic!("there is no queue {url}"))
    }

    fn change_visibility(&mut self, body: &Value, now: i64) -> Answer {
        let receipt: u64 = body["ReceiptHandle"].as_str().and_then(|r| r.parse().ok()).unwrap_or_default();
        let wait = body["VisibilityTimeout"].as_i64().unwrap_or(0) * 1000;
        let queue = self.of_url(body["QueueUrl"].as_str().unwrap_or_default());
        // One that came again meanwhile, or is gone, is no longer this receiver's.
        match queue.messages.values_mut().find(|m| m.receipt == receipt && m.visible_at > now) {
            Some(message) => {
                message.visible_at = now + wait;
                Answer::done(&json!({}))
            }
            None => Answer::error(400, "MessageNotInflight"),
        }
    }

    /// When there is something to receive, at the earliest.
    pub fn next(&self) -> Option<i64> {
        let free = self.by_name.values().filter(|queue| queue.working < CONCURRENT_MAX);
        free.flat_map(|queue| queue.messages.values()).map(|message| message.visible_at).min()
    }

    /// Whether nothing is left in any.
    pub fn are_empty(&self) -> bool {
        self.by_name.values().all(|queue| queue.messages.is_empty())
    }

    /// Receives some messages of a queue, in any order.
    pub fn receive(&mut self, name: &'static str, now: i64, rng: &mut fastrand::Rng) -> Vec<Message> {
        let mut receipt = self.next;
        let queue = self.by_name.get_mut(name).expect("a queue");
        if queue.working >= CONCURRENT_MAX {
            return Vec::new();
        }
        let spent: Vec<u64> = queue
            .messages
            .iter()
            .filter(|(_, m)| m.visible_at <= now && m.receives >= RECEIVES_MAX)
            .map(|(number, _)| *number)
            .collect();
        for number in spent {
            queue.dead.extend(queue.messages.remove(&number));
        }
        let mut visible: Vec<&mut Message> =
            queue.messages.values_mut().filter(|m| m.visible_at <= now).collect();
        rng.shuffle(&mut visible);
        let most = rng.usize(1..=10);
        let mut received = Vec::new();
        for message in visible.into_iter().take(most) {
            receipt += 1;
            message.receives += 1;
            message.visible_at = now + queue.visibility_ms;
            message.receipt = receipt;
            received.push(message.clone());
        }
        queue.working += usize::from(!received.is_empty());
        self.next = receipt;
        received
    }

    /// Lets a message come a second time, however the first one ends.
    pub fn repeat(&mut self, name: &str, message: &Message, at: i64) {
        let number = self.number();
        let again = Message { visible_at: at, receipt: 0, ..message.clone() };
        self.by_name.get_mut(name).expect("a queue").messages.insert(number, again);
    }

    /// Takes out what was dealt with.
    pub fn delete(&mut self, name: &str, messages: &[Message], failed: &[String]) {
        let queue = self.by_name.get_mut(name).expect("a queue");
        let done: Vec<u64> = messages.iter().filter(|m| !failed.contains(&m.id)).map(|m| m.receipt).collect();
        queue.messages.retain(|_, message| !done.contains(&message.receipt));
    }
}

impl Message {
    /// As an event of a function carries it.
    pub fn record(&self) -> Value {
        json!({
            "messageId": self.id, "receiptHandle": self.receipt.to_string(), "body": self.body,
            "attributes": {"ApproximateReceiveCount": self.receives.to_string()},
        })
    }
}
