//! What a function makes of the time that its `main` reads.

use chrono::{DateTime, SubsecRound as _, Utc};
use std::time::SystemTime;

/// An instant as it goes into records and indexes: whole milliseconds, which every store and
/// format carries without loss.
#[must_use]
pub fn instant(time: SystemTime) -> DateTime<Utc> {
    DateTime::<Utc>::from(time).trunc_subsecs(3)
}
