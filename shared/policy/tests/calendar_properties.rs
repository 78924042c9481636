//! The calendar's arithmetic against a walk over every minute.
//!
//! The walk knows nothing but the definition: it asks the zone what the wall clock shows at each
//! minute and looks whether that lies in a block of the local date or of the night before. Calendars
//! are random, windows lie around changes of the clocks and around special dates, and blocks are
//! aligned to minutes, as the zones' offsets are in these years.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, Timelike, Utc};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use policy::calendar::{Calendar, CalendarDocument, Holiday, HoursException, Weekday, WorkingTime};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

const DAY_MINUTES: u16 = 1440;
const WINDOW_DAYS: i64 = 4;
const WINDOW_MINUTES: usize = WINDOW_DAYS as usize * DAY_MINUTES as usize;

const ZONES: [&str; 10] = [
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/New_York",
    "Europe/Berlin",
    "Europe/Dublin",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Vancouver",
    "America/Sao_Paulo",
    "UTC",
];

/// Minutes after the date's midnight; an end over 1440 lies on the next date.
type Blocks = Vec<(u16, u16)>;

#[derive(Debug, Clone)]
enum Special {
    Holiday,
    Exception(Blocks),
}

/// A calendar as the walk sees it.
#[derive(Debug, Clone)]
struct Model {
    zone: &'static str,
    week: [Blocks; 7],
    special: BTreeMap<NaiveDate, Special>,
}

impl Model {
    fn blocks(&self, date: NaiveDate) -> &[(u16, u16)] {
        match self.special.get(&date) {
            Some(Special::Holiday) => &[],
            Some(Special::Exception(blocks)) => blocks,
            None => &self.week[date.weekday().num_days_from_monday() as usize],
        }
    }

    /// The definition.
    fn is_open(&self, local: NaiveDateTime) -> bool {
        let minute = (local.hour() * 60 + local.minute()) as u16;
        let inside = |blocks: &[(u16, u16)], minute| {
            blocks.iter().any(|(start, end)| (*start..*end).contains(&minute))
        };
        inside(self.blocks(local.date()), minute)
            || inside(self.blocks(local.date() - Days::new(1)), minute + DAY_MINUTES)
    }

    fn document(&self) -> CalendarDocument {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let texts = |blocks: &Blocks| -> Vec<String> {
            let end = |end: u16| {
                if end > DAY_MINUTES { end - DAY_MINUTES } else { end }
            };
            blocks.iter().map(|(s, e)| format!("{}-{}", clock(*s), clock(end(*e)))).collect()
        };
        let mut holidays = Vec::new();
        let mut exceptions = Vec::new();
        for (date, special) in &self.special {
            let (date, name) = (date.to_string(), "special".to_owned());
            match special {
                Special::Holiday => holidays.push(Holiday { date, name }),
                Special::Exception(blocks) => {
                    exceptions.push(HoursException { date, hours: texts(blocks), name });
                }
            }
        }
        CalendarDocument {
            time_zone: self.zone.to_owned(),
            always: false,
            hours: Weekday::ALL.into_iter().zip(self.week.iter().map(texts)).collect(),
            holidays,
            exceptions,
            business_day: Some("8h".to_owned()),
        }
    }
}

/// Blocks of one day that do not overlap. The night that the last one may become is cut to size when
/// the next day is known.
fn day_blocks() -> impl Strategy<Value = Blocks> {
    let cuts = proptest::collection::btree_set(0..=DAY_MINUTES, 0..7);
    (cuts, proptest::option::weighted(0.4, 1..DAY_MINUTES), any::<bool>()).prop_map(
        |(cuts, night, whole_day)| {
            if whole_day && cuts.len() > 5 {
                return vec![(0, DAY_MINUTES)];
            }
            let cuts: Vec<u16> = cuts.into_iter().collect();
            let mut blocks: Blocks = cuts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            if let (Some(night), Some(last)) = (night, blocks.last_mut()) {
                // A block is at most a day long.
                last.1 = DAY_MINUTES + night.min(last.0);
                if last.1 == last.0 + DAY_MINUTES {
                    last.1 -= 1;
                }
            }
            blocks
        },
    )
}

/// Ends a day's night where the next day's blocks begin.
fn cut_night(blocks: &mut Blocks, next: &[(u16, u16)]) {
    if let (Some(last), Some(first)) = (blocks.last_mut(), next.first()) {
        last.1 = last.1.min(DAY_MINUTES + first.0);
    }
}

/// The middle of a window: a change of the zone's offset, if it has one after the year.
fn anchor(zone: &TimeZone, year: i16) -> i64 {
    let start = jiff::civil::date(year, 1, 1).at(0, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap();
    let start = start.timestamp();
    zone.following(start).next().map_or(start, |change| change.timestamp()).as_second()
}

/// A window of time with what the walk says about it.
#[derive(Debug)]
struct Walk {
    start: i64,
    open: Vec<bool>,
    /// Open minutes before each minute of the window, and before its end.
    before: Vec<i64>,
}

impl Walk {
    fn new(model: &Model, zone: &TimeZone, start: i64) -> Self {
        let local = |minute: usize| {
            let utc = start + minute as i64 * 60;
            let offset = zone.to_offset(Timestamp::from_second(utc).unwrap()).seconds();
            DateTime::from_timestamp(utc + i64::from(offset), 0).unwrap().naive_utc()
        };
        let open: Vec<bool> = (0..WINDOW_MINUTES).map(|m| model.is_open(local(m))).collect();
        let mut before = vec![0];
        for open in &open {
            before.push(before.last().unwrap() + i64::from(*open));
        }
        Self { start, open, before }
    }

    /// Open seconds of the window before a second of it.
    fn worked_before(&self, second: i64) -> i64 {
        let minute = (second / 60) as usize;
        let part = if self.open.get(minute) == Some(&true) { second % 60 } else { 0 };
        self.before[minute] * 60 + part
    }

    /// The first second of the window before which that many were open.
    fn reaches(&self, worked: i64) -> Option<i64> {
        if worked == 0 {
            return Some(0);
        }
        let minute = (0..self.open.len()).find(|m| self.before[m + 1] * 60 >= worked)?;
        Some(minute as i64 * 60 + worked - self.before[minute] * 60)
    }

    fn at(&self, second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(self.start + second, 0).unwrap()
    }
}

/// A calendar, and a window with special dates in and around it.
fn model_and_window() -> impl Strategy<Value = (Model, TimeZone, i64)> {
    let special = prop_oneof![
        1 => Just(Special::Holiday),
        2 => day_blocks().prop_map(Special::Exception),
    ];
    (
        proptest::sample::select(&ZONES[..]),
        proptest::array::uniform7(day_blocks()),
        proptest::collection::btree_map(-2i64..WINDOW_DAYS + 2, special, 0..4),
        prop_oneof![3 => 2005i16..2045, 1 => 1975i16..2200],
        0..WINDOW_MINUTES as i64,
    )
        .prop_filter_map("a calendar has weekly hours", |(name, mut week, special, year, shift)| {
            if week.iter().all(Vec::is_empty) {
                return None;
            }
            for day in 0..7 {
                let next = week[(day + 1) % 7].clone();
                cut_night(&mut week[day], &next);
            }
            let zone = TimeZoneDatabase::bundled().get(name).unwrap();
            let start = (anchor(&zone, year) - shift * 60).div_euclid(60) * 60;
            let first = DateTime::from_timestamp(start, 0).unwrap().date_naive();
            let special = special
                .into_iter()
                .map(|(day, special)| (first + chrono::TimeDelta::days(day), special))
                .collect();
            let mut model = Model { zone: name, week, special };
            // From the last to the first, so that a night is cut against what really follows.
            let dates: Vec<NaiveDate> = model.special.keys().rev().copied().collect();
            for date in dates {
                let next = model.blocks(date + Days::new(1)).to_vec();
                if let Some(Special::Exception(blocks)) = model.special.get_mut(&date) {
                    cut_night(blocks, &next);
                }
            }
            Some((model, zone, start))
        })
}

fn compile(model: &Model) -> Calendar {
    Calendar::compile(&model.document()).unwrap()
}

/// On so many cases. One that fails is kept beside those of the crate's other properties, and tried first.
fn config(cases: u32) -> ProptestConfig {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/calendar_properties.txt");
    let kept = FileFailurePersistence::Direct(kept);
    ProptestConfig { cases, failure_persistence: Some(Box::new(kept)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn it_agrees_with_a_walk_over_every_minute(
        (model, zone, start) in model_and_window(),
        pairs in proptest::collection::vec((any::<Index>(), any::<Index>()), 24),
    ) {
        let calendar = compile(&model);
        let walk = Walk::new(&model, &zone, start);
        let seconds = WINDOW_MINUTES * 60 + 1;

        for (minute, open) in walk.open.iter().enumerate() {
            prop_assert_eq!(calendar.is_open(walk.at(minute as i64 * 60)), *open, "minute {}", minute);
        }
        for (a, b) in pairs {
            let (a, b) = (a.index(seconds) as i64, b.index(seconds) as i64);
            let (a, b) = (a.min(b), a.max(b));
            let worked = walk.worked_before(b) - walk.worked_before(a);
            prop_assert_eq!(calendar.elapsed(walk.at(a), walk.at(b)).secs(), worked, "{} to {}", a, b);

            let due = if worked == 0 { Some(a) } else { walk.reaches(walk.worked_before(a) + worked) };
            let added = calendar.add(walk.at(a), WorkingTime::from_secs(worked));
            prop_assert_eq!(added, due.map(|due| walk.at(due)), "{} and {} more", a, worked);
        }
    }
}

/// An instant of the years for which changes are known.
fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    (0i64..7_289_568_000).prop_map(|second| DateTime::from_timestamp(second, 0).unwrap())
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn the_parts_of_a_time_add_up_to_the_whole(
        (model, _, _) in model_and_window(),
        mut instants in proptest::array::uniform3(instant()),
    ) {
        instants.sort();
        let [a, b, c] = instants;
        let calendar = compile(&model);
        let sum = calendar.elapsed(a, b).saturating_add(calendar.elapsed(b, c));
        prop_assert_eq!(sum, calendar.elapsed(a, c));
        prop_assert!(calendar.elapsed(a, c).secs() <= (c - a).num_seconds());
    }

    #[test]
    fn to_add_and_to_measure_undo_each_other(
        (model, _, start) in model_and_window(),
        far in instant(),
        shift in -400_000i64..400_000,
        secs in prop_oneof![1i64..100, 1i64..200_000, 1i64..40_000_000],
    ) {
        let calendar = compile(&model);
        let near = DateTime::from_timestamp(start + shift, 0).unwrap();
        for from in [near, far] {
            let t = WorkingTime::from_secs(secs);
            let Some(due) = calendar.add(from, t) else {
                let horizon = from + Days::new(18_262);
                prop_assert!(calendar.elapsed(from, horizon) < t);
                continue;
            };
            prop_assert_eq!(calendar.elapsed(from, due), t);
            // No earlier instant will do, and the second before it was worked.
            let second = chrono::TimeDelta::seconds(1);
            prop_assert!(calendar.elapsed(from, due - second) < t);
            prop_assert!(calendar.is_open(due - second));
        }
    }

    #[test]
    fn whatever_is_written_is_compiled_or_refused(
        time_zone in "[A-Za-z/_]{0,12}|Europe/Berlin|UTC",
        texts in proptest::collection::vec("[0-9:h–-]{0,12}|[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]", 0..4),
        date in "[0-9-]{0,12}|20[0-9]{2}-[01][0-9]-[0-3][0-9]",
        business_day in proptest::option::of("[0-9hm]{0,8}|\\PC{0,6}"),
        always in any::<bool>(),
        probe in any::<(i64, i64)>(),
    ) {
        let name = String::new();
        let exceptions = vec![HoursException { date, hours: texts.clone(), name }];
        let hours = [(Weekday::Mon, texts.clone()), (Weekday::Tue, texts)].into();
        let document =
            CalendarDocument { time_zone, always, hours, holidays: vec![], exceptions, business_day };
        match Calendar::compile(&document) {
            Ok(calendar) => {
                let from = DateTime::from_timestamp(probe.0 >> 21, 0).unwrap_or_default();
                let _ = calendar.add(from, WorkingTime::from_secs(probe.1));
            }
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }
}
