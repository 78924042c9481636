//! Stream records of changes to items that are written once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use audit::tampering::Report;
use aws_sdk_eventbridge::config::{BehaviorVersion, Region};
use futures::future::BoxFuture;
use publish::{Publisher, ReportError, Reports};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// Keeps reports, or fails.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Report>>>, bool);

impl Reports for Kept {
    fn keep<'a>(&'a self, report: &'a Report) -> BoxFuture<'a, Result<(), ReportError>> {
        if self.1 {
            return Box::pin(std::future::ready(Err(ReportError::new(&report.path(), "it is down"))));
        }
        self.0.lock().unwrap().push(report.clone());
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A publisher with a bus that does not answer, because changed items are not published.
fn publisher(kept: &Kept) -> Publisher {
    let config = aws_sdk_eventbridge::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url("http://127.0.0.1:1")
        .allow_no_auth()
        .build();
    let client = aws_sdk_eventbridge::Client::from_conf(config);
    Publisher { client, bus: "leadwatch".to_owned(), reports: Arc::new(kept.clone()) }
}

fn record(name: &str, pk: &str, place: &str) -> Value {
    json!({"eventID": place, "eventName": name, "awsRegion": "eu-central-1", "dynamodb": {
        "Keys": {"pk": {"S": pk}, "sk": {"S": "000000000003"}}, "SequenceNumber": place, "SizeBytes": 1,
        "NewImage": {"pk": {"S": pk}, "entries": {"S": "forged"}}, "ApproximateCreationDateTime": 0.0,
    }})
}

async fn publish(kept: &Kept, records: &[Value]) -> Vec<Option<String>> {
    let event = serde_json::from_value(json!({"Records": records})).unwrap();
    let answer = publisher(kept).publish(event).await;
    answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

#[tokio::test]
async fn an_item_that_was_replaced_or_removed_is_reported_and_not_published() {
    let kept = Kept::default();
    let records = [
        record("MODIFY", "lead/L-1", "7"),
        record("REMOVE", "account/A-1", "8"),
        record("SOMETHING", "rep/rep-ana", "9"),
    ];
    assert!(publish(&kept, &records).await.is_empty());
    let names: Vec<String> = kept.0.lock().unwrap().iter().map(Report::name).collect();
    assert_eq!(
        names,
        [
            "lead~L-1_000000000003_replaced_7.json",
            "account~A-1_000000000003_removed_8.json",
            "rep~rep-ana_000000000003_replaced_9.json",
        ]
    );
}

#[tokio::test]
async fn a_data_key_that_was_replaced_stops_no_checkpoint() {
    let kept = Kept::default();
    assert!(publish(&kept, &[record("MODIFY", "KEY#lead/L-1", "7")]).await.is_empty());
    assert!(kept.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_report_that_cannot_be_kept_comes_again() {
    let kept = Kept(Arc::default(), true);
    let records = [record("MODIFY", "lead/L-1", "7"), record("REMOVE", "lead/L-2", "8")];
    assert_eq!(publish(&kept, &records).await, [Some("7".to_owned())]);
}
