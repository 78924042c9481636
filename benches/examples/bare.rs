//! The least that a Lambda function can be, for `cold_start.py` to measure the functions beside.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

async fn answer(event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(event.payload)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(answer)).await
}
