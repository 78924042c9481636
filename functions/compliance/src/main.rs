//! Start-up: reads the configuration and builds the clients once.

use compliance::Compliance;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use platform::caller::GROUPS_CLAIM_DEFAULT;
use platform::config::{Env, sdk_config};
use platform::{clock, http, telemetry};
use serde_json::value::RawValue;
use service::Service;
use std::time::SystemTime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::from_process();
    telemetry::start(env.optional("LOG_LEVEL"));
    let sdk = sdk_config().await;
    let compliance = Compliance {
        service: Service::from_env_to_erase(&env, &sdk)?,
        groups_claim: env.optional("GROUPS_CLAIM").unwrap_or(GROUPS_CLAIM_DEFAULT).to_owned(),
    };
    let compliance = &compliance;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Box<RawValue>>| {
        let now = clock::instant(SystemTime::now());
        let request = match http::event(&event.payload, now) {
            Ok(request) => request,
            Err(problem) => return Ok::<_, Error>(problem.into()),
        };
        // On the heap: the future of a request is large.
        Ok(Box::pin(compliance.handle(request, now)).await)
    }))
    .await
}
