//! What is different between two documents, in words: each change has its line, and nothing that
//! is different goes without one.

use leadwatch_tests::seeded::{pointers, seeded, seeded_value};
use policy::directory::Directory;
use policy::{Policy, WorkflowId, diff};
use serde_json::{Value, json};

fn policy(document: &Value) -> Policy {
    Policy::parse(&document.to_string()).expect("a sound policy")
}

fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a name");
    match document.pointer_mut(parent).expect("the place is there") {
        Value::Array(items) if name == "-" => items.push(value),
        Value::Array(items) if value.is_null() => _ = items.remove(name.parse().expect("an index")),
        Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value,
        Value::Object(map) if value.is_null() => _ = map.remove(name),
        other => other[name] = value,
    }
}

fn of_policy(before: &[(&str, Value)], after: &[(&str, Value)]) -> Vec<String> {
    let mut was = seeded_value("default.yaml");
    for (pointer, value) in before {
        put(&mut was, pointer, value.clone());
    }
    let mut is = was.clone();
    for (pointer, value) in after {
        put(&mut is, pointer, value.clone());
    }
    diff::policies(&policy(&was), &policy(&is)).iter().map(ToString::to_string).collect()
}

const MARKETS: &str = "/workflows/sla-breach/markets";

#[test]
fn steps_are_compared_as_they_are_in_each_market() {
    let dach = |overrides: Value| (MARKETS, json!({ "dach": overrides }));
    let at = |step: &str, at: &str| json!([{"step": step, "at": at}]);
    let nothing: &[(&str, Value)] = &[];
    type Changes = Vec<(&'static str, Value)>;
    let cases: Vec<(Changes, Changes, Vec<&str>)> = vec![
        (
            vec![],
            vec![("/workflows/sla-breach/steps/0/at", json!("90%"))],
            vec!["sla-breach: imminent 80 % → 90 %"],
        ),
        (
            vec![],
            vec![("/workflows/sla-breach/steps/0/do", json!(["tell-owner", "tell-manager"]))],
            vec!["sla-breach: imminent does tell-owner → tell-owner, tell-manager"],
        ),
        (
            vec![],
            vec![(
                "/workflows/sla-breach/steps/-",
                json!({"step": "late", "at": "200%", "do": ["tell-manager"]}),
            )],
            vec!["sla-breach: added: step late at 200 %: tell-manager"],
        ),
        (
            vec![],
            vec![("/workflows/stuck-lead/steps/1", Value::Null)],
            vec!["stuck-lead: removed: step tell-manager at 300 %: tell-manager"],
        ),
        (
            vec![],
            vec![dach(at("imminent", "90%"))],
            vec!["sla-breach in market `dach`: imminent 80 % → 90 %"],
        ),
        (
            vec![dach(at("imminent", "90%"))],
            vec![dach(at("imminent", "95%"))],
            vec!["sla-breach in market `dach`: imminent 90 % → 95 %"],
        ),
        (
            vec![dach(at("imminent", "90%"))],
            vec![(MARKETS, Value::Null)],
            vec!["sla-breach in market `dach`: imminent 90 % → 80 %"],
        ),
        (
            vec![],
            vec![dach(json!([{"step": "breached", "off": true}]))],
            vec!["sla-breach in market `dach`: breached is switched off"],
        ),
        (
            vec![dach(json!([{"step": "breached", "off": true}]))],
            vec![dach(json!([]))],
            vec![
                "sla-breach in market `dach`: breached is switched on again, at 100 %: record-breach, tell-manager",
            ],
        ),
        (
            vec![],
            vec![dach(json!([{"step": "late", "at": "120%", "do": ["tell-owner"]}]))],
            vec!["sla-breach in market `dach`: added: step late at 120 %: tell-owner"],
        ),
        (
            vec![dach(json!([{"step": "late", "at": "120%", "do": ["tell-owner"]}]))],
            vec![dach(json!([]))],
            vec!["sla-breach in market `dach`: removed: step late at 120 %: tell-owner"],
        ),
        // What changes everywhere is said once; where it does not, that is said.
        (
            vec![dach(json!([{"step": "late", "at": "120%", "do": ["tell-owner"]}]))],
            vec![("/workflows/sla-breach/steps/0/at", json!("90%"))],
            vec!["sla-breach: imminent 80 % → 90 %"],
        ),
        (
            vec![dach(at("imminent", "90%"))],
            vec![("/workflows/sla-breach/steps/0/at", json!("85%"))],
            vec![
                "sla-breach: imminent 80 % → 85 %",
                "sla-breach in market `dach`: imminent stays as it is, at 90 %: tell-owner",
            ],
        ),
    ];
    for (before, after, expected) in cases {
        assert_eq!(of_policy(&before, &after), expected, "{after:?}");
    }
    assert_eq!(of_policy(nothing, nothing), Vec::<String>::new());
}

#[test]
fn each_change_of_a_policy_is_told_in_words() {
    let cases: Vec<(&str, Value, Vec<&str>)> = vec![
        (
            "/workflows/sla-breach/windows/4/window",
            json!("2h"),
            vec!["sla-breach: NEW from partner: 4h → 2h"],
        ),
        (
            "/workflows/sla-breach/windows/0/calendar",
            json!("always"),
            vec!["sla-breach: NEW: 1h → 1h on `always`"],
        ),
        (
            "/workflows/sla-breach/windows/-",
            json!({"state": "NEW", "market": "us", "window": "30m"}),
            vec!["sla-breach in market `us`: added: NEW: 30m"],
        ),
        (
            "/workflows/sla-breach/windows/10",
            Value::Null,
            vec!["sla-breach: removed: PROPOSAL from cold_list: 20bd"],
        ),
        (
            "/workflows/sla-breach/max_reassignments",
            json!(3),
            vec!["sla-breach: maximum reassignments: 2 → 3"],
        ),
        (
            "/workflows/sla-breach/messages",
            json!({"sla-warning": {"title": "{lead} waits"}}),
            vec!["sla-breach: message sla-warning, title: Leadwatch's own wording → “{lead} waits”"],
        ),
        ("/workflows/high-value/score", json!(90), vec!["high-value: score: 85 → 90"]),
        (
            "/workflows/high-value/strategic_accounts",
            json!(false),
            vec!["high-value: strategic accounts: yes → no"],
        ),
        ("/workflows/high-value/later_windows", json!("75%"), vec!["high-value: later windows: 50 % → 75 %"]),
        (
            "/workflows/high-value/deal_size_over/0/amount",
            json!("120000"),
            vec!["high-value: deal size over (USD): 100000.00 → 120000.00"],
        ),
        (
            "/workflows/high-value/deal_size_over/2",
            Value::Null,
            vec!["high-value: removed: deal size over (GBP): 80000.00"],
        ),
        ("/workflows/compliance-flag/officers", json!(2), vec!["compliance-flag: officers: 1 → 2"]),
        (
            "/workflows/compliance-flag/reminders/1/after",
            json!("5bd"),
            vec!["compliance-flag: reminder overdue after 3bd → 5bd"],
        ),
        (
            "/workflows/compliance-flag/reason_codes/other",
            json!({"means": "Something else.", "verdict": "clear", "officers": 2}),
            vec!["compliance-flag: added: reason other: “Something else.”, to clear, by 2 officers"],
        ),
        (
            "/workflows/churn-risk/pause_outreach_for",
            Value::Null,
            vec!["churn-risk: removed: outreach paused for 336h"],
        ),
        (
            "/workflows/churn-risk/calendar",
            json!("berlin"),
            vec!["churn-risk: calendar: around the clock → `berlin`"],
        ),
        (
            "/workflows/churn-risk/about/why",
            json!("Because."),
            vec![
                "churn-risk: why it exists: “Selling to a customer who is about to leave can cost both the sale and \
                 the customer.” → “Because.”",
            ],
        ),
        (
            "/states/-",
            json!({"state": "TRIAL", "kind": "working"}),
            vec!["policy: added: state TRIAL, working"],
        ),
        ("/states/7", Value::Null, vec!["policy: removed: state UNQUALIFIED, terminal"]),
        ("/states/8/kind", json!("terminal"), vec!["policy: state ON_HOLD is hold → terminal"]),
        ("/states/0/stages", json!(["open"]), vec!["policy: added: stage of NEW: `open`"]),
        (
            "/quiet_hours",
            json!({"from": "20:00", "to": "07:00", "except": ["lead-given"]}),
            vec!["policy: added: quiet hours: 20:00 to 07:00 except lead-given"],
        ),
        ("/intake/history_after", json!("2h"), vec!["policy: history after: 1h → 2h"]),
        (
            "/retention/personal_data",
            json!("365d"),
            vec!["policy: personal data is kept: 730d after a lead is closed → 365d after a lead is closed"],
        ),
        (
            "/retention",
            Value::Null,
            vec![
                "policy: personal data is kept: 730d after a lead is closed → until someone requests its erasure",
            ],
        ),
        ("/name", json!("Other"), vec!["policy: name: “Default” → “Other”"]),
    ];
    for (pointer, value, expected) in cases {
        assert_eq!(of_policy(&[], &[(pointer, value.clone())]), expected, "{pointer} = {value}");
    }
}

#[test]
fn each_change_of_a_directory_is_told_in_words() {
    let cases: Vec<(&str, Value, Vec<&str>)> = vec![
        (
            "/calendars/berlin/holidays/-",
            json!({"date": "2026-12-31", "name": "Silvester"}),
            vec!["calendar `berlin`: added: holiday 2026-12-31 (Silvester)"],
        ),
        (
            "/calendars/berlin/hours/fri",
            json!(["08:00-16:00"]),
            vec!["calendar `berlin`: fri: 08:30-12:30, 13:30-17:30 → 08:00-16:00"],
        ),
        (
            "/calendars/new-york/exceptions/0/hours",
            json!([]),
            vec![
                "calendar `new-york`: hours on 2026-12-24: 09:00-13:00 (Christmas Eve) → closed (Christmas Eve)",
            ],
        ),
        ("/calendars/spare", json!({"always": true}), vec!["calendar `spare`: added"]),
        ("/markets/dach/team", json!("us-sales"), vec!["market `dach`: team: `dach-sales` → `us-sales`"]),
        ("/markets/dach/licensed_for", json!(["DE", "AT"]), vec!["market `dach`: removed: license for CH"]),
        ("/markets/dach/regional_vp", Value::Null, vec!["market `dach`: removed: regional VP: `vp-ruth`"]),
        ("/teams/us-sales/channel", json!("#us"), vec!["team `us-sales`: channel: #us-sales → #us"]),
        ("/teams/us-sales/reps/rep-dan/capacity", json!(5), vec!["team `us-sales`: rep-dan capacity: 1 → 5"]),
        (
            "/teams/us-sales/reps/rep-dan",
            Value::Null,
            vec!["team `us-sales`: removed: rep rep-dan, junior, capacity 1"],
        ),
        (
            "/teams/us-sales/reps/rep-cat/on_leave_until",
            Value::Null,
            vec!["team `us-sales`: rep-cat on leave until: 2099-01-01T00:00:00Z → not on leave"],
        ),
        (
            "/people/cs-sam/email",
            json!("samuel@example.test"),
            vec!["person `cs-sam`: has a new email address"],
        ),
        ("/people/cs-sam", Value::Null, vec!["person `cs-sam`: removed"]),
        (
            "/people/cs-sam/time_zone",
            json!("America/Chicago"),
            vec!["person `cs-sam`: time zone: the time zone of their team's market → America/Chicago"],
        ),
        (
            "/people/cs-sam/notify",
            json!("email"),
            vec!["person `cs-sam`: notified by slack, the default → email"],
        ),
        (
            "/compliance/calendar",
            json!("berlin"),
            vec!["directory: calendar of compliance: `new-york` → `berlin`"],
        ),
        ("/webhooks", json!({"pager": "https://example.test"}), vec!["directory: webhook `pager` added"]),
        (
            "/sources",
            json!({"crm": {"markets": ["us"], "fields": ["score", "state"]}}),
            vec![
                "directory: source `crm` can write to markets: all → us",
                "directory: source `crm` can write fields: all → score, state",
            ],
        ),
    ];
    let was = seeded_value("directory.yaml");
    for (pointer, value, expected) in cases {
        let mut is = was.clone();
        put(&mut is, pointer, value.clone());
        let [was, is] =
            [&was, &is].map(|document| Directory::parse(&document.to_string()).expect("a sound directory"));
        let told: Vec<String> =
            diff::directories(was.document(), is.document()).iter().map(ToString::to_string).collect();
        assert_eq!(told, expected, "{pointer} = {value}");
    }
}

#[test]
fn a_workflows_version_rises_with_its_own_content_alone() {
    let was = policy(&seeded_value("default.yaml"));
    for id in WorkflowId::ALL {
        let mut document = seeded_value("default.yaml");
        document["workflows"][id.as_str()]["about"]["why"] = json!("Another reason.");
        assert_eq!(diff::versions_that_rise(&was, &policy(&document)), [id]);
    }
    let mut document = seeded_value("default.yaml");
    document["name"] = json!("Other");
    assert_eq!(diff::versions_that_rise(&was, &policy(&document)), []);
}

#[test]
fn rows_in_another_order_raise_the_version_and_change_nothing() {
    let mut document = seeded_value("default.yaml");
    document["workflows"]["sla-breach"]["windows"].as_array_mut().expect("windows").reverse();
    let (was, is) = (policy(&seeded_value("default.yaml")), policy(&document));
    let told: Vec<String> = diff::policies(&was, &is).iter().map(ToString::to_string).collect();
    assert_eq!(told, ["sla-breach: reordered, with no effect"]);
    assert_eq!(diff::versions_that_rise(&was, &is), [WorkflowId::SlaBreach]);
}

/// Values to put in place of what stands there; some of them are sound.
const OTHERS: [&str; 12] = [
    "\"x\"",
    "\"3h\"",
    "\"2bd\"",
    "\"77%\"",
    "7",
    "2",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "\"2026-05-05\"",
];

#[test]
fn nothing_that_is_different_goes_without_a_line() {
    let mut seen = [0, 0];
    for (n, name) in ["default.yaml", "directory.yaml"].into_iter().enumerate() {
        let mut base = seeded_value(name);
        if n == 0 {
            base["quiet_hours"] = json!({"from": "22:00", "to": "07:00", "except": ["held"]});
            base["states"][0]["stages"] = json!(["a", "b"]);
            base["workflows"]["sla-breach"]["markets"] =
                json!({"us": [{"step": "imminent", "at": "70%"}, {"step": "breached", "off": true}]});
            base["workflows"]["sla-breach"]["messages"] =
                json!({"sla-warning": {"title": "{lead}", "text": "x"}});
        } else {
            base["sources"] = json!({"crm": {"markets": ["us"], "fields": ["score", "state"]}, "erp": {}});
        }
        for place in pointers(&base) {
            for other in OTHERS {
                let mut changed = base.clone();
                put(&mut changed, &place, serde_json::from_str(other).expect("JSON"));
                let (differ, changes) = if n == 0 {
                    let Some(is) = sound_policy(changed) else { continue };
                    let was = sound_policy(base.clone()).expect("it is sound before");
                    (was != is, diff::policies(&was, &is))
                } else {
                    let Some(is) = sound_directory(changed) else { continue };
                    let was = sound_directory(base.clone()).expect("it is sound before");
                    (was.document() != is.document(), diff::directories(was.document(), is.document()))
                };
                assert_eq!(differ, !changes.is_empty(), "{place} = {other}: {changes:?}");
                seen[n] += usize::from(differ);
            }
        }
    }
    assert!(seen[0] > 200 && seen[1] > 200, "many of them were sound: {seen:?}");
}

/// Without what a person is told of a mistake, which takes longer.
fn sound_policy(document: Value) -> Option<Policy> {
    let policy: Policy = serde_json::from_value(document).ok()?;
    policy.check().is_ok().then_some(policy)
}

fn sound_directory(document: Value) -> Option<Directory> {
    Directory::check(serde_json::from_value(document).ok()?).ok()
}

#[test]
fn the_seeded_documents_differ_in_nothing_from_themselves() {
    let read = || Policy::parse(&seeded("default.yaml")).expect("the default policy");
    assert_eq!(diff::policies(&read(), &read()), []);
}
