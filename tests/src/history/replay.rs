//! A history, followed entry by entry: what each may do to whom.

use insight::simulate::AnyEntry;
use policy::directory::Directory;
use policy::ids::{LeadId, PersonId, Subject};
use policy::{StateKind, WorkflowId};
use rules::aggregate::Aggregate as _;
use rules::entry::Entry;
use rules::lead::{AppliedPublication, Lead, LeadFact, PassedStep};
use rules::roster::Standing;
use std::collections::{BTreeMap, BTreeSet};

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
