//! Publishes the audit table's stream to the event bus: each entry becomes an event. Personal data and
//! matches of screenings stay in the audit, because the subscribers are unknown.
//!
//! An audit item is written once. If the stream shows that an item was replaced or removed, someone tampered
//! with it: this function keeps a report beside the checkpoints and raises an alarm. It also raises an alarm
//! if the keys' stream shows a replaced data key, which does not stop checkpoints.
//!
//! The bus answers 200 and names the events that it did not accept; they are sent again. If it still rejects
//! some, the stream repeats from the first record that failed. So each event arrives at least once, under its
//! subject and sequence number.

mod tampering;

pub use tampering::{CheckpointBucket, ReportError, Reports};

use audit::tampering::{Alteration, Report};
use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use contracts::sight::{self, Reader};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use store::{PK, SK, StoredCommit};

/// The source of every event on the bus.
pub const SOURCE: &str = "leadwatch";
/// Most events in one request.
const ENTRIES_MAX: usize = 10;
/// Most bytes of details in one request, with room for the other members.
const BYTES_MAX: usize = 200 * 1024;
/// The prefix of keys in the table of data keys; no subject begins with it.
const DATA_KEYS: &str = "KEY#";
/// Pauses before rejected events are sent again.
const PAUSES_MS: [u64; 3] = [50, 200, 800];

/// The handler's configuration and clients.
pub struct Publisher {
    /// The bus's client.
    pub client: Client,
    /// The bus.
    pub bus: String,
    /// Keeps reports of a changed audit.
    pub reports: Arc<dyn Reports>,
}

/// Why a record was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It is not an item of the audit table.
    #[error("the record is not a commit")]
    Unreadable(#[source] store::StoreError),
    /// The bus did not answer.
    #[error("the bus did not answer")]
    Unavailable(#[source] Box<aws_sdk_eventbridge::Error>),
    /// The bus rejected some events on every attempt.
    #[error("the bus rejected {0} events")]
    NotTaken(usize),
    /// The report of a changed audit could not be kept.
    #[error(transparent)]
    Unreported(#[from] ReportError),
}

impl Publisher {
    /// Publishes a batch of the stream. Returns the first record that was not published; the stream continues
    /// from there.
    pub async fn publish(&self, event: Event) -> DynamoDbEventResponse {
        let mut response = DynamoDbEventResponse::default();
        for record in event.records {
            let position = record.change.sequence_number.clone();
            let done = match tampering::alteration_of(&record.event_name) {
                None => self.publish_record(record.change.new_image).await,
                Some(alteration) => self.report(alteration, &record).await,
            };
            if let Err(error) = done {
                tracing::error!(error = %platform::telemetry::ErrorChain(&error), "could not publish a commit");
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = position;
                response.batch_item_failures.push(failure);
                return response;
            }
        }
        response
    }

    /// Reports that an item was changed, without reading its content.
    async fn report(&self, alteration: Alteration, record: &EventRecord) -> Result<(), PublishError> {
        let key = |name: &str| match record.change.keys.get(name) {
            Some(serde_dynamo::AttributeValue::S(text)) => text.clone(),
            _ => String::new(),
        };
        let (subject, commit, event) = (key(PK), key(SK), record.event_name.as_str());
        if subject.starts_with(DATA_KEYS) {
            tracing::error!(alarm = "data-key-changed", key = subject, event, "a data key was replaced");
            return Ok(());
        }
        let mark = record.change.sequence_number.clone().unwrap_or_else(|| record.event_id.clone());
        let report = Report { subject, commit, alteration, mark };
        tracing::error!(
            alarm = "audit-changed",
            subject = report.subject,
            commit = report.commit,
            event,
            "an audit item was replaced or removed"
        );
        Ok(self.reports.keep(&report).await?)
    }

    async fn publish_record(&self, image: serde_dynamo::Item) -> Result<(), PublishError> {
        let commit = StoredCommit::from_image(image).map_err(PublishError::Unreadable)?;
        let mut events: Vec<PutEventsRequestEntry> = Vec::new();
        let mut bytes = 0;
        for entry in sight::commit(commit.entries, &[Reader::Bus]) {
            let kind = entry.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            let detail = entry.to_string();
            if events.len() == ENTRIES_MAX || bytes + detail.len() > BYTES_MAX {
                self.put(std::mem::take(&mut events)).await?;
                bytes = 0;
            }
            bytes += detail.len();
            let event = PutEventsRequestEntry::builder()
                .event_bus_name(&self.bus)
                .source(SOURCE)
                .detail_type(kind)
                .resources(commit.subject.to_string())
                .detail(detail)
                .build();
            events.push(event);
        }
        if events.is_empty() { Ok(()) } else { self.put(events).await }
    }

    /// Sends events, and repeats those that the bus rejects.
    async fn put(&self, mut events: Vec<PutEventsRequestEntry>) -> Result<(), PublishError> {
        for pause_ms in PAUSES_MS.map(Some).into_iter().chain([None]) {
            let answer = self
                .client
                .put_events()
                .set_entries(Some(events.clone()))
                .send()
                .await
                .map_err(|error| PublishError::Unavailable(Box::new(error.into())))?;
            if answer.failed_entry_count() == 0 {
                return Ok(());
            }
            let failed = answer.entries().iter().map(|entry| entry.error_code().is_some());
            events = events
                .into_iter()
                .zip(failed)
                .filter(|(_, failed)| *failed)
                .map(|(event, _)| event)
                .collect();
            if let Some(pause_ms) = pause_ms {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
        }
        Err(PublishError::NotTaken(events.len()))
    }
}
