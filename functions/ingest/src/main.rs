//! Start-up: reads the configuration and builds the clients once.

use ingest::Ingest;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use platform::config::{Env, sdk_config};
use platform::secrets::{Secrets, TTL_DEFAULT};
use platform::{clock, http, telemetry};
use serde_json::value::RawValue;
use service::Service;
use std::time::SystemTime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::from_process();
    telemetry::start(env.optional("LOG_LEVEL"));
    let sdk = sdk_config().await;
    let ingest = Ingest {
        service: Service::from_env(&env, &sdk)?,
        secrets: Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), TTL_DEFAULT),
        secret_prefix: env.require("HOOK_SECRET_PREFIX")?,
    };
    let ingest = &ingest;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Box<RawValue>>| {
        let now = clock::instant(SystemTime::now());
        let request = match http::event(&event.payload, now) {
            Ok(request) => request,
            Err(problem) => return Ok::<_, Error>(problem.into()),
        };
        // On the heap: the future of a request is large.
        Ok(Box::pin(ingest.handle(request, now)).await)
    }))
    .await
}
