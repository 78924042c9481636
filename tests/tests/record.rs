//! The record replays: every commit, decided again on what is recorded of it, comes to the very
//! entries that are recorded, and a policy that changes nothing changes nothing.

mod common;

use chrono::{DateTime, Utc};
use common::*;
use leadctl::audit::{Order, Reader, generate, sorted};
use proptest::prelude::*;
use rules::backtest::{Backtest, Report, Trial};
use rules::input::Past;
use rules::policy::Policy;
use rules::record::CommitRecord;
use rules::simulate::Simulation;
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
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_random_history_is_reproduced_and_its_own_policy_changes_nothing(steps in histories()) {
        let policy = lively_policy(1);
        let (records, revisions) = record(simulation(&policy, &tight_directory()), &steps);
        let report = backtest(&records, &revisions, trial(policy));
        prop_assert_eq!(report.identity.commits, records.len() as u64);
        check_same(&report);
    }
}

#[test]
fn ten_thousand_made_up_leads_are_reproduced() {
    let policy = Policy::parse(&seeded("default.yaml")).expect("a sound policy");
    let file = tempfile::tempfile().expect("a file");
    let mut file = generate::write(file, 10_000, 7, &policy).expect("it can be made up");
    file.rewind().expect("a file");
    let (contents, sorted) =
        sorted(Reader::new(BufReader::new(file), "made up"), Order::Time).expect("an export");
    let mut backtest = Backtest::new(&contents.revisions, trial(policy));
    let mut last: Option<DateTime<Utc>> = None;
    for record in sorted {
        let record = record.expect("a commit");
        assert!(last <= Some(record.recorded_at), "commits come in the order of time");
        last = Some(record.recorded_at);
        backtest.follow(&record).expect("the record can be replayed");
    }
    let report = backtest.finish(None).expect("what was kept can be read");
    assert_eq!(report.identity.first, []);
    assert_eq!(report.identity.differences, 0);
    assert_eq!(report.identity.commits, contents.end.commits);
    assert!(report.identity.commits > 80_000, "{}", report.identity.commits);
    assert_eq!(report.recorded_policies, [1, 2]);
    assert_eq!(contents.revisions.directories.len(), 2);
}
