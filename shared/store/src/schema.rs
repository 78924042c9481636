//! The three tables and their indexes. The deployment's template declares the same.

use crate::attributes::{HEAD, PK, SK};
use crate::item::{Item, text};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::{CreateTableInput, builders::CreateTableInputBuilder};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};

pub use crate::attributes::{HEAD_COMMIT, TTL_ATTRIBUTE};

/// An index. Its attributes are texts; an item without them is not in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Its partition key.
    pub partition: &'static str,
    /// Its sort key.
    pub sort: &'static str,
    /// The attributes it holds beside the keys.
    pub includes: &'static [&'static str],
}

/// What falls due, by shard and time.
pub const DUE: Index =
    Index { name: "due", partition: "due_shard", sort: "wake_at", includes: &["handed_at"] };
/// Open compliance reviews, oldest first.
pub const COMPLIANCE_REVIEWS: Index = Index {
    name: "compliance-reviews",
    partition: "compliance_queue",
    sort: "compliance_since",
    includes: &[],
};
/// The operations queue, oldest first.
pub const OPERATIONS_REVIEWS: Index = Index {
    name: "operations-reviews",
    partition: "operations_queue",
    sort: "operations_since",
    includes: &[],
};
/// Leads by owner.
pub const BY_OWNER: Index =
    Index { name: "by-owner", partition: "owner_key", sort: "sk_lead", includes: &[] };
/// Leads by account.
pub const BY_ACCOUNT: Index =
    Index { name: "by-account", partition: "account_key", sort: "sk_lead", includes: &[] };
/// Leads by market.
pub const BY_MARKET: Index =
    Index { name: "by-market", partition: "market_key", sort: "sk_lead", includes: &[] };

/// Leads with clocks by market and state, and within a state by source: a publication affects only a few
/// states, whose windows or thresholds it changes.
pub const BY_STATE: Index =
    Index { name: "by-state", partition: "state_key", sort: "sk_source", includes: &[] };

/// The head of every subject, for checkpoints. The cost of reading all heads does not depend on the size of
/// the subjects.
pub const HEADS: Index =
    Index { name: "heads", partition: "head_shard", sort: "head_subject", includes: &[HEAD, HEAD_COMMIT] };

/// The indexes of the leads table.
pub const INDEXES: [Index; 8] =
    [DUE, COMPLIANCE_REVIEWS, OPERATIONS_REVIEWS, BY_OWNER, BY_ACCOUNT, BY_MARKET, BY_STATE, HEADS];

/// The leads table: leads, accounts, reps, outbox, dedupe items, policies, directories.
///
/// # Errors
/// None in practice: the SDK's builders check members that are always set.
pub fn leads_table(name: &str) -> Result<CreateTableInputBuilder, BuildError> {
    let mut attributes = vec![PK, SK];
    let mut indexes = Vec::new();
    for index in INDEXES {
        attributes.extend([index.partition, index.sort]);
        let projection = if index.includes.is_empty() {
            Projection::builder().projection_type(ProjectionType::KeysOnly).build()
        } else {
            Projection::builder()
                .projection_type(ProjectionType::Include)
                .set_non_key_attributes(Some(index.includes.iter().map(|&name| name.to_owned()).collect()))
                .build()
        };
        indexes.push(
            GlobalSecondaryIndex::builder()
                .index_name(index.name)
                .set_key_schema(Some(key_schema(index.partition, index.sort)?))
                .projection(projection)
                .build()?,
        );
    }
    attributes.sort_unstable();
    attributes.dedup();
    let definitions: Result<Vec<_>, BuildError> = attributes.into_iter().map(definition).collect();
    Ok(table(name)?.set_attribute_definitions(Some(definitions?)).set_global_secondary_indexes(Some(indexes)))
}

/// The audit table: one item for each commit, never changed, with a stream of new items.
///
/// # Errors
/// None in practice: the SDK's builders check members that are always set.
pub fn audit_table(name: &str) -> Result<CreateTableInputBuilder, BuildError> {
    streamed_table(name, StreamViewType::NewImage)
}

/// The table of data keys: a wrapped key for each subject, or a tombstone for a destroyed one.
///
/// It must have no backups, and its stream must contain only the keys of items: a data key that can be
/// restored is not destroyed.
///
/// # Errors
/// None in practice: the SDK's builders check members that are always set.
pub fn keys_table(name: &str) -> Result<CreateTableInputBuilder, BuildError> {
    streamed_table(name, StreamViewType::KeysOnly)
}

fn definition(name: &str) -> Result<AttributeDefinition, BuildError> {
    AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
}

fn streamed_table(name: &str, view: StreamViewType) -> Result<CreateTableInputBuilder, BuildError> {
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(view).build()?;
    let definitions = vec![definition(PK)?, definition(SK)?];
    Ok(table(name)?.set_attribute_definitions(Some(definitions)).stream_specification(stream))
}

fn table(name: &str) -> Result<CreateTableInputBuilder, BuildError> {
    Ok(CreateTableInput::builder()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(PK, SK)?)))
}

fn key_schema(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, BuildError> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build())
        .collect()
}

/// Adds an item to an index; an empty key adds nothing.
pub(crate) fn put_into(index: Index, item: &mut Item, partition: &str, sort: String) {
    if !partition.is_empty() && !sort.is_empty() {
        item.insert(index.partition.to_owned(), text(partition));
        item.insert(index.sort.to_owned(), text(sort));
    }
}
