//! Many thresholds at once, through the functions' own handlers: what each function spends on them. Nothing goes wrong
//! in it; afterwards the same is checked as after every run.

use crate::find::{self, Run};
use crate::plan::Plan;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// Leads of one webhook.
const BATCH: usize = 100;
/// Who owns them, in turn.
const OWNERS: [&str; 4] = ["rep-ana", "rep-bob", "rep-cat", "rep-dan"];

thread_local! {
    static SPENT: RefCell<BTreeMap<&'static str, (u64, Duration)>> = const { RefCell::new(BTreeMap::new()) };
}

/// Notes the time that a function computed between two requests.
pub fn spent(function: &'static str, ends: bool, time: Duration) {
    SPENT.with_borrow_mut(|spent| {
        let (invocations, total) = spent.entry(function).or_default();
        *invocations += u64::from(ends);
        *total += time;
    });
}

/// Takes so many leads in within a few seconds, and lets their thresholds fall due. Prints what each function spent;
/// whether all is well.
pub fn run(leads: usize) -> bool {
    let Run { wrong, .. } = find::run(&plan(leads), None, false);
    SPENT.with_borrow(|spent| {
        for (function, (invocations, time)) in spent {
            println!(
                "{function:>10}: {invocations} invocations, {:.2} s of processor time",
                time.as_secs_f64()
            );
        }
    });
    for what in wrong.iter().take(10) {
        println!("WRONG: {what}");
    }
    wrong.is_empty()
}

fn plan(leads: usize) -> Plan {
    let lead = |n: usize| {
        let owner = OWNERS[n % OWNERS.len()];
        json!({ "type": "lead.upserted", "lead": {
            "id": format!("L-{n}"), "market": "us", "country": "US", "source": "inbound_web", "state": "NEW",
            "owner": owner,
        } })
    };
    let all: Vec<Value> = (0..leads).map(lead).collect();
    let inputs: Vec<Value> = all.chunks(BATCH).map(|says| json!({ "after_s": 0, "says": says })).collect();
    serde_json::from_value(json!({ "schedule": 1, "inputs": inputs })).expect("a plan")
}
