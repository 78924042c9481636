//! The model matches this code: its transactions are the ones that the store sends.

use super::state::Fact;
use super::transaction::{Condition, Decision, Operation, Target, Write};
use crate::support::{AUDIT, Bench, LEADS, arrival, at, minutes, score, wake};
use rules::lead::{Command, Input};
use rules::notification::{Delivery, DeliveryResult};
use serde_json::Value;

/// The writes of the last commit; several notifications count as one.
fn sent(bench: &Bench) -> Vec<Write> {
    let transactions = bench.wire.transactions();
    assert_eq!(transactions.len(), 1, "a commit is one transaction");
    let mut writes: Vec<Write> =
        transactions[0]["TransactItems"].as_array().unwrap().iter().map(write).collect();
    writes.dedup();
    writes
}

fn write(item: &Value) -> Write {
    let (operation, write) = item.as_object().unwrap().iter().next().unwrap();
    let operation = match operation.as_str() {
        "Put" => Operation::Put,
        "Update" => Operation::Update,
        "Delete" => Operation::Delete,
        other => panic!("{other} of {write} is not in the model"),
    };
    let key = if write["Item"].is_null() { &write["Key"] } else { &write["Item"] };
    let (pk, sk) = (key["pk"]["S"].as_str().unwrap(), key["sk"]["S"].as_str().unwrap());
    let place = match (write["TableName"].as_str().unwrap(), pk.split('#').next().unwrap()) {
        (AUDIT, _) => Target::Audit,
        (LEADS, "LEAD") => Target::Lead,
        (LEADS, "SEEN") => Target::Seen,
        (LEADS, "OUTBOX") => Target::Outbox,
        (LEADS, "REP") => Target::Rep,
        _ => panic!("{pk}/{sk} is not in the model"),
    };
    let when = match write["ConditionExpression"].as_str() {
        None => Condition::Always,
        // A lead that does not exist yet.
        Some("attribute_not_exists(pk)") if place == Target::Lead => Condition::AsSeen,
        Some("attribute_not_exists(pk)") => Condition::Absent,
        Some("attribute_exists(pk)") => Condition::Present,
        Some("#version = :version" | "#version = :seen") => Condition::AsSeen,
        Some(other) => panic!("{other} is not in the model"),
    };
    (place, operation, when)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_transactions_of_the_model_are_the_ones_that_the_store_sends() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    // Both reps have a lead before the third, so that their items exist.
    for id in ["L-1", "L-2"] {
        bench.store.execute(&arrival(id, now, None), Some(id), now).await.unwrap();
    }
    bench.wire.forget();
    bench.store.execute(&arrival("L-3", now, None), Some("arrival"), now).await.unwrap();
    assert_eq!(sent(&bench), Decision::Event { is_assigned: true }.writes());

    let told = bench.store.execute(&score("L-3", "score", now, 90), Some("score"), now).await.unwrap();
    assert_eq!(sent(&bench), Decision::Event { is_assigned: false }.writes());

    let due = now + minutes(48);
    bench.store.execute(&wake("L-3", "wake"), None, due).await.unwrap();
    assert_eq!(sent(&bench), Decision::Wake.writes());
    // A threshold that has fired is no longer due: a second wake writes nothing.
    bench.store.execute(&wake("L-3", "wake"), None, due).await.unwrap();
    assert!(bench.wire.transactions().is_empty());

    for (n, (result, fact)) in [
        (DeliveryResult::Delivered { channel: "slack".into(), reference: None }, Fact::Delivered),
        (DeliveryResult::Withdrawn { reason: "the lead is held".into() }, Fact::Withdrawn),
    ]
    .into_iter()
    .enumerate()
    {
        let delivery =
            Delivery { id: told.notifications[n].id.clone(), attempts: 1, result, with: Vec::new() };
        let command = Command { input: Input::Delivery(delivery), ..wake("L-3", "delivery") };
        bench.store.execute(&command, None, due).await.unwrap();
        assert_eq!(sent(&bench), Decision::Delivery(fact).writes());
    }
}
