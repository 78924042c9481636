//! What a document may say, and what is told to whoever wrote something else.

use super::super::{Calendar, CalendarDocument, CalendarProblem};
use super::{HOUR, NIGHTS, OFFICE, calendar, document};

fn problems(yaml: &str) -> Vec<String> {
    let problems = Calendar::compile(&document(yaml)).unwrap_err();
    problems.iter().map(CalendarProblem::to_string).collect()
}

#[test]
fn a_document_survives_being_written_and_read() {
    for yaml in [OFFICE, NIGHTS, "always: true"] {
        let document = document(yaml);
        let json = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<CalendarDocument>(&json).unwrap(), document);
    }
}

#[test]
fn a_field_or_a_weekday_that_is_not_known_is_refused() {
    for yaml in [
        "{ always: true, timezone: UTC }",
        "{ time_zone: UTC, hours: { monday: [\"09:00-17:00\"] } }",
        "{ always: true, holidays: [{ date: 2026-01-01 }] }",
    ] {
        assert!(serde_saphyr::from_str::<CalendarDocument>(yaml).is_err(), "{yaml}");
    }
}

#[test]
fn all_problems_are_told_at_once_and_each_says_what_to_write() {
    let told = problems(
        "
time_zone: Europe/Berln
hours: { mon: [\"09:00-12:00\", \"9-17\"], tue: [\"09:00-12:00\", \"11:30-17:00\"] }
holidays: [{ date: 2026-02-30, name: Nonsense }, { date: 2026-12-24, name: Christmas Eve }]
exceptions: [{ date: 2026-12-24, hours: [\"25:00-26:00\"], name: Christmas Eve }]
business_day: eight
",
    );
    let block = "is not a block of hours; write it as `09:00-17:00`, over midnight as `22:00-06:00`, \
                 and a whole day as `00:00-24:00`";
    assert_eq!(
        told,
        [
            "time_zone: `Europe/Berln` is not a time zone of the IANA database; write a name such as \
             `Europe/Berlin`"
                .to_owned(),
            format!("hours.mon[1]: `9-17` {block}"),
            "hours.tue[1]: `11:30-17:00` overlaps `09:00-12:00` (hours.tue[0]); write blocks that do \
             not overlap"
                .to_owned(),
            "holidays[0].date: `2026-02-30` is not a date from 1970 to 2200; write it as `2026-12-25`"
                .to_owned(),
            format!("exceptions[0].hours[0]: `25:00-26:00` {block}"),
            "exceptions[0].date: `2026-12-24` is also a holiday (holidays[1]); remove one of the two"
                .to_owned(),
            "business_day: `eight` is not a length of up to 24 hours; write it as `8h`, `7h30m`, or \
             `45m`"
                .to_owned(),
        ]
    );
}

/// The one problem's path.
fn problem_at(yaml: &str) -> String {
    let problems = Calendar::compile(&document(yaml)).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].path.clone()
}

#[test]
fn blocks_must_not_overlap_across_midnight() {
    let path = problem_at(
        "{ time_zone: UTC, business_day: 8h, hours: { sun: [\"22:00-06:00\"], mon: [\"05:59-12:00\"] } }",
    );
    assert_eq!(path, "hours.mon[0]");
    // To touch is not to overlap.
    calendar(
        "{ time_zone: UTC, business_day: 8h, hours: { sun: [\"22:00-06:00\"], mon: [\"06:00-12:00\"] } }",
    );
}

#[test]
fn an_exception_must_not_run_into_the_next_date() {
    let with = |exceptions: &str| {
        format!(
            "{{ time_zone: UTC, hours: {{ tue: [\"09:00-17:00\"] }}, holidays: [{{ date: 2026-07-14, \
             name: Off }}], exceptions: [{exceptions}] }}"
        )
    };
    let night = |date| format!("{{ date: {date}, hours: [\"20:00-10:00\"], name: Move }}");
    // Monday into Tuesday, Monday into a Tuesday that is off, and into another exception.
    assert_eq!(problem_at(&with(&night("2026-07-06"))), "hours.tue[0]");
    calendar(&with(&night("2026-07-13")));
    let two =
        format!("{}, {{ date: 2026-07-09, hours: [\"09:00-10:00\"], name: Talk }}", night("2026-07-08"));
    assert_eq!(problem_at(&with(&two)), "exceptions[1].hours[0]");
    let twice = format!("{}, {}", night("2026-07-08"), night("2026-07-08"));
    assert_eq!(problem_at(&with(&twice)), "exceptions[1].date");
}

#[test]
fn a_calendar_without_weekly_hours_is_a_problem() {
    assert_eq!(problem_at("time_zone: UTC"), "hours");
    assert_eq!(problem_at("{ time_zone: UTC, hours: { mon: [] } }"), "hours");
}

#[test]
fn always_takes_no_hours() {
    assert_eq!(problem_at("{ always: true, hours: { mon: [\"09:00-17:00\"] } }"), "always");
    assert_eq!(problem_at("{ always: true, holidays: [{ date: 2026-01-01, name: New }] }"), "always");
}

#[test]
fn the_business_day_is_what_all_open_weekdays_have_or_must_be_written() {
    let hours = "time_zone: UTC\nhours: { mon: [\"09:00-12:00\", \"13:00-17:30\"], fri: [\"09:00-14:00\"] }";
    assert_eq!(
        problems(hours),
        ["business_day: is missing, and weekdays have different lengths (mon 7h30m, fri 5h00m); write \
          the length to use, such as `8h`"]
    );
    for (written, secs) in [("7h30m", 27_000), ("8h", 28_800), ("45m", 2_700), ("24h", 86_400)] {
        let calendar = calendar(&format!("{hours}\nbusiness_day: {written}"));
        assert_eq!(calendar.business_day().secs(), secs);
    }
    for wrong in ["0h", "0m", "24h1m", "7h60m", "7h30", "7.5h", "-8h", "h", "m", "8 h", "99999h", "8hm"] {
        assert_eq!(problem_at(&format!("{hours}\nbusiness_day: \"{wrong}\"")), "business_day");
    }
    // Weekdays of the same length need not have the same blocks.
    let same = calendar(
        "{ time_zone: UTC, hours: { mon: [\"09:00-12:00\", \"13:00-18:00\"], tue: [\"22:00-06:00\"] } }",
    );
    assert_eq!(same.business_day().secs(), 8 * HOUR);
}

#[test]
fn a_block_is_written_in_one_way() {
    for wrong in [
        "",
        "-",
        "09:00",
        "9:00-17:00",
        "09:00-17:60",
        "09:00-24:01",
        "24:00-06:00",
        "09:00-09:00",
        "00:00-00:00",
        "09:00 - 17:00",
        "09:00–17:00",
        "09:00-17:00-18:00",
        "+9:00-17:00",
        "aa:bb-cc:dd",
    ] {
        let yaml = format!(
            "{{ time_zone: UTC, business_day: 8h, hours: {{ mon: [\"08:00-08:30\", \"{wrong}\"] }} }}"
        );
        assert_eq!(problem_at(&yaml), "hours.mon[1]", "{wrong}");
    }
}

#[test]
fn a_date_is_written_in_one_way() {
    for wrong in ["2026-1-05", "26-01-05", "2026-13-01", "+2026-01-05", "1969-12-31", "2201-01-01", ""] {
        let yaml = format!(
            "{{ time_zone: UTC, hours: {{ mon: [\"09:00-17:00\"] }}, holidays: [{{ date: \"{wrong}\", name: N }}] }}"
        );
        assert_eq!(problem_at(&yaml), "holidays[0].date", "{wrong}");
    }
    // Two holidays may share a date.
    calendar(
        "{ time_zone: UTC, hours: { mon: [\"09:00-17:00\"] }, holidays: [{ date: 2026-05-14, name: A }, { date: 2026-05-14, name: B }] }",
    );
}

#[test]
fn an_unknown_zone_is_answered_with_the_nearest_name() {
    for (written, nearest) in [
        ("Europe/Berln", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("Katmandu", "Asia/Katmandu"),
        ("Asia/Katmadu", "Asia/Katmandu"),
        ("", "Europe/Berlin"),
        ("Etc/Unknown", "Europe/Berlin"),
    ] {
        let yaml = format!("{{ time_zone: \"{written}\", hours: {{ mon: [\"09:00-17:00\"] }} }}");
        let problem = &Calendar::compile(&document(&yaml)).unwrap_err()[0];
        assert_eq!(problem.path, "time_zone");
        assert!(problem.problem.contains(nearest), "{written}: {}", problem.problem);
    }
    let long = format!("{{ time_zone: \"{}\", hours: {{ mon: [\"09:00-17:00\"] }} }}", "ß".repeat(9999));
    assert_eq!(problem_at(&long), "time_zone");
}
