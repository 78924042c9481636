//! Business time, beside the libraries that people would take for it, on the same hours.
//!
//! `opening-hours` cannot add working time, so this benchmark adds up its open stretches, as a user would.

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use jiff::civil::{Time, Weekday, date};
use jiff::{SignedDuration, Timestamp};
use opening_hours::localization::TzLocation;
use opening_hours::{Context, OpeningHours, RuleKind};
use policy::calendar::{Calendar, CalendarDocument, WorkingTime};
use std::hint::black_box;

const HOLIDAYS: [(i16, i8, i8); 6] =
    [(2026, 5, 25), (2026, 7, 3), (2026, 9, 7), (2026, 11, 26), (2026, 12, 25), (2027, 1, 1)];
const FAR: TimeDelta = TimeDelta::days(4000);

fn ours() -> Calendar {
    let day = ["09:00-12:00", "13:00-17:00"];
    let holidays = HOLIDAYS.map(|(y, m, d)| serde_json::json!({ "date": format!("{y}-{m:02}-{d:02}"), "name": "off" }));
    let document: CalendarDocument = serde_json::from_value(serde_json::json!({
        "time_zone": "America/New_York",
        "hours": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day },
        "holidays": holidays,
    }))
    .expect("a calendar");
    Calendar::compile(&document).expect("it is sound")
}

fn workclock() -> workclock::Schedule {
    let time = |hour| Time::constant(hour, 0, 0, 0);
    let mut builder = workclock::Schedule::builder().time_zone("America/New_York");
    for day in Weekday::Monday.cycle_forward().take(5) {
        for (start, end) in [(9, 12), (13, 17)] {
            let days = std::iter::once(day).collect();
            builder = builder.rule(workclock::WorkDay::new(time(start), time(end), days));
        }
    }
    let holidays = HOLIDAYS.map(|(y, m, d)| date(y, m, d));
    builder.rule(workclock::Holidays::new(holidays)).build().expect("hours that are worked")
}

/// `OpenStreetMap`'s hours in a zone.
struct Osm(OpeningHours<TzLocation<chrono_tz::Tz>>);

impl Osm {
    fn new() -> Self {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let off = |(y, m, d): (i16, i8, i8)| format!("; {y} {} {d:02} off", months[usize::from(m.unsigned_abs()) - 1]);
        let text = format!("Mo-Fr 09:00-12:00,13:00-17:00{}", HOLIDAYS.map(off).concat());
        let hours: OpeningHours = text.parse().expect("opening hours");
        Self(hours.with_context(Context::default().with_locale(TzLocation::new(chrono_tz::America::New_York))))
    }

    fn open(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> impl Iterator<Item = (i64, i64)> {
        let zone = &chrono_tz::America::New_York;
        let ranges = self.0.iter_range(from.with_timezone(zone), to.with_timezone(zone));
        let open = ranges.filter(|range| range.kind == RuleKind::Open);
        open.map(|range| (range.range.start.timestamp(), range.range.end.timestamp()))
    }

    fn elapsed(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        self.open(from, to).map(|(start, end)| end - start).sum()
    }

    fn add(&self, from: DateTime<Utc>, mut secs: i64) -> Option<i64> {
        self.open(from, from + FAR).find_map(|(start, end)| {
            let due = (end - start >= secs).then_some(start + secs);
            secs -= end - start;
            due
        })
    }
}

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_second(at.timestamp()).expect("an instant")
}

fn elapsed(c: &mut Criterion) {
    let (ours, workclock, osm) = (ours(), workclock(), Osm::new());
    let from: DateTime<Utc> = "2026-03-02T15:20:00Z".parse().expect("an instant");
    let mut group = c.benchmark_group("elapsed");
    for hours in [1, 24, 24 * 30, 24 * 365] {
        let (span, to) = (format!("{hours} h"), from + TimeDelta::hours(hours));
        let worked = ours.elapsed(from, to).secs();
        assert_eq!(workclock.between(timestamp(from), timestamp(to)).as_secs(), worked);
        assert_eq!(osm.elapsed(from, to), worked);
        group.bench_with_input(BenchmarkId::new("leadwatch", &span), &to, |b, to| {
            b.iter(|| ours.elapsed(black_box(from), black_box(*to)));
        });
        group.bench_with_input(BenchmarkId::new("workclock", &span), &to, |b, to| {
            b.iter(|| workclock.between(black_box(timestamp(from)), black_box(timestamp(*to))));
        });
        group.bench_with_input(BenchmarkId::new("opening-hours", &span), &to, |b, to| {
            b.iter(|| osm.elapsed(black_box(from), black_box(*to)));
        });
    }
    group.finish();
}

fn add(c: &mut Criterion) {
    let (ours, workclock, osm) = (ours(), workclock(), Osm::new());
    let from: DateTime<Utc> = "2026-03-02T15:20:00Z".parse().expect("an instant");
    let mut group = c.benchmark_group("add");
    for hours in [1, 8, 40, 240] {
        let (span, secs) = (format!("{hours} h"), hours * 3600);
        let (time, duration) = (WorkingTime::from_secs(secs), SignedDuration::from_secs(secs));
        let due = ours.add(from, time).map(|due| due.timestamp());
        assert_eq!(workclock.add(timestamp(from), duration).ok().map(Timestamp::as_second), due);
        assert_eq!(osm.add(from, secs), due);
        group.bench_with_input(BenchmarkId::new("leadwatch", &span), &time, |b, time| {
            b.iter(|| ours.add(black_box(from), black_box(*time)));
        });
        group.bench_with_input(BenchmarkId::new("workclock", &span), &duration, |b, duration| {
            b.iter(|| workclock.add(black_box(timestamp(from)), black_box(*duration)));
        });
        group.bench_with_input(BenchmarkId::new("opening-hours", &span), &secs, |b, secs| {
            b.iter(|| osm.add(black_box(from), black_box(*secs)));
        });
    }
    group.finish();
}

criterion_group!(benches, elapsed, add);
criterion_main!(benches);
