//! The time spans of a report: hours for a few days, days for some weeks, weeks for more. A tally starts with
//! hours and changes to longer spans as time passes.

use chrono::{DateTime, Datelike, Days, SubsecRound as _, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};

/// The length of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// An hour.
    Hour,
    /// A day, UTC.
    Day,
    /// A week from Monday, UTC.
    Week,
}

/// The longest time that a report counts by hours, and by days.
const HOURS_MAX: TimeDelta = TimeDelta::days(3);
const DAYS_MAX: TimeDelta = TimeDelta::days(70);

impl Span {
    /// The span for a period of this length.
    pub fn of(length: TimeDelta) -> Self {
        if length <= HOURS_MAX {
            Self::Hour
        } else if length <= DAYS_MAX {
            Self::Day
        } else {
            Self::Week
        }
    }

    /// The start of the span that contains a time.
    pub fn begin(self, at: DateTime<Utc>) -> DateTime<Utc> {
        let hour = at.with_minute(0).and_then(|at| at.with_second(0)).map_or(at, |at| at.trunc_subsecs(0));
        let day = || hour.with_hour(0).unwrap_or(hour);
        match self {
            Self::Hour => hour,
            Self::Day => day(),
            Self::Week => {
                let since_monday = u64::from(at.weekday().num_days_from_monday());
                day().checked_sub_days(Days::new(since_monday)).unwrap_or_else(day)
            }
        }
    }

    /// The start of the next span.
    pub fn next(self, begin: DateTime<Utc>) -> DateTime<Utc> {
        begin
            + match self {
                Self::Hour => TimeDelta::hours(1),
                Self::Day => TimeDelta::days(1),
                Self::Week => TimeDelta::weeks(1),
            }
    }

    /// The span in words.
    pub fn spelled(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_begins_on_its_round_time() {
        let at: DateTime<Utc> = "2026-03-04T14:35:07.123Z".parse().unwrap();
        let begins = [Span::Hour, Span::Day, Span::Week].map(|span| span.begin(at).to_rfc3339());
        assert_eq!(
            begins,
            ["2026-03-04T14:00:00+00:00", "2026-03-04T00:00:00+00:00", "2026-03-02T00:00:00+00:00"]
        );
    }

    #[test]
    fn a_day_is_counted_by_the_hour_and_a_year_by_the_week() {
        let spans = [1, 3, 4, 70, 71, 365].map(|days| Span::of(TimeDelta::days(days)));
        assert_eq!(spans, [Span::Hour, Span::Hour, Span::Day, Span::Day, Span::Week, Span::Week]);
    }
}
