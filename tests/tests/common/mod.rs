//! What the tests of the rules share: the seeded documents, random histories, and what has to be
//! so in every history.

#![allow(dead_code, reason = "each test binary uses its own part")]

use rules::account::Account;
use rules::aggregate::{Aggregate as _, fold};

pub mod explaining;
pub mod queues;
pub mod tables;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::scenario::Line;
use insight::simulate::{AnyEntry, Simulation};
use policy::directory::Directory;
use policy::ids::{LeadId, PersonId, Subject};
use policy::{Policy, PublishedPolicy, StateKind, WorkflowId};
use proptest::prelude::*;
use proptest::sample::select;
use rules::account;
use rules::entry::Entry;
use rules::lead::{AppliedPublication, Lead, LeadFact, PassedStep};
use rules::roster::Standing;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How a property is tried: on so many cases, or on as many as `PROPTEST_CASES` says.
pub fn config(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    if is_asked { asked } else { ProptestConfig { cases, ..asked } }
}

/// The text of a seeded document.
pub fn seeded(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/policies").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()))
}

/// A seeded document as a value, to be changed.
pub fn seeded_value(name: &str) -> Value {
    serde_saphyr::from_str(&seeded(name)).expect("a seeded document is YAML")
}

/// The instant at which histories begin: Monday morning in New York.
pub fn beginning() -> DateTime<Utc> {
    "2026-03-02T14:00:00Z".parse().expect("an instant")
}

/// A simulation with these documents.
pub fn simulation(policy: &Policy, directory: &Directory) -> Simulation {
    Simulation::new(PublishedPolicy::next(None, policy.clone(), "test", beginning()), directory.clone())
}

/// The seeded directory, with so little capacity that it runs out.
pub fn tight_directory() -> Directory {
    let mut document = seeded_value("directory.yaml");
    for (team, rep, capacity) in
        [("us-sales", "rep-ana", 2), ("us-sales", "rep-bob", 1), ("dach-sales", "rep-eva", 1)]
    {
        document["teams"][team]["reps"][rep]["capacity"] = json!(capacity);
    }
    Directory::check(serde_json::from_value(document).expect("a directory")).expect("a sound directory")
}

/// The default policy with windows for every state and, if asked for, two officers.
pub fn lively_policy(officers: u8) -> Policy {
    let mut document = seeded_value("default.yaml");
    document["workflows"]["compliance-flag"]["officers"] = json!(officers);
    let windows = document["workflows"]["sla-breach"]["windows"].as_array_mut().expect("windows");
    windows.push(json!({"state": "CONTACTED", "market": "us", "window": "90m", "calendar": "always"}));
    windows.retain(|row| row["state"] != "NEGOTIATION");
    windows.push(json!({"state": "NEGOTIATION", "window": "2h"}));
    document["retention"] = json!({"personal_data": "1d"});
    document["quiet_hours"] = json!({"from": "16:30", "to": "07:00", "except": ["held"]});
    let policy: Policy = serde_json::from_value(document).expect("a policy");
    policy.check().expect("a sound policy");
    policy
}

/// A step of a random history: so long after the one before, so late, and what.
#[derive(Clone)]
pub struct Step {
    pub after: TimeDelta,
    pub late: TimeDelta,
    pub what: Value,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "+{}s late {}s {}", self.after.num_seconds(), self.late.num_seconds(), self.what)
    }
}

fn lead_ids() -> impl Strategy<Value = String> {
    (0..4u8).prop_map(|n| format!("L-{n}"))
}

fn one_of(values: &[Value]) -> impl Strategy<Value = Value> + use<> {
    select(values.to_vec())
}

fn maybe(
    name: &'static str,
    often: f64,
    values: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Option<(String, Value)>> {
    proptest::option::weighted(often, values).prop_map(move |v| v.map(|v| (name.to_owned(), v)))
}

fn states() -> impl Strategy<Value = Value> {
    let working = ["NEW", "CONTACTED", "QUALIFIED", "NEGOTIATION"].map(Value::from);
    let others = ["ON_HOLD", "WON", "LOST", "COMPLIANCE_HOLD", "MAYBE"].map(Value::from);
    prop_oneof![6 => one_of(&working), 3 => one_of(&others)]
}

fn instants() -> impl Strategy<Value = Value> {
    let offsets = (0..200i64).prop_map(|hours| {
        let at = beginning() + TimeDelta::hours(hours);
        Value::from(at.to_rfc3339())
    });
    prop_oneof![4 => offsets, 1 => Just(Value::Null)]
}

fn flags() -> impl Strategy<Value = Value> {
    let found = (select(vec!["sanctions", "pep", "adverse_media"]), 0..3u8, 0..2u8, select(vec!["A", "B"]));
    found.prop_map(|(kind, id, version, list)| {
        let found = json!({"match_id": format!("m-{id}"), "list": list, "list_version": version.to_string()});
        json!({ kind: [found] })
    })
}

fn upserts() -> impl Strategy<Value = Value> {
    let owners = [json!(null), json!("rep-ana"), json!("rep-bob"), json!("rep-dan"), json!("somebody-else")];
    let fields = (
        lead_ids(),
        (
            maybe(
                "market",
                0.8,
                prop_oneof![8 => Just(json!("us")), 1 => one_of(&["dach", "atlantis"].map(Value::from))],
            ),
            maybe(
                "country",
                0.5,
                prop_oneof![
                    8 => Just(json!("US")),
                    2 => one_of(&["CA", "DE", "CH", "FR"].map(Value::from)),
                ],
            ),
            maybe("source", 0.5, one_of(&["paid_social", "cold_list", "partner", "fair"].map(Value::from))),
            maybe("company", 0.2, one_of(&["Acme", "Bolt"].map(Value::from))),
            maybe("account_id", 0.4, one_of(&[json!("A-0"), json!("A-1"), json!(null)])),
            maybe("account_tier", 0.1, one_of(&[json!("strategic"), json!("standard")])),
        ),
        (
            maybe("score", 0.4, one_of(&[json!(10), json!(79), json!(82), json!(90), json!(null)])),
            maybe(
                "deal_size",
                0.1,
                one_of(&[
                    json!({"amount": "1.00", "currency": "USD"}),
                    json!({"amount": "900000", "currency": "USD"}),
                ]),
            ),
            maybe("owner", 0.4, one_of(&owners)),
            maybe("state", 0.4, states()),
            maybe("hold_until", 0.1, instants()),
            maybe("waiting_on_customer", 0.1, one_of(&[json!(true), json!(false)])),
            maybe("flags", 0.04, flags()),
            maybe("contact", 0.3, one_of(&[json!({"name": "Kim"}), json!({"name": "Robin"}), json!(null)])),
        ),
    );
    fields.prop_map(|(id, a, b)| {
        let fields = [a.0, a.1, a.2, a.3, a.4, a.5, b.0, b.1, b.2, b.3, b.4, b.5, b.6, b.7];
        let mut lead: serde_json::Map<String, Value> = fields.into_iter().flatten().collect();
        lead.insert("id".to_owned(), id.into());
        json!({"type": "lead.upserted", "lead": lead})
    })
}

/// What can happen to leads by themselves.
pub fn lead_events() -> impl Strategy<Value = Value> {
    let moves = (
        lead_ids(),
        states(),
        maybe("hold_until", 0.4, instants()),
        maybe("waiting_on_customer", 0.3, one_of(&[json!(true), json!(false)])),
    );
    let moves = moves.prop_map(|(id, state, hold, waiting)| {
        let mut lead: serde_json::Map<String, Value> = [hold, waiting].into_iter().flatten().collect();
        lead.insert("id".to_owned(), id.into());
        lead.insert("state".to_owned(), state);
        json!({"type": "lead.state_changed", "lead": lead})
    });
    let flagged = (lead_ids(), flags(), proptest::option::of(Just("cleo")));
    let flagged = flagged.prop_map(
        |(id, flags, by)| json!({"type": "lead.flagged", "flagged_by": by, "lead": {"id": id, "flags": flags}}),
    );
    let decided = (
        lead_ids(),
        select(vec!["clear", "clear", "clear", "reject"]),
        select(vec!["cleo", "carl", "cora", "rep-ana"]),
    );
    let decided = decided.prop_map(|(id, decision, officer)| {
        let code = if decision == "reject" { "true-match" } else { "low-risk" };
        json!({"type": "review.decided", "lead_id": id, "decision": decision, "officer": officer,
            "reason_code": code, "reason": "Checked."})
    });
    let actions = [
        json!({"resolution": "dismiss"}),
        json!({"resolution": "assign", "rep": "rep-ana"}),
        json!({"resolution": "assign", "rep": "rep-eva"}),
        json!({"resolution": "set-market", "market": "us"}),
    ];
    let resolved = (lead_ids(), one_of(&actions)).prop_map(|(id, mut line)| {
        line["type"] = "operations.resolved".into();
        line["lead_id"] = id.into();
        line["note"] = "Looked at.".into();
        line
    });
    let erased = lead_ids().prop_map(|id| {
        json!({"type": "erasure.requested", "lead_id": id, "reference": "DSR-1", "reason": "Asked for."})
    });
    prop_oneof![8 => upserts(), 6 => moves, 2 => flagged, 8 => decided, 2 => resolved, 1 => erased]
}

/// What can happen to reps and accounts.
pub fn other_events() -> impl Strategy<Value = Value> {
    let reps = select(vec!["rep-ana", "rep-bob", "rep-cat", "rep-dan", "rep-eva", "rep-fritz"]);
    let availability = (reps, any::<bool>(), instants()).prop_map(|(rep, available, until)| {
        json!({"type": "rep.availability", "rep": rep, "available": available, "until": until})
    });
    let accounts = || select(vec!["A-0", "A-1"]);
    let updates = (accounts(), one_of(&[json!("strategic"), json!("standard"), json!(null)]))
        .prop_map(|(id, tier)| json!({"type": "account.upserted", "account": {"id": id, "tier": tier, "owner": "rep-bob"}}));
    let signals = (accounts(), select(vec!["usage_down", "ticket_spike", "stakeholder_left"])).prop_map(
        |(id, signal)| json!({"type": "account.churn_signal", "account": {"id": id, "signal": signal, "evidence": {"n": 1}}}),
    );
    let completed = accounts()
        .prop_map(|id| json!({"type": "retention.completed", "account_id": id, "note": "They stay."}));
    prop_oneof![3 => availability, 2 => updates, 2 => signals, 1 => completed]
}

fn outages() -> impl Strategy<Value = Value> {
    (1..12_000i64).prop_map(|minutes| json!({"type": "sweep.resumed", "minutes": minutes}))
}

fn steps_of(what: impl Strategy<Value = Value>, most: usize) -> impl Strategy<Value = Vec<Step>> {
    let after = prop_oneof![4 => 0..7_200i64, 2 => 0..120i64, 1 => 0..200_000i64];
    let late = prop_oneof![6 => Just(0i64), 2 => 0..3_000i64, 1 => 0..2_000_000i64];
    let step = (after, late, what).prop_map(|(after, late, what)| Step {
        after: TimeDelta::seconds(after),
        late: TimeDelta::seconds(late),
        what,
    });
    proptest::collection::vec(step, 1..most)
}

/// Everything that can happen, outages included.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    steps_of(prop_oneof![12 => lead_events(), 4 => other_events(), 1 => outages()], 70)
}

/// Everything that can happen while the sweep runs.
pub fn histories_without_outages() -> impl Strategy<Value = Vec<Step>> {
    steps_of(prop_oneof![12 => lead_events(), 4 => other_events()], 40)
}

/// What can happen to one lead, and reps who come and go.
pub fn histories_of_one_lead() -> impl Strategy<Value = Vec<Step>> {
    let of_one = prop_oneof![6 => lead_events(), 1 => other_events()].prop_map(|mut what| {
        for pointer in ["/lead/id", "/lead_id"] {
            if let Some(id) = what.pointer_mut(pointer) {
                *id = "L-0".into();
            }
        }
        what
    });
    let no_accounts = of_one.prop_filter("accounts are another aggregate", |what| {
        !what["type"].as_str().unwrap_or_default().starts_with("account")
            && what["type"] != "retention.completed"
            // A lead that loses its owner is given to whoever had one least recently, see below.
            && what.pointer("/lead/owner") != Some(&Value::Null)
    });
    steps_of(no_accounts, 30)
}

/// The steps as lines of an events file.
pub fn lines(steps: &[Step]) -> Vec<Line> {
    let mut now = beginning();
    let mut lines = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        now += step.after;
        let mut event = step.what.clone();
        event["id"] = format!("e{n}").into();
        let kind = event["type"].as_str().unwrap_or_default();
        let from_source = kind.starts_with("lead.") || kind.starts_with("account.");
        let late = if from_source { step.late } else { TimeDelta::zero() };
        // Outages are written by how long they last; the file says since when.
        let minutes = event.as_object_mut().and_then(|event| event.remove("minutes"));
        if let Some(minutes) = minutes.and_then(|minutes| minutes.as_i64()) {
            event["since"] = (now - TimeDelta::minutes(minutes)).to_rfc3339().into();
        }
        event["occurred_at"] = (now - late).to_rfc3339().into();
        event["received_at"] = now.to_rfc3339().into();
        lines.push(
            contracts::scenario::read(&event).unwrap_or_else(|problems| panic!("{event}: {problems:?}")),
        );
    }
    lines
}

/// Plays lines to the end and long past it; gives the whole history.
pub fn play(simulation: &mut Simulation, lines: Vec<Line>) -> Vec<AnyEntry> {
    let end = lines.iter().map(|l| l.received_at).max().unwrap_or_else(beginning) + TimeDelta::days(400);
    let mut entries = Vec::new();
    leadctl::simulate::play(simulation, lines, end, &mut |entry| {
        entries.push(entry.clone());
        Ok(())
    })
    .expect("nobody refuses an entry");
    entries
}

/// Checks everything that has to be so in every history.
pub fn check_history(simulation: &Simulation, entries: &[AnyEntry]) {
    check_folds(simulation, entries);
    check_loads(simulation);
    queues::check(simulation);
    let mut replay = Replay::new(simulation.directory());
    for entry in entries {
        check_round_trip(entry);
        replay.follow(entry);
    }
}

/// A lead is erased once, and nothing personal is recorded of it afterwards.
fn check_erasure(history: &[&Entry<LeadFact>]) {
    let is_erasure = |e: &&&Entry<LeadFact>| matches!(e.fact, LeadFact::Erased { .. });
    assert!(history.iter().filter(is_erasure).count() <= 1, "{history:?}");
    let after = history.iter().skip_while(|e| !is_erasure(e));
    for entry in after {
        let json = serde_json::to_value(entry).expect("an entry is JSON");
        assert_eq!(json.pointer("/data/personal"), None, "{json}");
    }
}

/// The audit folds to the leads and accounts; its places have no gap, and it never goes back in time.
pub fn check_folds(simulation: &Simulation, entries: &[AnyEntry]) {
    for (id, lead) in simulation.leads() {
        let of_lead: Vec<&Entry<LeadFact>> = entries
            .iter()
            .filter_map(|e| match e {
                AnyEntry::Lead(entry) if entry.subject == Subject::Lead(id.clone()) => Some(entry),
                _ => None,
            })
            .collect();
        assert!(of_lead.is_sorted_by_key(|e| e.at), "the history of {id} goes back in time");
        assert!(of_lead.iter().zip(1..).all(|(e, n)| e.seq == n), "the history of {id} has a gap");
        assert!(of_lead.is_sorted_by_key(|e| e.commit), "the commits of {id} are out of order");
        check_erasure(&of_lead);
        assert_eq!(fold::<Lead>(of_lead).expect("a history folds").as_ref(), Some(lead));
        let json = serde_json::to_string(lead).expect("a lead is JSON");
        assert_eq!(serde_json::from_str::<Lead>(&json).expect("and back"), *lead);
    }
    for (id, account) in simulation.accounts() {
        let of_account: Vec<_> = entries
            .iter()
            .filter_map(|e| match e {
                AnyEntry::Account(entry) if entry.subject == Subject::Account(id.clone()) => Some(entry),
                _ => None,
            })
            .collect();
        assert!(of_account.is_sorted_by_key(|e| e.at), "the history of {id} goes back in time");
        assert_eq!(fold::<Account>(of_account).expect("a history folds").as_ref(), Some(account));
        let json = serde_json::to_string(account).expect("an account is JSON");
        assert_eq!(serde_json::from_str::<account::Account>(&json).expect("and back"), *account);
    }
}

/// What a rep carries is the number of open leads that they own.
fn check_loads(simulation: &Simulation) {
    for (team, roster) in simulation.rosters() {
        for (rep, standing) in &roster.standings {
            let carried = simulation.leads().values().filter(|l| l.carried_by() == Some(rep)).count();
            assert_eq!(standing.load as usize, carried, "the load of {rep} of {team}");
        }
    }
}

fn check_round_trip(entry: &AnyEntry) {
    let json = serde_json::to_string(entry).expect("an entry is JSON");
    let back = match entry {
        AnyEntry::Lead(_) => AnyEntry::Lead(serde_json::from_str(&json).expect("a lead's entry")),
        AnyEntry::Account(_) => AnyEntry::Account(serde_json::from_str(&json).expect("an account's entry")),
        AnyEntry::Rep(_) => AnyEntry::Rep(serde_json::from_str(&json).expect("a rep's entry")),
    };
    assert_eq!(back, *entry);
    assert_eq!(serde_json::to_string(&back).expect("JSON again"), json);
}

/// Follows a history entry by entry and knows by itself how everybody stands.
pub struct Replay<'a> {
    directory: &'a Directory,
    leads: BTreeMap<LeadId, Lead>,
    standings: BTreeMap<PersonId, Standing>,
    /// From whom a lead was taken in the state it is in.
    taken: BTreeMap<LeadId, BTreeSet<PersonId>>,
    /// Which thresholds were passed, and whether anybody may have heard of it.
    passed: BTreeMap<(LeadId, WorkflowId, u64, u32, String), bool>,
}

impl<'a> Replay<'a> {
    /// Of a history that begins under this directory.
    pub fn new(directory: &'a Directory) -> Self {
        Self {
            directory,
            leads: BTreeMap::new(),
            standings: BTreeMap::new(),
            taken: BTreeMap::new(),
            passed: BTreeMap::new(),
        }
    }

    /// From now on this directory counts.
    pub fn under(&mut self, directory: &'a Directory) {
        self.directory = directory;
    }

    /// The next entry.
    pub fn follow(&mut self, entry: &AnyEntry) {
        match entry {
            AnyEntry::Lead(entry) => self.follow_lead(entry),
            AnyEntry::Rep(entry) => {
                if let Subject::Rep(id) = &entry.subject {
                    let before = self.standings.remove(id);
                    let after = Standing::evolve(before, entry).expect("a history folds");
                    self.standings.insert(id.clone(), after);
                }
            }
            AnyEntry::Account(_) => {}
        }
    }

    fn follow_lead(&mut self, entry: &Entry<LeadFact>) {
        let Subject::Lead(id) = &entry.subject else { panic!("a lead's entry is a lead's") };
        let before = self.leads.get(id).cloned();
        if let Some(lead) = &before {
            self.check_threshold(id, lead, entry);
            check_hold(lead, entry);
            self.check_new_owner(lead, entry);
        }
        self.follow_takings(id, before.as_ref(), entry);
        let after = Lead::evolve(before, entry).expect("a history folds");
        self.leads.insert(id.clone(), after);
    }

    /// A threshold of a clock is reached or superseded at most once, unless nobody heard of it since a
    /// publication made it passed, and another one arms it again.
    fn check_threshold(&mut self, id: &LeadId, lead: &Lead, entry: &Entry<LeadFact>) {
        let (threshold, is_heard) = match &entry.fact {
            LeadFact::ThresholdReached(threshold) => (threshold, true),
            LeadFact::ThresholdSuperseded { threshold, by } => (threshold, by != "publication"),
            LeadFact::RulesApplied(applied) => return self.check_rearmed(id, lead, applied),
            _ => return,
        };
        let workflow = entry.workflow.as_ref().expect("a threshold is a workflow's");
        let step = workflow.step.clone().expect("and a step's");
        let key = (id.clone(), workflow.id, review_of(workflow.id, lead), threshold.clock, step);
        assert!(self.passed.insert(key.clone(), is_heard).is_none(), "twice: {key:?}");
        assert!(entry.due_at.is_some_and(|due| due <= entry.at), "a threshold fires before it is due");
    }

    fn check_rearmed(&mut self, id: &LeadId, lead: &Lead, applied: &AppliedPublication) {
        for PassedStep { workflow, step } in &applied.rearmed {
            // On hold, it is the clock of the state that it left.
            let left = lead.left.as_ref().filter(|_| lead.kind == StateKind::Hold);
            let visit = left.map_or(&lead.visit, |left| &left.visit);
            let clock = match workflow {
                WorkflowId::SlaBreach => visit.sla.as_ref(),
                WorkflowId::StuckLead => visit.stuck.as_ref(),
                _ => lead.review.as_ref().map(|review| &review.clock),
            };
            let number = clock.expect("what is armed again has a clock").number;
            let key = (id.clone(), *workflow, review_of(*workflow, lead), number, step.clone());
            assert_eq!(self.passed.remove(&key), Some(false), "somebody heard of it: {key:?}");
        }
    }

    /// Whoever routing gives a lead to can take it, and did not lose it in this state.
    fn check_new_owner(&self, lead: &Lead, entry: &Entry<LeadFact>) {
        let (LeadFact::Assigned { to, .. } | LeadFact::Reassigned { to, .. }) = &entry.fact else {
            return;
        };
        let rep = self.directory.rep(to).expect("a lead is given to a rep");
        let nothing = Standing::default();
        let standing = self.standings.get(to).unwrap_or(&nothing);
        assert!(standing.is_available(rep.on_leave_until, entry.at), "{to} is absent: {entry:?}");
        if let Some(licences) = &rep.licensed_for {
            let country = lead.profile.country.as_ref();
            assert!(country.is_some_and(|c| licences.contains(c)), "{to} is not licensed: {entry:?}");
        }
        let others = self.leads.values().filter(|l| l.id != lead.id && l.carried_by() == Some(to)).count();
        assert!(others < rep.capacity as usize, "{to} is full: {entry:?}");
        let taken = self.taken.get(&lead.id).is_some_and(|taken| taken.contains(to));
        assert!(!taken, "{to} gets it back: {entry:?}");
        assert_ne!(lead.owner.as_ref(), Some(to), "{to} has it already: {entry:?}");
    }

    fn follow_takings(&mut self, id: &LeadId, lead: Option<&Lead>, entry: &Entry<LeadFact>) {
        let taken = self.taken.entry(id.clone()).or_default();
        match &entry.fact {
            LeadFact::Assigned { .. } | LeadFact::Reassigned { .. } => {
                taken.extend(lead.and_then(|l| l.owner.clone()));
            }
            // A hold is not another state: the lead goes on where it was.
            LeadFact::StateChanged { kind, resumed: false, .. } if *kind != StateKind::Hold => taken.clear(),
            _ => {}
        }
    }
}

/// While compliance holds a lead, nothing of sales happens to it.
fn check_hold(lead: &Lead, entry: &Entry<LeadFact>) {
    if !lead.is_held() {
        return;
    }
    let of_sales = entry.workflow.as_ref().is_some_and(|w| {
        matches!(w.id, WorkflowId::SlaBreach | WorkflowId::StuckLead | WorkflowId::HighValue)
    });
    // That a breach was none is said of the past; nothing is done to the lead.
    let is_excuse = matches!(entry.fact, LeadFact::BreachExcused { .. });
    assert!(!of_sales || is_excuse, "sales acts on a held lead: {entry:?}");
    let moves = matches!(
        entry.fact,
        LeadFact::Assigned { .. }
            | LeadFact::Reassigned { .. }
            | LeadFact::OwnerSet { .. }
            | LeadFact::StateChanged { .. }
            | LeadFact::WaitingChanged { .. }
            | LeadFact::HoldChanged { .. }
            | LeadFact::HoldEnteredFrom { .. }
    );
    // A screening may be faster than the source's first word of where the lead is.
    let first_word_of = match entry.fact {
        LeadFact::HoldEnteredFrom { .. } => Some("state"),
        LeadFact::HoldChanged { .. } => Some("hold_until"),
        LeadFact::WaitingChanged { .. } => Some("waiting_on_customer"),
        _ => None,
    };
    let is_first_word = first_word_of.is_some_and(|field| lead.said(field).is_none());
    assert!(!moves || is_first_word, "a held lead moves: {entry:?}");
}

/// Each review has one clock.
fn review_of(workflow: WorkflowId, lead: &Lead) -> u64 {
    match workflow {
        WorkflowId::ComplianceFlag => {
            lead.review.as_ref().map_or(0, |r| r.opened_at.timestamp_millis().unsigned_abs())
        }
        _ => 0,
    }
}
