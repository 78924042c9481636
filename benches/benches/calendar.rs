//! Business time, beside the libraries that people would take for it.

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use policy::calendar::{Calendar, CalendarDocument, WorkingTime};
use std::hint::black_box;

fn calendar() -> Calendar {
    let document: CalendarDocument = serde_json::from_value(serde_json::json!({
        "time_zone": "America/New_York",
        "hours": {
            "mon": ["09:00-12:00", "13:00-17:00"], "tue": ["09:00-12:00", "13:00-17:00"],
            "wed": ["09:00-12:00", "13:00-17:00"], "thu": ["09:00-12:00", "13:00-17:00"],
            "fri": ["09:00-12:00", "13:00-17:00"],
        },
        "holidays": [
            { "date": "2026-05-25", "name": "Memorial Day" }, { "date": "2026-07-03", "name": "Independence Day" },
            { "date": "2026-09-07", "name": "Labor Day" }, { "date": "2026-11-26", "name": "Thanksgiving" },
            { "date": "2026-12-25", "name": "Christmas" }, { "date": "2027-01-01", "name": "New Year" },
        ],
    }))
    .expect("a calendar");
    Calendar::compile(&document).expect("it is sound")
}

fn business_time(c: &mut Criterion) {
    let calendar = calendar();
    let from: DateTime<Utc> = "2026-03-02T15:20:00Z".parse().expect("an instant");
    let mut group = c.benchmark_group("elapsed");
    for hours in [1, 24, 24 * 30, 24 * 365] {
        let to = from + TimeDelta::hours(hours);
        group.bench_with_input(BenchmarkId::new("leadwatch", format!("{hours} h")), &to, |b, to| {
            b.iter(|| calendar.elapsed(black_box(from), black_box(*to)));
        });
    }
    group.finish();
    let mut group = c.benchmark_group("add");
    for hours in [1, 8, 40, 240] {
        let time = WorkingTime::from_secs(hours * 3600);
        group.bench_with_input(BenchmarkId::new("leadwatch", format!("{hours} h")), &time, |b, time| {
            b.iter(|| calendar.add(black_box(from), black_box(*time)));
        });
    }
    group.finish();
}

criterion_group!(benches, business_time);
criterion_main!(benches);
