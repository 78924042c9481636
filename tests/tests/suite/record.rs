//! The record replays: every commit, decided again on what is recorded of it, comes to the very
//! entries that are recorded, and a policy that changes nothing changes nothing.

use chrono::{DateTime, TimeDelta, Utc};
use insight::backtest::{
    Backtest, Baseline, BaselineChoice, FirstDifference, Group, MessageRow, Metric, Pair, Report, Span, Trial,
};
use insight::replay::Replay;
use insight::simulate::Simulation;
use insight::suggest::Suggest;
use leadctl::audit::{Order, Reader, sorted};
use leadwatch_tests::cases::config;
use leadwatch_tests::histories::{Step, histories, lines, play};
use leadwatch_tests::seeded::{beginning, lively_policy, seeded, seeded_value, simulation, tight_directory};
use policy::directory::Directory;
use policy::ids::{AccountId, LeadId, PersonId, Subject};
use policy::{Message, Policy, PublishedPolicy, WorkflowId};
use proptest::prelude::*;
use rules::account::Account;
use rules::lead::Lead;
use rules::record::CommitRecord;
use rules::roster::Standing;
use rules::world::Past;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::io::{BufReader, Seek as _};
use std::sync::Arc;

/// A policy against what was recorded.
fn trial(policy: Policy) -> Trial {
    Trial { policy, directory: None, since: None, against: BaselineChoice::History }
}

/// A policy against the one in force, both over the same history.
fn against_in_force(policy: Policy) -> Trial {
    Trial { against: BaselineChoice::InForce, ..trial(policy) }
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
    let mut backtest =
        Backtest::new(Arc::new(revisions.clone()), trial).expect("the baseline is in the record");
    for record in records {
        backtest.follow(record).expect("the record can be replayed");
    }
    backtest.finish(None).expect("what was kept can be read")
}

/// Nothing is different in it but what it says of itself.
fn check_same(report: &Report) {
    assert_eq!(report.replay_check.first, []);
    assert_eq!((report.replay_check.differences, report.replay_check.without_input), (0, 0));
    assert_eq!(report.first_differences, []);
    assert_eq!(report.leads_different, 0);
    for row in &report.messages {
        assert_eq!(row.count.more(), 0, "{row:?}");
    }
    for row in &report.metrics {
        assert_eq!(row.count.more(), 0, "{row:?}");
    }
    for row in &report.figures {
        assert_eq!(row.count.more(), 0, "{row:?}");
    }
    for row in &report.queues {
        assert_eq!((row.operations.more(), row.reviews.more()), (0, 0), "{row:?}");
    }
    assert_eq!(report.not_applied.values().map(|pair| pair.candidate).sum::<u64>(), 0);
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn every_random_history_is_reproduced_and_its_own_policy_changes_nothing(steps in histories()) {
        let policy = lively_policy(1);
        let (records, revisions) = record(simulation(&policy, &tight_directory()), &steps);
        let report = backtest(&records, &revisions, trial(policy.clone()));
        prop_assert_eq!(report.replay_check.commits, records.len() as u64);
        check_same(&report);
        check_same(&backtest(&records, &revisions, against_in_force(policy)));
    }

    #[test]
    fn under_any_policy_its_replay_against_history_and_against_in_force_is_the_same(
        steps in histories(), percent in 20_u16..100,
    ) {
        let policy = lively_policy(1);
        let mut candidate = serde_json::to_value(&policy).expect("a policy is JSON");
        candidate["workflows"]["sla-breach"]["steps"][0]["at"] = json!(format!("{percent}%"));
        let candidate: Policy = serde_json::from_value(candidate).expect("a policy");
        prop_assume!(candidate.check().is_ok());
        let (records, revisions) = record(simulation(&policy, &tight_directory()), &steps);
        // Under one revision all the time, the policy in force comes to history.
        let history = backtest(&records, &revisions, trial(candidate.clone()));
        let mut in_force = backtest(&records, &revisions, against_in_force(candidate));
        in_force.against = history.against.clone();
        prop_assert_eq!(in_force, history);
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
        let replay = Replay::new(Arc::new(revisions.clone()));
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

/// Enough for every kind of story several hundred times; more find no more, and cost a minute.
const LEADS: u32 = 3_000;

#[test]
fn thousands_of_made_up_leads_are_reproduced() {
    let policy = Policy::parse(&seeded("default.yaml")).expect("a sound policy");
    let mut followed = Followed::default();
    let mut revisions = BTreeSet::new();
    generate_record::generate(LEADS, 7, &policy, &mut |record, past| {
        let recorded = record.recorded.as_ref().expect("every input is recorded");
        revisions.insert((recorded.policy_revision, recorded.directory_revision));
        followed.follow(&record, past);
        Ok(())
    })
    .expect("it can be made up");
    assert_eq!(followed.leads.len(), LEADS as usize);
    assert!(followed.commits > u64::from(10 * LEADS), "{}", followed.commits);
    assert!(followed.accounts.len() > 15 && followed.reps.len() > 12, "{}", followed.reps.len());
    // A policy and a directory are published on the way.
    assert_eq!(revisions, BTreeSet::from([(1, 1), (2, 1), (2, 2)]));
}

#[test]
fn a_made_up_record_is_sorted_and_reproduced_whatever_is_tried() {
    let policy = Policy::parse(&seeded("default.yaml")).expect("a sound policy");
    let file = tempfile::tempfile().expect("a file");
    let mut file = generate_record::write(file, 400, 7, &policy).expect("it can be made up");
    file.rewind().expect("a file");
    let input = BufReader::new(file);
    let (contents, sorted) = sorted(Reader::new(input, "made up"), Order::Time).expect("an export");
    let mut backtest = Backtest::new(Arc::clone(&contents.revisions), trial(with_imminent_at("50%")))
        .expect("history is the baseline");
    let mut last: Option<DateTime<Utc>> = None;
    for record in sorted {
        let record = record.expect("a commit");
        assert!(last <= Some(record.recorded_at), "commits come in the order of time");
        last = Some(record.recorded_at);
        backtest.follow(&record).expect("the record can be replayed");
    }
    let report = backtest.finish(None).expect("what was kept can be read");
    assert_eq!(report.replay_check.first, []);
    // The publications, of two policies and two directories, decide nothing by themselves.
    assert_eq!(report.replay_check.commits, contents.end.commits - 4);
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
    assert_eq!((report.replay_check.commits, report.replay_check.differences), (3, 0));
    // A record of an hour is counted by the hour.
    assert_eq!(report.span, Span::Hour);
    let warning = MessageRow {
        recipient: "rep-ana".to_owned(),
        from: beginning(),
        message: Message::SlaWarning,
        count: Pair { baseline: 1, candidate: 0 },
    };
    let changed: Vec<_> = report.messages.iter().filter(|row| row.count.more() != 0).collect();
    assert_eq!(changed, [&warning]);
    let changed = report.metrics.iter().filter(|row| row.count.more() != 0);
    assert!(changed.into_iter().all(|row| row.metric == Metric::Message));
    let first = FirstDifference {
        lead: "L-0".into(),
        at: beginning() + TimeDelta::minutes(48),
        baseline: Some("sla-warning (imminent) to rep-ana".to_owned()),
        candidate: None,
    };
    assert_eq!(report.first_differences, [first]);
    assert_eq!(report.leads_different, 1);
}

/// The one lead, recorded under a policy that was replaced by another one after it was over.
fn one_lead_under_an_earlier_policy() -> (Vec<CommitRecord>, Past) {
    let (records, mut revisions) = one_lead();
    let before = revisions.policies.values().next_back().expect("a policy").clone();
    let at = before.published_at + TimeDelta::days(30);
    let next = PublishedPolicy::next(Some(&before), with_imminent_at("50%"), "otto", at);
    revisions.policies.insert(next.revision, Arc::new(next));
    (records, revisions)
}

#[test]
fn a_candidate_is_compared_with_the_policy_in_force_and_not_with_what_was_recorded() {
    let (records, revisions) = one_lead_under_an_earlier_policy();
    // Recorded at 80 %, in force by now at 50 %.
    let report = backtest(&records, &revisions, against_in_force(with_imminent_at("50%")));
    check_same(&report);
    assert_eq!(report.against, Baseline::InForce { revision: 2 });
    assert_eq!((report.changes.len(), report.versions_that_rise.len()), (0, 0));
    let report = backtest(&records, &revisions, against_in_force(with_imminent_at("40%")));
    assert_eq!((report.replay_check.commits, report.replay_check.differences), (3, 0));
    assert_eq!(report.changes, ["sla-breach: imminent 50 % → 40 %"]);
    assert_eq!(report.versions_that_rise, [WorkflowId::SlaBreach]);
    let first = report.first_differences.first().expect("it comes earlier");
    assert_eq!(first.at, beginning() + TimeDelta::minutes(24));
    assert_eq!(
        (&first.baseline, first.candidate.as_deref()),
        (&None, Some("sla-warning (imminent) to rep-ana"))
    );
    // The recorded policy is a revision that one can compare with, too.
    let trial = Trial { against: BaselineChoice::Revision(1), ..trial(with_imminent_at("80%")) };
    check_same(&backtest(&records, &revisions, trial));
}

/// How many notices `imminent` is judged by.
fn judged(records: &[CommitRecord], revisions: &Past) -> u64 {
    let mut suggest = Suggest::new(revisions);
    records.iter().for_each(|record| suggest.follow(record).expect("it follows"));
    let steps = suggest.finish();
    steps.iter().filter(|step| step.step == "imminent").map(|step| step.figures.notices).sum()
}

#[test]
fn a_threshold_is_judged_by_what_was_noticed_where_it_is_by_now() {
    let (records, revisions) = one_lead();
    assert_eq!(judged(&records, &revisions), 1);
    // The notice came at 80 %; by now it is to come at 50 %, which nobody has seen yet.
    let (records, revisions) = one_lead_under_an_earlier_policy();
    assert_eq!(judged(&records, &revisions), 0);
}

#[test]
fn a_revision_that_was_never_published_is_no_baseline() {
    let (_, revisions) = one_lead();
    let trial = Trial { against: BaselineChoice::Revision(7), ..trial(with_imminent_at("80%")) };
    let error = Backtest::new(Arc::new(revisions), trial).err().expect("there is no revision 7");
    assert_eq!(error.to_string(), "policy revision 7 is not in the record, which holds 1");
}

#[test]
fn a_notice_that_comes_earlier_runs_at_its_own_instant() {
    let (records, revisions) = one_lead();
    let report = backtest(&records, &revisions, trial(with_imminent_at("50%")));
    assert_eq!(report.replay_check.differences, 0);
    assert!(report.messages.iter().all(|row| row.count.more() == 0), "one notice either way");
    let first = report.first_differences.first().expect("it comes earlier");
    assert_eq!(first.at, beginning() + TimeDelta::minutes(30));
    assert_eq!(
        (&first.baseline, first.candidate.as_deref()),
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
    assert_eq!(report.total(Metric::Breach), Pair { baseline: 0, candidate: 3 });
    let reassigned = report.total(Metric::Reassignment).candidate;
    let impossible = report.total(Metric::ReassignmentImpossible).candidate;
    // Of four reps one is on leave, so that the third owner's is the end, as is the third time.
    assert_eq!((reassigned, impossible), (2, 1));
    // Each by whom it happened to: three owners breached once each, and each was told.
    let of_rep = |rep: &str, metric: Metric| {
        let is_it = |group: &Group| matches!(group, Group::Rep { rep: of, .. } if of.as_str() == rep);
        let rows = report.figures.iter().filter(|row| row.metric == metric && is_it(&row.group));
        rows.map(|row| row.count.candidate).sum::<u64>()
    };
    assert_eq!(of_rep("rep-ana", Metric::Breach), 1);
    assert_eq!(of_rep("rep-ana", Metric::Reassignment), 1);
    let given: u64 = ["rep-bob", "rep-dan"].map(|rep| of_rep(rep, Metric::Assignment)).iter().sum();
    assert_eq!(given, 2, "both reassignments gave it to somebody");
    let of_team = |metric: Metric| {
        let is_it = |group: &Group| matches!(group, Group::Team { team } if team.as_str() == "us-sales");
        let rows = report.figures.iter().filter(|row| row.metric == metric && is_it(&row.group));
        rows.map(|row| row.count.candidate).sum::<u64>()
    };
    assert_eq!((of_team(Metric::Breach), of_team(Metric::Reassignment)), (3, 2));
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
    let report = backtest(&records, &revisions, Trial { directory: Some(licensed), ..trial(policy) });
    assert_eq!(report.replay_check.differences, 0);
    assert_eq!(report.total(Metric::Held), Pair { baseline: 1, candidate: 0 });
    let not_applied = Pair { baseline: 0, candidate: 1 };
    assert_eq!(report.not_applied.get("compliance decisions"), Some(&not_applied));
}
