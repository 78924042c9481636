//! Start-up: configuration is read and clients are built once.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use operations::Operations;
use platform::caller::GROUPS_CLAIM_DEFAULT;
use platform::config::{Env, sdk_config};
use platform::{clock, telemetry};
use service::Service;
use std::time::SystemTime;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::from_process();
    telemetry::start(env.optional("LOG_LEVEL"));
    let sdk = sdk_config().await;
    let operations = Operations {
        service: Service::from_env(&env, &sdk)?,
        groups_claim: env.optional("GROUPS_CLAIM").unwrap_or(GROUPS_CLAIM_DEFAULT).to_owned(),
    };
    let operations = &operations;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        // On the heap: the whole of a request is one large future.
        Ok::<_, Error>(Box::pin(operations.handle(event.payload, clock::instant(SystemTime::now()))).await)
    }))
    .await
}
