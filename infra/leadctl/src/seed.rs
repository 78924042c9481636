//! What a fresh local stack is filled with beyond secrets and staff: the policy, the directory,
//! and one lead that makes a rep full.

use crate::send;
use crate::state::State;
use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use policy::Policy;
use policy::directory::Directory;
use rules::entry::Actor;
use rules::publication::Publishing;
use sealing::KmsWrap;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use store::{Store, StoreError};

/// Who publishes what a stack begins with.
const SEEDER: &str = "leadctl up";
/// Why.
const WHY: &str = "what a new stack begins with";

/// Fills the stack that `state` describes. Called once after each deployment, before anybody is
/// told that it is ready; what is there already stays.
///
/// # Errors
/// When the stack does not take what it is given.
pub async fn seed(root: &Path, state: &State) -> anyhow::Result<()> {
    let store = local_store(state).await?;
    let directory =
        Directory::parse(&read(root, "directory.yaml")?).context("infra/policies/directory.yaml")?;
    let policy = default_policy(root)?;
    policy.check_against(&directory).context("infra/policies/default.yaml")?;
    if let Err(StoreError::NotSeeded { .. }) = store.current_directory().await {
        let by = Actor::system(SEEDER);
        store.publish_directory(directory.document(), &publishing(&by, WHY), None, Some(0)).await?;
    }
    if let Err(StoreError::NotSeeded { .. }) = store.current_policy().await {
        publish(&store, &policy, SEEDER, WHY).await?;
    }
    fill_a_rep(state).await
}

/// Publishes a policy. The next tick shows it to the leads in flight.
///
/// # Errors
/// When the store does not take it.
async fn publish(store: &Store, policy: &Policy, by: &str, why: &str) -> anyhow::Result<()> {
    let by = Actor::system(by);
    store.publish_policy(policy, &publishing(&by, why), None, Some(0)).await?;
    Ok(())
}

fn publishing<'a>(by: &'a Actor, why: &'a str) -> Publishing<'a> {
    Publishing { by, publisher: None, why, cause: why, now: platform::clock::instant(SystemTime::now()) }
}

/// The policy that a new deployment begins with.
///
/// # Errors
/// When it cannot be read, or is not sound.
pub fn default_policy(root: &Path) -> anyhow::Result<Policy> {
    Policy::parse(&read(root, "default.yaml")?).context("infra/policies/default.yaml")
}

/// The store of a local stack. Its credentials are no secret: the emulator takes any.
///
/// # Errors
/// When the stack has no tables.
pub async fn local_store(state: &State) -> anyhow::Result<Store> {
    let sdk = local_sdk(state).await;
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let wrap = KmsWrap::new(aws_sdk_kms::Client::new(&sdk), state.output("DataKeyArn")?);
    let store = Store::new(client, state.output("LeadsTableName")?, state.output("AuditTableName")?);
    Ok(store.with_keys(state.output("KeysTableName")?, Arc::new(wrap)))
}

/// How the emulator of a local stack is reached, with credentials that it takes for its owner's.
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

/// A rep with room for one lead gets one, through the front door, so that routing has somebody to
/// pass over. It is won soon enough to bother nobody: it is in a state without a window.
async fn fill_a_rep(state: &State) -> anyhow::Result<()> {
    let now = platform::clock::instant(SystemTime::now());
    let event = json!({
        "id": "seed-full-rep",
        "type": "lead.upserted",
        "occurred_at": now,
        "lead": {"id": "L-1", "market": "us", "country": "US", "source": "partner", "company": "First Customer",
                 "state": "NEGOTIATION", "owner": "rep-dan"},
    });
    let answer = send::post(state, "generic", &event).await?;
    anyhow::ensure!(answer.status == 200, "the stack did not take the first lead: {}", answer.body);
    Ok(())
}
