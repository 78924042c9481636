//! Random rules: policies with windows, steps and markets of their own, and directories whose
//! calendars differ in zone, hours and holidays.

use crate::policies::window_row;
use leadwatch_tests::seeded::{seeded_value, tight_directory};
use policy::directory::Directory;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

/// A directory for each number under this.
pub const DIRECTORIES: usize = 6;

/// What is published.
#[derive(Debug, Clone)]
pub enum Published {
    Policy(Value),
    Directory(usize),
}

/// The seeded directory with other calendars.
pub fn directory(variant: usize) -> Directory {
    let mut document = serde_json::to_value(tight_directory().document()).expect("a directory is JSON");
    let calendars = &mut document["calendars"];
    let everyday = |blocks: Value| {
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        days.into_iter().map(|day| (day.to_owned(), blocks.clone())).collect::<serde_json::Map<_, _>>()
    };
    match variant {
        // A holiday is added late, and the next day is a short one.
        1 => {
            let holidays = calendars["new-york"]["holidays"].as_array_mut().expect("holidays");
            holidays.extend(["2026-03-02", "2026-03-05"].map(|date| json!({"date": date, "name": "Late"})));
            calendars["new-york"]["exceptions"] =
                json!([{"date": "2026-03-03", "hours": ["11:00-12:30"], "name": "Short"}]);
        }
        // Nights, in a zone whose clocks change in between (2026-03-08).
        2 => calendars["new-york"]["hours"] = json!(everyday(json!(["18:30-02:30"]))),
        // Markets change their calendars.
        3 => {
            document["markets"]["us"]["calendar"] = json!("berlin");
            document["markets"]["dach"]["calendar"] = json!("always");
        }
        // The office moves, and works at weekends; so do those who review.
        4 => {
            calendars["new-york"]["time_zone"] = json!("Australia/Lord_Howe");
            calendars["new-york"]["hours"] = json!(everyday(json!(["01:30-02:15", "06:00-20:00"])));
        }
        5 => document["compliance"] = json!({"channel": "#compliance"}),
        _ => {}
    }
    Directory::check(serde_json::from_value(document).expect("a directory")).expect("a sound directory")
}

/// What may be published in mid-clock.
pub fn published() -> impl Strategy<Value = Published> {
    prop_oneof![3 => policies().prop_map(Published::Policy), 2 => (0..DIRECTORIES).prop_map(Published::Directory)]
}

/// A random policy.
pub fn policies() -> impl Strategy<Value = Value> {
    let states = ["NEW", "CONTACTED", "QUALIFIED", "NEGOTIATION"];
    let windows = ["10m", "45m", "2h", "5h", "24h", "1bd", "3bd"];
    let row = (
        select(states.to_vec()),
        select(windows.to_vec()),
        select(vec![None, Some("us"), Some("dach")]),
        select(vec![None, Some("partner"), Some("paid_social")]),
        select(vec![None, None, Some("always"), Some("berlin")]),
    );
    let row = row.prop_map(|(state, window, market, source, calendar)| {
        window_row(state, window, [("market", market), ("source", source), ("calendar", calendar)])
    });
    let rows = |most| proptest::collection::vec(row.clone(), 0..most).prop_map(distinct);
    (rows(8), rows(4), steps(), steps(), overrides(), select(vec!["2h", "1bd", "24h"]), 0..4u32).prop_map(
        |(sla, stuck, sla_steps, stuck_steps, us, reminder, reassignments)| {
            let mut document = seeded_value("default.yaml");
            let workflows = &mut document["workflows"];
            // There is always a window for what most leads are in.
            let mut windows = vec![json!({"state": "NEW", "window": "3h"})];
            windows.extend(sla);
            workflows["sla-breach"]["windows"] = json!(distinct(windows));
            workflows["sla-breach"]["steps"] = sla_steps;
            workflows["sla-breach"]["max_reassignments"] = json!(reassignments);
            workflows["sla-breach"]["markets"] = json!({"us": us});
            workflows["stuck-lead"]["windows"] = json!(stuck);
            workflows["stuck-lead"]["steps"] = stuck_steps;
            workflows["compliance-flag"]["reminders"] =
                json!([{"step": "ageing", "after": reminder}, {"step": "overdue", "after": "5bd"}]);
            document
        },
    )
}

/// Of two rows for the same the first one stays: a policy has one.
fn distinct(rows: Vec<Value>) -> Vec<Value> {
    let key = |row: &Value| ["state", "market", "source"].map(|name| row[name].clone());
    let mut kept: Vec<Value> = Vec::new();
    for row in rows {
        if kept.iter().all(|known| key(known) != key(&row)) {
            kept.push(row);
        }
    }
    kept
}

/// Some of the steps there can be, rising.
fn steps() -> impl Strategy<Value = Value> {
    let all = vec![
        json!({"step": "early", "at": "30%", "do": ["tell-owner"]}),
        json!({"step": "imminent", "at": "80%", "do": ["tell-owner"]}),
        json!({"step": "breached", "at": "100%", "do": ["record-breach", "tell-manager"]}),
        json!({"step": "late", "at": "120%", "do": ["tell-manager"]}),
        json!({"step": "significantly-past", "at": "150%", "do": ["reassign"]}),
        json!({"step": "triage", "at": "400%", "do": ["queue-for-operations"]}),
    ];
    subsequence(all, 1..=6).prop_map(Value::from)
}

/// What a market does differently: a step of its own, which may be known to the workflow by then.
fn overrides() -> impl Strategy<Value = Value> {
    let own = select(vec!["210%", "333%", "90%"])
        .prop_map(|at| json!({"step": "own", "at": at, "do": ["tell-owner"]}));
    proptest::collection::vec(own, 0..2).prop_map(Value::from)
}
