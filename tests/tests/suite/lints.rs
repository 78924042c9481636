//! What is warned of in documents that are sound: each lint has a document that it warns of, and
//! says nothing of the document before the change.

use insight::lint::{Lint, warnings};
use leadwatch_tests::seeded::seeded_value;
use policy::Policy;
use policy::directory::Directory;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The seeded documents: nothing is wrong with them.
fn documents() -> (Value, Value) {
    (seeded_value("default.yaml"), seeded_value("directory.yaml"))
}

fn told(policy: &Value, directory: &Value) -> Vec<String> {
    let policy = Policy::parse(&policy.to_string()).expect("a sound policy");
    let directory = Directory::parse(&directory.to_string()).expect("a sound directory");
    policy.check_against(&directory).expect("the two fit");
    let at = "2026-03-02T14:00:00Z".parse().expect("an instant");
    warnings(&policy, Some(&directory), Some(at))
        .iter()
        .map(|warning| format!("{}: {}", warning.lint, warning.problem))
        .collect()
}

fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a name");
    match document.pointer_mut(parent).expect("the place is there") {
        Value::Array(items) if name == "-" => items.push(value),
        Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value,
        other => other[name] = value,
    }
}

#[test]
fn each_lint_warns_of_what_it_is_for_and_of_nothing_else() {
    let (policy, directory) = documents();
    assert_eq!(told(&policy, &directory), Vec::<String>::new(), "nothing is wrong before");
    let mut seen = BTreeSet::new();
    for (changes, expected) in cases() {
        let (mut policy, mut directory) = documents();
        for (of, pointer, value) in &changes {
            put(if *of == "policy" { &mut policy } else { &mut directory }, pointer, value.clone());
        }
        assert_eq!(told(&policy, &directory), expected, "{changes:?}");
        seen.extend(expected.iter().filter_map(|line| Some(line.split_once(':')?.0.to_owned())));
    }
    for lint in Lint::ALL {
        assert!(seen.contains(lint.as_str()), "`{lint}` has a case");
    }
}

/// What is put where, in which document.
type Changes = Vec<(&'static str, &'static str, Value)>;

/// Changes, and everything that is then warned of.
fn cases() -> Vec<(Changes, Vec<&'static str>)> {
    vec![
        (
            vec![("policy", "/workflows/high-value/score", json!(1001))],
            vec!["never-fires: workflows.high-value.score: no lead reaches `1001`; a score is at most 1000"],
        ),
        (
            vec![("policy", "/workflows/sla-breach/windows", json!([]))],
            vec![
                "uncovered-state: states[0]: no window covers `NEW`; no lead is ever late or stuck in it",
                "uncovered-state: states[1]: no window covers `CONTACTED`; no lead is ever late or stuck in it",
                "uncovered-state: states[2]: no window covers `QUALIFIED`; no lead is ever late or stuck in it",
                "uncovered-state: states[3]: no window covers `PROPOSAL`; no lead is ever late or stuck in it",
                "uncovered-state: states[4]: no window covers `NEGOTIATION`; no lead is ever late or stuck in it",
                "never-fires: workflows.sla-breach.steps: the workflow has no windows; it never reaches a step",
                "never-fires: workflows.stuck-lead.steps: the workflow has no windows; it never reaches a step",
            ],
        ),
        (vec![("policy", "/workflows/stuck-lead/steps/2/at", json!("10000%"))], vec![]),
        (
            vec![
                ("policy", "/workflows/sla-breach/steps/2/at", json!("10000%")),
                ("policy", "/workflows/sla-breach/windows/9/window", json!("1000bd")),
            ],
            vec![
                "never-fires: workflows.sla-breach.windows[9].window: `significantly-past` is more than fifty years \
                 away, at 10000% of `1000bd`; no lead ever reaches it",
            ],
        ),
        (
            vec![("policy", "/workflows/sla-breach/max_reassignments", json!(0))],
            vec![
                "never-reassigns: workflows.sla-breach.steps[2].do: `max_reassignments` is 0, so this step queues the \
                 lead for operations and never reassigns it; write `queue-for-operations`",
            ],
        ),
        (
            vec![("policy", "/states/-", json!({"state": "TRIAL", "kind": "working"}))],
            vec!["uncovered-state: states[9]: no window covers `TRIAL`; no lead is ever late or stuck in it"],
        ),
        (vec![("policy", "/states/-", json!({"state": "PARKED", "kind": "hold"}))], vec![]),
        (
            vec![("policy", "/workflows/sla-breach/windows/11/market", json!("us"))],
            vec![
                "uncovered-state: states[4]: only leads from cold_list have a window in `NEGOTIATION` in market `dach`; \
                 leads from other sources are never late or stuck there",
            ],
        ),
        (
            vec![
                ("policy", "/workflows/sla-breach/windows/11/market", json!("us")),
                ("policy", "/workflows/sla-breach/windows/12/market", json!("us")),
            ],
            vec![
                "uncovered-state: states[4]: no window covers `NEGOTIATION` in market `dach`; no lead is ever late or \
                 stuck in it there",
            ],
        ),
        (
            vec![
                ("directory", "/calendars/new-york/hours/sat", json!(["00:00-23:59"])),
                (
                    "directory",
                    "/calendars/new-york/exceptions/0/hours",
                    json!(["09:00-12:00", "13:00-23:59"]),
                ),
                ("directory", "/calendars/new-york/business_day", json!("8h")),
                ("directory", "/people/rep-ana/quiet_hours", json!({"from": "00:00", "to": "23:59"})),
            ],
            vec![
                "missing-minute: calendars.new-york.hours.sat[0]: `00:00-23:59` leaves out the last minute of the day; \
                 end it at `24:00`, or use `always: true` if every day is open",
                "missing-minute: calendars.new-york.exceptions[0].hours[1]: `13:00-23:59` leaves out the last minute of \
                 the day; end it at `24:00`",
                "missing-minute: people.rep-ana.quiet_hours: `00:00` to `23:59` is quiet all day except one minute, \
                 when everyone is notified at once; end them when people start work",
            ],
        ),
        (
            vec![(
                "policy",
                "/workflows/sla-breach/windows",
                json!(
                    ["NEW", "CONTACTED", "QUALIFIED", "PROPOSAL", "NEGOTIATION"]
                        .map(|state| json!({"state": state, "market": "us", "window": "1h"}))
                ),
            )],
            vec![
                "market-without-windows: workflows.sla-breach.windows: market `dach` has no window in any state; \
                 `sla-breach` never fires there",
                "market-without-windows: workflows.stuck-lead.windows: market `dach` has no window in any state; \
                 `stuck-lead` never fires there",
            ],
        ),
        (
            vec![
                (
                    "policy",
                    "/workflows/sla-breach/windows/-",
                    json!({"state": "PROPOSAL", "market": "us", "window": "1h"}),
                ),
                (
                    "policy",
                    "/workflows/sla-breach/windows/-",
                    json!({"state": "PROPOSAL", "market": "dach", "window": "1h"}),
                ),
            ],
            vec![
                "shadowed-window: workflows.sla-breach.windows[9]: every market has its own row, which takes \
                 precedence; no lead uses this one",
                "shadowed-window: workflows.sla-breach.windows[10]: every market has its own row, which takes \
                 precedence; no lead uses this one",
            ],
        ),
        (
            vec![
                (
                    "policy",
                    "/workflows/sla-breach/windows/-",
                    json!({"state": "PROPOSAL", "source": "cold_list", "market": "us", "window": "1h"}),
                ),
                (
                    "policy",
                    "/workflows/sla-breach/windows/-",
                    json!({"state": "PROPOSAL", "market": "dach", "window": "1h"}),
                ),
            ],
            vec![
                "shadowed-window: workflows.sla-breach.windows[10]: every market has its own row, which takes \
                 precedence; no lead uses this one",
            ],
        ),
        (
            vec![("policy", "/workflows/sla-breach/windows/0/window", json!("4m"))],
            vec![
                "crowded-steps: workflows.sla-breach.windows[0].window: `imminent` and `breached` are 48s apart in a \
                 window of `4m`; a sweep runs every minute",
            ],
        ),
        (vec![("policy", "/workflows/sla-breach/windows/0/window", json!("5m"))], vec![]),
        (
            vec![("policy", "/workflows/stuck-lead/windows", json!([{"state": "NEW", "window": "59s"}]))],
            vec![
                "crowded-steps: workflows.stuck-lead.windows[0].window: `59s` is shorter than the minute between two \
                 sweeps",
            ],
        ),
        (
            vec![(
                "policy",
                "/workflows/sla-breach/markets",
                json!({"dach": [{"step": "imminent", "at": "80%"}], "us": []}),
            )],
            vec![
                "redundant-override: workflows.sla-breach.markets.dach[0]: `imminent` is the same in every market; \
                 remove it",
                "redundant-override: workflows.sla-breach.markets.us: changes nothing; remove it",
            ],
        ),
        (
            vec![(
                "policy",
                "/workflows/stuck-lead/markets",
                json!({"us": [{"step": "ask-owner", "off": true}, {"step": "tell-manager", "off": true},
                    {"step": "triage", "off": true}]}),
            )],
            vec![
                "switched-off: workflows.stuck-lead.markets.us: every step is switched off; `stuck-lead` does nothing in \
                 this market",
            ],
        ),
        (
            vec![(
                "policy",
                "/workflows/sla-breach/messages",
                json!({"sla-warning": {"title": "Hurry", "text": "{left} left"}, "sla-breached": {"text": "Late."},
                    "lead-given": {"title": "Yours", "text": "{lead}"}, "lead-taken": {"title": "{{lead}} is gone"}}),
            )],
            vec![
                "nameless-template: workflows.sla-breach.messages.sla-warning: neither title nor text says `{lead}`; \
                 people cannot tell which lead it is about",
                "nameless-template: workflows.sla-breach.messages.lead-taken: neither title nor text says `{lead}`; \
                 people cannot tell which lead it is about",
            ],
        ),
        (
            vec![
                ("policy", "/workflows/compliance-flag/reason_codes/licensed", json!("A licence covers it.")),
                ("policy", "/workflows/compliance-flag/reason_codes/other", json!("Something else.")),
            ],
            vec![
                "reason-without-verdict: workflows.compliance-flag.reason_codes.licensed: does not say which verdict \
                 it is for, so Leadwatch assumes clear; write `verdict: clear`, or let `leadctl policy migrate` write it",
                "reason-without-verdict: workflows.compliance-flag.reason_codes.other: does not say which verdict it is \
                 for, so it can clear nothing; write `verdict: clear` or `verdict: reject`",
            ],
        ),
        (
            vec![(
                "policy",
                "/workflows/compliance-flag/reason_codes",
                json!({"false-match": {"means": "The match is somebody else.", "verdict": "clear", "officers": 2}}),
            )],
            vec![
                "reason-without-verdict: workflows.compliance-flag.reason_codes: no reason code is for `reject`, so no \
                 officer can reject a lead",
            ],
        ),
        (
            vec![(
                "directory",
                "/webhooks",
                json!({"crm": "https://crm.test/in", "bi": "http://127.0.0.1/in"}),
            )],
            vec![
                "private-address: webhooks.bi: points to this machine or a private network; a deployment refuses it \
                 unless `AllowPrivateWebhooks` is set",
            ],
        ),
        (
            vec![("directory", "/teams/us-sales/reps", json!({}))],
            vec!["empty-team: teams.us-sales.reps: has no reps; its leads go to the operations queue"],
        ),
        (
            vec![(
                "directory",
                "/teams/us-sales/reps",
                json!({"rep-bob": {"seniority": "senior", "capacity": 0}}),
            )],
            vec![
                "no-capacity: teams.us-sales.reps: every capacity is 0; its leads go to the operations queue",
            ],
        ),
        (
            vec![(
                "directory",
                "/teams/us-sales/reps",
                json!({"rep-bob": {"seniority": "senior", "capacity": 1, "on_leave_until": "2026-03-03T00:00:00Z"}}),
            )],
            vec![
                "all-on-leave: teams.us-sales.reps: every rep is on leave at 2026-03-02 14:00:00 UTC; its leads go to the \
                 operations queue",
            ],
        ),
        (
            vec![(
                "directory",
                "/teams/us-sales/reps",
                json!({"rep-bob": {"seniority": "senior", "capacity": 1, "on_leave_until": "2026-03-02T00:00:00Z"}}),
            )],
            vec![],
        ),
        (
            vec![(
                "directory",
                "/teams/us-sales/reps",
                json!({"rep-ana": {"seniority": "junior", "capacity": 1}}),
            )],
            vec![
                "no-senior: teams.us-sales.reps: every rep is a junior; the policy gives juniors' high-value leads to \
                 seniors, so here the juniors keep them",
            ],
        ),
        (
            vec![
                (
                    "directory",
                    "/teams/us-sales/reps",
                    json!({"rep-ana": {"seniority": "junior", "capacity": 1}}),
                ),
                ("policy", "/workflows/high-value/reassign_juniors", json!(false)),
            ],
            vec![],
        ),
        (
            vec![("directory", "/markets/us/licensed_for", json!([]))],
            vec![
                "no-licence: markets.us.licensed_for: is empty; compliance holds every lead whose country is known",
            ],
        ),
        (
            vec![
                ("directory", "/calendars/new-york/hours", json!({"mon": ["09:00-17:00"]})),
                ("directory", "/calendars/new-york/exceptions", json!([])),
                ("directory", "/calendars/new-york/holidays", mondays()),
            ],
            vec![
                "no-working-time: markets.us.calendar: `new-york` has no working time in the year from 2026-03-02 \
                 14:00:00 UTC; no clock runs",
            ],
        ),
        (
            vec![
                ("directory", "/people/cs-sam/quiet_hours", json!({"from": "22:00", "to": "07:00"})),
                ("directory", "/people/rep-eva/quiet_hours", json!({"from": "22:00", "to": "07:00"})),
            ],
            vec![
                "no-time-zone: people.cs-sam.quiet_hours: the time zone is unknown, so messages go out at any hour; \
                 set `time_zone`",
            ],
        ),
        (
            vec![
                ("policy", "/quiet_hours", json!({"from": "22:00", "to": "07:00"})),
                ("directory", "/people/cs-sam/time_zone", json!("America/Chicago")),
            ],
            vec![
                "no-time-zone: quiet_hours: the time zone of vp-ruth is unknown, so messages go out at any hour; set \
                 `time_zone` in the directory",
            ],
        ),
    ]
}

/// Every Monday of the year from 2 March 2026, as a holiday.
fn mondays() -> Value {
    let first: chrono::NaiveDate = "2026-03-02".parse().expect("a date");
    let dates = first.iter_weeks().take(54);
    Value::from_iter(dates.map(|date| json!({"date": date.to_string(), "name": "closed"})))
}

#[test]
fn every_working_state_of_the_default_policy_has_a_window_for_every_source() {
    assert_eq!(told(&seeded_value("default.yaml"), &seeded_value("directory.yaml")), [""; 0]);
    let alone = Policy::parse(&seeded_value("default.yaml").to_string()).expect("a sound policy");
    assert_eq!(warnings(&alone, None, None), []);
}

#[test]
fn without_a_directory_only_what_the_policy_shows_is_told() {
    let (mut policy, _) = documents();
    put(&mut policy, "/workflows/sla-breach/windows/0/window", json!("4m"));
    put(&mut policy, "/quiet_hours", json!({"from": "22:00", "to": "07:00"}));
    let policy = Policy::parse(&policy.to_string()).expect("a sound policy");
    let lints: Vec<Lint> = warnings(&policy, None, None).into_iter().map(|warning| warning.lint).collect();
    assert_eq!(lints, [Lint::CrowdedSteps]);
}
