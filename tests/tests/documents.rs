//! The policy and the directory as an administrator writes them: what is wrong, where, and what
//! would be right. Each mistake is asserted on as a whole text, since that is what a person reads.

mod common;

use common::{seeded, seeded_value};
use rules::directory::Directory;
use rules::policy::Policy;
use serde_json::{Value, json};

fn policy(pointer: &str, value: Value) -> String {
    let document = with("default.yaml", pointer, value);
    match Policy::parse(&document) {
        Err(error) => error.to_string(),
        Ok(policy) => match policy.check_against(&directory_of(&seeded("directory.yaml"))) {
            Err(error) => error.to_string(),
            Ok(()) => String::new(),
        },
    }
}

fn directory(pointer: &str, value: Value) -> String {
    Directory::parse(&with("directory.yaml", pointer, value))
        .map_or_else(|e| e.to_string(), |_| String::new())
}

fn directory_of(yaml: &str) -> Directory {
    Directory::parse(yaml).unwrap_or_else(|error| panic!("the seeded directory is sound: {error}"))
}

/// The seeded document, with a value put at a JSON pointer; `null` takes it away.
fn with(name: &str, pointer: &str, value: Value) -> String {
    let mut document = seeded_value(name);
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a name");
    match document.pointer_mut(parent).expect("the place is there") {
        Value::Object(map) if value.is_null() => _ = map.remove(name),
        Value::Object(map) => _ = map.insert(name.to_owned(), value),
        Value::Array(items) if name == "-" => items.push(value),
        Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value,
        other => panic!("{other} has no places"),
    }
    document.to_string()
}

#[test]
fn the_seeded_documents_are_sound() {
    let policy = Policy::parse(&seeded("default.yaml")).expect("the default policy");
    policy.check_against(&directory_of(&seeded("directory.yaml"))).expect("the default policy fits");
    let again =
        Policy::parse(&serde_json::to_string(&policy).expect("a policy is JSON")).expect("it reads back");
    assert_eq!(again, policy);
}

/// A place, what is put there (`null` takes it away), and what a person is told.
type Mistake = (&'static str, Value, &'static [&'static str]);

fn check(mistakes: &[Mistake], told: impl Fn(&str, Value) -> String) {
    for (pointer, value, expected) in mistakes {
        let told = told(pointer, value.clone());
        let lines: Vec<&str> = told.lines().map(without_place).collect();
        assert_eq!(lines, *expected, "{pointer} = {value}");
    }
}

/// The line and column of a document that a test wrote say nothing.
fn without_place(line: &str) -> &str {
    line.rsplit_once(" (line ").map_or(line, |(text, _)| text)
}

#[test]
fn a_mistake_in_a_policy_is_told_with_its_place_and_what_would_be_right() {
    let mistakes: &[Mistake] = &[
        (
            "/workflows/sla-breach/stepps",
            json!([]),
            &[r#"workflows.sla-breach.stepps: `stepps` is not a field here; did you mean `steps`?"#],
        ),
        (
            "/colour",
            json!("blue"),
            &[r#"colour: `colour` is not a field here; known: intake, name, quiet_hours, states, workflows"#],
        ),
        ("/name", json!(["x"]), &[r#"name: what stands there is not a text"#]),
        ("/name", json!(null), &[r#"name: is missing"#]),
        (
            "/states/0/kind",
            json!("wroking"),
            &[r#"states[0].kind: `wroking` is not a known value; did you mean `working`?"#],
        ),
        (
            "/states/1/state",
            json!("NEW"),
            &[
                r#"states[1].state: `NEW` is there twice"#,
                r#"workflows.sla-breach.windows[5].state: `CONTACTED` is not a known state; known: LOST, NEGOTIATION, NEW, ON_HOLD, PROPOSAL, QUALIFIED, UNQUALIFIED, WON"#,
                r#"workflows.sla-breach.windows[6].state: `CONTACTED` is not a known state; known: LOST, NEGOTIATION, NEW, ON_HOLD, PROPOSAL, QUALIFIED, UNQUALIFIED, WON"#,
            ],
        ),
        (
            "/workflows/sla-breach/steps/0/at",
            json!("80"),
            &[
                r#"workflows.sla-breach.steps[0].at: `80` is not a percentage from 1% to 10000%; write e.g. `80%`"#,
            ],
        ),
        (
            "/workflows/sla-breach/steps/0/at",
            json!(80),
            &[
                r#"workflows.sla-breach.steps[0].at: `80` is not a percentage from 1% to 10000%; write e.g. `80%`"#,
            ],
        ),
        (
            "/workflows/sla-breach/steps/0/at",
            json!("0%"),
            &[
                r#"workflows.sla-breach.steps[0].at: `0%` is not a percentage from 1% to 10000%; write e.g. `80%`"#,
            ],
        ),
        (
            "/workflows/sla-breach/steps/1/at",
            json!("80%"),
            &[r#"workflows.sla-breach.steps[1].at: `80%` is not over the step before it; steps rise"#],
        ),
        (
            "/workflows/sla-breach/steps/1/step",
            json!("imminent"),
            &[r#"workflows.sla-breach.steps[1].step: `imminent` is there twice"#],
        ),
        (
            "/workflows/sla-breach/steps/1/do",
            json!([]),
            &[r#"workflows.sla-breach.steps[1].do: there is nothing to do; name at least one action"#],
        ),
        (
            "/workflows/sla-breach/steps/1/do",
            json!(["tell-onwer"]),
            &[
                r#"workflows.sla-breach.steps[1].do[0]: `tell-onwer` is not a known value; did you mean `tell-owner`?"#,
            ],
        ),
        (
            "/workflows/sla-breach/steps/1/do",
            json!(["tell-owner", "tell-owner"]),
            &[r#"workflows.sla-breach.steps[1].do[1]: this is done already; name each action once"#],
        ),
        (
            "/workflows/sla-breach/max_reassignments",
            json!(-1),
            &[r#"workflows.sla-breach.max_reassignments: `-1` is not a whole number from 0 to 4294967295"#],
        ),
        (
            "/workflows/sla-breach/max_reassignments",
            json!("two"),
            &[r#"workflows.sla-breach.max_reassignments: `two` is not a whole number from 0 to 4294967295"#],
        ),
        (
            "/workflows/sla-breach/windows/0/window",
            json!("1d"),
            &[
                r#"workflows.sla-breach.windows[0].window: `1d` is not a window of working time; write e.g. `90s`, `30m`, `4h`, `1h30m` or `5bd` (at most 10000h or 1000bd)"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/0/window",
            json!("30m1h"),
            &[
                r#"workflows.sla-breach.windows[0].window: `30m1h` is not a window of working time; write e.g. `90s`, `30m`, `4h`, `1h30m` or `5bd` (at most 10000h or 1000bd)"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/0/window",
            json!(24),
            &[
                r#"workflows.sla-breach.windows[0].window: `24` is not a window of working time; write e.g. `90s`, `30m`, `4h`, `1h30m` or `5bd` (at most 10000h or 1000bd)"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/0/state",
            json!("NWE"),
            &[r#"workflows.sla-breach.windows[0].state: `NWE` is not a known state; did you mean `NEW`?"#],
        ),
        (
            "/workflows/sla-breach/windows/0/state",
            json!("WON"),
            &[r#"workflows.sla-breach.windows[0].state: `WON` is not a working state; no clock runs there"#],
        ),
        (
            "/workflows/sla-breach/windows/-",
            json!({"state":"NEW","window":"3h"}),
            &[
                r#"workflows.sla-breach.windows[11]: another row has the same market, source and state; which one wins?"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/-",
            json!({"market":"dahc","state":"NEW","window":"3h"}),
            &[
                r#"workflows.sla-breach.windows[11].market: `dahc` is not a known market; did you mean `dach`?"#,
            ],
        ),
        (
            "/workflows/sla-breach/windows/-",
            json!({"calendar":"brelin","market":"us","state":"NEW","window":"3h"}),
            &[
                r#"workflows.sla-breach.windows[11].calendar: `brelin` is not a known calendar; did you mean `berlin`?"#,
            ],
        ),
        ("/workflows/stuck-lead", json!(null), &[r#"workflows.stuck-lead: is missing"#]),
        (
            "/workflows/high-value/score",
            json!(70000),
            &[r#"workflows.high-value.score: `70000` is not a whole number from 0 to 65535"#],
        ),
        (
            "/workflows/high-value/score_margin",
            json!(85),
            &[
                r#"workflows.high-value.score_margin: `85` is not below the score `85`; it could never be armed again"#,
            ],
        ),
        (
            "/workflows/high-value/later_windows",
            json!("150%"),
            &[r#"workflows.high-value.later_windows: `150%` would loosen the windows; write at most `100%`"#],
        ),
        (
            "/workflows/high-value/deal_size_over/0/amount",
            json!("1e5"),
            &[
                r#"workflows.high-value.deal_size_over[0]: `1e5` is not an amount of USD; write a decimal string with at most 2 digits after the point"#,
            ],
        ),
        (
            "/workflows/high-value/deal_size_over/0/currency",
            json!("USDD"),
            &[
                r#"workflows.high-value.deal_size_over[0]: `USDD` is not an ISO 4217 currency code; write e.g. `USD`"#,
            ],
        ),
        (
            "/workflows/high-value/deal_size_over/1/currency",
            json!("USD"),
            &[r#"workflows.high-value.deal_size_over[1]: `USD` is there twice; one threshold a currency"#],
        ),
        (
            "/workflows/compliance-flag/officers",
            json!(0),
            &[r#"workflows.compliance-flag.officers: `0` is not 1 or 2"#],
        ),
        (
            "/workflows/compliance-flag/officers",
            json!(3),
            &[r#"workflows.compliance-flag.officers: `3` is not 1 or 2"#],
        ),
        (
            "/workflows/compliance-flag/reminders/1/step",
            json!("ageing"),
            &[r#"workflows.compliance-flag.reminders[1].step: `ageing` is there twice"#],
        ),
        (
            "/workflows/compliance-flag/reminders/1/step",
            json!(""),
            &[r#"workflows.compliance-flag.reminders[1].step: `` is not a name of 1 to 64 characters"#],
        ),
        (
            "/workflows/compliance-flag/reminders/1/after",
            json!("1bd"),
            &[
                r#"workflows.compliance-flag.reminders[1].after: `1bd` is not after the reminder before it; reminders rise"#,
            ],
        ),
        (
            "/workflows/compliance-flag/reason_codes",
            json!({}),
            &[r#"workflows.compliance-flag.reason_codes: there is none; a decision names its reason"#],
        ),
        (
            "/workflows/churn-risk/calendar",
            json!("new-yrok"),
            &[
                r#"workflows.churn-risk.calendar: `new-yrok` is not a known calendar; did you mean `new-york`?"#,
            ],
        ),
        ("/workflows/churn-risk/about/why", json!(null), &[r#"workflows.churn-risk.about.why: is missing"#]),
        (
            "/intake/history_after",
            json!("later"),
            &[
                r#"intake.history_after: `later` is not a window of working time; write e.g. `90s`, `30m`, `4h`, `1h30m` or `5bd` (at most 10000h or 1000bd)"#,
            ],
        ),
    ];
    check(mistakes, policy);
}

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
                r#"calendars.berlin.hours.mon[1]: `12:00-17:30` is not clear of `08:30-12:30` (hours.mon[0]); write blocks that do not overlap"#,
            ],
        ),
        (
            "/calendars/berlin/hours/mon",
            json!(["08:30-12:30"]),
            &[
                r#"calendars.berlin.business_day: `mon 4h00m, tue 8h00m, wed 8h00m, thu 8h00m, fri 8h00m` is not one length for all open weekdays; write the length to reckon with, such as `8h`"#,
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
                r#"calendars.berlin.hours: `{}` is not open at any time; write at least one block, such as `mon: ["09:00-17:00"]`, or `always: true`"#,
            ],
        ),
        (
            "/calendars/berlin/business_day",
            json!("1d"),
            &[
                r#"calendars.berlin.business_day: `1d` is not a length of up to 24 hours; write it as `8h`, `7h30m` or `45m`"#,
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
                r#"calendars.berlin.exceptions[0].date: `2026-12-25` is not free: it is a holiday too (holidays[1]); leave out one of the two"#,
            ],
        ),
        (
            "/calendars/berlin/always",
            json!(true),
            &[
                r#"calendars.berlin.always: `true` is not to be combined with `hours`; leave out one of the two"#,
                r#"calendars.berlin.always: `true` is not to be combined with `holidays`; leave out one of the two"#,
            ],
        ),
        (
            "/calendars/always",
            json!({"always":true}),
            &[r#"calendars.always: `always` is built in; name this calendar differently"#],
        ),
        (
            "/markets/dach/calendar",
            json!("brelin"),
            &[r#"markets.dach.calendar: `brelin` is not a known calendar; did you mean `berlin`?"#],
        ),
        (
            "/markets/dach/team",
            json!("dach"),
            &[r#"markets.dach.team: `dach` is not a known team; known: dach-sales, us-sales"#],
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
            &[r#"markets.dach.licensed_for: `DE` is not a list; write it in brackets, e.g. `[US, CA]`"#],
        ),
        (
            "/markets/dach/colour",
            json!("blue"),
            &[
                r#"markets.dach.colour: `colour` is not a field here; known: calendar, licensed_for, regional_vp, team"#,
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
                r#"teams.us-sales.reps.rep-ana: `rep-ana` is already in team `dach-sales`; a rep is in one team"#,
            ],
        ),
        (
            "/teams/dach-sales/reps/rep-eva/seniority",
            json!("middle"),
            &[
                r#"teams.dach-sales.reps.rep-eva.seniority: `middle` is not a known value; known: junior, senior"#,
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
                r#"teams.dach-sales.reps.rep-eva.on_leave_until: `tomorrow` is not an instant; write e.g. `2026-03-02T14:00:00Z`"#,
            ],
        ),
        (
            "/teams/dach-sales/reps/rep-gian/licensed_for",
            json!(["Switzerland"]),
            &[
                r#"teams.dach-sales.reps.rep-gian.licensed_for: `Switzerland` is not a country code; write two capital letters, e.g. `US`"#,
            ],
        ),
        ("/people/rep-eva/email", json!("eva"), &[r#"people.rep-eva.email: `eva` is not an e-mail address"#]),
        (
            "/people/rep-eva/email",
            json!("ANA@example.test"),
            &[r#"people.rep-eva.email: `ANA@example.test` is also `rep-ana`'s; each person has their own"#],
        ),
        (
            "/people/rep-eva/notify",
            json!("fax"),
            &[
                r#"people.rep-eva.notify: `fax` is not a channel; write `slack`, `email`, `teams:<name>` or `webhook:<name>`"#,
            ],
        ),
        (
            "/people/rep-eva/notify",
            json!("webhook:pager"),
            &[r#"people.rep-eva.notify: `pager` is not a known webhook; no webhook is defined"#],
        ),
        (
            "/people/rep-eva/notify",
            json!("teams:board"),
            &[r#"people.rep-eva.notify: `board` is not a known Teams channel; no Teams channel is defined"#],
        ),
        (
            "/teams_channels",
            json!({"board":"http://example.com"}),
            &[r#"teams_channels.board: `http://example.com` is not an https address"#],
        ),
        (
            "/webhooks",
            json!({"pager":"http://example.com"}),
            &[r#"webhooks.pager: `http://example.com` is not an https address"#],
        ),
        (
            "/compliance/calendar",
            json!("new-yrok"),
            &[r#"compliance.calendar: `new-yrok` is not a known calendar; did you mean `new-york`?"#],
        ),
        ("/operations", json!(null), &[r#"operations: is missing"#]),
    ];
    check(mistakes, directory);
}

#[test]
fn a_key_that_is_written_twice_is_named_with_its_line() {
    let twice = seeded("default.yaml").replace("name: Default", "name: Default\nname: Other");
    let error = Policy::parse(&twice).expect_err("a key is written once");
    assert_eq!(error.to_string(), "name: is there twice; a key is written once (line 3, column 1)");
}

#[test]
fn every_mistake_of_a_document_is_told_at_once() {
    let mut document = seeded_value("default.yaml");
    document["workflows"]["high-value"]["score_margin"] = json!(90);
    document["workflows"]["compliance-flag"]["officers"] = json!(3);
    let error = Policy::parse(&document.to_string()).expect_err("two mistakes");
    assert_eq!(
        error.to_string(),
        "workflows.high-value.score_margin: `90` is not below the score `85`; it could never be armed again\n\
         workflows.compliance-flag.officers: `3` is not 1 or 2"
    );
}
