//! Incremental equals recompute from history: for random histories under random rules, with other
//! rules published in mid-clock.
//!
//! The engine keeps clocks and wakes step by step. Here everything is worked out again from the
//! history alone ([`naive`]), the slow way: elapsed time by looking at each minute, thresholds by
//! the first second that has so much of it.

mod naive;
mod rules;

use self::naive::{Clocks, Minutes};
use self::rules::{DIRECTORIES, Published};
use ::rules::aggregate::Aggregate as _;
use ::rules::entry::Entry;
use ::rules::lead::{Lead, LeadFact, Threshold};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::scenario::{Line, What};
use insight::simulate::{AnyEntry, Simulation};
use leadwatch_tests::cases::config;
use leadwatch_tests::histories::{Step, histories_without_outages, lines};
use leadwatch_tests::history::check_history;
use leadwatch_tests::seeded::beginning;
use policy::directory::{ALWAYS, Directory};
use policy::ids::{CalendarId, LeadId, Subject};
use policy::{Policy, PublishedPolicy, StateKind, WorkflowId, most_specific};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn what_is_kept_step_by_step_is_what_the_history_says(
        (steps, policy, directory) in histories(),
    ) {
        let lines = lines(&steps);
        let mut recompute = Recompute::new(&policy, directory);
        recompute.play(lines.clone());
        // The same inputs once more, and all in one go, give the same record.
        let last = lines.last().map_or_else(beginning, |line| line.received_at);
        let (mut again, mut simulation) = (Vec::new(), Recompute::new(&policy, directory).simulation);
        let played = leadctl::simulate::play(&mut simulation, lines, last + AFTERWARDS, &mut |entry| {
            again.push(entry.clone());
            Ok(())
        });
        played.expect("nobody refuses an entry");
        assert_eq!(recompute.entries, again);
    }
}

/// The property says little if hardly anything of this comes about.
#[test]
fn random_histories_hold_publications_in_mid_clock_and_in_mid_hold() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..40 {
        let (steps, policy, directory) = histories().new_tree(&mut runner).expect("a history").current();
        let mut recompute = Recompute::new(&policy, directory);
        recompute.play(lines(&steps));
        let mut see =
            |what, count: usize| *seen.entry(what).or_default() += u32::try_from(count).unwrap_or(0);
        let count = |wanted: fn(&LeadFact) -> bool| {
            let leads = recompute.entries.iter();
            leads.filter(|entry| matches!(entry, AnyEntry::Lead(entry) if wanted(&entry.fact))).count()
        };
        see("holds that survived", recompute.holds_survived);
        see("reached", count(|fact| matches!(fact, LeadFact::ThresholdReached(_))));
        see("moved", count(|fact| matches!(fact, LeadFact::RulesApplied(_))));
        see(
            "passed at publication",
            count(|fact| matches!(fact, LeadFact::ThresholdSuperseded { by, .. } if by == "publication")),
        );
    }
    assert!(seen.len() == 4 && seen.values().all(|count| *count >= 20), "{seen:?}");
}

/// A history with publications in it, and the rules it begins under.
fn histories() -> impl Strategy<Value = (Vec<Step>, Value, usize)> {
    let publication = (any::<Index>(), 0..90_000i64, self::rules::published());
    let publications = prop::collection::vec(publication, 1..5);
    (histories_without_outages(), self::rules::policies(), 0..DIRECTORIES, publications).prop_map(
        |(steps, policy, directory, publications)| {
            (with_publications(&steps, &publications), policy, directory)
        },
    )
}

/// How long timers go on after the last input.
const AFTERWARDS: TimeDelta = TimeDelta::days(20);

/// Puts publications into a history.
fn with_publications(steps: &[Step], publications: &[(Index, i64, Published)]) -> Vec<Step> {
    let mut all = steps.to_vec();
    for (place, after, published) in publications {
        let what = match published {
            Published::Policy(policy) => json!({"type": "policy.published", "policy": policy}),
            Published::Directory(variant) => {
                json!({"type": "directory.published", "directory": self::rules::directory(*variant).document()})
            }
        };
        let step = Step { after: TimeDelta::seconds(*after), late: TimeDelta::zero(), what };
        all.insert(place.index(all.len() + 1), step);
    }
    all
}

/// A simulation, and all that is worked out beside it.
struct Recompute {
    simulation: Simulation,
    entries: Vec<AnyEntry>,
    /// How many of the entries were followed.
    followed: usize,
    leads: BTreeMap<LeadId, (Option<Lead>, Clocks)>,
    policies: BTreeMap<u32, Policy>,
    directories: BTreeMap<u32, Directory>,
    /// Publications while a lead was held.
    holds_survived: usize,
}

impl Recompute {
    fn new(policy: &Value, directory: usize) -> Self {
        let policy = Policy::parse(&policy.to_string()).expect("a sound policy");
        let published = PublishedPolicy::next(None, policy, "test", beginning());
        let simulation = Simulation::new(published, self::rules::directory(directory));
        let mut recompute = Self {
            simulation,
            entries: Vec::new(),
            followed: 0,
            leads: BTreeMap::new(),
            policies: BTreeMap::new(),
            directories: BTreeMap::new(),
            holds_survived: 0,
        };
        recompute.note_rules();
        recompute
    }

    fn play(&mut self, lines: Vec<Line>) {
        let mut now = beginning();
        for line in lines {
            now = line.received_at;
            self.simulation.run_until(now);
            self.follow();
            let publishes =
                matches!(line.what, What::PolicyPublished { .. } | What::DirectoryPublished { .. });
            let leads = self.simulation.leads().values();
            let held: Vec<Lead> = leads.filter(|lead| publishes && lead.is_held()).cloned().collect();
            let mut entries = Vec::new();
            let played = leadctl::simulate::play(&mut self.simulation, vec![line], now, &mut |entry| {
                entries.push(entry.clone());
                Ok(())
            });
            let not_applied = played.expect("nobody refuses an entry");
            assert!(!publishes || not_applied.is_empty(), "it was not published: {not_applied:?}");
            self.entries.extend(entries);
            self.note_rules();
            self.follow();
            for lead in held {
                self.check_that_the_hold_survived(&lead);
                self.holds_survived += 1;
            }
            self.check_wakes();
        }
        self.simulation.run_until(now + AFTERWARDS);
        self.follow();
        self.check_wakes();
        check_history(&self.simulation, &self.entries);
    }

    /// Each revision of the rules, as it comes into force.
    fn note_rules(&mut self) {
        let (policy, directory) = (self.simulation.policy(), self.simulation.directory());
        self.policies.entry(policy.revision).or_insert_with(|| policy.policy.clone());
        self.directories.entry(directory.revision()).or_insert_with(|| directory.clone());
    }

    /// Works out what the new entries say.
    fn follow(&mut self) {
        self.entries.extend(self.simulation.take_history());
        for entry in &self.entries[self.followed..] {
            let AnyEntry::Lead(entry) = entry else { continue };
            let Subject::Lead(id) = &entry.subject else { panic!("a lead's entry is a lead's") };
            let (before, mut clocks) = self.leads.remove(id).unwrap_or_default();
            if let (Some(lead), Some(threshold)) = (&before, threshold(&entry.fact)) {
                self.check_threshold(lead, &clocks, entry, threshold);
            }
            let after = Lead::evolve(before.clone(), entry).expect("a history folds");
            clocks.follow(entry, before.as_ref(), &after);
            self.leads.insert(id.clone(), (Some(after), clocks));
        }
        self.followed = self.entries.len();
    }

    /// The time that a threshold names has passed by then, the window is that of the rules in force,
    /// and it was due at the first second that had so much.
    fn check_threshold(&self, lead: &Lead, clocks: &Clocks, entry: &Entry<LeadFact>, threshold: &Threshold) {
        let workflow = entry.workflow.as_ref().expect("a threshold is a workflow's").id;
        let ran = clocks.of(workflow).expect("its clock has begun");
        let (policy, directory) =
            (&self.policies[&entry.policy_revision], &self.directories[&entry.directory_revision]);
        let step = entry.workflow.as_ref().and_then(|w| w.step.as_deref()).expect("and a step's");
        let (window_s, minutes) =
            measure(policy, directory, lead, workflow, step).expect("it is measured by something");
        assert_eq!(threshold.window_s, window_s, "{entry:?}");
        assert_eq!(threshold.elapsed_s, ran.elapsed(&minutes, entry.at), "{entry:?}\n{ran:?}");
        let target = share(window_s, threshold.percent);
        assert_eq!(entry.due_at, ran.due(&minutes, target), "{entry:?}\n{ran:?}");
    }

    /// What is kept of when a lead has to be looked at again is what comes first of all that it
    /// waits for.
    fn check_wakes(&self) {
        let (policy, directory) = (&self.simulation.policy().policy, self.simulation.directory());
        for (id, lead) in self.simulation.leads() {
            let (Some(folded), clocks) = &self.leads[id] else { panic!("{id} has no history") };
            assert_eq!(folded, lead);
            let kept = self.simulation.next_wake(id);
            assert_eq!(kept, self.simulation.wake_of(id), "{id}");
            let first = waits_for(policy, directory, lead, clocks).into_iter().min();
            match (kept, first) {
                // What lies beyond the minutes that are known is not worked out.
                (Some(kept), None) => assert!(kept >= naive::end() - TimeDelta::days(1), "{id}: {kept}"),
                (kept, first) => assert_eq!(kept, first, "{id}: {lead:?}"),
            }
        }
    }

    /// The same review, with the same time behind it, and the same work to go back to.
    fn check_that_the_hold_survived(&self, before: &Lead) {
        let after = &self.simulation.leads()[&before.id];
        let kept = |lead: &Lead| {
            let mut review = lead.review.clone().expect("it is held");
            let (mut visit, mut left) = (lead.visit.clone(), lead.left.clone());
            // Steps may be passed or armed again by the new rules; that is the publication's own.
            let behind = left.as_mut().map(|left| &mut left.visit);
            let visits = [Some(&mut visit), behind].into_iter().flatten();
            let clocks = visits.flat_map(|visit| [&mut visit.sla, &mut visit.stuck]).flatten();
            for clock in clocks.chain([&mut review.clock]) {
                clock.passed.clear();
                clock.unheard.clear();
            }
            let work = (visit, left, lead.held_from.clone(), lead.owner.clone());
            (lead.state.clone(), lead.entered_at, review, work)
        };
        assert_eq!(kept(after), kept(before));
    }
}

fn threshold(fact: &LeadFact) -> Option<&Threshold> {
    match fact {
        LeadFact::ThresholdReached(threshold) | LeadFact::ThresholdSuperseded { threshold, .. } => {
            Some(threshold)
        }
        _ => None,
    }
}

/// Everything that a lead waits for.
fn waits_for(policy: &Policy, directory: &Directory, lead: &Lead, clocks: &Clocks) -> Vec<DateTime<Utc>> {
    let mut all = Vec::new();
    if !lead.is_held() && lead.kind == StateKind::Hold {
        all.extend(lead.hold_until.map(|until| until.max(lead.entered_at)));
    }
    let passed = |workflow| match workflow {
        WorkflowId::SlaBreach => lead.visit.sla.as_ref().map(|clock| &clock.passed),
        WorkflowId::StuckLead => lead.visit.stuck.as_ref().map(|clock| &clock.passed),
        _ => lead.review.as_ref().map(|review| &review.clock.passed),
    };
    for workflow in [WorkflowId::SlaBreach, WorkflowId::StuckLead, WorkflowId::ComplianceFlag] {
        let (Some(ran), Some(passed)) = (clocks.of(workflow), passed(workflow)) else { continue };
        let market = lead.profile.market.clone();
        let steps: Vec<(String, u16)> = match (workflow, &market) {
            (WorkflowId::ComplianceFlag, _) => {
                let reminders = &policy.workflows.compliance_flag.reminders;
                reminders.iter().map(|reminder| (reminder.step.clone(), 100)).collect()
            }
            (_, Some(market)) => {
                let steps = policy.steps_in(workflow, market);
                steps.into_iter().map(|step| (step.step.to_owned(), step.percent)).collect()
            }
            (_, None) => Vec::new(),
        };
        for (step, percent) in steps.iter().filter(|(step, _)| !passed.contains(step)) {
            if let Some((window_s, minutes)) = measure(policy, directory, lead, workflow, step) {
                all.extend(ran.due(&minutes, share(window_s, *percent)));
            }
        }
    }
    all
}

fn share(secs: i64, percent: u16) -> i64 {
    (secs * i64::from(percent) / 100).max(1)
}

/// The window of a step's clock, and the minutes it is measured in.
fn measure(
    policy: &Policy,
    directory: &Directory,
    lead: &Lead,
    workflow: WorkflowId,
    step: &str,
) -> Option<(i64, Arc<Minutes>)> {
    let always = CalendarId::from(ALWAYS);
    let workflows = &policy.workflows;
    let (window, calendar, percent) = if workflow == WorkflowId::ComplianceFlag {
        let reminder = workflows.compliance_flag.reminders.iter().find(|r| r.step == step)?;
        (reminder.after, directory.document().compliance.calendar.clone().unwrap_or(always), 100)
    } else {
        let id = lead.profile.market.as_ref()?;
        let market = directory.market(id)?;
        let row = |rows| most_specific(rows, id, &lead.source(), &lead.state);
        let sla = row(&workflows.sla_breach.windows);
        let row = match workflow {
            WorkflowId::StuckLead => row(&workflows.stuck_lead.windows).or(sla)?,
            _ => sla?,
        };
        let tightened = lead.visit.sla.as_ref().filter(|_| workflow == WorkflowId::SlaBreach);
        let percent = tightened.map_or(100, |clock| clock.window_percent);
        (row.window, row.calendar.clone().unwrap_or_else(|| market.calendar.clone()), percent)
    };
    let window_s = share(window.on(directory.calendar(&calendar)?).secs(), percent);
    Some((window_s, minutes(directory, &calendar)))
}

/// The minutes of a calendar, which are worked out once.
fn minutes(directory: &Directory, id: &CalendarId) -> Arc<Minutes> {
    static KNOWN: Mutex<BTreeMap<String, Arc<Minutes>>> = Mutex::new(BTreeMap::new());
    let written = serde_json::to_string(&directory.document().calendars.get(id)).expect("a calendar is JSON");
    let mut known = KNOWN.lock().expect("nobody panicked with it");
    let calendar = directory.calendar(id).expect("a known calendar");
    Arc::clone(known.entry(written).or_insert_with(|| Arc::new(Minutes::of(calendar))))
}
