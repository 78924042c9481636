//! A batch from a queue, each record on its own: a failed record returns to the queue alone.
//!
//! Needs `ReportBatchItemFailures` on the event source. Handlers parse their own record's body, so that an
//! unreadable body fails only its record.

use std::error::Error;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt as _, StreamExt as _};

use crate::telemetry::ErrorChain;

/// Records of one batch that are processed at once.
pub const CONCURRENT_RECORDS_MAX: usize = 5;

/// One message of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The queue's id of the message.
    pub message_id: &'a str,
    /// The message as it was sent.
    pub body: &'a str,
    /// Deliveries of the message, this one included.
    pub receive_count: u32,
    /// The handle to change the message's visibility.
    pub receipt_handle: &'a str,
}

/// A record has no id. SQS always sends one; without it no failure could be reported, so the queue delivers
/// the whole batch again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record of the batch has no message id; nothing was done")]
pub struct UnnamedRecordError;

/// Hands each record to the handler, at most [`CONCURRENT_RECORDS_MAX`] at once, and returns the failed ones.
///
/// A panic in the handler fails only its record. Errors are logged with their causes, under the message's id.
///
/// # Errors
/// [`UnnamedRecordError`], before any record is handled.
pub async fn run<E: Error>(
    event: SqsEvent,
    handler: impl AsyncFn(Record<'_>) -> Result<(), E>,
) -> Result<SqsBatchResponse, UnnamedRecordError> {
    let records: Vec<Record<'_>> = event.records.iter().map(record).collect::<Result<_, _>>()?;
    let handler = &handler;
    let mut failed: Vec<&str> = futures::stream::iter(records)
        .map(|record| async move {
            let outcome = AssertUnwindSafe(handler(record)).catch_unwind().await;
            (!is_done(record, outcome)).then_some(record.message_id)
        })
        .buffer_unordered(CONCURRENT_RECORDS_MAX)
        .filter_map(async |failed| failed)
        .collect()
        .await;
    failed.sort_unstable();
    let mut response = SqsBatchResponse::default();
    response.set_failures(failed);
    Ok(response)
}

fn is_done<E: Error>(record: Record<'_>, outcome: std::thread::Result<Result<(), E>>) -> bool {
    let Record { message_id, receive_count, .. } = record;
    match outcome {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(message_id, receive_count, error = %ErrorChain(&error), "a record failed");
            false
        }
        Err(_) => {
            // The panic's message is on standard error.
            tracing::error!(message_id, receive_count, "the handler of a record panicked");
            false
        }
    }
}

fn record(message: &SqsMessage) -> Result<Record<'_>, UnnamedRecordError> {
    let message_id = message.message_id.as_deref().filter(|id| !id.is_empty()).ok_or(UnnamedRecordError)?;
    let attribute = |name: &str| message.attributes.get(name).map(String::as_str);
    Ok(Record {
        message_id,
        body: message.body.as_deref().unwrap_or_default(),
        receive_count: attribute("ApproximateReceiveCount").and_then(|text| text.parse().ok()).unwrap_or(1),
        receipt_handle: message.receipt_handle.as_deref().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug, thiserror::Error)]
    #[error("the body cannot be read")]
    struct Unreadable;

    fn batch(bodies: &[&str]) -> SqsEvent {
        let record = |(index, body): (usize, &&str)| {
            json!({
                "messageId": format!("m-{index}"), "receiptHandle": "h", "body": body,
                "attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1772460000123"},
            })
        };
        let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    fn failed(response: &SqsBatchResponse) -> Vec<&str> {
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
    }

    #[tokio::test]
    async fn one_bad_body_fails_only_itself() {
        let response =
            run(
                batch(&["good", "bad", "good"]),
                async |record: Record<'_>| {
                    if record.body == "bad" { Err(Unreadable) } else { Ok(()) }
                },
            );
        assert_eq!(failed(&response.await.unwrap()), ["m-1"]);
    }

    #[tokio::test]
    async fn a_panic_fails_only_its_own_record() {
        let response = run(batch(&["good", "bad", "good"]), async |record: Record<'_>| {
            assert!(record.body != "bad", "on purpose");
            Ok::<(), Unreadable>(())
        });
        assert_eq!(failed(&response.await.unwrap()), ["m-1"]);
    }

    #[tokio::test]
    async fn a_batch_without_failures_says_so_and_an_empty_one_is_fine() {
        for bodies in [&["good"; 10][..], &[]] {
            let response = run(batch(bodies), async |_: Record<'_>| Ok::<(), Unreadable>(())).await.unwrap();
            assert_eq!(serde_json::to_value(response).unwrap(), json!({"batchItemFailures": []}));
        }
    }

    #[tokio::test]
    async fn records_come_with_what_the_queue_knows() {
        let response = run(batch(&["b"]), async |record: Record<'_>| {
            assert_eq!((record.message_id, record.receive_count, record.receipt_handle), ("m-0", 3, "h"));
            Ok::<(), Unreadable>(())
        });
        assert_eq!(failed(&response.await.unwrap()), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn without_an_id_nothing_is_done_and_the_batch_returns() {
        for id in [json!(null), json!("")] {
            let event = json!({"Records": [{"messageId": "m-0", "body": ""}, {"messageId": id, "body": ""}]});
            let response = run(serde_json::from_value(event).unwrap(), async |_: Record<'_>| {
                panic!("must not be called");
                #[expect(unreachable_code, reason = "names the error's type")]
                Ok::<(), Unreadable>(())
            });
            assert_eq!(response.await.unwrap_err(), UnnamedRecordError);
        }
    }

    #[tokio::test]
    async fn no_more_than_a_few_records_are_worked_on_at_a_time() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let response = run(batch(&["good"; 20]), async |_: Record<'_>| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok::<(), Unreadable>(())
        });
        assert_eq!(failed(&response.await.unwrap()), Vec::<&str>::new());
        assert_eq!(most.load(Ordering::SeqCst), CONCURRENT_RECORDS_MAX);
    }
}
