//! What is personal, left out of an export: tokens stand in its place, the same for the same text.
//! They come from a key that nobody keeps, so that a replay still sees whether somebody is the same,
//! and nobody can find out who.

use anyhow::Context as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rules::record::CommitRecord;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use sha2::Sha256;

/// The object that holds what is personal, of an input and of a fact.
const PERSONAL: &str = "personal";
/// Any JSON, of which even the keys can be personal.
const EVIDENCE: &str = "evidence";
/// So many bytes of the hash are shown: enough that no two texts of an export share a token.
const TOKEN_BYTES: usize = 10;

/// The tokens of one export.
pub struct Pseudonyms {
    key: [u8; 32],
}

impl Pseudonyms {
    /// With a fresh key, which is gone when this is.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new() -> anyhow::Result<Self> {
        let mut key = [0; 32];
        let got = rustix::rand::getrandom(&mut key, rustix::rand::GetRandomFlags::empty())
            .context("the system gives no random bytes")?;
        anyhow::ensure!(got == key.len(), "the system gives too few random bytes");
        Ok(Self { key })
    }

    /// Puts tokens in the place of what is personal in a record.
    ///
    /// # Errors
    /// When its input or its entries are not JSON objects.
    pub fn put_into(&self, record: &mut CommitRecord) -> anyhow::Result<()> {
        if let Some(recorded) = &mut record.recorded {
            self.replace(&mut recorded.input, &|input| input.get_mut(PERSONAL).into_iter().collect())?;
        }
        self.replace(&mut record.entries, &|entries| {
            let entries = entries.as_array_mut().into_iter().flatten();
            entries.filter_map(|entry| entry.get_mut("data")?.get_mut(PERSONAL)).collect()
        })
    }

    fn replace(
        &self,
        text: &mut Box<RawValue>,
        personal: &dyn Fn(&mut Value) -> Vec<&mut Value>,
    ) -> anyhow::Result<()> {
        if !text.get().contains("\"personal\"") {
            return Ok(());
        }
        let mut value: Value = serde_json::from_str(text.get())?;
        for personal in personal(&mut value) {
            self.hide(personal);
        }
        *text = to_raw_value(&value)?;
        Ok(())
    }

    fn hide(&self, value: &mut Value) {
        match value {
            Value::Null => {}
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide(item)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    if name == EVIDENCE && !field.is_null() {
                        *field = self.token(&field.to_string());
                    } else {
                        self.hide(field);
                    }
                }
            }
            Value::String(text) => *value = self.token(text),
            Value::Bool(_) | Value::Number(_) => *value = self.token(&value.to_string()),
        }
    }

    fn token(&self, text: &str) -> Value {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            // A key of any length is taken; should it not be, nothing is shown at all.
            return Value::String(String::new());
        };
        mac.update(text.as_bytes());
        let mut token = "anon-".to_owned();
        for byte in mac.finalize().into_bytes().iter().take(TOKEN_BYTES) {
            use std::fmt::Write as _;
            // Writing to a string cannot fail.
            _ = write!(token, "{byte:02x}");
        }
        Value::String(token)
    }
}
