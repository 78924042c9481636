//! Sends to a queue, and handles the failures that SQS reports inside an answer of 200.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};

/// Entries that SQS takes in one call.
pub const BATCH_ENTRIES_MAX: usize = 10;
/// Most bytes of bodies in one call. SQS now takes more, but older queues and emulators do not.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// The longest delay that SQS takes, in seconds.
pub const DELAY_S_MAX: u16 = 900;
/// Longest pauses before failed entries are sent again, in milliseconds; each pause is random.
pub const RETRY_PAUSES_MS: [u64; 2] = [100, 400];

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender's name for it. Shown in errors, not sent.
    pub id: String,
    /// The content.
    pub body: String,
    delay_s: u16,
}

impl Message {
    /// A message to be delivered at once.
    pub fn new(id: impl Into<String>, body: impl Into<String>) -> Self {
        Self { id: id.into(), body: body.into(), delay_s: 0 }
    }

    /// Sets the delay in seconds. It is at most [`DELAY_S_MAX`], so that a receiver has to check whether the
    /// time has come.
    #[must_use]
    pub fn delayed(self, seconds: u64) -> Self {
        let delay_s = u16::try_from(seconds).map_or(DELAY_S_MAX, |seconds| seconds.min(DELAY_S_MAX));
        Self { delay_s, ..self }
    }

    /// Seconds until it is delivered.
    #[must_use]
    pub fn delay_s(&self) -> u16 {
        self.delay_s
    }
}

/// Some messages were not sent, or may not have been. All others were.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} messages were not sent, the first one `{}` ({reason})", .ids.len(), .ids.first().map_or("", String::as_str))]
pub struct QueueError {
    /// The messages, by the sender's ids.
    pub ids: Vec<String>,
    /// The reason for the last one: an error code of SQS or of the SDK.
    pub reason: String,
}

/// A queue to send to.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue at that URL.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// The approximate number of waiting messages, without delayed ones and those in delivery.
    ///
    /// # Errors
    /// [`QueueError`] if the queue does not answer.
    pub async fn waiting(&self) -> Result<u64, QueueError> {
        let outage = |reason: String| QueueError { ids: Vec::new(), reason };
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let call = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(name.clone());
        let answer = call.send().await.map_err(|error| {
            let code = error.as_service_error().and_then(|refusal| refusal.meta().code());
            outage(code.map_or_else(|| error.to_string(), str::to_owned))
        })?;
        let waiting = answer.attributes().and_then(|all| all.get(&name)).and_then(|text| text.parse().ok());
        waiting.ok_or_else(|| outage("the answer has no number".to_owned()))
    }

    /// Sends one message.
    ///
    /// # Errors
    /// [`QueueError`] with its id.
    pub async fn send(&self, message: Message) -> Result<(), QueueError> {
        self.send_all(vec![message]).await
    }

    /// Sends messages in as few calls as their number and size allow. Entries that SQS reports as failed are
    /// sent again after a random pause, unless SQS reports a fault of the sender.
    ///
    /// # Errors
    /// [`QueueError`] with all messages that were not sent. A call that fails as a whole ends the sending:
    /// the SDK has already tried it several times, and each remaining call would take as long.
    pub async fn send_all(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        let mut failed = QueueError { ids: Vec::new(), reason: String::new() };
        let mut batches = batches(messages).into_iter();
        for batch in batches.by_ref() {
            if let Err(outage) = self.send_batch(batch, &mut failed).await {
                failed.ids.extend(outage.ids);
                failed.reason = outage.reason;
                failed.ids.extend(batches.flatten().map(|message| message.id));
                break;
            }
        }
        if failed.ids.is_empty() { Ok(()) } else { Err(failed) }
    }

    /// Makes one call and its repetitions. Adds messages that cannot be sent to `failed`; an error means that
    /// a call failed as a whole.
    async fn send_batch(&self, mut batch: Vec<Message>, failed: &mut QueueError) -> Result<(), QueueError> {
        let mut pauses_ms = RETRY_PAUSES_MS.into_iter();
        loop {
            let refused = self.call(&batch).await?;
            let mut again = Vec::new();
            for (index, message) in batch.into_iter().enumerate() {
                match refused.get(&index) {
                    None => {}
                    Some(refusal) if refusal.is_ours => {
                        failed.ids.push(message.id);
                        failed.reason.clone_from(&refusal.code);
                    }
                    Some(refusal) => {
                        failed.reason.clone_from(&refusal.code);
                        again.push(message);
                    }
                }
            }
            if again.is_empty() {
                return Ok(());
            }
            let Some(pause_ms) = pauses_ms.next() else {
                failed.ids.extend(again.into_iter().map(|message| message.id));
                return Ok(());
            };
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=pause_ms))).await;
            batch = again;
        }
    }

    /// Makes one call. Returns the refused entries by their place in the batch.
    async fn call(&self, batch: &[Message]) -> Result<BTreeMap<usize, Refusal>, QueueError> {
        let outage = |reason: String| QueueError { ids: ids(batch), reason };
        let entries = batch.iter().enumerate().map(|(index, message)| {
            SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(&message.body)
                .delay_seconds(i32::from(message.delay_s))
                .build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(|error| outage(error.to_string()))?;
        let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = call.send().await.map_err(|error| {
            let code = error.as_service_error().and_then(|refusal| refusal.meta().code());
            outage(code.map_or_else(|| error.to_string(), str::to_owned))
        })?;
        let refused = answer.failed().iter().filter_map(|entry| {
            let refusal = Refusal { is_ours: entry.sender_fault(), code: entry.code().to_owned() };
            Some((entry.id().parse().ok()?, refusal))
        });
        Ok(refused.collect())
    }
}

struct Refusal {
    /// A fault of the sender: another attempt would be refused too.
    is_ours: bool,
    code: String,
}

fn ids(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| message.id.clone()).collect()
}

/// Splits messages, in order, into batches that SQS takes. A message that is too large gets its own batch, so
/// that SQS refuses only that one.
fn batches(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut batches: Vec<Vec<Message>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let size = message.body.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_ENTRIES_MAX && bytes + size <= BATCH_BYTES_MAX => {
                bytes += size;
                batch.push(message);
            }
            _ => {
                bytes = size;
                batches.push(vec![message]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_aws::{Answer, Server};
    use serde_json::{Value, json};

    fn messages(count: usize) -> Vec<Message> {
        (0..count).map(|number| Message::new(format!("lead/L-{number}"), format!("body {number}"))).collect()
    }

    fn answer(sent: &[usize], failed: &[(usize, bool)]) -> Answer {
        let sent: Vec<Value> = sent
            .iter()
            .map(|id| json!({"Id": id.to_string(), "MessageId": "m", "MD5OfMessageBody": ""}))
            .collect();
        let failed: Vec<Value> = failed
            .iter()
            .map(|(id, ours)| json!({"Id": id.to_string(), "SenderFault": ours, "Code": "InternalError"}))
            .collect();
        Answer::json(200, json!({"Successful": sent, "Failed": failed}))
    }

    async fn queue(answers: Vec<Answer>) -> (Queue, Server) {
        let server = Server::start(answers).await;
        (Queue::new(Client::new(&server.sdk_config()), "http://localhost/000000000000/due"), server)
    }

    fn bodies(request: &Value) -> Vec<&str> {
        let entries = request["Entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["MessageBody"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_delay_is_sent_along_and_cut_to_what_the_queue_takes() {
        let (queue, server) = queue(vec![answer(&[0, 1], &[])]).await;
        let delayed = vec![Message::new("a", "x").delayed(47), Message::new("b", "y").delayed(86_400)];
        queue.send_all(delayed).await.unwrap();
        let entries = server.requests()[0]["Entries"].clone();
        assert_eq!((&entries[0]["DelaySeconds"], &entries[1]["DelaySeconds"]), (&json!(47), &json!(900)));
    }

    #[tokio::test]
    async fn many_messages_go_ten_at_a_time_and_none_makes_no_call() {
        let (queue, server) = queue((0..3).map(|_| answer(&[], &[])).collect()).await;
        queue.send_all(messages(23)).await.unwrap();
        let sizes: Vec<usize> = server.requests().iter().map(|request| bodies(request).len()).collect();
        assert_eq!(sizes, [10, 10, 3]);
        queue.send_all(Vec::new()).await.unwrap();
        assert_eq!(server.requests().len(), 3);
    }

    #[tokio::test]
    async fn only_failed_entries_are_sent_again() {
        let (queue, server) = queue(vec![answer(&[0, 2], &[(1, false)]), answer(&[0], &[])]).await;
        queue.send_all(messages(3)).await.unwrap();
        assert_eq!(bodies(&server.requests()[1]), ["body 1"]);
    }

    #[tokio::test]
    async fn the_length_of_a_queue_is_read_or_an_error() {
        let waiting = Answer::json(200, json!({"Attributes": {"ApproximateNumberOfMessages": "101"}}));
        let (queue, server) = queue(vec![waiting, Answer::json(200, json!({}))]).await;
        assert_eq!(queue.waiting().await, Ok(101));
        assert_eq!(server.requests()[0]["AttributeNames"], json!(["ApproximateNumberOfMessages"]));
        assert!(queue.waiting().await.is_err());
    }

    #[tokio::test]
    async fn messages_that_keep_failing_are_named() {
        let answers =
            vec![answer(&[0], &[(1, false)]), answer(&[], &[(0, false)]), answer(&[], &[(0, false)])];
        let (queue, server) = queue(answers).await;
        let error = queue.send_all(messages(2)).await.unwrap_err();
        assert_eq!(
            error,
            QueueError { ids: vec!["lead/L-1".to_owned()], reason: "InternalError".to_owned() }
        );
        assert_eq!(server.requests().len(), 3);
    }

    #[tokio::test]
    async fn a_fault_of_the_sender_is_not_tried_again() {
        let (queue, server) = queue(vec![answer(&[], &[(0, true)])]).await;
        assert_eq!(queue.send(Message::new("a", "x")).await.unwrap_err().ids, ["a"]);
        assert_eq!(server.requests().len(), 1);
    }

    #[tokio::test]
    async fn an_outage_names_all_messages_that_were_not_sent() {
        let (queue, server) = queue(vec![answer(&[], &[])]).await;
        let error = queue.send_all(messages(25)).await.unwrap_err();
        assert_eq!((error.ids.len(), error.ids[0].as_str()), (15, "lead/L-10"));
        assert_eq!(server.requests().len(), 2);
    }

    #[test]
    fn batches_are_bounded_in_bytes_too() {
        let large = |id: &str| Message::new(id, "x".repeat(100 * 1024));
        let sizes: Vec<usize> =
            batches(["a", "b", "c", "d", "e"].map(large).into()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 2, 1]);
        let alone =
            vec![Message::new("a", "x"), Message::new("b", "x".repeat(300 * 1024)), Message::new("c", "x")];
        assert_eq!(batches(alone).len(), 3);
    }
}
