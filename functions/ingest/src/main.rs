//! Start-up: configuration is read and clients are built once.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use ingest::Ingest;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use platform::config::{Env, sdk_config};
use platform::secrets::{Secrets, TTL_DEFAULT};
use platform::{clock, telemetry};
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
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        // On the heap: the whole of a request is one large future.
        Ok::<_, Error>(Box::pin(ingest.handle(event.payload, clock::instant(SystemTime::now()))).await)
    }))
    .await
}
