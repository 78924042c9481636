//! The rules of the calendar, one by one.

use chrono::{DateTime, Utc};

use super::{Calendar, CalendarDocument, WorkingTime, time_zone_database_version};

mod document;

const HOUR: i64 = 3600;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn document(yaml: &str) -> CalendarDocument {
    serde_saphyr::from_str(yaml).unwrap()
}

fn calendar(yaml: &str) -> Calendar {
    Calendar::compile(&document(yaml)).unwrap()
}

/// A calendar with the same blocks on every weekday.
fn daily(zone: &str, blocks: &str, rest: &str) -> Calendar {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let hours = days.map(|day| format!("  {day}: [{blocks}]\n")).concat();
    calendar(&format!("time_zone: {zone}\nhours:\n{hours}{rest}\n"))
}

fn hours_between(calendar: &Calendar, from: &str, to: &str) -> f64 {
    calendar.elapsed(at(from), at(to)).secs() as f64 / HOUR as f64
}

fn after(calendar: &Calendar, from: &str, secs: i64) -> Option<DateTime<Utc>> {
    calendar.add(at(from), WorkingTime::from_secs(secs))
}

const OFFICE: &str = "
time_zone: Europe/Berlin
hours:
  mon: [\"09:00-12:00\", \"13:00-17:00\"]
  tue: [\"09:00-12:00\", \"13:00-17:00\"]
  wed: [\"09:00-12:00\", \"13:00-17:00\"]
  thu: [\"09:00-12:00\", \"13:00-17:00\"]
  fri: [\"09:00-12:00\", \"13:00-17:00\"]
holidays:
  - { date: 2026-12-25, name: Christmas }
exceptions:
  - { date: 2026-12-24, hours: [\"09:00-11:00\"], name: Christmas Eve }
  - { date: 2026-12-27, hours: [\"10:00-14:00\"], name: Stocktaking }
";

// --- What counts -------------------------------------------------------------------------------

#[test]
fn lunch_does_not_count() {
    let office = calendar(OFFICE);
    // A Wednesday in summer: 11:30 to 13:30 local.
    assert_eq!(hours_between(&office, "2026-07-01T09:30:00Z", "2026-07-01T11:30:00Z"), 1.0);
    assert!(office.is_open(at("2026-07-01T09:59:59Z")));
    assert!(!office.is_open(at("2026-07-01T10:00:00Z")));
    assert!(!office.is_open(at("2026-07-01T10:59:59Z")));
    assert!(office.is_open(at("2026-07-01T11:00:00Z")));
}

#[test]
fn working_time_that_ends_with_a_block_is_due_at_its_end_and_not_at_the_next_beginning() {
    let office = calendar(OFFICE);
    assert_eq!(after(&office, "2026-07-01T07:00:00Z", 3 * HOUR), Some(at("2026-07-01T10:00:00Z")));
    assert_eq!(after(&office, "2026-07-01T07:00:00Z", 3 * HOUR + 1), Some(at("2026-07-01T11:00:01Z")));
}

#[test]
fn a_weekend_lies_between_friday_evening_and_monday_morning() {
    let office = calendar(OFFICE);
    assert_eq!(after(&office, "2026-07-03T14:30:00Z", HOUR), Some(at("2026-07-06T07:30:00Z")));
    assert_eq!(hours_between(&office, "2026-06-29T00:00:00Z", "2026-07-06T00:00:00Z"), 35.0);
}

#[test]
fn a_holiday_and_an_exception_replace_the_hours_of_their_date() {
    let office = calendar(OFFICE);
    assert_eq!(hours_between(&office, "2026-12-24T00:00:00Z", "2026-12-25T00:00:00Z"), 2.0);
    assert_eq!(hours_between(&office, "2026-12-25T00:00:00Z", "2026-12-26T00:00:00Z"), 0.0);
    assert_eq!(hours_between(&office, "2026-12-27T00:00:00Z", "2026-12-28T00:00:00Z"), 4.0);
    // Three days of seven hours, and the six of the two special dates.
    assert_eq!(hours_between(&office, "2026-12-21T00:00:00Z", "2026-12-28T00:00:00Z"), 27.0);
    // The weeks before and after are not touched.
    assert_eq!(hours_between(&office, "2026-12-14T00:00:00Z", "2026-12-21T00:00:00Z"), 35.0);
    assert_eq!(hours_between(&office, "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"), 35.0);
}

const NIGHTS: &str = "
time_zone: Europe/Berlin
hours: { thu: [\"22:00-06:00\"], fri: [\"22:00-06:00\"], sun: [\"22:00-06:00\"] }
";

#[test]
fn a_block_over_midnight_belongs_to_the_day_it_begins_on() {
    let nights = calendar(NIGHTS);
    assert!(nights.is_open(at("2026-07-03T20:00:00Z")), "friday 22:00");
    assert!(nights.is_open(at("2026-07-04T03:59:59Z")), "saturday 05:59:59");
    assert!(!nights.is_open(at("2026-07-04T20:00:00Z")), "saturday 22:00");
    assert!(nights.is_open(at("2026-07-06T00:00:00Z")), "monday 02:00, of sunday");
    assert_eq!(nights.business_day(), WorkingTime::from_secs(8 * HOUR));
}

#[test]
fn a_holiday_keeps_the_night_before_and_loses_the_night_that_begins_on_it() {
    let nights = calendar(&format!("{NIGHTS}holidays: [{{ date: 2026-07-03, name: Strike }}]"));
    assert!(nights.is_open(at("2026-07-03T03:00:00Z")), "friday 05:00, of thursday");
    assert!(!nights.is_open(at("2026-07-03T20:30:00Z")), "friday 22:30");
    assert!(!nights.is_open(at("2026-07-04T03:00:00Z")), "saturday 05:00, of friday");
    assert_eq!(hours_between(&nights, "2026-07-01T00:00:00Z", "2026-07-05T00:00:00Z"), 8.0);
}

#[test]
fn a_night_that_runs_into_an_exception_is_not_counted_twice() {
    let nights = calendar(&format!(
        "{NIGHTS}exceptions: [{{ date: 2026-07-03, hours: [\"04:00-08:00\"], name: Audit }}]"
    ));
    // Thursday 22:00 to Friday 08:00 in one stretch, and no Friday night.
    assert_eq!(hours_between(&nights, "2026-07-02T12:00:00Z", "2026-07-05T00:00:00Z"), 10.0);
}

#[test]
fn an_end_of_24_00_meets_the_next_day_without_a_seam() {
    let days = daily("Europe/Berlin", "\"00:00-24:00\"", "");
    assert_eq!(hours_between(&days, "2026-07-01T00:00:00Z", "2026-07-08T00:00:00Z"), 168.0);
    assert_eq!(days.business_day(), WorkingTime::from_secs(24 * HOUR));
    let evenings = daily("Europe/Berlin", "\"22:00-00:00\"", "");
    assert_eq!(evenings.business_day(), WorkingTime::from_secs(2 * HOUR));
}

#[test]
fn always_is_round_the_clock() {
    let written = calendar("always: true");
    for always in [Calendar::always(), written] {
        assert_eq!(always.time_zone_name(), "UTC");
        assert_eq!(always.business_day(), WorkingTime::from_secs(24 * HOUR));
        assert_eq!(hours_between(&always, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"), 8760.0);
        assert_eq!(after(&always, "2026-01-01T00:00:00Z", 12_345), Some(at("2026-01-01T03:25:45Z")));
    }
    let vienna = calendar("{ always: true, time_zone: europe/vienna, business_day: 8h }");
    assert_eq!(vienna.time_zone_name(), "Europe/Vienna");
    assert_eq!(vienna.business_day(), WorkingTime::from_secs(8 * HOUR));
    assert_eq!(hours_between(&vienna, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"), 8760.0);
}

// --- Changes of the clocks ---------------------------------------------------------------------

/// Hours worked from half a day before a change of the clocks to half a day after it.
fn around_change(zone: &str, blocks: &str, change: &str) -> f64 {
    let calendar = daily(zone, blocks, "");
    let change = at(change);
    let half = chrono::TimeDelta::hours(12);
    calendar.elapsed(change - half, change + half).secs() as f64 / HOUR as f64
}

#[test]
fn a_block_around_a_change_is_shorter_or_longer_and_others_are_not() {
    for (zone, spring, autumn) in [
        ("America/New_York", "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"),
        ("Europe/Berlin", "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"),
    ] {
        // 22:00-06:00 has eight hours by the wall clock.
        assert_eq!(around_change(zone, "\"22:00-06:00\"", spring), 7.0, "{zone}");
        assert_eq!(around_change(zone, "\"22:00-06:00\"", autumn), 9.0, "{zone}");
        // Inside the skipped and the repeated hour.
        let (inside_spring, inside_autumn) = match zone {
            "America/New_York" => ("\"02:15-02:45\"", "\"01:15-01:45\""),
            _ => ("\"02:15-02:45\"", "\"02:15-02:45\""),
        };
        assert_eq!(around_change(zone, inside_spring, spring), 0.0, "{zone}");
        assert_eq!(around_change(zone, inside_autumn, autumn), 1.0, "{zone}");
    }
    // The office hours of the two Sundays do not feel it.
    let office = daily("Europe/Berlin", "\"09:00-17:00\"", "");
    assert_eq!(hours_between(&office, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), 8.0);
    assert_eq!(hours_between(&office, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), 8.0);
}

#[test]
fn a_day_of_24_hours_is_as_long_as_the_day_really_is() {
    let days = daily("Europe/Berlin", "\"00:00-24:00\"", "");
    assert_eq!(hours_between(&days, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), 23.0);
    assert_eq!(hours_between(&days, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), 25.0);
    let sundays = calendar("{ time_zone: Europe/Berlin, hours: { sun: [\"00:00-24:00\"] } }");
    assert_eq!(hours_between(&sundays, "2026-03-27T00:00:00Z", "2026-03-31T00:00:00Z"), 23.0);
    assert_eq!(hours_between(&sundays, "2026-10-23T00:00:00Z", "2026-10-27T00:00:00Z"), 25.0);
}

#[test]
fn a_block_that_begins_in_a_repeated_hour_may_be_two_stretches() {
    // 01:30-02:00 in New York: 05:30 and 06:30 UTC, and an hour between them.
    let early = daily("America/New_York", "\"01:30-02:00\"", "");
    let open = ["05:30", "05:59", "06:30", "06:59"];
    let closed = ["05:29", "06:00", "06:29", "07:00"];
    for (minutes, expected) in [(open, true), (closed, false)] {
        for minute in minutes {
            assert_eq!(early.is_open(at(&format!("2026-11-01T{minute}:00Z"))), expected, "{minute}");
        }
    }
    assert_eq!(after(&early, "2026-11-01T05:30:00Z", 1800), Some(at("2026-11-01T06:00:00Z")));
    assert_eq!(after(&early, "2026-11-01T05:30:00Z", 1801), Some(at("2026-11-01T06:30:01Z")));
    assert_eq!(after(&early, "2026-11-01T05:30:00Z", 3600), Some(at("2026-11-01T07:00:00Z")));
}

#[test]
fn casablanca_moves_for_ramadan() {
    // Back at 2026-02-15 03:00 local, and forward at 2026-03-22 02:00 local.
    assert_eq!(around_change("Africa/Casablanca", "\"22:00-06:00\"", "2026-02-15T02:00:00Z"), 9.0);
    assert_eq!(around_change("Africa/Casablanca", "\"22:00-06:00\"", "2026-03-22T02:00:00Z"), 7.0);
}

#[test]
fn lord_howe_moves_by_half_an_hour() {
    let change = "2026-04-04T15:00:00Z";
    assert_eq!(around_change("Australia/Lord_Howe", "\"22:00-06:00\"", change), 8.5);
    // 02:00 goes back to 01:30.
    assert_eq!(around_change("Australia/Lord_Howe", "\"01:30-02:00\"", change), 1.0);
    assert_eq!(around_change("Australia/Lord_Howe", "\"01:00-01:30\"", change), 0.5);
}

#[test]
fn a_date_that_a_zone_left_out_holds_no_time() {
    // Apia went from Thursday 2011-12-29 to Saturday 2011-12-31, at 10:00 UTC on the 30th.
    let days = daily("Pacific/Apia", "\"00:00-24:00\"", "");
    assert_eq!(hours_between(&days, "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z"), 48.0);
    let fridays = calendar("{ time_zone: Pacific/Apia, hours: { fri: [\"09:00-17:00\"] } }");
    assert_eq!(hours_between(&fridays, "2011-12-24T10:00:00Z", "2012-01-05T10:00:00Z"), 0.0);
    assert_eq!(after(&fridays, "2011-12-29T10:00:00Z", 1), Some(at("2012-01-05T19:00:01Z")));
    // Thursday's night ends with the date: its morning would have been Friday's.
    let nights = calendar("{ time_zone: Pacific/Apia, hours: { thu: [\"22:00-06:00\"] } }");
    assert_eq!(hours_between(&nights, "2011-12-29T10:00:00Z", "2012-01-05T00:00:00Z"), 2.0);
}

#[test]
fn vancouver_and_edmonton_do_not_fall_back_in_november_2026() {
    assert_eq!(time_zone_database_version(), "2026f");
    for zone in ["America/Vancouver", "America/Edmonton"] {
        let days = daily(zone, "\"22:00-06:00\"", "");
        let one_night = hours_between(&days, "2026-10-31T20:00:00Z", "2026-11-01T20:00:00Z");
        assert_eq!(one_night, 8.0, "{zone}");
        assert_eq!(hours_between(&days, "2027-03-13T20:00:00Z", "2027-03-14T20:00:00Z"), 8.0, "{zone}");
    }
}

#[test]
fn changes_are_known_far_ahead() {
    // The last Sundays of March 2199 and October 2200.
    assert_eq!(around_change("Europe/Berlin", "\"22:00-06:00\"", "2199-03-31T01:00:00Z"), 7.0);
    assert_eq!(around_change("Europe/Berlin", "\"22:00-06:00\"", "2200-10-26T01:00:00Z"), 9.0);
    assert_eq!(around_change("Europe/Berlin", "\"22:00-06:00\"", "2250-10-27T01:00:00Z"), 9.0);
}

// --- Edges of the arithmetic -------------------------------------------------------------------

#[test]
fn nothing_elapses_backwards() {
    let office = calendar(OFFICE);
    let (early, late) = (at("2026-07-01T08:00:00Z"), at("2026-07-01T09:00:00Z"));
    assert_eq!(office.elapsed(late, early), WorkingTime::ZERO);
    assert_eq!(office.elapsed(early, early), WorkingTime::ZERO);
}

#[test]
fn to_add_nothing_or_less_stays_where_it_is() {
    let office = calendar(OFFICE);
    let from = at("2026-07-01T10:30:00.25Z");
    for secs in [0, -1, i64::MIN] {
        assert_eq!(office.add(from, WorkingTime::from_secs(secs)), Some(from));
    }
}

#[test]
fn a_fraction_of_a_second_is_dropped_from_each_instant() {
    let always = Calendar::always();
    let (from, to) = (at("2026-07-01T08:00:00.9Z"), at("2026-07-01T08:00:02.1Z"));
    assert_eq!(always.elapsed(from, to), WorkingTime::from_secs(2));
    assert_eq!(always.add(from, WorkingTime::from_secs(2)), Some(at("2026-07-01T08:00:02Z")));
    // The same holds before 1970, where the fraction still counts forwards.
    let from = at("1969-12-31T23:59:58.9Z");
    assert_eq!(always.add(from, WorkingTime::from_secs(1)), Some(at("1969-12-31T23:59:59Z")));
}

#[test]
fn more_than_fifty_years_hold_is_never_due() {
    let always = Calendar::always();
    let from = "2026-01-01T00:00:00Z";
    assert!(after(&always, from, 18_262 * 24 * HOUR).is_some());
    assert_eq!(after(&always, from, 18_264 * 24 * HOUR), None);
    assert_eq!(after(&always, from, i64::MAX), None);
    let office = calendar(OFFICE);
    assert!(after(&office, from, 49 * 52 * 35 * HOUR).is_some());
    assert_eq!(after(&office, from, 51 * 53 * 35 * HOUR), None);
}

#[test]
fn the_ends_of_time_are_harmless() {
    let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    for calendar in [calendar(OFFICE), Calendar::always(), calendar(NIGHTS)] {
        let all = calendar.elapsed(first, last);
        assert!(all > WorkingTime::ZERO);
        assert_eq!(calendar.add(last, WorkingTime::from_secs(1)), None);
        assert!(calendar.add(first, WorkingTime::from_secs(HOUR)).is_some());
        assert_eq!(calendar.add(first, all), None);
        let _ = (calendar.is_open(first), calendar.is_open(last));
    }
}

#[test]
fn working_time_saturates() {
    let (most, least) = (WorkingTime::from_secs(i64::MAX), WorkingTime::from_secs(i64::MIN));
    let one = WorkingTime::from_secs(1);
    assert_eq!(most.saturating_add(one), most);
    assert_eq!(least.saturating_sub(one), least);
    assert_eq!(WorkingTime::ZERO.saturating_sub(one).secs(), -1);
    assert_eq!(serde_json::to_string(&one).unwrap(), "1");
}
