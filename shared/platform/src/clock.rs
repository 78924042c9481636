//! The time, as a function's `main` reads it.

use chrono::{DateTime, SubsecRound as _, Utc};
use std::time::SystemTime;

/// Cuts a time to whole milliseconds, which every store and format keeps without loss.
#[must_use]
pub fn instant(time: SystemTime) -> DateTime<Utc> {
    DateTime::<Utc>::from(time).trunc_subsecs(3)
}
