//! Explanations agree with the engine: in random histories, with outages and publications in them.
//! The scenarios hold the same for each of theirs.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::scenario::{Line, What};
use contracts::sight::Reader;
use insight::explain::{Explanation, Readiness, WorkflowAction};
use leadctl::explain::Histories;
use leadwatch_tests::cases::config;
use leadwatch_tests::explained;
use leadwatch_tests::histories::{histories, histories_of_one_lead, lines};
use leadwatch_tests::seeded::{beginning, lively_policy, seeded, simulation, tight_directory};
use policy::directory::Directory;
use policy::{Policy, WorkflowId};
use proptest::prelude::*;
use serde_json::{Value, json};

/// How long timers go on after the last event: past every threshold of a window of days.
const AFTER: TimeDelta = TimeDelta::days(60);

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn what_is_explained_is_what_the_engine_does(steps in histories(), officers in 1..=2u8) {
        let lines = lines(&steps);
        let until = lines.last().map_or_else(beginning, |line| line.received_at) + AFTER;
        explained::follow(simulation(&policy(officers), &tight_directory()), lines, until);
    }

    #[test]
    fn all_that_is_foreseen_of_a_lead_comes_if_nothing_happens(steps in histories_of_one_lead()) {
        let lines = lines(&steps);
        let until = lines.last().map_or_else(beginning, |line| line.received_at) + AFTER;
        explained::follow(simulation(&policy(1), &tight_directory()), lines, until);
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
        explained::follow(simulation(&policy(1), &tight_directory()), lines, until);
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
        warnings: Vec::new(),
    }
}

/// What is said of a lead, `L-1`, at an instant, after these events; one event a line.
fn explained(events: &[&str], at: &str) -> Explanation {
    explained_after(events, at, at)
}

/// The same where no timer ran since an instant.
fn explained_after(events: &[&str], ran_until: &str, at: &str) -> Explanation {
    let (ran_until, at) = (instant(ran_until), instant(at));
    let mut lines: Vec<Line> = (0..).zip(events).map(|(n, text)| line(n, text)).collect();
    leadctl::simulate::sort(&mut lines);
    lines.retain(|line| line.received_at <= ran_until);
    let mut policy = Policy::parse(&seeded("default.yaml")).expect("a policy");
    // One state without a window, to see it explained.
    policy.workflows.sla_breach.windows.retain(|row| row.state.as_str() != "NEGOTIATION");
    let directory = Directory::parse(&seeded("directory.yaml")).expect("a directory");
    let mut simulation = simulation(&policy, &directory);
    let mut histories = Histories::default();
    leadctl::simulate::play(&mut simulation, lines, ran_until, &mut |entry| {
        histories.take(entry);
        Ok(())
    })
    .expect("nobody refuses an entry");
    histories.explain(&"L-1".into(), simulation.world(), at).expect("the lead is there")
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// An event: when it comes, its type, and what it says.
fn line(n: u32, text: &str) -> Line {
    let mut words = text.splitn(3, ' ');
    let mut word = || words.next().expect("three words");
    let (at, kind, body) = (word(), word(), word());
    let mut event: Value = serde_saphyr::from_str(body).expect("YAML");
    (event["id"], event["type"]) = (json!(format!("e{n}")), json!(kind));
    event.as_object_mut().expect("an object").entry("occurred_at").or_insert_with(|| json!(at));
    contracts::scenario::read(&event).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

/// How a workflow stands and why, in one line.
fn stands(explanation: &Explanation, workflow: WorkflowId) -> String {
    let part = explanation.workflow(workflow).expect("each has a part");
    let because: Vec<&str> = part.because.iter().map(|because| because.text.as_str()).collect();
    format!("{:?}: {}", part.status, because.join("; "))
}

const ARRIVES: &str = "2026-03-02T14:00:00Z lead.upserted {lead: {id: L-1, market: us, country: US, source: \
     paid_social, owner: rep-bob, state: NEW, account_id: A-1, score: 72, deal_size: {amount: '48000.00', currency: \
     USD}}}";

#[test]
fn a_condition_that_is_not_met_says_by_how_much() {
    let fresh = explained(&[ARRIVES], "2026-03-02T14:10:00Z");
    assert_eq!(
        stands(&fresh, WorkflowId::HighValue),
        "Inactive: score 72 is 13 below 85; the account is not strategic; deal size 48000.00 USD is not over 100000.00 USD"
    );
    assert_eq!(
        stands(&fresh, WorkflowId::ComplianceFlag),
        "Inactive: no match is open; market us is licensed for US"
    );
    assert_eq!(stands(&fresh, WorkflowId::ChurnRisk), "Inactive: account A-1 has no risk signal");
    let bare = "2026-03-02T14:00:00Z lead.upserted {lead: {id: L-1, market: us, state: NEW, deal_size: {amount: '5', \
         currency: CHF}}}";
    let bare = explained(&[bare], "2026-03-02T14:10:00Z");
    assert_eq!(
        stands(&bare, WorkflowId::HighValue),
        "Inactive: the score is unknown; the account is not strategic; deal size 5.00 CHF is in a currency without a \
         threshold"
    );
    assert_eq!(
        stands(&bare, WorkflowId::ComplianceFlag),
        "Inactive: no match is open; the country is unknown, so licenses cannot be checked"
    );
    assert_eq!(stands(&bare, WorkflowId::ChurnRisk), "Inactive: the lead belongs to no account");
}

#[test]
fn what_fired_says_when_it_can_fire_again() {
    let rises = "2026-03-02T14:05:00Z lead.upserted {lead: {id: L-1, score: 91}}";
    let flagged = explained(&[ARRIVES, rises], "2026-03-02T14:10:00Z");
    assert_eq!(
        stands(&flagged, WorkflowId::HighValue),
        "Fired: score 91 is at or over 85; the account is not strategic; deal size 48000.00 USD is not over 100000.00 \
         USD; can fire again when no criterion is met and the score is at or under 80"
    );
    let part = flagged.workflow(WorkflowId::HighValue).expect("each has a part");
    let facts: Vec<&str> = part.fired.iter().map(|fired| fired.fact.as_str()).collect();
    assert_eq!(facts[..2], ["high-value.flagged", "priority.raised"]);
}

#[test]
fn a_clock_that_cannot_run_says_why() {
    let sla = |events: &[&str], at: &str| stands(&explained(events, at), WorkflowId::SlaBreach);
    let at = "2026-03-02T14:20:00Z";
    let moves = |body: &str| format!("2026-03-02T14:10:00Z lead.state_changed {{lead: {{id: L-1, {body}}}}}");
    let cases = [
        ("state: NEGOTIATION", "Inactive: no window for state NEGOTIATION in market us"),
        ("state: LOST", "Inactive: state LOST is terminal"),
        ("state: ON_HOLD", "Paused: the lead is on hold"),
        ("waiting_on_customer: true", "Paused: the customer must act next"),
        (
            "state: ON_HOLD, waiting_on_customer: true",
            "Paused: the lead is on hold; the customer must act next",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(sla(&[ARRIVES, &moves(body)], at), expected, "{body}");
    }
    let market = |market: &str| {
        format!("2026-03-02T14:00:00Z lead.upserted {{lead: {{id: L-1, state: NEW{market}}}}}")
    };
    assert_eq!(sla(&[&market("")], at), "Inactive: the market is unknown: the lead is in quarantine");
    assert_eq!(
        sla(&[&market(", market: atlantis")], at),
        "Inactive: the directory has no market atlantis: the lead is in quarantine"
    );
    let on_hold = "2026-03-02T14:00:00Z lead.upserted {lead: {id: L-1, market: us, state: ON_HOLD}}";
    assert_eq!(
        sla(&[on_hold], at),
        "Paused: the lead is on hold; no clock was started: the lead arrived on hold"
    );
    let churn = "2026-03-02T14:05:00Z account.churn_signal {account: {id: A-1, signal: usage_down, evidence: {n: 1}}}";
    assert_eq!(sla(&[ARRIVES, churn], at), "Paused: outreach to the account is paused");
}

#[test]
fn a_clock_that_passed_all_of_its_steps_waits_for_nothing() {
    // Two reassignments are allowed: the third owner keeps it, and with it the third clock.
    let late = explained(&[ARRIVES], "2026-03-02T20:00:00Z");
    insta::assert_snapshot!("all_steps_passed", late.to_string());
    assert_eq!(stands(&late, WorkflowId::SlaBreach), "Inactive: clock 3 passed all 3 steps");
    let part = late.workflow(WorkflowId::SlaBreach).expect("each has a part");
    let breaches = part.fired.iter().filter(|fired| fired.fact == "breach.recorded");
    assert_eq!(breaches.map(|fired| fired.clock).collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
}

#[test]
fn a_breach_that_was_excused_is_said_with_the_one_it_excuses() {
    let waited = "2026-03-02T15:10:00Z lead.state_changed {occurred_at: '2026-03-02T14:30:00Z', received_at: \
         '2026-03-02T15:10:00Z', lead: {id: L-1, waiting_on_customer: true}}";
    let excused = explained(&[ARRIVES, waited], "2026-03-02T15:20:00Z");
    let part = excused.workflow(WorkflowId::SlaBreach).expect("each has a part");
    let of_breach = part.fired.iter().filter(|fired| fired.fact.starts_with("breach."));
    let of_breach: Vec<_> = of_breach.map(|fired| (fired.seq, fired.fact.as_str(), fired.clock)).collect();
    assert!(
        matches!(of_breach[..], [(recorded, "breach.recorded", Some(1)), (_, "breach.excused", Some(1))]
            if part.fired.last().and_then(|last| last.does.clone()) == Some(WorkflowAction::ExcuseBreach { breach: recorded })),
        "{excused}"
    );
}

#[test]
fn a_hold_that_ends_by_itself_says_what_comes_then() {
    let hold = "2026-03-02T14:10:00Z lead.state_changed {lead: {id: L-1, state: ON_HOLD, hold_until: \
         '2026-03-02T16:00:00Z'}}";
    let held = explained(&[ARRIVES, hold], "2026-03-02T14:20:00Z");
    assert_eq!(held.hold_ends_at, Some(instant("2026-03-02T16:00:00Z")));
    assert_eq!(held.wake_at, held.hold_ends_at);
    let part = held.workflow(WorkflowId::SlaBreach).expect("each has a part");
    let clock = part.clock.as_ref().expect("it has a clock");
    assert_eq!((clock.runs, clock.elapsed_s, clock.window_s), (false, 600, Some(3600)));
    assert_eq!(part.because[0].until, held.hold_ends_at);
    // Ten of its 48 minutes ran before the hold.
    let imminent = &part.steps[0];
    assert_eq!(
        (imminent.readiness, imminent.at),
        (Readiness::Resting, Some(instant("2026-03-02T16:38:00Z")))
    );
}

#[test]
fn a_held_lead_says_what_is_open_and_a_cleared_one_what_was_cleared() {
    let flagged = "2026-03-02T14:05:00Z lead.flagged {lead: {id: L-1, flags: {pep: [{match_id: p-1, list: PEP, \
         list_version: '1', strength: 80}]}}}";
    let held = explained(&[ARRIVES, flagged], "2026-03-02T14:10:00Z");
    insta::assert_snapshot!("held", held.to_string());
    assert_eq!(
        stands(&held, WorkflowId::ComplianceFlag),
        "Armed: compliance holds the lead; pep match p-1 on PEP (1), strength 80 %"
    );
    assert_eq!(stands(&held, WorkflowId::SlaBreach), "Paused: compliance holds the lead");
    let decided = "2026-03-02T14:20:00Z review.decided {lead_id: L-1, decision: clear, officer: cora, reason_code: \
         false-match, reason: Another.}";
    let cleared = explained(&[ARRIVES, flagged, decided], "2026-03-02T14:30:00Z");
    assert_eq!(
        stands(&cleared, WorkflowId::ComplianceFlag),
        "Inactive: no match is open; compliance cleared 1 match; market us is licensed for US"
    );
    let to_a_viewer = operations::explanation::shown_to(held, &[Reader::Viewer]);
    assert_eq!(stands(&to_a_viewer, WorkflowId::ComplianceFlag), "Fired: compliance holds the lead");
    let to_a_viewer = operations::explanation::shown_to(cleared, &[Reader::Viewer]);
    assert_eq!(stands(&to_a_viewer, WorkflowId::ComplianceFlag), "Inactive: no match is open");
}

#[test]
fn a_risk_says_which_signals_stand_and_what_is_due_then() {
    let churn = "2026-03-02T14:05:00Z account.churn_signal {account: {id: A-1, signal: usage_down, evidence: {n: 1}}}";
    let at_risk = explained(&[ARRIVES, churn], "2026-03-02T14:10:00Z");
    assert_eq!(stands(&at_risk, WorkflowId::ChurnRisk), "Armed: product usage is down");
    let part = at_risk.workflow(WorkflowId::ChurnRisk).expect("each has a part");
    let steps: Vec<_> = part.steps.iter().map(|step| (step.step.as_deref(), step.at)).collect();
    let (touchpoint, lease) = (instant("2026-03-04T14:05:00Z"), instant("2026-03-16T14:05:00Z"));
    assert_eq!(steps, [(Some("touchpoint"), Some(touchpoint)), (Some("outreach"), Some(lease))]);
}

#[test]
fn a_threshold_that_is_overdue_says_what_will_become_of_it() {
    let overdue = explained_after(&[ARRIVES], "2026-03-02T14:40:00Z", "2026-03-02T15:35:00Z");
    insta::assert_snapshot!("overdue", overdue.to_string());
    let part = overdue.workflow(WorkflowId::SlaBreach).expect("each has a part");
    let superseded = || WorkflowAction::Supersede { by: "significantly-past".to_owned() };
    let (owner, team) = (Some("rep-bob".into()), Some("us-sales".into()));
    assert_eq!(part.steps[0].does, [superseded()]);
    assert_eq!(part.steps[1].does, [superseded(), WorkflowAction::RecordBreach { owner, team }]);
    assert!(matches!(
        part.steps[2].does[..],
        [WorkflowAction::Reassign { .. }, WorkflowAction::Tell { .. }, WorkflowAction::Tell { .. }]
    ));
    assert_eq!(part.steps[1].at, Some(instant("2026-03-02T15:00:00Z")));
}

#[test]
fn an_explanation_of_the_past_is_under_the_policy_of_its_time() {
    let policy = serde_json::to_string(&policy(1)).expect("a policy is JSON");
    let published =
        format!("2026-03-02T14:30:00Z policy.published {{policy: {policy}}}").replace("\"1h\"", "\"2h\"");
    let window = |at| {
        let part = explained(&[ARRIVES, &published], at);
        let part = part.workflow(WorkflowId::SlaBreach).expect("each has a part").clone();
        (part.version, part.clock.and_then(|clock| clock.window_s))
    };
    assert_eq!(window("2026-03-02T14:29:59Z"), (1, Some(3600)));
    assert_eq!(window("2026-03-02T14:30:00Z"), (2, Some(7200)));
}
