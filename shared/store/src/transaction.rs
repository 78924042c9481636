//! One `TransactWriteItems`: its writes, and the meaning of its failure.

use crate::attributes::{PK, VERSION};
use crate::error::StoreError;
use crate::item::{Item, number};
use crate::keys::Key;
use crate::request::failed;
use crate::store::Store;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as WriteError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};
use policy::ids::PersonId;
use std::collections::HashMap;

/// DynamoDB's limit.
const ITEMS_MAX: usize = 100;

/// The purpose of a write in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Write {
    State,
    Audit,
    Seen,
    Outbox,
    Delivered,
    Account,
    /// The subject's data key, new or destroyed.
    DataKey,
    /// A rep that the decision relied on, or who gets one more lead.
    Rep,
    /// A rep who has one lead fewer.
    LoadDecrease(PersonId),
    /// A rep who would have one lead fewer, but whose load is already zero.
    LoadDecreaseAtZero(PersonId),
}

/// The condition of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Always,
    Absent,
    Present,
    /// The item has this `version`; 0: the item does not exist.
    Version(u64),
}

impl Condition {
    fn expression(self) -> Option<String> {
        match self {
            Self::Always => None,
            Self::Absent | Self::Version(0) => Some(format!("attribute_not_exists({PK})")),
            Self::Present => Some(format!("attribute_exists({PK})")),
            Self::Version(_) => Some("#version = :version".to_owned()),
        }
    }

    fn names(self) -> Option<HashMap<String, String>> {
        matches!(self, Self::Version(1..)).then(|| HashMap::from([("#version".into(), VERSION.into())]))
    }

    fn values(self) -> Option<HashMap<String, AttributeValue>> {
        match self {
            Self::Version(version @ 1..) => Some(HashMap::from([(":version".into(), number(version))])),
            _ => None,
        }
    }
}

/// An update expression of DynamoDB.
#[derive(Debug, Default)]
pub(crate) struct UpdateExpression {
    pub expression: String,
    pub condition: Option<String>,
    pub names: Vec<(String, String)>,
    pub values: Vec<(&'static str, AttributeValue)>,
}

/// The writes of a transaction, each with a label that identifies it in a failure.
#[derive(Debug)]
pub(crate) struct Transaction {
    writes: Vec<TransactWriteItem>,
    labels: Vec<Write>,
}

/// How a transaction ended.
#[derive(Debug)]
pub(crate) enum TransactionOutcome {
    /// Everything is written.
    Committed,
    /// Nothing is written, because these conditions failed.
    ConditionFailed(Vec<Write>),
    /// Nothing is written, because other writers held the same items or the table was busy.
    Busy,
    /// It may or may not be written.
    Unknown(StoreError),
    /// Nothing is written, and trying again would not help.
    Failed(StoreError),
}

impl Transaction {
    pub fn new() -> Self {
        Self { writes: Vec::new(), labels: Vec::new() }
    }

    fn add(&mut self, label: Write, write: TransactWriteItem) {
        self.labels.push(label);
        self.writes.push(write);
    }

    pub fn put(&mut self, label: Write, table: &str, item: Item, when: Condition) -> Result<(), StoreError> {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .set_condition_expression(when.expression())
            .set_expression_attribute_names(when.names())
            .set_expression_attribute_values(when.values())
            .build()?;
        self.add(label, TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    pub fn delete(
        &mut self,
        label: Write,
        table: &str,
        key: &Key,
        when: Condition,
    ) -> Result<(), StoreError> {
        let delete = Delete::builder()
            .table_name(table)
            .set_key(Some(key.attributes()))
            .set_condition_expression(when.expression())
            .set_expression_attribute_names(when.names())
            .set_expression_attribute_values(when.values())
            .build()?;
        self.add(label, TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    pub fn check(&mut self, label: Write, table: &str, key: &Key, when: Condition) -> Result<(), StoreError> {
        let Some(expression) = when.expression() else { return Ok(()) };
        let check = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(key.attributes()))
            .condition_expression(expression)
            .set_expression_attribute_names(when.names())
            .set_expression_attribute_values(when.values())
            .build()?;
        self.add(label, TransactWriteItem::builder().condition_check(check).build());
        Ok(())
    }

    pub fn update(
        &mut self,
        label: Write,
        table: &str,
        key: &Key,
        change: UpdateExpression,
    ) -> Result<(), StoreError> {
        let names: HashMap<_, _> = change.names.into_iter().collect();
        let values: HashMap<_, _> = change.values.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key.attributes()))
            .update_expression(change.expression)
            .set_condition_expression(change.condition)
            .set_expression_attribute_names((!names.is_empty()).then_some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build()?;
        self.add(label, TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    /// Writes everything or nothing.
    pub async fn commit(self, store: &Store) -> TransactionOutcome {
        if self.writes.len() > ITEMS_MAX {
            return TransactionOutcome::Failed(StoreError::TooLarge {
                what: format!("a commit of {} items", self.writes.len()),
            });
        }
        // The SDK adds a token, so that its own retries within the call count as one write.
        let sent = store.client().transact_write_items().set_transact_items(Some(self.writes)).send().await;
        let Err(error) = sent else { return TransactionOutcome::Committed };
        if let SdkError::ServiceError(service) = &error
            && let WriteError::TransactionCanceledException(cancelled) = service.err()
        {
            let reasons = cancelled.cancellation_reasons();
            let lost: Vec<Write> = self
                .labels
                .iter()
                .zip(reasons)
                .filter(|(_, r)| is(r, &LOST))
                .map(|(p, _)| p.clone())
                .collect();
            if !lost.is_empty() {
                return TransactionOutcome::ConditionFailed(lost);
            }
            let others = || reasons.iter().filter(|r| r.code().is_some_and(|code| code != "None"));
            if others().count() > 0 && others().all(|r| is(r, &LATER)) {
                return TransactionOutcome::Busy;
            }
            return TransactionOutcome::Failed(StoreError::Rejected(error.into()));
        }
        let busy = matches!(
            &error,
            SdkError::ServiceError(service) if matches!(
                service.err(),
                WriteError::ProvisionedThroughputExceededException(_)
                    | WriteError::TransactionInProgressException(_)
            ) || matches!(
                aws_sdk_dynamodb::error::ProvideErrorMetadata::code(service.err()),
                Some("ThrottlingException" | "RequestLimitExceeded")
            )
        );
        if busy {
            return TransactionOutcome::Busy;
        }
        match failed(error) {
            error @ StoreError::Unavailable(_) => TransactionOutcome::Unknown(error),
            error => TransactionOutcome::Failed(error),
        }
    }
}

/// Cancelled because another writer was faster.
const LOST: [&str; 1] = ["ConditionalCheckFailed"];
/// Cancelled because of a concurrent transaction or throttling.
const LATER: [&str; 4] =
    ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"];

fn is(reason: &CancellationReason, codes: &[&str]) -> bool {
    reason.code().is_some_and(|code| codes.contains(&code))
}
