//! The record replays: every commit, decided again on what is recorded of it, comes to the very
//! entries that are recorded, and a policy that changes nothing changes nothing.

mod common;

use chrono::{DateTime, TimeDelta, Utc};
use common::*;
use leadctl::audit::{Order, Reader, generate, sorted};
use proptest::prelude::*;
use rules::account::Account;
use rules::backtest::{Backtest, FirstDifference, Happening, MessageRow, Pair, Report, Trial};
use rules::directory::Directory;
use rules::ids::{AccountId, LeadId, PersonId, Subject};
use rules::input::Past;
use rules::lead::Lead;
use rules::notification::Message;
use rules::policy::Policy;
use rules::record::CommitRecord;
use rules::replay::Replay;
use rules::routing::Standing;
use rules::simulate::Simulation;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::io::{BufReader, Seek as _};

fn trial(policy: Policy) -> Trial {
    Trial { policy, directory: None, since: None }
}

/// Plays lines, recording; gives the records as they were decided, and all revisions.
fn record(simulation: Simulation, steps: &[Step]) -> (Vec<CommitRecord>, Past) {
    let mut simulation = simulation.recording();
    play(&mut simulation, lines(steps));
    let mut records = simulation.take_records().expect("records are JSON");
    records.sort_by_key(|r| (r.recorded_at, r.subject.to_string(), r.commit));
    (records, simulation.revisions())
}

fn backtest(records: &[CommitRecord], revisions: &Past, trial: Trial) -> Report {
    let mut backtest = Backtest::new(revisions, trial);
    for record in records {
        backtest.follow(record).expect("the record can be replayed");
    }
    backtest.finish(None).expect("what was kept can be read")
}

/// Nothing is different in it but what it says of itself.
fn check_same(report: &Report) {
    assert_eq!(report.identity.first, []);
    assert_eq!((report.identity.differences, report.identity.without_input), (0, 0));
    assert_eq!(report.first_differences, []);
    assert_eq!(report.leads_different, 0);
    for row in &report.messages {
        assert_eq!(row.count.more(), 0, "{row:?}");
    }
    for row in &report.happenings {
        assert_eq!(row.count.more(), 0, "{row:?}");
    }
    for day in &report.queues {
        assert_eq!((day.operations.more(), day.reviews.more()), (0, 0), "{day:?}");
    }
    assert_eq!(report.not_applied.values().sum::<u64>(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_random_history_is_reproduced_and_its_own_policy_changes_nothing(steps in histories()) {
        let policy = lively_policy(1);
        let (records, revisions) = record(simulation(&policy, &tight_directory()), &steps);
        let report = backtest(&records, &revisions, trial(policy));
        prop_assert_eq!(report.identity.commits, records.len() as u64);
        check_same(&report);
    }
}

/// Everything as the record has it so far.
#[derive(Default)]
struct Followed {
    leads: HashMap<LeadId, Lead>,
    accounts: HashMap<AccountId, Account>,
    reps: HashMap<PersonId, Standing>,
    commits: u64,
}

impl Followed {
    fn follow(&mut self, record: &CommitRecord, revisions: &Past) {
        let replay = Replay::new(revisions);
        self.commits += 1;
        let difference = match &record.subject {
            Subject::Lead(id) => {
                let command = Replay::command(record).expect("a command");
                let replayed = replay.lead(self.leads.get(id), record, command.as_ref()).expect("it follows");
                self.leads.insert(id.clone(), replayed.after);
                replayed.difference
            }
            Subject::Account(id) => {
                let command = Replay::account_command(record).expect("a command");
                let replayed =
                    replay.account(self.accounts.get(id), record, command.as_ref()).expect("it follows");
                self.accounts.insert(id.clone(), replayed.after);
                replayed.difference
            }
            Subject::Rep(id) => {
                let before = self.reps.get(id).cloned().unwrap_or_default();
                let replayed = replay.rep(id, &before, record).expect("it follows");
                self.reps.insert(id.clone(), replayed.after);
                replayed.difference
            }
            Subject::Publication(_) => None,
        };
        assert_eq!(difference, None);
    }
}

#[test]
fn ten_thousand_made_up_leads_are_reproduced() {
    let policy = Policy::parse(&seeded("default.yaml")).expect("a sound policy");
    let mut followed = Followed::default();
    let mut revisions = BTreeSet::new();
    generate::generate(10_000, 7, &policy, &mut |record, past| {
        let recorded = record.recorded.as_ref().expect("every input is recorded");
        revisions.insert((recorded.policy_revision, recorded.directory_revision));
        followed.follow(&record, past);
        Ok(())
    })
    .expect("it can be made up");
    assert_eq!(followed.leads.len(), 10_000);
    assert!(followed.commits > 100_000, "{}", followed.commits);
    assert!(followed.accounts.len() > 50 && followed.reps.len() > 40);
    // A policy and a directory are published on the way.
    assert_eq!(revisions, BTreeSet::from([(1, 1), (2, 1), (2, 2)]));
}

#[test]
fn a_made_up_record_is_sorted_and_reproduced_whatever_is_tried() {
    let policy = Policy::parse(&seeded("default.yaml")).expect("a sound policy");
    let file = tempfile::tempfile().expect("a file");
    let mut file = generate::write(file, 400, 7, &policy).expect("it can be made up");
    file.rewind().expect("a file");
    let input = BufReader::new(file);
    let (contents, sorted) = sorted(Reader::new(input, "made up"), Order::Time).expect("an export");
    let mut backtest = Backtest::new(&contents.revisions, trial(with_imminent_at("50%")));
    let mut last: Option<DateTime<Utc>> = None;
    for record in sorted {
        let record = record.expect("a commit");
        assert!(last <= Some(record.recorded_at), "commits come in the order of time");
        last = Some(record.recorded_at);
        backtest.follow(&record).expect("the record can be replayed");
    }
    let report = backtest.finish(None).expect("what was kept can be read");
    assert_eq!(report.identity.first, []);
    // The publications, of two policies and two directories, decide nothing by themselves.
    assert_eq!(report.identity.commits, contents.end.commits - 4);
    assert_eq!(report.recorded_policies, [1, 2]);
    assert!(report.leads_different > 100, "{}", report.leads_different);
}

/// A working day of one lead with a window of an hour, moved after fifty minutes.
fn one_lead() -> (Vec<CommitRecord>, Past) {
    let step = |minutes: i64, what: serde_json::Value| Step {
        after: TimeDelta::minutes(minutes),
        late: TimeDelta::zero(),
        what,
    };
    let lead =
        json!({"id": "L-0", "market": "us", "country": "US", "source": "paid_social", "owner": "rep-ana"});
    let steps = [
        step(0, json!({"type": "lead.upserted", "lead": lead})),
        step(50, json!({"type": "lead.state_changed", "lead": {"id": "L-0", "state": "WON"}})),
    ];
    let policy = Policy::parse(&seeded("default.yaml")).expect("a sound policy");
    let directory = Directory::parse(&seeded("directory.yaml")).expect("a sound directory");
    record(simulation(&policy, &directory), &steps)
}

fn with_imminent_at(percent: &str) -> Policy {
    Policy::parse(&seeded("default.yaml").replace("at: 80%", &format!("at: {percent}")))
        .expect("a sound policy")
}

#[test]
fn a_notice_that_comes_later_is_not_sent_to_who_was_quick_enough() {
    let (records, revisions) = one_lead();
    // At 80 % of an hour, 14:48, somebody is told; the lead is moved at 14:50. At 90 % it would
    // have been 14:54.
    let report = backtest(&records, &revisions, trial(with_imminent_at("90%")));
    assert_eq!((report.identity.commits, report.identity.differences), (3, 0));
    let week = "2026-03-02".parse().expect("a day");
    let warning = MessageRow {
        recipient: "rep-ana".to_owned(),
        week,
        message: Message::SlaWarning,
        count: Pair { recorded: 1, replayed: 0 },
    };
    let changed: Vec<_> = report.messages.iter().filter(|row| row.count.more() != 0).collect();
    assert_eq!(changed, [&warning]);
    assert!(report.happenings.iter().all(|row| row.count.more() == 0));
    let first = FirstDifference {
        lead: "L-0".into(),
        at: beginning() + TimeDelta::minutes(48),
        recorded: Some("sla-warning (imminent) to rep-ana".to_owned()),
        replayed: None,
    };
    assert_eq!(report.first_differences, [first]);
    assert_eq!(report.leads_different, 1);
}

#[test]
fn a_notice_that_comes_earlier_runs_at_its_own_instant() {
    let (records, revisions) = one_lead();
    let report = backtest(&records, &revisions, trial(with_imminent_at("50%")));
    assert_eq!(report.identity.differences, 0);
    assert!(report.messages.iter().all(|row| row.count.more() == 0), "one notice either way");
    let first = report.first_differences.first().expect("it comes earlier");
    assert_eq!(first.at, beginning() + TimeDelta::minutes(30));
    assert_eq!(
        (&first.recorded, first.replayed.as_deref()),
        (&None, Some("sla-warning (imminent) to rep-ana"))
    );
}

#[test]
fn a_window_that_is_shorter_brings_breaches_and_reassignments() {
    let (records, revisions) = one_lead();
    // Ten minutes: told at 14:08, breached at 14:10, given to the next at 14:15; to them it is new,
    // told 14:23, breached 14:25, taken at 14:30; 14:38, 14:40, and at 14:45 it has hopped enough.
    let policy = Policy::parse(&seeded("default.yaml").replace(
        "- { state: NEW, source: paid_social, window: 1h }",
        "- { state: NEW, source: paid_social, window: 10m }",
    ))
    .expect("a sound policy");
    let report = backtest(&records, &revisions, trial(policy));
    assert_eq!(report.total(Happening::Breach), Pair { recorded: 0, replayed: 3 });
    let reassigned = report.total(Happening::Reassignment).replayed;
    let impossible = report.total(Happening::ReassignmentImpossible).replayed;
    // Of four reps one is on leave, so that the third owner's is the end, as is the third time.
    assert_eq!((reassigned, impossible), (2, 1));
}

#[test]
fn a_decision_on_a_lead_that_is_not_held_in_the_replay_is_counted_and_not_applied() {
    let step = |minutes: i64, what: serde_json::Value| Step {
        after: TimeDelta::minutes(minutes),
        late: TimeDelta::zero(),
        what,
    };
    let lead = json!({"id": "L-0", "market": "us", "country": "FR", "source": "partner"});
    let steps = [
        step(0, json!({"type": "lead.upserted", "lead": lead})),
        step(
            30,
            json!({"type": "review.decided", "lead_id": "L-0", "decision": "clear", "officer": "cleo",
            "reason_code": "low-risk", "reason": "Checked."}),
        ),
    ];
    let policy = Policy::parse(&seeded("default.yaml")).expect("a sound policy");
    let directory = Directory::parse(&seeded("directory.yaml")).expect("a sound directory");
    let (records, revisions) = record(simulation(&policy, &directory), &steps);
    let mut licensed = seeded_value("directory.yaml");
    licensed["markets"]["us"]["licensed_for"] = json!(["US", "CA", "FR"]);
    let licensed = Directory::check(serde_json::from_value(licensed).expect("a directory")).expect("sound");
    let report = backtest(&records, &revisions, Trial { policy, directory: Some(licensed), since: None });
    assert_eq!(report.identity.differences, 0);
    assert_eq!(report.total(Happening::Held), Pair { recorded: 1, replayed: 0 });
    assert_eq!(report.not_applied.get("compliance decisions"), Some(&1));
}
