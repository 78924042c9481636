//! Explanations agree with the engine: in random histories, with outages and publications in them.
//! The scenarios hold the same for each of theirs.

mod common;

use chrono::TimeDelta;
use common::{
    beginning, explaining, histories, histories_of_one_lead, lines, lively_policy, simulation,
    tight_directory,
};
use contracts::scenario::{Line, What};
use proptest::prelude::*;
use rules::policy::Policy;
use serde_json::json;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// How long timers go on after the last event: past every threshold of a window of days.
const AFTER: TimeDelta = TimeDelta::days(60);

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn what_is_explained_is_what_the_engine_does(steps in histories(), officers in 1..=2u8) {
        let lines = lines(&steps);
        let until = lines.last().map_or_else(beginning, |line| line.received_at) + AFTER;
        explaining::follow(simulation(&policy(officers), &tight_directory()), lines, until);
    }

    #[test]
    fn all_that_is_foreseen_of_a_lead_comes_if_nothing_happens(steps in histories_of_one_lead()) {
        let lines = lines(&steps);
        let until = lines.last().map_or_else(beginning, |line| line.received_at) + AFTER;
        explaining::follow(simulation(&policy(1), &tight_directory()), lines, until);
    }

    #[test]
    fn what_is_explained_is_so_under_policies_that_change(
        steps in histories(),
        windows in prop::collection::vec((1..300u32, 20..90u32), 1..4),
    ) {
        let mut lines = lines(&steps);
        let published = (0..).zip(windows).map(|(n, (minutes, percent))| publication(n, minutes, percent, &lines));
        let published: Vec<Line> = published.collect();
        lines.extend(published);
        leadctl::simulate::sort(&mut lines);
        let until = lines.last().map_or_else(beginning, |line| line.received_at) + AFTER;
        explaining::follow(simulation(&policy(1), &tight_directory()), lines, until);
    }
}

/// The lively policy with a threshold past the one that gives the lead to somebody else: the clock
/// does not come to it, unless nobody can take the lead.
fn policy(officers: u8) -> Policy {
    let mut document = serde_json::to_value(lively_policy(officers)).expect("a policy is JSON");
    let steps = document["workflows"]["sla-breach"]["steps"].as_array_mut().expect("steps");
    steps.push(json!({"step": "abandoned", "at": "200%", "do": ["tell-manager"]}));
    let policy: Policy = serde_json::from_value(document).expect("a policy");
    policy.check().expect("a sound policy");
    policy
}

/// A policy with another window and another first threshold, published between the events.
fn publication(n: u32, minutes: u32, percent: u32, lines: &[Line]) -> Line {
    let mut document = serde_json::to_value(policy(1)).expect("a policy is JSON");
    document["workflows"]["sla-breach"]["windows"][0]["window"] = json!(format!("{minutes}m"));
    document["workflows"]["sla-breach"]["steps"][0]["at"] = json!(format!("{percent}%"));
    document["workflows"]["high-value"]["score"] = json!(60 + percent % 30);
    let policy: Policy = serde_json::from_value(document).expect("a policy");
    policy.check().expect("a sound policy");
    let place = (lines.len() - 1) * (n as usize + 1) / 4;
    let at = lines[place].received_at + TimeDelta::seconds(i64::from(minutes));
    Line {
        id: format!("publication-{n}"),
        occurred_at: at,
        received_at: at,
        what: What::PolicyPublished { policy: Box::new(policy), by: "test".to_owned() },
    }
}
