//! A data key, and texts sealed under it: `sealed:v1:<base64url>`.
//!
//! The cipher is AES-256-GCM-SIV (RFC 8452), which stays safe when a nonce is reused. The nonce here is
//! constant, so that equal texts give equal sealed texts. That reveals whether two texts of one subject are
//! equal, and their lengths. The subject is authenticated with the text: a sealed text does not open in
//! another subject's audit.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;

/// The length of a data key, in bytes.
pub const DATA_KEY_BYTES: usize = 32;

/// The prefix of a sealed text. A text that has the prefix already is sealed like any other.
const PREFIX: &str = "sealed:v1:";

/// Why a text cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is not a sealed text.
    #[error("not a sealed text")]
    Form,
    /// It was sealed under another key or for another subject, or it was changed.
    #[error("the text was not sealed under this key for this subject")]
    Foreign,
    /// The cipher accepted neither key nor text.
    #[error("the text cannot be sealed")]
    Cipher,
}

/// Whether a text has the form of a sealed one.
pub fn is_sealed(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// The key for the personal texts of one subject. Cloning is cheap.
#[derive(Clone)]
pub struct DataKey(Arc<LessSafeKey>);

impl DataKey {
    /// Builds a key from bytes.
    ///
    /// # Errors
    /// None in practice: any bytes of this length are a key.
    pub fn new(bytes: &[u8; DATA_KEY_BYTES]) -> Result<Self, SealError> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, bytes).map_err(|_| SealError::Cipher)?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// Seals a text of a subject.
    ///
    /// # Errors
    /// None in practice: a text would have to be larger than memory.
    pub fn seal(&self, subject: &str, text: &str) -> Result<String, SealError> {
        let mut bytes = text.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(nonce(), Aad::from(subject), &mut bytes)
            .map_err(|_| SealError::Cipher)?;
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Opens a sealed text of a subject.
    ///
    /// # Errors
    /// If the text is not sealed, or not under this key for this subject.
    pub fn open(&self, subject: &str, sealed: &str) -> Result<String, SealError> {
        let encoded = sealed.strip_prefix(PREFIX).ok_or(SealError::Form)?;
        let mut bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| SealError::Form)?;
        let text =
            self.0.open_in_place(nonce(), Aad::from(subject), &mut bytes).map_err(|_| SealError::Foreign)?;
        String::from_utf8(text.to_vec()).map_err(|_| SealError::Foreign)
    }
}

/// Never shows the key.
impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey")
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> DataKey {
        DataKey::new(&[n; DATA_KEY_BYTES]).unwrap()
    }

    #[test]
    fn a_sealed_text_opens_and_equal_texts_give_equal_sealed_texts() {
        for text in ["Kim Example", "", "sealed:v1:AAAA", "Ümläut 株式会社 \u{1F600}"] {
            let sealed = key(1).seal("lead/L-1", text).unwrap();
            assert!(is_sealed(&sealed) && (text.is_empty() || !sealed.contains(text)), "{sealed}");
            assert_eq!(key(1).open("lead/L-1", &sealed).unwrap(), text);
            assert_eq!(key(1).seal("lead/L-1", text).unwrap(), sealed);
        }
        assert_ne!(key(1).seal("lead/L-1", "a").unwrap(), key(1).seal("lead/L-1", "b").unwrap());
    }

    #[test]
    fn another_key_another_subject_or_a_changed_text_does_not_open() {
        let sealed = key(1).seal("lead/L-1", "Kim Example").unwrap();
        assert_eq!(key(2).open("lead/L-1", &sealed), Err(SealError::Foreign));
        assert_eq!(key(1).open("lead/L-2", &sealed), Err(SealError::Foreign));
        let mut changed = sealed.clone().into_bytes();
        changed[12] = if changed[12] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(key(1).open("lead/L-1", &changed), Err(SealError::Foreign));
        assert_eq!(key(1).open("lead/L-1", "Kim Example"), Err(SealError::Form));
        assert_eq!(key(1).open("lead/L-1", "sealed:v1:!"), Err(SealError::Form));
        assert_eq!(key(1).open("lead/L-1", "sealed:v1:"), Err(SealError::Foreign));
    }

    #[test]
    fn the_form_of_a_sealed_text_stays_what_it_is() {
        // The audit is kept for years: older sealed texts have to open.
        let sealed = key(7).seal("lead/L-1", "Kim Example").unwrap();
        assert_eq!(sealed, "sealed:v1:Dt2zUIFahZPCaNlmSq_0LFTolTw9piV3RrUU");
    }
}
