//! Holds explanations against what the engine does: what is explained is what fires, when it was
//! said to, doing what was said, to whom was said; and what is not, does not.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::scenario::{Line, What};
use insight::explain::{Explanation, PlannedStep, Readiness, Status, WorkflowAction, account_of};
use insight::simulate::{AnyEntry, Simulation};
use leadctl::explain::Histories;
use policy::directory::Directory;
use policy::ids::{LeadId, Subject};
use policy::{PublishedPolicy, Rulebook, WorkflowId};
use rules::entry::Entry;
use rules::lead::{LeadFact, Threshold};
use rules::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// So many wakes between two events are looked at; what comes then is like what came.
const WAKES_MAX: usize = 40;
/// So many explanations are asked for again when they are of the past.
const SAMPLES_MAX: usize = 60;

type Explanations = BTreeMap<LeadId, Explanation>;

/// Plays lines and timers, and looks at every lead after each event, a second before each wake, and
/// at the wake itself.
pub fn follow(simulation: Simulation, lines: Vec<Line>, until: DateTime<Utc>) {
    let mut follower = Follower::new(simulation, lines.first().map_or(until, |line| line.received_at));
    let outages: Vec<(DateTime<Utc>, DateTime<Utc>)> = lines
        .iter()
        .filter_map(|line| match line.what {
            What::Outage { since } => Some((since, line.received_at)),
            _ => None,
        })
        .collect();
    for (n, line) in lines.iter().enumerate() {
        let at = line.received_at;
        let down = outages.iter().find(|(since, end)| *since < at && at <= *end);
        follower.run_until(down.map_or(at, |(since, _)| *since));
        follower.apply(line);
        let is_last_then = lines.get(n + 1).is_none_or(|next| next.received_at > at);
        if is_last_then && down.is_none() {
            follower.sample(at);
        }
    }
    follower.run_until(until);
    follower.look_back();
}

struct Follower {
    simulation: Simulation,
    now: DateTime<Utc>,
    histories: Histories,
    samples: Vec<Sample>,
}

/// What was explained at an instant that is past by now.
struct Sample {
    explanation: Explanation,
    policy: PublishedPolicy,
    directory: Directory,
}

impl Follower {
    fn new(simulation: Simulation, now: DateTime<Utc>) -> Self {
        Self { simulation, now, histories: Histories::default(), samples: Vec::new() }
    }

    fn explain(&self, lead: &LeadId, at: DateTime<Utc>) -> Explanation {
        self.explain_under(lead, at, self.simulation.policy(), self.simulation.directory())
    }

    fn explain_under(
        &self,
        lead: &LeadId,
        at: DateTime<Utc>,
        policy: &PublishedPolicy,
        directory: &Directory,
    ) -> Explanation {
        let rules = Arc::new(Rulebook::new(Arc::new(policy.clone()), Arc::new(directory.clone())));
        let world = World { rules, accounts: BTreeMap::new(), ..self.simulation.world().clone() };
        self.histories.explain(lead, &world, at).expect("a lead that is there can be explained")
    }

    fn explain_all(&self, at: DateTime<Utc>) -> Explanations {
        let ids = self.simulation.leads().keys().cloned();
        ids.map(|id| (id.clone(), self.explain(&id, at))).collect()
    }

    fn take(&mut self) -> Vec<AnyEntry> {
        let entries = self.simulation.take_history();
        entries.iter().for_each(|entry| self.histories.take(entry));
        entries
    }

    /// Runs timers wake by wake, each held against what was explained before it.
    fn run_until(&mut self, until: DateTime<Utc>) {
        let (before, begun) = (self.explain_all(self.now), self.now);
        let mut all = Vec::new();
        for _ in 0..WAKES_MAX {
            let explanations = self.explain_all(self.now);
            self.check_standing(&explanations);
            let of_leads = explanations.values().filter_map(|e| e.wake_at);
            let of_accounts = self.simulation.accounts().values().filter_map(|a| a.wake_at());
            let Some(due) = of_leads.chain(of_accounts).filter(|due| *due > self.now).min() else { break };
            if due > until {
                break;
            }
            let before = due - TimeDelta::seconds(1);
            if before > self.now {
                self.simulation.run_until(before);
                let early = self.take();
                assert!(early.iter().all(is_unforeseen), "nothing was said to fire before {due}: {early:?}");
                // A rep who comes back takes what waits, and what was explained before that is over.
                if !early.is_empty() {
                    self.now = before;
                    all.extend(early);
                    continue;
                }
            }
            self.simulation.run_until(due);
            let fired = self.take();
            for explanation in explanations.values().filter(|e| e.wake_at == Some(due)) {
                let is_its = |entry: &AnyEntry| subject(entry) == Subject::Lead(explanation.lead.clone());
                assert!(fired.iter().any(is_its), "{due} brings nothing:\n{explanation}");
            }
            let (routed, of_timers): (Vec<_>, Vec<_>) = fired.iter().cloned().partition(is_unforeseen);
            if routed.is_empty() {
                check_wakes(&explanations, &of_timers);
            }
            self.check_accounts(&explanations, &fired, due);
            self.now = due;
            all.extend(fired);
        }
        self.simulation.run_until(until);
        all.extend(self.take());
        // Other leads take reps, and accounts tell their leads: alone it comes as it was foreseen.
        let is_alone = before.len() == 1 && !all.iter().any(is_unforeseen);
        if is_alone && all.iter().all(|entry| matches!(entry, AnyEntry::Lead(_))) {
            before.values().for_each(|explanation| check_foreseen(explanation, &all, begun, until));
        }
        self.now = self.now.max(until);
    }

    fn apply(&mut self, line: &Line) {
        let at = line.received_at;
        self.now = self.now.max(at);
        // What an outage left undone is done at once, as it is explained while it is overdue.
        let overdue = matches!(line.what, What::Outage { .. }).then(|| self.explain_all(at));
        let mut entries = Vec::new();
        let play = leadctl::simulate::play(&mut self.simulation, vec![line.clone()], at, &mut |entry| {
            entries.push(entry.clone());
            Ok(())
        });
        play.expect("nobody refuses an entry");
        entries.iter().for_each(|entry| self.histories.take(entry));
        if let Some(explanations) = overdue {
            check_wakes(&explanations, &entries);
        }
    }

    /// Keeps what is explained now, to be asked for again when it is past.
    fn sample(&mut self, at: DateTime<Utc>) {
        let explanations = self.explain_all(at);
        self.check_standing(&explanations);
        let (policy, directory) = (self.simulation.policy(), self.simulation.directory());
        if self.samples.len() >= SAMPLES_MAX {
            return;
        }
        self.samples.extend(explanations.into_values().map(|explanation| Sample {
            explanation,
            policy: policy.clone(),
            directory: directory.clone(),
        }));
    }

    /// What was explained of an instant is explained of it for ever; only how the teams stand is
    /// not kept.
    fn look_back(&self) {
        for Sample { explanation, policy, directory } in &self.samples {
            let again = self.explain_under(&explanation.lead, explanation.at, policy, directory);
            assert_eq!(without_teams(again), without_teams(explanation.clone()));
        }
    }

    /// What has to be so of an explanation by itself.
    fn check_standing(&self, explanations: &Explanations) {
        for (id, explanation) in explanations {
            assert_eq!(explanation.wake_at, self.simulation.wake_of(id), "{explanation}");
            let armed = [WorkflowId::SlaBreach, WorkflowId::StuckLead, WorkflowId::ComplianceFlag]
                .into_iter()
                .filter_map(|workflow| explanation.workflow(workflow))
                .flat_map(|part| &part.steps)
                .filter(|step| step.readiness == Readiness::Armed)
                .filter_map(|step| step.at);
            let earliest = armed.chain(explanation.hold_ends_at).chain(explanation.retention_ends_at).min();
            assert_eq!(earliest, explanation.wake_at, "{explanation}");
            for part in &explanation.workflows {
                let comes = [Readiness::Armed, Readiness::WithNextInput];
                let is_armed = part.steps.iter().any(|step| comes.contains(&step.readiness));
                assert_eq!(is_armed, part.status == Status::Armed, "{explanation}");
                let is_bare = part.because.is_empty() && part.clock.is_none();
                assert!(!is_bare || part.status == Status::Fired, "it says why: {explanation}");
            }
            self.check_audit(explanation);
            let json = serde_json::to_string(explanation).expect("an explanation is JSON");
            assert_eq!(serde_json::from_str::<Explanation>(&json).expect("and back"), *explanation);
        }
    }

    /// What fired is what the audit has of the clock, no more and no less.
    fn check_audit(&self, explanation: &Explanation) {
        let entries = self.histories.of_lead(&explanation.lead);
        for workflow in [WorkflowId::SlaBreach, WorkflowId::StuckLead] {
            let part = explanation.workflow(workflow).expect("each has a part");
            let Some(clock) = part.clock.as_ref().map(|clock| clock.number) else { continue };
            let fired = part.fired.iter().filter(|fired| fired.clock == Some(clock));
            let fired: Vec<u64> = fired.map(|fired| fired.seq).collect();
            assert_eq!(fired, of_clock(entries, workflow, clock), "{workflow}: {explanation}");
        }
        let lead = &self.simulation.leads()[&explanation.lead];
        let held = entries.iter().rposition(|e| matches!(e.fact, LeadFact::ComplianceHeld { .. }));
        let since = if lead.is_held() { held } else { None };
        if let Some(since) = since {
            let is_its = |e: &&Entry<LeadFact>| {
                e.workflow.as_ref().is_some_and(|w| w.id == WorkflowId::ComplianceFlag)
            };
            let expected: Vec<u64> = entries[since..].iter().filter(is_its).map(|e| e.seq).collect();
            let part = explanation.workflow(WorkflowId::ComplianceFlag).expect("each has a part");
            assert_eq!(part.fired.iter().map(|f| f.seq).collect::<Vec<_>>(), expected, "{explanation}");
        }
    }

    /// What an account's timers bring is what was explained of each of its leads.
    fn check_accounts(&self, explanations: &Explanations, fired: &[AnyEntry], due: DateTime<Utc>) {
        for explanation in explanations.values() {
            let part = explanation.workflow(WorkflowId::ChurnRisk).expect("each has a part");
            let planned: Vec<&WorkflowAction> =
                part.steps.iter().filter(|step| step.at == Some(due)).flat_map(|step| &step.does).collect();
            let entries = self.histories.of_lead(&explanation.lead);
            let Some(account) = account_of(entries, explanation.at).expect("a history folds") else {
                assert!(planned.is_empty());
                continue;
            };
            let done: Vec<WorkflowAction> = fired
                .iter()
                .filter_map(|entry| match entry {
                    AnyEntry::Account(e) if e.subject == Subject::Account(account.clone()) => {
                        WorkflowAction::of_account(&e.fact)
                    }
                    _ => None,
                })
                .collect();
            assert_eq!(planned, done.iter().collect::<Vec<_>>(), "{explanation}");
        }
    }
}

/// The steps that wakes brought were explained, with what they did; and what was explained came.
/// Where one lead was given to somebody, the teams stand differently for the next one.
fn check_wakes(explanations: &Explanations, fired: &[AnyEntry]) {
    let mut seen = BTreeSet::new();
    for entry in fired {
        let AnyEntry::Lead(entry) = entry else { continue };
        let Subject::Lead(id) = &entry.subject else { continue };
        // What an account tells its leads is an input.
        if !entry.cause.starts_with("wake/") || !seen.insert(id.clone()) {
            continue;
        }
        let of_wake: Vec<&Entry<LeadFact>> = fired
            .iter()
            .filter_map(|other| match other {
                AnyEntry::Lead(other) if other.subject == entry.subject && other.commit == entry.commit => {
                    Some(other)
                }
                _ => None,
            })
            .collect();
        let explanation = &explanations[id];
        check_wake(explanation, &of_wake, seen.len() == 1);
    }
}

fn check_wake(explanation: &Explanation, entries: &[&Entry<LeadFact>], is_first: bool) {
    let mut came = BTreeSet::new();
    for (n, entry) in entries.iter().enumerate() {
        let of = entry.workflow.as_ref();
        let planned = match &entry.fact {
            LeadFact::ThresholdReached(_) | LeadFact::ThresholdSuperseded { .. } => {
                let of = of.expect("a threshold is a workflow's");
                let part = explanation.workflow(of.id).expect("each has a part");
                came.insert((of.id, of.step.clone()));
                part.steps.iter().find(|step| step.step == of.step && step.at == entry.due_at)
            }
            LeadFact::ComplianceHeld { .. } => {
                let part = explanation.workflow(WorkflowId::ComplianceFlag).expect("each has a part");
                part.steps.iter().find(|step| step.readiness == Readiness::WithNextInput)
            }
            _ => continue,
        };
        let Some(PlannedStep { readiness, does, .. }) = planned else {
            panic!("{entry:?} was not explained:\n{explanation}");
        };
        assert!(
            [Readiness::Armed, Readiness::WithNextInput].contains(readiness),
            "{entry:?} was said not to come:\n{explanation}"
        );
        let step = of.and_then(|w| w.step.clone());
        let same = |e: &&&Entry<LeadFact>| {
            e.workflow.as_ref().is_some_and(|w| of.is_some_and(|of| of.id == w.id) && w.step == step)
        };
        let done: Vec<WorkflowAction> =
            entries[n..].iter().filter(same).filter_map(|entry| WorkflowAction::of(&entry.fact)).collect();
        if is_first {
            assert_eq!(*does, done, "{entry:?}:\n{explanation}");
        }
    }
    let due = entries.first().and_then(|entry| entry.due_at);
    for part in &explanation.workflows {
        if part.workflow == WorkflowId::ChurnRisk {
            continue;
        }
        for step in part.steps.iter().filter(|step| step.readiness == Readiness::Armed && step.at == due) {
            assert!(came.contains(&(part.workflow, step.step.clone())), "{step:?} did not come: {entries:?}");
        }
    }
}

/// All that was foreseen comes if nothing happens, doing what was said; what was said not to come
/// does not.
fn check_foreseen(explanation: &Explanation, all: &[AnyEntry], from: DateTime<Utc>, until: DateTime<Utc>) {
    for part in explanation.workflows.iter().filter(|part| part.clock.is_some()) {
        let clock = part.clock.as_ref().map_or(0, |clock| clock.number);
        for step in &part.steps {
            let Some(at) = step.at.filter(|at| from < *at && *at <= until) else { continue };
            let of_step: Vec<&Entry<LeadFact>> = all
                .iter()
                .filter_map(|entry| match entry {
                    AnyEntry::Lead(entry) => Some(entry),
                    _ => None,
                })
                .filter(|e| e.due_at == Some(at))
                .filter(|e| e.workflow.as_ref().is_some_and(|w| w.id == part.workflow && w.step == step.step))
                .collect();
            let came = of_step.iter().any(|entry| {
                matches!(&entry.fact, LeadFact::ThresholdReached(threshold)
                    | LeadFact::ThresholdSuperseded { threshold, .. } if threshold.clock == clock)
            });
            let comes = [Readiness::Armed, Readiness::Resting].contains(&step.readiness);
            assert_eq!(came, comes, "{step:?} of {explanation}");
            if comes {
                let done: Vec<WorkflowAction> =
                    of_step.iter().filter_map(|entry| WorkflowAction::of(&entry.fact)).collect();
                assert_eq!(step.does, done, "{step:?} of {explanation}");
            }
        }
    }
}

/// The entries of a clock, by the thresholds that name it.
fn of_clock(entries: &[Entry<LeadFact>], workflow: WorkflowId, clock: u32) -> Vec<u64> {
    let mut seqs = Vec::new();
    let mut at_step = None;
    for entry in entries {
        let Some(of) = entry.workflow.as_ref().filter(|of| of.id == workflow && of.step.is_some()) else {
            continue;
        };
        match &entry.fact {
            LeadFact::ThresholdReached(Threshold { clock: own, .. })
            | LeadFact::ThresholdSuperseded { threshold: Threshold { clock: own, .. }, .. } => {
                at_step = (*own == clock).then(|| (entry.commit, of.step.clone()));
            }
            LeadFact::BreachExcused { breach, .. } => {
                if seqs.contains(breach) {
                    seqs.push(entry.seq);
                }
                continue;
            }
            _ => {}
        }
        if at_step == Some((entry.commit, of.step.clone())) {
            seqs.push(entry.seq);
        }
    }
    seqs
}

/// An explanation without what hangs on how the teams stand.
fn without_teams(mut explanation: Explanation) -> Explanation {
    for step in explanation.workflows.iter_mut().flat_map(|part| &mut part.steps) {
        step.does.clear();
        match step.readiness {
            Readiness::Preempted => step.readiness = Readiness::Armed,
            Readiness::Resting => step.at = None,
            _ => {}
        }
    }
    for part in &mut explanation.workflows {
        part.steps.sort_by_key(|step| (step.at, step.step.clone()));
    }
    explanation
}

/// Whether the coming or going of a rep, or the delivery of a message, brought it about. Nobody can foresee
/// these of a lead alone.
fn is_unforeseen(entry: &AnyEntry) -> bool {
    let cause = match entry {
        AnyEntry::Lead(entry) => &entry.cause,
        AnyEntry::Account(entry) => &entry.cause,
        AnyEntry::Rep(entry) => &entry.cause,
    };
    ["offer/", "presence/", "delivery/"].iter().any(|of| cause.starts_with(of))
}

fn subject(entry: &AnyEntry) -> Subject {
    match entry {
        AnyEntry::Lead(entry) => entry.subject.clone(),
        AnyEntry::Account(entry) => entry.subject.clone(),
        AnyEntry::Rep(entry) => entry.subject.clone(),
    }
}
