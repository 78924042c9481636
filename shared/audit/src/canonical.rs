//! Writes and reads the canonical form of a JSON document (RFC 8785): no white space, members in the UTF-16
//! order of their names, one spelling of each string and number. Numbers are integers that every reader holds
//! exactly; anything else has to be a string. A duplicate name is never canonical: a reader keeps one of the
//! two, and writing the document again gives another text.

use serde::Serialize;
use serde_json::Value;

/// Integers beyond this are not exact in every reader (RFC 8785, 3.2.2.3; RFC 7493, 2.2).
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Why a document has no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// It is not JSON, or cannot be written as JSON.
    #[error("not JSON")]
    Json(#[from] serde_json::Error),
    /// A number that readers may interpret differently.
    #[error("the number {0} is not an integer of at most 53 bits; write it as a string")]
    Number(serde_json::Number),
    /// It is JSON, but not canonical.
    #[error("not in canonical form: other software wrote it, or it was changed")]
    Form,
}

/// The canonical form of a value that serializes to JSON.
///
/// # Errors
/// If a number is not an exact integer.
pub fn to_text(value: &impl Serialize) -> Result<String, CanonicalError> {
    of_value(&serde_json::to_value(value)?)
}

/// The canonical form of a value.
///
/// # Errors
/// As for [`to_text`].
pub fn of_value(value: &Value) -> Result<String, CanonicalError> {
    check_numbers(value)?;
    Ok(serde_json_canonicalizer::to_string(value)?)
}

/// Reads text that must be in canonical form.
///
/// # Errors
/// If it is not, or not JSON.
pub fn read(text: &str) -> Result<Value, CanonicalError> {
    let value: Value = serde_json::from_str(text)?;
    if of_value(&value)? == text { Ok(value) } else { Err(CanonicalError::Form) }
}

fn check_numbers(value: &Value) -> Result<(), CanonicalError> {
    match value {
        Value::Number(number) => {
            let exact = number.as_u64().is_some_and(|n| n <= INTEGER_MAX)
                || number.as_i64().is_some_and(|n| n.unsigned_abs() <= INTEGER_MAX);
            if exact { Ok(()) } else { Err(CanonicalError::Number(number.clone())) }
        }
        Value::Array(items) => items.iter().try_for_each(check_numbers),
        Value::Object(members) => members.values().try_for_each(check_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_without_its_fractions() {
        // RFC 8785, 3.2.3: sorted by UTF-16 code units, not by code points.
        let text = "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\
                    \"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\",\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}";
        let canonical = of_value(&serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(
            canonical,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\
             \"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        );
        assert!(read(&canonical).is_ok());
    }

    #[test]
    fn only_exact_integers_are_numbers() {
        for text in ["0.1", "1e3", "9007199254740992", "-9007199254740992", "1.0"] {
            let read = read(text);
            assert!(matches!(read, Err(CanonicalError::Number(_))), "{text}: {read:?}");
        }
        for text in ["0", "-1", "9007199254740991", "-9007199254740991", "\"0.1\""] {
            assert!(read(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn any_other_form_of_a_document_is_refused() {
        for text in [
            "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"a\":1}",
            "{\"b\":1,\"a\":2}",
            "{\"a\": 1}",
            "[1 ]",
            "-0",
            "\"\\u0041\"",
            "\"\\/\"",
        ] {
            let read = read(text);
            assert!(
                matches!(read, Err(CanonicalError::Form | CanonicalError::Number(_))),
                "{text}: {read:?}"
            );
        }
    }
}
