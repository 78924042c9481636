//! Signatures of checkpoints: ECDSA on P-256 with SHA-256 (KMS), or Ed25519 (a key in a file). A key's id is
//! the SHA-256 of its public half in DER (SubjectPublicKeyInfo), which `openssl pkey -pubin -outform DER |
//! sha256sum` shows too.

use crate::hash::{Hash, sha256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pem_rfc7468::LineEnding;
use serde::{Deserialize, Serialize};

/// The DER prefix of a P-256 key: id-ecPublicKey, prime256v1 (RFC 5480).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The length of an uncompressed point.
const P256_BYTES: usize = 65;
/// The DER prefix of an Ed25519 key: id-Ed25519 (RFC 8410).
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const ED25519_BYTES: usize = 32;

const PUBLIC_LABEL: &str = "PUBLIC KEY";
const PRIVATE_LABEL: &str = "PRIVATE KEY";

/// The algorithm of a signature; ECDSA has its name in KMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 over SHA-256, the signature in DER.
    #[serde(rename = "ECDSA_SHA_256")]
    EcdsaSha256,
    /// Ed25519 (RFC 8032).
    #[serde(rename = "ED25519")]
    Ed25519,
}

/// A signature, with its algorithm and its key's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The id of the key.
    pub key_id: Hash,
    /// The signature, in base64.
    pub value: String,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is not PEM.
    #[error("not PEM")]
    Pem(#[source] pem_rfc7468::Error),
    /// It is PEM with another label.
    #[error("the file holds a {found}; it must hold a {expected}")]
    Label {
        /// The label in the file.
        found: String,
        /// The expected label.
        expected: &'static str,
    },
    /// A key of another type.
    #[error("not a P-256 or Ed25519 public key")]
    Kind,
    /// A private key that is not valid.
    #[error("not an Ed25519 private key (PKCS#8)")]
    Private(#[source] aws_lc_rs::error::KeyRejected),
    /// The key did not sign.
    #[error("the key did not sign")]
    Signing,
}

/// Why a signature is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Another key signed.
    #[error("it was signed by the key {by}, but the verifying key is {key}")]
    Key {
        /// The key that the signature names.
        by: Hash,
        /// The verifying key.
        key: Hash,
    },
    /// Another algorithm than the key's.
    #[error("its algorithm does not match the key")]
    Algorithm,
    /// It is not base64.
    #[error("the signature is not base64")]
    Base64,
    /// The text or the signature was changed.
    #[error("the signature does not match the text: one of the two was changed")]
    Mismatch,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    spki: Vec<u8>,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER, as KMS returns it.
    ///
    /// # Errors
    /// If the key has another type.
    pub fn from_der(spki: &[u8]) -> Result<Self, KeyError> {
        let of = |prefix: &[u8], bytes| spki.strip_prefix(prefix).is_some_and(|key| key.len() == bytes);
        let algorithm = if of(&P256_PREFIX, P256_BYTES) {
            Algorithm::EcdsaSha256
        } else if of(&ED25519_PREFIX, ED25519_BYTES) {
            Algorithm::Ed25519
        } else {
            return Err(KeyError::Kind);
        };
        Ok(Self { algorithm, spki: spki.to_vec() })
    }

    /// Reads the text of a file (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    /// If it is not such a file, or the key has another type.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Self::from_der(&pem(text, PUBLIC_LABEL)?)
    }

    /// The text of its file.
    ///
    /// # Errors
    /// If it cannot be written as PEM.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        pem_rfc7468::encode_string(PUBLIC_LABEL, LineEnding::LF, &self.spki).map_err(KeyError::Pem)
    }

    /// Its id.
    pub fn id(&self) -> Hash {
        sha256([self.spki.as_slice()])
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Wraps a signature that this key made elsewhere.
    pub fn signature(&self, value: &[u8]) -> Signature {
        Signature { algorithm: self.algorithm, key_id: self.id(), value: BASE64_STANDARD.encode(value) }
    }

    /// Verifies a signature of a text.
    ///
    /// # Errors
    /// If it belongs to another key or another text.
    pub fn verify(&self, text: &str, signature: &Signature) -> Result<(), SignatureError> {
        if signature.key_id != self.id() {
            return Err(SignatureError::Key { by: signature.key_id, key: self.id() });
        }
        if signature.algorithm != self.algorithm {
            return Err(SignatureError::Algorithm);
        }
        let value = BASE64_STANDARD.decode(&signature.value).map_err(|_| SignatureError::Base64)?;
        let verified = match self.algorithm {
            Algorithm::EcdsaSha256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.spki).verify(text.as_bytes(), &value)
            }
            Algorithm::Ed25519 => {
                UnparsedPublicKey::new(&ED25519, &self.spki).verify(text.as_bytes(), &value)
            }
        };
        verified.map_err(|_| SignatureError::Mismatch)
    }
}

/// An Ed25519 private key, from a file.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Reads the text of a PKCS#8 file (`BEGIN PRIVATE KEY`).
    ///
    /// # Errors
    /// If it is not such a file, or the key has another type.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let der = pem(text, PRIVATE_LABEL)?;
        Ok(Self(Ed25519KeyPair::from_pkcs8(&der).map_err(KeyError::Private)?))
    }

    /// Builds a key from 32 secret bytes.
    ///
    /// # Errors
    /// If they give no key.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        Ok(Self(Ed25519KeyPair::from_seed_unchecked(seed).map_err(KeyError::Private)?))
    }

    /// The text of its file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        // Version 1 is what every tool reads.
        let der = self.0.to_pkcs8v1().map_err(|_| KeyError::Signing)?;
        pem_rfc7468::encode_string(PRIVATE_LABEL, LineEnding::LF, der.as_ref()).map_err(KeyError::Pem)
    }

    /// Its public half.
    pub fn public_key(&self) -> PublicKey {
        let spki = [ED25519_PREFIX.as_slice(), self.0.public_key().as_ref()].concat();
        PublicKey { algorithm: Algorithm::Ed25519, spki }
    }

    /// Signs a text.
    ///
    /// # Errors
    /// If the key does not sign.
    pub fn sign(&self, text: &str) -> Result<Signature, KeyError> {
        let value = self.0.try_sign(text.as_bytes()).map_err(|_| KeyError::Signing)?;
        Ok(self.public_key().signature(value.as_ref()))
    }
}

fn pem(text: &str, expected: &'static str) -> Result<Vec<u8>, KeyError> {
    let (label, der) = pem_rfc7468::decode_vec(text.as_bytes()).map_err(KeyError::Pem)?;
    if label == expected { Ok(der) } else { Err(KeyError::Label { found: label.to_owned(), expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made with OpenSSL 3: `openssl dgst -sha256 -sign` over "a checkpoint".
    const P256: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyurVfQunN6kh4OLewmSBuTl0vgLJ\n\
        T7eHYAFfJGvh7pQpfT0cv1fNKy4GgY9AeZPK6rnX8U2FpAmpSWZB0WcN6g==\n\
        -----END PUBLIC KEY-----\n";
    const P256_ID: &str = "85eadbb938b0a33d3c6809895a27ff0776834f158540e842a31073132ca3dcfa";
    const P256_VALUE: &str =
        "MEQCIEG7tcUz8A6Bxb9w9jSV/PfL++Qobjoza9OLdx8ZGJAnAiBMWkSPV/D0TFitXb5rGAMsJs9dHH5C/bVupBcHI+esHQ==";
    // RFC 8410, 10.1 and 10.3.
    const ED25519_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    const ED25519_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

    #[test]
    fn what_openssl_signed_on_p256_is_verified_and_nothing_else_is() {
        let key = PublicKey::from_pem(P256).unwrap();
        assert_eq!((key.id().to_string().as_str(), key.to_pem().unwrap().as_str()), (P256_ID, P256));
        let signature = key.signature(&BASE64_STANDARD.decode(P256_VALUE).unwrap());
        assert_eq!((signature.value.as_str(), signature.algorithm), (P256_VALUE, Algorithm::EcdsaSha256));
        assert_eq!(key.verify("a checkpoint", &signature), Ok(()));
        assert_eq!(key.verify("a checkpoinT", &signature), Err(SignatureError::Mismatch));
        let changed = Signature { value: P256_VALUE.replace("TFit", "TFiu"), ..signature.clone() };
        assert_eq!(key.verify("a checkpoint", &changed), Err(SignatureError::Mismatch));
        let other = Signature { algorithm: Algorithm::Ed25519, ..signature.clone() };
        assert_eq!(key.verify("a checkpoint", &other), Err(SignatureError::Algorithm));
        let unreadable = Signature { value: "!".to_owned(), ..signature };
        assert_eq!(key.verify("a checkpoint", &unreadable), Err(SignatureError::Base64));
    }

    #[test]
    fn the_private_key_of_the_rfc_belongs_to_its_public_key() {
        let key = SigningKey::from_pem(ED25519_PRIVATE).unwrap();
        assert_eq!(key.public_key().to_pem().unwrap(), ED25519_PUBLIC);
        assert_eq!(key.to_pem().unwrap(), ED25519_PRIVATE);
        assert_eq!(PublicKey::from_pem(ED25519_PUBLIC).unwrap(), key.public_key());
        let signature = key.sign("a checkpoint").unwrap();
        assert_eq!(key.public_key().verify("a checkpoint", &signature), Ok(()));
        assert_eq!(key.public_key().verify("", &signature), Err(SignatureError::Mismatch));
    }

    #[test]
    fn it_signs_as_the_rfc_says() {
        // RFC 8032, 7.1, test 1: the empty message.
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let mut bytes = [0; 32];
        hex::decode_to_slice(seed, &mut bytes).unwrap();
        let expected = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
        let signature = SigningKey::from_seed(&bytes).unwrap().sign("").unwrap();
        assert_eq!(hex::encode(BASE64_STANDARD.decode(signature.value).unwrap()), expected);
    }

    #[test]
    fn a_signature_of_another_key_is_recognized_by_its_id() {
        let of = |seed: u8| SigningKey::from_seed(&[seed; 32]).unwrap();
        let signature = of(1).sign("text").unwrap();
        let (by, key) = (of(1).public_key().id(), of(2).public_key().id());
        assert_eq!(of(2).public_key().verify("text", &signature), Err(SignatureError::Key { by, key }));
        let renamed = Signature { key_id: key, ..signature };
        assert_eq!(of(2).public_key().verify("text", &renamed), Err(SignatureError::Mismatch));
    }

    #[test]
    fn the_error_for_another_file_names_its_label() {
        assert!(matches!(PublicKey::from_pem("hello"), Err(KeyError::Pem(_))));
        let Err(KeyError::Label { found, .. }) = PublicKey::from_pem(ED25519_PRIVATE) else { panic!() };
        assert_eq!(found, "PRIVATE KEY");
        // P-384.
        let other = "-----BEGIN PUBLIC KEY-----\nMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEt3RrkomOX5ibZ11icGNR1U1Poh7+rzkf\n\
            HWfwUPaURyyNai1x+AXoP1bLPv60hrkeiw5fedREtCie0Vozj9nprIc/Zr/2mazd\nD9cdNU47ZuOCW+gDk4QUMieLf8x4Nski\n\
            -----END PUBLIC KEY-----\n";
        assert!(matches!(PublicKey::from_pem(other), Err(KeyError::Kind)));
        assert!(matches!(SigningKey::from_pem(P256), Err(KeyError::Label { .. })));
    }
}
