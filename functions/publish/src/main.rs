//! Start-up: reads the configuration and builds the clients once.

use aws_lambda_events::dynamodb::Event;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use platform::config::{Env, sdk_config};
use platform::telemetry;
use publish::{CheckpointBucket, Publisher};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::from_process();
    telemetry::start(env.optional("LOG_LEVEL"));
    let sdk = sdk_config().await;
    let bucket = CheckpointBucket::new(aws_sdk_s3::Client::new(&sdk), env.require("CHECKPOINT_BUCKET")?);
    let publisher = Publisher {
        client: aws_sdk_eventbridge::Client::new(&sdk),
        bus: env.require("EVENT_BUS_NAME")?,
        reports: Arc::new(bucket),
    };
    let publisher = &publisher;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Event>| {
        Ok::<_, Error>(publisher.publish(event.payload).await)
    }))
    .await
}
