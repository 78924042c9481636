//! Start-up: reads the configuration and builds the clients once.

use checkpoint::{Deps, KmsSigner, S3Archive, Tick, VERIFY_WITHIN_DAYS, s3_client};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use platform::config::{Env, sdk_config};
use platform::telemetry::ErrorChain;
use platform::{clock, telemetry};
use std::time::SystemTime;
use store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::from_process();
    telemetry::start(env.optional("LOG_LEVEL"));
    let sdk = sdk_config().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let cache = env.require("CHECKPOINT_CACHE_BUCKET")?;
    let deps = Deps {
        heads: Store::new(dynamodb, env.require("LEADS_TABLE")?, env.require("AUDIT_TABLE")?),
        archive: S3Archive::new(s3_client(&sdk), env.require("CHECKPOINT_BUCKET")?, Some(cache)),
        signer: KmsSigner::new(aws_sdk_kms::Client::new(&sdk), env.require("CHECKPOINT_KEY")?).await?,
        deployment: env.require("DEPLOYMENT")?,
        verify_within_days: env.number("VERIFY_WITHIN_DAYS", VERIFY_WITHIN_DAYS, 1..=365)?,
    };
    let deps = &deps;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Tick>| {
        let made = checkpoint::checkpoint(deps, &event.payload, clock::instant(SystemTime::now())).await;
        // Includes all causes, because a person reads the schedule's dead letters.
        let made = made.map_err(|error| ErrorChain(&error).to_string())?;
        tracing::info!(
            made = made.made,
            number = made.number,
            subjects = made.subjects,
            commits = made.commits,
            changed = made.changed,
            read = made.read,
            read_again = made.read_again,
            unread = made.unread,
            "checkpoint"
        );
        Ok::<_, Error>(made)
    }))
    .await
}
