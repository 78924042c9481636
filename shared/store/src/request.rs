//! Requests to DynamoDB: what their failures mean, how long to wait before the next one, and
//! reading many items at once.

use crate::Store;
use crate::error::StoreError;
use crate::item::{Item, key_of};
use crate::keys::Key;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// How often a commit is tried, and keys that were left over are asked for.
pub const ATTEMPTS_MAX: u32 = 12;

/// The pause before the second attempt is at most this long; it doubles with each.
const PAUSE_MS_FIRST: u64 = 8;
/// No pause is longer than this.
const PAUSE_MS_MAX: u64 = 500;
/// Keys of one batch, by DynamoDB's limit.
const BATCH_KEYS_MAX: usize = 100;

/// Codes that say: later.
const BUSY: [&str; 8] = [
    "InternalServerError",
    "InternalFailure",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionInProgressException",
];

/// Waits before an attempt, with full jitter: those who lost a race do not meet again.
pub(crate) async fn pause(attempt: u32) {
    if attempt > 0 {
        let ms_max = (PAUSE_MS_FIRST << attempt.min(10)).min(PAUSE_MS_MAX);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=ms_max))).await;
    }
}

/// What a failed request means.
pub(crate) fn failed<E>(error: SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let later = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(service) => {
            service.raw().status().is_server_error()
                || service.err().code().is_some_and(|code| BUSY.contains(&code))
        }
        _ => false,
    };
    if later { StoreError::Unavailable(error.into()) } else { StoreError::Rejected(error.into()) }
}

/// Items that were read, by key. What is not here does not exist.
#[derive(Debug, Default)]
pub(crate) struct Items(HashMap<Key, Item>);

impl Items {
    pub fn get(&self, key: &Key) -> Option<&Item> {
        self.0.get(key)
    }
}

impl Store {
    /// Reads items of the tables, consistently. One request, if there are at most 100 keys and
    /// the database leaves none over.
    pub(crate) async fn read(
        &self,
        leads: impl IntoIterator<Item = Key>,
        audit: impl IntoIterator<Item = Key>,
        data_keys: impl IntoIterator<Item = Key>,
    ) -> Result<Items, StoreError> {
        // A key that is asked for twice is an error to DynamoDB.
        let wanted: BTreeSet<(&str, Key)> = leads
            .into_iter()
            .map(|key| (self.leads_table(), key))
            .chain(audit.into_iter().map(|key| (self.audit_table(), key)))
            .chain(data_keys.into_iter().map(|key| (self.keys_table(), key)))
            .collect();
        let wanted: Vec<(&str, Key)> = wanted.into_iter().collect();
        let mut found = Items::default();
        for batch in wanted.chunks(BATCH_KEYS_MAX) {
            self.read_batch(batch, &mut found).await?;
        }
        Ok(found)
    }

    async fn read_batch(&self, batch: &[(&str, Key)], found: &mut Items) -> Result<(), StoreError> {
        let mut rest: HashMap<String, KeysAndAttributes> = HashMap::new();
        for table in [self.leads_table(), self.audit_table(), self.keys_table()] {
            let keys: Vec<Item> =
                batch.iter().filter(|(of, _)| *of == table).map(|(_, key)| key.attributes()).collect();
            if !keys.is_empty() {
                let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?;
                rest.insert(table.to_owned(), keys);
            }
        }
        for attempt in 0..ATTEMPTS_MAX {
            if rest.is_empty() {
                return Ok(());
            }
            pause(attempt).await;
            let answer =
                self.client().batch_get_item().set_request_items(Some(rest)).send().await.map_err(failed)?;
            for item in answer.responses.into_iter().flatten().flat_map(|(_, items)| items) {
                found.0.insert(key_of(&item)?, item);
            }
            rest = answer.unprocessed_keys.unwrap_or_default();
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(StoreError::Unavailable("keys were left over again and again".into()))
        }
    }

    /// Reads one item, consistently.
    pub(crate) async fn read_one(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client()
            .get_item()
            .table_name(self.leads_table())
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        Ok(answer.item)
    }
}
