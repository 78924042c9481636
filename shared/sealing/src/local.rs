//! Wraps data keys under a master key in memory, for tests and simulations.

use crate::data_key::{DATA_KEY_BYTES, DataKey};
use crate::wrap::{KeyWrap, NewKey, WrapError, data_key};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use futures::future::BoxFuture;

/// Wraps data keys under its own master key: a nonce, then the key sealed for its subject.
pub struct LocalWrap(LessSafeKey);

impl LocalWrap {
    /// Uses this master key.
    ///
    /// # Errors
    /// None in practice: any bytes of this length are a key.
    pub fn new(master: &[u8; DATA_KEY_BYTES]) -> Result<Self, WrapError> {
        let key =
            UnboundKey::new(&AES_256_GCM_SIV, master).map_err(|error| WrapError::Refused(error.into()))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Uses a random master key, which is lost with this value.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn random() -> Result<Self, WrapError> {
        Self::new(&random()?)
    }

    fn wrap(&self, subject: &str, bytes: &[u8; DATA_KEY_BYTES]) -> Result<Vec<u8>, WrapError> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = bytes.to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(unique, Aad::from(subject), &mut sealed)
            .map_err(|error| WrapError::Refused(error.into()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn unwrap_key(&self, subject: &str, wrapped: &[u8]) -> Result<DataKey, WrapError> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or(WrapError::Foreign)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened =
            self.0.open_in_place(nonce, Aad::from(subject), &mut sealed).map_err(|_| WrapError::Foreign)?;
        data_key(opened)
    }
}

/// Never shows the key.
impl std::fmt::Debug for LocalWrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalWrap")
    }
}

impl KeyWrap for LocalWrap {
    fn generate<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<NewKey, WrapError>> {
        Box::pin(async move {
            let bytes = random()?;
            Ok(NewKey { key: data_key(&bytes)?, wrapped: self.wrap(subject, &bytes)? })
        })
    }

    fn open<'a>(&'a self, subject: &'a str, wrapped: &'a [u8]) -> BoxFuture<'a, Result<DataKey, WrapError>> {
        Box::pin(async move { self.unwrap_key(subject, wrapped) })
    }
}

fn random<const N: usize>() -> Result<[u8; N], WrapError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|error| WrapError::Unavailable(error.into()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wrapped_key_opens_only_for_its_subject_under_its_master_key() {
        let wrap = LocalWrap::random().unwrap();
        let made = wrap.generate("lead/L-1").await.unwrap();
        let sealed = made.key.seal("lead/L-1", "Kim").unwrap();
        let opened = wrap.open("lead/L-1", &made.wrapped).await.unwrap();
        assert_eq!(opened.open("lead/L-1", &sealed).unwrap(), "Kim");

        let is_foreign = |opened: Result<DataKey, WrapError>| matches!(opened, Err(WrapError::Foreign));
        assert!(is_foreign(wrap.open("lead/L-2", &made.wrapped).await));
        assert!(is_foreign(LocalWrap::random().unwrap().open("lead/L-1", &made.wrapped).await));
        assert!(is_foreign(wrap.open("lead/L-1", &made.wrapped[..20]).await));
        assert!(is_foreign(wrap.open("lead/L-1", b"").await));
    }
}
