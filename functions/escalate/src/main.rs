//! Start-up: reads the configuration and builds the clients once.

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use platform::config::{Env, sdk_config};
use platform::{batch, clock, telemetry};
use service::Service;
use std::time::SystemTime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::from_process();
    telemetry::start(env.optional("LOG_LEVEL"));
    let sdk = sdk_config().await;
    let service = Service::from_env_to_erase(&env, &sdk)?;
    let service = &service;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<SqsEvent>| {
        let wake = async |record: batch::Record<'_>| {
            escalate::escalate(service, record, clock::instant(SystemTime::now())).await
        };
        Ok::<_, Error>(batch::run(event.payload, wake).await?)
    }))
    .await
}
