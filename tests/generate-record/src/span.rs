//! The time that the audit covers.

use chrono::{DateTime, TimeDelta, Utc};

/// The length of the audit in days.
pub(crate) const DAYS: i64 = 30;

/// When the audit begins: a Monday morning in New York.
pub fn begin() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_772_460_000)
}
