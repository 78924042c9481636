//! The audit table's stream to the event bus: each entry becomes an event that anybody can
//! subscribe to. What is personal stays in the record, and so does what screenings found: who
//! subscribes is not known here.
//!
//! An item of the audit is put once. A record of the stream that says that one was replaced or removed
//! is tampering: it is reported where checkpoints see it, and an alarm is raised. So is a data key that
//! was replaced, which the stream of the keys tells; that concerns no checkpoint.
//!
//! The bus answers 200 and names what it did not take; those are put again. What it still does
//! not take goes back to the stream from the first record on: events come at least once, each
//! under its subject and sequence number.

mod tampering;

pub use tampering::{CheckpointBucket, ReportError, Reports};

use audit::tampering::{Deed, Report};
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
/// Events in one request.
const ENTRIES_MAX: usize = 10;
/// Bytes in one request, with room for what is counted beside the detail.
const BYTES_MAX: usize = 200 * 1024;
/// What the keys of the table of data keys begin with, and no subject does.
const DATA_KEYS: &str = "KEY#";
/// Pauses before what was not taken is put again.
const PAUSES_MS: [u64; 3] = [50, 200, 800];

/// What the handler works with.
pub struct Publisher {
    /// The bus's client.
    pub client: Client,
    /// The bus.
    pub bus: String,
    /// Where it is kept that the record was changed.
    pub reports: Arc<dyn Reports>,
}

/// Why a record was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It is no item of the audit table.
    #[error("the record is no commit")]
    Unreadable(#[source] store::StoreError),
    /// The bus did not answer.
    #[error("the bus did not answer")]
    Unavailable(#[source] Box<aws_sdk_eventbridge::Error>),
    /// The bus did not take some events, however often they were put.
    #[error("the bus did not take {0} events")]
    NotTaken(usize),
    /// It could not be kept that the record was changed.
    #[error(transparent)]
    Unreported(#[from] ReportError),
}

impl Publisher {
    /// Publishes a batch of the stream; names the first record that was not published, from
    /// which the stream goes on.
    pub async fn publish(&self, event: Event) -> DynamoDbEventResponse {
        let mut response = DynamoDbEventResponse::default();
        for record in event.records {
            let position = record.change.sequence_number.clone();
            let done = match tampering::deed_of(&record.event_name) {
                None => self.publish_record(record.change.new_image).await,
                Some(deed) => self.report(deed, &record).await,
            };
            if let Err(error) = done {
                tracing::error!(error = %platform::telemetry::ErrorChain(&error), "a commit was not published");
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = position;
                response.batch_item_failures.push(failure);
                return response;
            }
        }
        response
    }

    /// Reports that an item was changed; of its content nothing is looked at.
    async fn report(&self, deed: Deed, record: &EventRecord) -> Result<(), PublishError> {
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
        let report = Report { subject, commit, deed, mark };
        tracing::error!(
            alarm = "audit-changed",
            subject = report.subject,
            commit = report.commit,
            event,
            "an item of the audit was replaced or removed"
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

    /// Puts events; those that the bus names as not taken are put again.
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
