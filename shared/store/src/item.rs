//! Items as maps of attributes.
//!
//! A document (a lead, a policy, the entries of a commit) is JSON text in one attribute instead of a map of
//! attributes. DynamoDB's numbers have no types, drop trailing zeros and are limited to 38 digits, and its
//! maps have no order. So an account's evidence, which can be any JSON, would not come back unchanged. A
//! value that a condition, an update or an index needs is an attribute of its own.

use crate::attributes::{DOC, PK, SK};
use crate::error::StoreError;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashMap;
use std::fmt::Display;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// An item is limited to 400 KB; this leaves room for the other attributes.
pub(crate) const DOC_BYTES_MAX: usize = 380 * 1024;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A time with all its digits.
pub(crate) fn exact(at: DateTime<Utc>) -> AttributeValue {
    text(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// A document as JSON text.
pub(crate) fn document(what: &impl Display, value: &impl Serialize) -> Result<String, StoreError> {
    let json =
        serde_json::to_string(value).map_err(|error| StoreError::unreadable(what.to_string(), error))?;
    if json.len() > DOC_BYTES_MAX {
        return Err(StoreError::TooLarge { what: what.to_string() });
    }
    Ok(json)
}

/// A document of the audit: in canonical form, because it is hashed.
pub(crate) fn canonical(what: &impl Display, value: &impl Serialize) -> Result<String, StoreError> {
    let json =
        audit::canonical::to_text(value).map_err(|error| StoreError::unreadable(what.to_string(), error))?;
    if json.len() > DOC_BYTES_MAX {
        return Err(StoreError::TooLarge { what: what.to_string() });
    }
    Ok(json)
}

pub(crate) fn find_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn get_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    find_text(item, name).ok_or_else(|| missing(item, name))
}

pub(crate) fn find_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, StoreError> {
    find_number(item, name).ok_or_else(|| missing(item, name))
}

pub(crate) fn find_instant(item: &Item, name: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
    find_text(item, name).map(|at| at.parse().map_err(|_| missing(item, name))).transpose()
}

pub(crate) fn get_instant(item: &Item, name: &str) -> Result<DateTime<Utc>, StoreError> {
    find_instant(item, name)?.ok_or_else(|| missing(item, name))
}

pub(crate) fn get_document<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    serde_json::from_str(get_text(item, DOC)?).map_err(|error| StoreError::unreadable(name_of(item), error))
}

fn missing(item: &Item, name: &str) -> StoreError {
    StoreError::corrupt(format!("`{name}` of {}", name_of(item)))
}

fn name_of(item: &Item) -> String {
    let part = |name| find_text(item, name).unwrap_or("?");
    format!("{}/{}", part(PK), part(SK))
}
