//! Start-up: reads the configuration and builds the clients once.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use platform::config::{Env, sdk_config};
use platform::{clock, telemetry};
use service::Service;
use std::time::SystemTime;
use sweep::Tick;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::from_process();
    telemetry::start(env.optional("LOG_LEVEL"));
    let sdk = sdk_config().await;
    let service = Service::from_env(&env, &sdk)?;
    let service = &service;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Tick>| {
        let swept = sweep::sweep(service, &event.payload, clock::instant(SystemTime::now())).await?;
        tracing::info!(
            handed_on = swept.handed_on,
            stragglers = swept.stragglers,
            notifications = swept.notifications,
            "swept"
        );
        Ok::<_, Error>(swept)
    }))
    .await
}
