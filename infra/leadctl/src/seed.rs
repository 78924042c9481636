//! Fills a fresh local stack: with a policy, a directory, and one lead that brings a rep to capacity.

use crate::send;
use crate::state::State;
use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use policy::CheckedPolicy;
use policy::directory::Directory;
use rules::entry::Actor;
use rules::publication::Publishing;
use sealing::KmsWrap;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use store::{Store, StoreError};

/// The publisher of the first documents.
const SEEDER: &str = "leadctl up";
/// The reason in the record.
const WHY: &str = "first documents of a new stack";

/// Fills the stack that `state` describes, after each deployment. Documents in force stay.
///
/// # Errors
/// When a document is not valid, or the stack refuses it.
pub async fn seed(root: &Path, state: &State) -> anyhow::Result<()> {
    let store = local_store(state).await?;
    let directory =
        Directory::parse(&read(root, "directory.yaml")?).context("infra/policies/directory.yaml")?;
    let policy = default_policy(root)?;
    policy.check_against(&directory).context("infra/policies/default.yaml")?;
    let by = Actor::system(SEEDER);
    if let Err(StoreError::NotPublished { .. }) = store.current_directory().await {
        store.publish_directory(&directory, &publishing(&by), None, Some(0)).await?;
    }
    if let Err(StoreError::NotPublished { .. }) = store.current_policy().await {
        store.publish_policy(&policy, &publishing(&by), None, Some(0)).await?;
    }
    bring_a_rep_to_capacity(state).await
}

fn publishing(by: &Actor) -> Publishing<'_> {
    let now = platform::clock::instant(SystemTime::now());
    Publishing { by, publisher: None, why: WHY, cause: WHY, now }
}

/// The policy of a new deployment.
///
/// # Errors
/// When its file cannot be read, or is not valid.
pub fn default_policy(root: &Path) -> anyhow::Result<CheckedPolicy> {
    CheckedPolicy::parse(&read(root, "default.yaml")?).context("infra/policies/default.yaml")
}

/// The store of a local stack.
///
/// # Errors
/// When the template lacks an output.
pub async fn local_store(state: &State) -> anyhow::Result<Store> {
    let sdk = local_sdk(state).await;
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let wrap = KmsWrap::new(aws_sdk_kms::Client::new(&sdk), state.output("DataKeyArn")?);
    let store = Store::new(client, state.output("LeadsTableName")?, state.output("AuditTableName")?);
    Ok(store.with_keys(state.output("KeysTableName")?, Arc::new(wrap)))
}

/// The SDK configuration for the emulator of a local stack, with its owner's credentials. They are no secret: the
/// emulator accepts any.
pub async fn local_sdk(state: &State) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(&state.endpoint)
        .region(Region::new(state.region.clone()))
        .credentials_provider(Credentials::new("test", "test", None, None, "local"))
        .load()
        .await
}

fn read(root: &Path, name: &str) -> anyhow::Result<String> {
    let path = root.join("infra/policies").join(name);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Posts a lead for the rep with a capacity of one, so that routing has a rep at capacity to skip. The lead is in a late
/// state, where its window is long.
async fn bring_a_rep_to_capacity(state: &State) -> anyhow::Result<()> {
    let now = platform::clock::instant(SystemTime::now());
    let event = json!({
        "id": "seed-full-rep",
        "type": "lead.upserted",
        "occurred_at": now,
        "lead": {"id": "L-1", "market": "us", "country": "US", "source": "partner", "company": "First Customer",
                 "state": "NEGOTIATION", "owner": "rep-dan"},
    });
    let answer = send::post(state, "generic", &event).await?;
    anyhow::ensure!(answer.status == 200, "the stack refused the first lead: {}", answer.body);
    Ok(())
}
