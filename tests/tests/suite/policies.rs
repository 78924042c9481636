//! A policy that validates never makes a decision fail: random sound policies, each put in force
//! while leads are in flight under the one before, over random histories.

use leadwatch_tests::cases::config;
use leadwatch_tests::histories::{histories, lines, play};
use leadwatch_tests::history::check_history;
use leadwatch_tests::seeded::{beginning, seeded_value, simulation, tight_directory};
use policy::Policy;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

const STATES: [&str; 7] = ["NEW", "CONTACTED", "QUALIFIED", "NEGOTIATION", "WON", "LOST", "ON_HOLD"];
const KINDS: [&str; 7] = ["working", "working", "working", "working", "terminal", "terminal", "hold"];
const ACTIONS: [&str; 5] =
    ["tell-owner", "tell-manager", "record-breach", "reassign", "queue-for-operations"];

fn steps() -> impl Strategy<Value = Vec<Value>> {
    let shares = subsequence(vec![1u16, 50, 80, 99, 100, 101, 150, 200, 400, 10_000], 0..6);
    let actions = subsequence(ACTIONS.to_vec(), 1..=5);
    (shares, proptest::collection::vec(actions, 6)).prop_map(|(shares, actions)| {
        let steps = shares.into_iter().zip(actions).enumerate();
        steps
            .map(|(n, (at, actions))| json!({"step": format!("s{n}"), "at": format!("{at}%"), "do": actions}))
            .collect()
    })
}

/// What a market does otherwise; not all of it is sound for every policy.
fn overrides() -> impl Strategy<Value = Vec<Value>> {
    let one = prop_oneof![
        (0..6u8).prop_map(|n| json!({"step": format!("s{n}"), "off": true})),
        (0..6u8, select(vec!["75%", "120%", "300%"]))
            .prop_map(|(n, at)| json!({"step": format!("s{n}"), "at": at})),
        select(vec!["60%", "130%", "500%"])
            .prop_map(|at| json!({"step": format!("own-{at}"), "at": at, "do": ["tell-owner", "reassign"]})),
    ];
    proptest::collection::vec(one, 0..3)
}

/// A row of windows, with those of the optional members that are given.
pub(super) fn window_row(state: &str, window: &str, optional: [(&str, Option<&str>); 3]) -> Value {
    let mut row = json!({"state": state, "window": window});
    for (name, value) in optional {
        if let Some(value) = value {
            row[name] = value.into();
        }
    }
    row
}

fn windows() -> impl Strategy<Value = Vec<Value>> {
    let row = (
        select(STATES[..4].to_vec()),
        proptest::option::of(select(vec!["us", "dach"])),
        proptest::option::of(select(vec!["partner", "cold_list"])),
        select(vec!["1s", "1m", "45m", "2h", "24h", "1bd", "5bd", "1000bd", "10000h"]),
        proptest::option::of(select(vec!["always", "berlin", "new-york"])),
    );
    let row = row.prop_map(|(state, market, source, window, calendar)| {
        window_row(state, window, [("market", market), ("source", source), ("calendar", calendar)])
    });
    proptest::collection::vec(row, 0..8)
}

/// A sound policy for the seeded directory.
fn policies() -> impl Strategy<Value = Policy> {
    let ladder = || (steps(), overrides(), overrides(), windows());
    let rest =
        (subsequence((0..7usize).collect::<Vec<_>>(), 1..=7), 0..4u32, 1..=2u8, any::<bool>(), 1..=3u8);
    (ladder(), ladder(), rest).prop_filter_map("it is sound", |(sla, stuck, rest)| {
        let (states, reassignments, officers, quiet, hours) = rest;
        let mut document = seeded_value("default.yaml");
        let has = |state: &Value| states.iter().any(|n| *state == STATES[*n]);
        document["states"] = Value::from_iter(
            states
                .iter()
                .map(|n| json!({"state": STATES[*n], "kind": KINDS[*n], "stages": [format!("stage-{n}")]})),
        );
        for (name, (steps, us, dach, rows)) in [("sla-breach", sla), ("stuck-lead", stuck)] {
            let workflow = &mut document["workflows"][name];
            workflow["steps"] = steps.into();
            workflow["markets"] = json!({"us": us, "dach": dach});
            workflow["windows"] = Value::from_iter(rows.into_iter().filter(|row| has(&row["state"])));
        }
        document["workflows"]["sla-breach"]["max_reassignments"] = reassignments.into();
        document["workflows"]["compliance-flag"]["officers"] = officers.into();
        document["intake"]["history_after"] = format!("{hours}h").into();
        if quiet {
            document["quiet_hours"] = json!({"from": "18:00", "to": "08:00", "except": ["held"]});
        }
        let policy: Policy = serde_json::from_value(document).ok()?;
        let is_sound = policy.check().is_ok() && policy.check_against(&tight_directory()).is_ok();
        is_sound.then_some(policy)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_local_rejects: 1_000_000,
        max_global_rejects: 1_000_000,
        ..config(96)
    })]

    #[test]
    fn a_sound_policy_never_makes_a_decision_fail(
        policies in proptest::collection::vec(policies(), 3),
        steps in histories(),
    ) {
        let directory = tight_directory();
        let mut simulation = simulation(&policies[0], &directory);
        let mut rest = lines(&steps);
        let mut entries = Vec::new();
        // A state that the next policy does not have still has its leads.
        for policy in &policies[1..] {
            let after = rest.split_off(rest.len() / 2);
            let then = rest.last().map_or_else(beginning, |line| line.received_at);
            leadctl::simulate::play(&mut simulation, rest, then, &mut |entry| { entries.push(entry.clone()); Ok(()) })
                .expect("nobody refuses an entry");
            simulation.publish(policy.clone(), "test", then);
            rest = after;
        }
        entries.extend(play(&mut simulation, rest));
        check_history(&simulation, &entries);
    }
}
