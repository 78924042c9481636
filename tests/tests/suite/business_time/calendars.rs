//! Random calendars and queries: many zones, every kind of working day, and instants where it
//! matters: around changes of the clocks, around special dates, at the edges of blocks.

use super::reading::{Blocks, DAY_S, Hours, Zone};
use chrono::{DateTime, NaiveDate, Utc};
use fastrand::Rng;
use jiff::tz::TimeZoneDatabase;
use policy::calendar::{Calendar, CalendarDocument, Holiday, HoursException, Weekday};
use std::collections::{BTreeMap, BTreeSet};

/// Zones whose clocks change in all the ways that there are.
pub const ZONES: [&str; 26] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    // Its standard time is the summer's.
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Istanbul",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    // Changed at one minute past midnight, and at midnight.
    "America/St_Johns",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Caracas",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    // By half an hour, and by two hours.
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Chatham",
    "Pacific/Auckland",
    // Left out a whole day.
    "Pacific/Apia",
];

/// The years of the queries.
const YEARS: std::ops::Range<i32> = 2000..2024;

/// The working days that people write, in minutes after midnight; an end beyond 24 hours lies on
/// the next date. The last ones have edges where clocks change.
const DAYS: [&[(i64, i64)]; 14] = [
    &[(540, 1020)],
    &[(510, 750), (810, 1050)],
    &[(480, 600), (615, 720), (780, 1005)],
    &[(420, 900)],
    &[(600, 1320)],
    &[(1320, 1800)],
    &[(0, 1440)],
    &[(0, 360), (1080, 1440)],
    &[(1170, 1590)],
    &[(60, 240)],
    &[(120, 180), (181, 1000)],
    &[(90, 150), (600, 605)],
    &[(0, 30), (31, 150), (1410, 1440)],
    &[(1430, 1590)],
];

/// A random calendar, as ours and as the readings take it.
pub struct Case {
    pub calendar: Calendar,
    pub hours: Hours,
}

/// A question to all.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// How much working time is to pass.
    pub add_s: i64,
}

impl Case {
    /// The next calendar that is one: nights that run into the morning's hours are not.
    pub fn random(rng: &mut Rng, zone: &'static str) -> Self {
        loop {
            let hours = hours(rng, zone);
            if let Ok(calendar) = Calendar::compile(&document(&hours)) {
                return Self { calendar, hours };
            }
        }
    }

    pub fn query(&self, rng: &mut Rng) -> Query {
        let from = match rng.u8(0..10) {
            0..=3 => self.near_a_change(rng),
            4..=5 => self.near_a_special_date(rng),
            _ => instant(rng.i64(seconds(YEARS.start)..seconds(YEARS.end))),
        };
        let from = if rng.bool() { from } else { instant(from.timestamp().div_euclid(900) * 900) };
        let to = from + chrono::TimeDelta::seconds(spread(rng, 21 * DAY_S));
        Query { from, to, add_s: 1 + spread(rng, 60 * 3600) }
    }

    fn near_a_change(&self, rng: &mut Rng) -> DateTime<Utc> {
        let changes = &self.hours.zone.pieces;
        let change = changes.get(rng.usize(0..changes.len())).map_or(0, |piece| piece.start);
        let (begin, end) = (seconds(YEARS.start), seconds(YEARS.end));
        instant(change.clamp(begin, end) + rng.i64(-2 * DAY_S..2 * DAY_S))
    }

    fn near_a_special_date(&self, rng: &mut Rng) -> DateTime<Utc> {
        let dates: Vec<i64> = self.hours.special_days().collect();
        let day = if dates.is_empty() { 14_000 } else { dates[rng.usize(0..dates.len())] };
        instant(day * DAY_S + rng.i64(-2 * DAY_S..2 * DAY_S))
    }
}

fn seconds(year: i32) -> i64 {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).expect("a year has a first day");
    i64::from(first.to_epoch_days()) * DAY_S
}

fn instant(secs: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(secs, 0).expect("an instant of these years")
}

/// Short stretches are as likely as long ones.
fn spread(rng: &mut Rng, most: i64) -> i64 {
    let magnitude = rng.f64() * (most as f64).ln();
    magnitude.exp() as i64 - i64::from(rng.u8(0..20) == 0)
}

fn hours(rng: &mut Rng, zone: &'static str) -> Hours {
    let usual = DAYS[rng.usize(0..DAYS.len())];
    let other = DAYS[rng.usize(0..DAYS.len())];
    let week = std::array::from_fn(|day| {
        let chosen: &[(i64, i64)] = match (day, rng.u8(0..8)) {
            (5 | 6, 0..=5) | (_, 7) => &[],
            (_, 6) => other,
            _ => usual,
        };
        blocks(chosen)
    });
    let (mut holidays, mut exceptions) = (BTreeSet::new(), BTreeMap::new());
    let days = seconds(YEARS.start) / DAY_S..seconds(YEARS.end) / DAY_S;
    for _ in 0..rng.usize(0..16) {
        let day = rng.i64(days.clone());
        if rng.u8(0..3) > 0 || exceptions.contains_key(&day) {
            if !exceptions.contains_key(&day) {
                holidays.insert(day);
            }
        } else if !holidays.contains(&day) {
            exceptions.insert(day, blocks(DAYS[rng.usize(0..DAYS.len())]));
        }
    }
    // Most calendars have no exceptions: not everybody knows them.
    if rng.u8(0..4) > 0 {
        exceptions.clear();
    }
    let tz = TimeZoneDatabase::bundled().get(zone).expect("a bundled zone");
    Hours { zone: Zone::new(zone, &tz), week, holidays, exceptions }
}

fn blocks(minutes: &[(i64, i64)]) -> Blocks {
    minutes.iter().map(|(start, end)| (start * 60, end * 60)).collect()
}

/// The calendar as people would write it.
fn document(hours: &Hours) -> CalendarDocument {
    let date = |day: i64| {
        let day = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days);
        day.expect("a date of these years").to_string()
    };
    let name = "Random".to_owned();
    let holidays = hours.holidays.iter();
    let exceptions = hours.exceptions.iter();
    CalendarDocument {
        time_zone: hours.zone.name.to_owned(),
        always: false,
        hours: Weekday::ALL.into_iter().zip(hours.week.iter().map(written)).collect(),
        holidays: holidays.map(|day| Holiday { date: date(*day), name: name.clone() }).collect(),
        exceptions: exceptions
            .map(|(day, blocks)| HoursException {
                date: date(*day),
                hours: written(blocks),
                name: name.clone(),
            })
            .collect(),
        business_day: Some("8h".to_owned()),
    }
}

/// Blocks as text; what ends on the next date is written with that date's time.
pub fn written(blocks: &Blocks) -> Vec<String> {
    let clock = |s: i64| format!("{:02}:{:02}", s / 3600, s % 3600 / 60);
    let end = |end: i64| if end > DAY_S { end - DAY_S } else { end };
    blocks.iter().map(|(s, e)| format!("{}-{}", clock(*s), clock(end(*e)))).collect()
}
