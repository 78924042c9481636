//! Wraps data keys under a KMS key, which never leaves KMS. The subject is the encryption context: KMS opens
//! a data key only for that subject, and its own trail records whose key was requested, when and by whom.

use crate::data_key::{DATA_KEY_BYTES, DataKey};
use crate::wrap::{KeyWrap, NewKey, WrapError, data_key};
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use futures::future::BoxFuture;

/// The name of the subject in the encryption context.
const SUBJECT: &str = "leadwatch-subject";

/// Error codes for a temporary failure. A key that is disabled or scheduled for deletion can be restored;
/// until then no personal data is accepted.
const LATER: [&str; 9] = [
    "DependencyTimeoutException",
    "DisabledException",
    "InternalFailure",
    "KMSInternalException",
    "KMSInvalidStateException",
    "KeyUnavailableException",
    "LimitExceededException",
    "ServiceUnavailable",
    "ThrottlingException",
];
/// Error codes for another key or subject.
const FOREIGN: [&str; 2] = ["IncorrectKeyException", "InvalidCiphertextException"];

/// Wraps data keys with KMS.
#[derive(Debug, Clone)]
pub struct KmsWrap {
    client: Client,
    key_id: String,
}

impl KmsWrap {
    /// Uses the key with this id, ARN or alias.
    pub fn new(client: Client, key_id: impl Into<String>) -> Self {
        Self { client, key_id: key_id.into() }
    }
}

impl KeyWrap for KmsWrap {
    fn generate<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<NewKey, WrapError>> {
        Box::pin(async move {
            let answer = self
                .client
                .generate_data_key()
                .key_id(&self.key_id)
                .key_spec(DataKeySpec::Aes256)
                .encryption_context(SUBJECT, subject)
                .send()
                .await
                .map_err(failed)?;
            let missing =
                || WrapError::Unavailable(format!("KMS returned no key of {DATA_KEY_BYTES} bytes").into());
            let key = answer.plaintext.ok_or_else(missing)?;
            let wrapped = answer.ciphertext_blob.ok_or_else(missing)?.into_inner();
            Ok(NewKey { key: data_key(key.as_ref()).map_err(|_| missing())?, wrapped })
        })
    }

    fn open<'a>(&'a self, subject: &'a str, wrapped: &'a [u8]) -> BoxFuture<'a, Result<DataKey, WrapError>> {
        Box::pin(async move {
            let answer = self
                .client
                .decrypt()
                .key_id(&self.key_id)
                .ciphertext_blob(Blob::new(wrapped))
                .encryption_context(SUBJECT, subject)
                .send()
                .await
                .map_err(failed)?;
            data_key(answer.plaintext.ok_or(WrapError::Foreign)?.as_ref())
        })
    }
}

fn failed<E>(error: SdkError<E>) -> WrapError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            WrapError::Unavailable(error.into())
        }
        SdkError::ServiceError(service) => {
            let is_any = |codes: &[&str]| service.err().code().is_some_and(|code| codes.contains(&code));
            if is_any(&FOREIGN) {
                WrapError::Foreign
            } else if service.raw().status().is_server_error() || is_any(&LATER) {
                WrapError::Unavailable(error.into())
            } else {
                WrapError::Refused(error.into())
            }
        }
        _ => WrapError::Refused(error.into()),
    }
}
