//! The head of every subject, for checkpoints. An index holds the heads alone, so that reading all of them is
//! cheap.

use crate::attributes::{HEAD, HEAD_COMMIT};
use crate::audit::head_of;
use crate::error::StoreError;
use crate::item::{Item, get_number, get_text, text};
use crate::keys::{head_shard, head_shard_name};
use crate::page::{Cursor, Page};
use crate::request::failed;
use crate::schema::HEADS;
use crate::store::Store;
use audit::leaves::Leaf;

impl Store {
    /// A page of a shard's heads after a cursor, by subject: one megabyte of the index, about six thousand
    /// heads. There are [`crate::DUE_SHARDS`] shards. The index may be slightly behind: a commit that is
    /// missing now appears the next time.
    ///
    /// # Errors
    /// If the database does not answer, or an item cannot be read.
    pub async fn heads(&self, shard: u8, after: Option<&Cursor>) -> Result<Page<Leaf>, StoreError> {
        let subjects = after.map_or("0", Cursor::as_str);
        let (items, more) = self.query_heads(head_shard_name(shard), "#subject > :subject", subjects).await?;
        let items: Vec<Leaf> = items.iter().map(leaf_of).collect::<Result<_, _>>()?;
        let next = items.last().filter(|_| more).map(|last| Cursor::new(&*last.subject));
        Ok(Page { items, next })
    }

    /// The head of one subject, as the index shows it now.
    ///
    /// # Errors
    /// If the database does not answer, or the item cannot be read.
    pub async fn head(&self, subject: &str) -> Result<Option<Leaf>, StoreError> {
        let (items, _) = self.query_heads(head_shard(subject), "#subject = :subject", subject).await?;
        items.first().map(leaf_of).transpose()
    }

    async fn query_heads(
        &self,
        shard: String,
        subjects: &str,
        subject: &str,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let answer = self
            .client()
            .query()
            .table_name(self.leads_table())
            .index_name(HEADS.name)
            .key_condition_expression(format!("#shard = :shard AND {subjects}"))
            .projection_expression("#subject, #head, #commit")
            .expression_attribute_names("#shard", HEADS.partition)
            .expression_attribute_names("#subject", HEADS.sort)
            .expression_attribute_names("#head", HEAD)
            .expression_attribute_names("#commit", HEAD_COMMIT)
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":subject", text(subject))
            .send()
            .await
            .map_err(failed)?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), more))
    }
}

fn leaf_of(item: &Item) -> Result<Leaf, StoreError> {
    let subject = get_text(item, HEADS.sort)?.into();
    Ok(Leaf { commit: get_number(item, HEAD_COMMIT)?, head: head_of(item)?, subject })
}
