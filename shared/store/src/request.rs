//! Requests to DynamoDB: the meaning of their failures, and the pause before the next attempt.

use crate::error::StoreError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use std::time::Duration;

/// Attempts to commit, and attempts to read unprocessed keys.
pub const ATTEMPTS_MAX: u32 = 12;

/// The longest pause before the second attempt; it doubles with each attempt.
const PAUSE_MS_FIRST: u64 = 8;
/// The longest pause.
const PAUSE_MS_MAX: u64 = 500;

/// Error codes for a temporary failure.
const BUSY: [&str; 8] = [
    "InternalServerError",
    "InternalFailure",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionInProgressException",
];

/// Waits before an attempt, with full jitter, so that competing writers spread out.
pub(crate) async fn pause(attempt: u32) {
    if attempt > 0 {
        let ms_max = (PAUSE_MS_FIRST << attempt.min(10)).min(PAUSE_MS_MAX);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=ms_max))).await;
    }
}

/// The meaning of a failed request.
pub(crate) fn failed<E>(error: SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let later = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(service) => {
            service.raw().status().is_server_error()
                || service.err().code().is_some_and(|code| BUSY.contains(&code))
        }
        _ => false,
    };
    if later { StoreError::Unavailable(error.into()) } else { StoreError::Rejected(error.into()) }
}

/// Whether the condition of an update was met.
pub(crate) fn held<T>(sent: Result<T, SdkError<UpdateItemError>>) -> Result<bool, StoreError> {
    match sent {
        Ok(_) => Ok(true),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
        {
            Ok(false)
        }
        Err(error) => Err(failed(error)),
    }
}
