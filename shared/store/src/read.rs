//! Reads items by key, many at once.

use crate::error::StoreError;
use crate::item::Item;
use crate::keys::Key;
use crate::request::{ATTEMPTS_MAX, failed, pause};
use crate::store::Store;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::collections::{BTreeSet, HashMap};

/// Keys of one batch, by DynamoDB's limit.
const BATCH_KEYS_MAX: usize = 100;

/// Items by key. A key that is not here does not exist in the table.
#[derive(Debug, Default)]
pub(crate) struct Items(HashMap<Key, Item>);

impl Items {
    pub fn get(&self, key: &Key) -> Option<&Item> {
        self.0.get(key)
    }
}

impl Store {
    /// Reads items of the tables, consistently. Takes one request for up to 100 keys, unless the database
    /// returns some unprocessed.
    pub(crate) async fn read(
        &self,
        leads: impl IntoIterator<Item = Key>,
        audit: impl IntoIterator<Item = Key>,
        data_keys: impl IntoIterator<Item = Key>,
    ) -> Result<Items, StoreError> {
        // DynamoDB rejects duplicate keys.
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
                found.0.insert(Key::of(&item)?, item);
            }
            rest = answer.unprocessed_keys.unwrap_or_default();
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(StoreError::Unavailable("some keys stayed unprocessed on every attempt".into()))
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
