//! Mistakes in a directory.

use super::{Mistake, check, told_of_directory};
use serde_json::json;

#[test]
fn a_mistake_in_a_directory_is_told_with_its_place_and_what_would_be_right() {
    let mistakes: &[Mistake] = &[
        (
            "/calendars/berlin/time_zone",
            json!("Europe/Berlim"),
            &[
                r#"calendars.berlin.time_zone: `Europe/Berlim` is not a time zone of the IANA database; write a name such as `Europe/Berlin`"#,
            ],
        ),
        (
            "/calendars/berlin/hours/mon/0",
            json!("8:30-12:30"),
            &[
                r#"calendars.berlin.hours.mon[0]: `8:30-12:30` is not a block of hours; write it as `09:00-17:00`, over midnight as `22:00-06:00`, and a whole day as `00:00-24:00`"#,
            ],
        ),
        (
            "/calendars/berlin/hours/mon/1",
            json!("12:00-17:30"),
            &[
                r#"calendars.berlin.hours.mon[1]: `12:00-17:30` overlaps `08:30-12:30` (hours.mon[0]); write blocks that do not overlap"#,
            ],
        ),
        (
            "/calendars/berlin/hours/mon",
            json!(["08:30-12:30"]),
            &[
                r#"calendars.berlin.business_day: is missing, and weekdays have different lengths (mon 4h00m, tue 8h00m, wed 8h00m, thu 8h00m, fri 8h00m); write the length to use, such as `8h`"#,
            ],
        ),
        (
            "/calendars/berlin/hours/mno",
            json!(["08:30-12:30"]),
            &[r#"calendars.berlin.hours.mno: `mno` is not a known value; did you mean `mon`?"#],
        ),
        (
            "/calendars/berlin/hours",
            json!({}),
            &[
                r#"calendars.berlin.hours: is empty; write at least one block, such as `mon: ["09:00-17:00"]`, or `always: true`"#,
            ],
        ),
        (
            "/calendars/berlin/business_day",
            json!("1d"),
            &[
                r#"calendars.berlin.business_day: `1d` is not a length of up to 24 hours; write it as `8h`, `7h30m`, or `45m`"#,
            ],
        ),
        (
            "/calendars/berlin/holidays/0/date",
            json!("2026-13-01"),
            &[
                r#"calendars.berlin.holidays[0].date: `2026-13-01` is not a date from 1970 to 2200; write it as `2026-12-25`"#,
            ],
        ),
        (
            "/calendars/berlin/holidays/0/name",
            json!(null),
            &[r#"calendars.berlin.holidays[0].name: is missing"#],
        ),
        (
            "/calendars/berlin/exceptions",
            json!([{"date":"2026-12-25","hours":[],"name":"x"}]),
            &[
                r#"calendars.berlin.exceptions[0].date: `2026-12-25` is also a holiday (holidays[1]); remove one of the two"#,
            ],
        ),
        (
            "/calendars/berlin/always",
            json!(true),
            &[
                r#"calendars.berlin.always: cannot be combined with `hours`; remove one of the two"#,
                r#"calendars.berlin.always: cannot be combined with `holidays`; remove one of the two"#,
            ],
        ),
        (
            "/calendars/always",
            json!({"always":true}),
            &[r#"calendars.always: `always` is built in; choose another name"#],
        ),
        (
            "/markets/dach/calendar",
            json!("brelin"),
            &[r#"markets.dach.calendar: `brelin` is not a known calendar; did you mean `berlin`?"#],
        ),
        (
            "/markets/dach/team",
            json!("dach"),
            &[r#"markets.dach.team: `dach` is not a known team; write one of: dach-sales, us-sales"#],
        ),
        (
            "/markets/dach/regional_vp",
            json!("vp-root"),
            &[r#"markets.dach.regional_vp: `vp-root` is not a known person; did you mean `vp-ruth`?"#],
        ),
        (
            "/markets/dach/licensed_for",
            json!(["de"]),
            &[
                r#"markets.dach.licensed_for: `de` is not a country code; write two capital letters, e.g. `US`"#,
            ],
        ),
        (
            "/markets/dach/licensed_for",
            json!("DE"),
            &[r#"markets.dach.licensed_for: `DE` is not a list such as `[US, CA]`"#],
        ),
        (
            "/markets/dach/colour",
            json!("blue"),
            &[
                r#"markets.dach.colour: `colour` is not a known field here; write one of: calendar, licensed_for, regional_vp, team"#,
            ],
        ),
        (
            "/teams/dach-sales/manager",
            json!("mgr-mai"),
            &[r#"teams.dach-sales.manager: `mgr-mai` is not a known person; did you mean `mgr-max`?"#],
        ),
        (
            "/teams/dach-sales/reps/rep-zoe",
            json!({"capacity":1,"seniority":"junior"}),
            &[r#"teams.dach-sales.reps.rep-zoe: `rep-zoe` is not a known person; did you mean `rep-bob`?"#],
        ),
        (
            "/teams/dach-sales/reps/rep-ana",
            json!({"capacity":1,"seniority":"junior"}),
            &[
                r#"teams.us-sales.reps.rep-ana: `rep-ana` is already on team `dach-sales`; keep each rep on one team"#,
            ],
        ),
        (
            "/teams/dach-sales/reps/rep-eva/seniority",
            json!("middle"),
            &[
                r#"teams.dach-sales.reps.rep-eva.seniority: `middle` is not a known value; write one of: junior, senior"#,
            ],
        ),
        (
            "/teams/dach-sales/reps/rep-eva/capacity",
            json!(-1),
            &[r#"teams.dach-sales.reps.rep-eva.capacity: `-1` is not a whole number from 0 to 4294967295"#],
        ),
        (
            "/teams/dach-sales/reps/rep-eva/capacity",
            json!("many"),
            &[r#"teams.dach-sales.reps.rep-eva.capacity: `many` is not a whole number from 0 to 4294967295"#],
        ),
        (
            "/teams/dach-sales/reps/rep-eva/on_leave_until",
            json!("tomorrow"),
            &[
                r#"teams.dach-sales.reps.rep-eva.on_leave_until: `tomorrow` is not a date and time such as `2026-03-02T14:00:00Z`"#,
            ],
        ),
        (
            "/teams/dach-sales/reps/rep-gian/licensed_for",
            json!(["Switzerland"]),
            &[
                r#"teams.dach-sales.reps.rep-gian.licensed_for: `Switzerland` is not a country code; write two capital letters, e.g. `US`"#,
            ],
        ),
        ("/people/rep-eva/email", json!("eva"), &[r#"people.rep-eva.email: `eva` is not an email address"#]),
        (
            "/people/rep-eva/email",
            json!("ANA@example.test"),
            &[
                r#"people.rep-eva.email: `ANA@example.test` is already the email address of `rep-ana`; give each person their own"#,
            ],
        ),
        (
            "/people/rep-eva/time_zone",
            json!("Europe/Viena"),
            &[
                "people.rep-eva.time_zone: `Europe/Viena` is not a time zone of the IANA database; write a name such as `Europe/Vienna`",
            ],
        ),
        (
            "/people/rep-eva/time_zone",
            json!("CET+1"),
            &[
                "people.rep-eva.time_zone: `CET+1` is not a time zone of the IANA database; write a name such as `Europe/Berlin`",
            ],
        ),
        (
            "/people/rep-eva/quiet_hours",
            json!({"from": "07:00", "to": "07:00"}),
            &[
                "people.rep-eva.quiet_hours.to: `07:00` is also when they start; write another time, or remove the quiet hours",
            ],
        ),
        (
            "/people/rep-eva/notify",
            json!("fax"),
            &[
                r#"people.rep-eva.notify: `fax` is not a channel; write `slack`, `email`, `teams:<name>`, or `webhook:<name>`"#,
            ],
        ),
        (
            "/people/rep-eva/notify",
            json!("webhook:pager"),
            &[r#"people.rep-eva.notify: `pager` is not a known webhook; there is no webhook yet"#],
        ),
        (
            "/people/rep-eva/notify",
            json!("teams:board"),
            &[
                r#"people.rep-eva.notify: `board` is not a known Teams channel; there is no Teams channel yet"#,
            ],
        ),
        (
            "/teams_channels",
            json!({"board":"http://example.com"}),
            &[r#"teams_channels.board: `http://example.com` is not an address that starts with `https://`"#],
        ),
        (
            "/webhooks",
            json!({"pager":"http://example.com"}),
            &[r#"webhooks.pager: `http://example.com` is not an address that starts with `https://`"#],
        ),
        (
            "/compliance/calendar",
            json!("new-yrok"),
            &[r#"compliance.calendar: `new-yrok` is not a known calendar; did you mean `new-york`?"#],
        ),
        ("/operations", json!(null), &[r#"operations: is missing"#]),
    ];
    check(mistakes, told_of_directory);
}
