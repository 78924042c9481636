//! The two libraries, each asked in its own terms.
//!
//! | peer | what it is | what it reads differently |
//! | --- | --- | --- |
//! | [`workclock`] | working hours, breaks, holidays and overnight shifts over jiff | special dates are days, edges are instants (RFC 5545); knows no dated exceptions |
//! | [`opening_hours`] | OpenStreetMap's opening hours over chrono's zones | special dates are days, edges are instants, queries are local readings |

use super::calendars::written;
use super::reading::{DAY_S, Edges, Hours, Reading};
use chrono::{DateTime, NaiveDate, Utc};
use jiff::civil::{Time, Weekday};
use jiff::{SignedDuration, Timestamp};
use opening_hours::localization::TzLocation;
use opening_hours::{Context, OpeningHours};

/// The same questions as ours, to somebody else.
pub trait Peer {
    fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64;
    fn add(&self, from: DateTime<Utc>, secs: i64) -> i64;
}

/// A peer: how it is called, how it reads hours, and how it is told them.
pub struct Library {
    pub name: &'static str,
    pub reading: Reading,
    /// `None` where it has no way to say such hours.
    pub told: fn(&Hours) -> Option<Box<dyn Peer>>,
}

pub const LIBRARIES: [Library; 2] = [
    Library {
        name: "workclock",
        reading: Reading { dates_are_days: true, edges: Some(Edges::First), queries_are_local: false },
        told: |hours| workclock(hours).map(|peer| Box::new(peer) as _),
    },
    Library {
        name: "opening-hours",
        reading: Reading { dates_are_days: true, edges: Some(Edges::Last), queries_are_local: true },
        told: |hours| Some(Box::new(opening_hours(hours))),
    },
];

fn workclock(hours: &Hours) -> Option<workclock::Schedule> {
    if !hours.exceptions.is_empty() {
        return None;
    }
    let mut builder = workclock::Schedule::builder().time_zone(hours.zone.name);
    let time = |secs: i64| {
        let minutes = secs % DAY_S / 60;
        let part = |n: i64| i8::try_from(n).expect("hours and minutes are small");
        Time::constant(part(minutes / 60), part(minutes % 60), 0, 0)
    };
    for (day, blocks) in Weekday::Monday.cycle_forward().zip(&hours.week) {
        for (start, end) in blocks {
            let days = std::iter::once(day).collect();
            builder = builder.rule(workclock::WorkDay::new(time(*start), time(*end), days));
        }
    }
    let holidays = hours.holidays.iter().map(|day| {
        let since_epoch = jiff::Span::new().days(*day);
        jiff::civil::date(1970, 1, 1).saturating_add(since_epoch)
    });
    Some(builder.rule(workclock::Holidays::new(holidays)).build().expect("hours that are worked"))
}

impl Peer for workclock::Schedule {
    fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        self.between(timestamp(from), timestamp(to)).as_secs()
    }

    fn add(&self, from: DateTime<Utc>, secs: i64) -> i64 {
        let due = Self::add(self, timestamp(from), SignedDuration::from_secs(secs));
        due.expect("these hours hold so much").as_second()
    }
}

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_second(at.timestamp()).expect("an instant")
}

/// OpenStreetMap's hours for a place in a zone.
struct Place {
    hours: OpeningHours<TzLocation<chrono_tz::Tz>>,
    zone: chrono_tz::Tz,
}

fn opening_hours(hours: &Hours) -> Place {
    let week = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"].into_iter().zip(&hours.week);
    let open = week.filter(|(_, blocks)| !blocks.is_empty());
    // With a comma a rule adds to the others; with a semicolon it would take the night before away.
    let week: Vec<String> =
        open.map(|(day, blocks)| format!("{day} {}", written(blocks).join(","))).collect();
    let mut text = week.join(", ");
    let mut days: Vec<i64> = hours.special_days().collect();
    days.sort_unstable();
    for day in days {
        let date = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days).expect("a date");
        let date = date.format("%Y %b %d");
        text.push_str(&format!("; {date} off"));
        if let Some(blocks) = hours.exceptions.get(&day).filter(|blocks| !blocks.is_empty()) {
            text.push_str(&format!(", {date} {}", written(blocks).join(",")));
        }
    }
    let zone: chrono_tz::Tz = hours.zone.name.parse().expect("a zone of chrono-tz");
    let parsed: OpeningHours = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    Place { hours: parsed.with_context(Context::default().with_locale(TzLocation::new(zone))), zone }
}

impl Place {
    /// The open stretches between two instants.
    fn open(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> impl Iterator<Item = (i64, i64)> {
        let ranges = self.hours.iter_range(from.with_timezone(&self.zone), to.with_timezone(&self.zone));
        let open = ranges.filter(|range| range.kind == opening_hours::RuleKind::Open);
        open.map(|range| (range.range.start.timestamp(), range.range.end.timestamp()))
    }
}

impl Peer for Place {
    fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        self.open(from, to).map(|(start, end)| end - start).sum()
    }

    fn add(&self, from: DateTime<Utc>, secs: i64) -> i64 {
        let mut left = secs;
        let far = from + chrono::TimeDelta::days(4000);
        for (start, end) in self.open(from, far) {
            if end - start >= left {
                return start + left;
            }
            left -= end - start;
        }
        panic!("these hours hold so much")
    }
}
