//! Signs checkpoints with a key in KMS, which nobody can extract.

use audit::signature::{Algorithm, KeyError, PublicKey, Signature};
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};

/// Why signing failed.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The key service did not answer, or refused.
    #[error("the key service could not use the key `{key}`")]
    Service {
        /// The key's id.
        key: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The key has another type.
    #[error("the key `{key}` is not a P-256 key (ECC_NIST_P256)")]
    Kind {
        /// The key's id.
        key: String,
        /// The cause.
        #[source]
        source: Option<KeyError>,
    },
    /// A key in a file did not sign.
    #[error("the key did not sign")]
    Key(#[from] KeyError),
}

/// Signs checkpoints.
pub trait Signer {
    /// The public half of the key.
    fn public_key(&self) -> &PublicKey;
    /// Signs a text.
    fn sign(&self, text: &str) -> impl Future<Output = Result<Signature, SignerError>> + Send;
}

/// A key in KMS.
#[derive(Debug, Clone)]
pub struct KmsSigner {
    client: Client,
    key: String,
    public: PublicKey,
}

impl KmsSigner {
    /// Takes a key by its id, and fetches its public half.
    ///
    /// # Errors
    /// KMS does not answer, or the key has another type.
    pub async fn new(client: Client, key: impl Into<String>) -> Result<Self, SignerError> {
        let key = key.into();
        let answer = client
            .get_public_key()
            .key_id(&key)
            .send()
            .await
            .map_err(|error| SignerError::Service { key: key.clone(), source: error.into() })?;
        let der = answer.public_key.unwrap_or_else(|| Blob::new([]));
        let kind = |source| SignerError::Kind { key: key.clone(), source };
        let public = PublicKey::from_der(der.as_ref()).map_err(|error| kind(Some(error)))?;
        if public.algorithm() != Algorithm::EcdsaSha256 {
            return Err(kind(None));
        }
        Ok(Self { client, key, public })
    }
}

impl Signer for KmsSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    async fn sign(&self, text: &str) -> Result<Signature, SignerError> {
        // KMS hashes up to 4,096 bytes itself; a checkpoint is much smaller.
        let answer = self
            .client
            .sign()
            .key_id(&self.key)
            .message(Blob::new(text))
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
            .send()
            .await
            .map_err(|error| SignerError::Service { key: self.key.clone(), source: error.into() })?;
        let value = answer.signature.unwrap_or_else(|| Blob::new([]));
        Ok(self.public.signature(value.as_ref()))
    }
}
