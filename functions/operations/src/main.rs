//! Start-up only.
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::run(service_fn(async |_event: LambdaEvent<Value>| {
        Ok::<Value, lambda_runtime::Error>(json!({"statusCode": 200, "body": "operations"}))
    }))
    .await
}
