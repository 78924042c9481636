//! A lead's history up to an instant, folded, and what of it each workflow did.

use super::{Does, ExplainError, Fired, Record};
use chrono::{DateTime, Utc};
use policy::{StateKind, WorkflowId};
use rules::account::{Account, AccountFact};
use rules::aggregate::{Aggregate as _, fold};
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact, Threshold};
use serde::Serialize;
use std::collections::BTreeMap;

/// A history as far as it had come.
pub(super) struct History<'a> {
    pub lead: Lead,
    pub account: Option<Account>,
    entries: &'a [Entry<LeadFact>],
    of_account: &'a [Entry<AccountFact>],
    /// Since when outreach to the account is paused, as the lead knows it.
    pub outreach_paused_since: Option<DateTime<Utc>>,
    /// The entries with which began what each workflow stands at.
    began: BTreeMap<WorkflowId, u64>,
    /// The clock of each entry that has one.
    clocks: BTreeMap<u64, u32>,
}

impl<'a> History<'a> {
    /// Folds what had taken effect by an instant.
    pub fn until(record: Record<'a>, at: DateTime<Utc>) -> Result<Self, ExplainError> {
        let begins_at = record.lead.first().ok_or(ExplainError::NoHistory)?.at;
        let (entries, of_account) = (until(record.lead, at), until(record.account, at));
        let mut walk = Walk::default();
        let mut lead: Option<Lead> = None;
        for entry in entries {
            let after = Lead::evolve(lead.take(), entry)?;
            walk.follow(entry, &after);
            lead = Some(after);
        }
        let lead = lead.ok_or(ExplainError::NotYet { begins_at })?;
        let account = fold::<Account>(of_account)?;
        // What the lead is not linked to by then is no part of it.
        let account = account.filter(|account| lead.profile.account_id.as_ref() == Some(&account.id));
        let risen = |entry: &&Entry<AccountFact>| matches!(entry.fact, AccountFact::Elevated { .. });
        if let Some(elevated) = of_account.iter().rev().find(risen)
            && account.as_ref().is_some_and(|account| account.churn_risk.is_some())
        {
            walk.began.insert(WorkflowId::ChurnRisk, elevated.seq);
        }
        let Walk { began, clocks, outreach_paused_since, .. } = walk;
        Ok(Self { lead, account, entries, of_account, outreach_paused_since, began, clocks })
    }

    /// What a workflow did, as far as it still stands.
    pub fn fired(&self, workflow: WorkflowId) -> Vec<Fired> {
        let Some(began) = self.began.get(&workflow) else { return Vec::new() };
        if workflow == WorkflowId::ChurnRisk {
            let since = self.of_account.iter().filter(|entry| entry.seq >= *began);
            return since.filter_map(|e| fired(e, workflow, None, Does::of_account(&e.fact))).collect();
        }
        let since = self.entries.iter().filter(|entry| entry.seq >= *began);
        let of_this_stay = since.filter(|entry| match &entry.fact {
            LeadFact::BreachExcused { breach, .. } => breach >= began,
            _ => true,
        });
        of_this_stay
            .filter_map(|e| fired(e, workflow, self.clocks.get(&e.seq).copied(), Does::of(&e.fact)))
            .collect()
    }
}

/// What had taken effect by an instant. Facts never go back in time, so that it is a history, too.
pub(super) fn until<F>(entries: &[Entry<F>], at: DateTime<Utc>) -> &[Entry<F>] {
    let known = entries.partition_point(|entry| entry.at <= at);
    entries.get(..known).unwrap_or_default()
}

/// What is noted on the way through a history.
#[derive(Default)]
struct Walk {
    began: BTreeMap<WorkflowId, u64>,
    clocks: BTreeMap<u64, u32>,
    /// The clock that last came to a step: what is done at the step belongs to it.
    at_step: BTreeMap<(WorkflowId, String), u32>,
    outreach_paused_since: Option<DateTime<Utc>>,
}

impl Walk {
    fn follow(&mut self, entry: &Entry<LeadFact>, after: &Lead) {
        self.follow_clock(entry);
        match &entry.fact {
            LeadFact::Created { .. } => self.begin_stay(entry.seq),
            // A hold is not another state: the lead goes on where it was.
            LeadFact::StateChanged { kind, resumed: false, .. } if *kind != StateKind::Hold => {
                self.begin_stay(entry.seq);
            }
            LeadFact::ReviewDecided { kind: StateKind::Terminal, .. } if after.is_disqualified() => {
                self.begin_stay(entry.seq);
            }
            LeadFact::ReviewDecided { .. } => _ = self.began.remove(&WorkflowId::ComplianceFlag),
            LeadFact::ComplianceHeld { .. } => _ = self.began.insert(WorkflowId::ComplianceFlag, entry.seq),
            LeadFact::HighValueFlagged { .. } => _ = self.began.insert(WorkflowId::HighValue, entry.seq),
            LeadFact::HighValueRearmed {} => _ = self.began.remove(&WorkflowId::HighValue),
            LeadFact::AccountApplied { view } => {
                let since = self.outreach_paused_since.unwrap_or(entry.at);
                self.outreach_paused_since = view.outreach_paused.then_some(since);
            }
            _ => {}
        }
    }

    fn begin_stay(&mut self, seq: u64) {
        self.began.insert(WorkflowId::SlaBreach, seq);
        self.began.insert(WorkflowId::StuckLead, seq);
    }

    fn follow_clock(&mut self, entry: &Entry<LeadFact>) {
        let Some((workflow, step)) = entry.workflow.as_ref().and_then(|w| Some((w.id, w.step.clone()?)))
        else {
            return;
        };
        let clock = match &entry.fact {
            LeadFact::BreachExcused { breach, .. } => self.clocks.get(breach).copied(),
            LeadFact::ThresholdReached(Threshold { clock, .. })
            | LeadFact::ThresholdSuperseded { threshold: Threshold { clock, .. }, .. } => {
                self.at_step.insert((workflow, step), *clock);
                Some(*clock)
            }
            _ => self.at_step.get(&(workflow, step)).copied(),
        };
        self.clocks.extend(clock.map(|clock| (entry.seq, clock)));
    }
}

fn fired<F: Serialize>(
    entry: &Entry<F>,
    workflow: WorkflowId,
    clock: Option<u32>,
    does: Option<Does>,
) -> Option<Fired> {
    let by = entry.workflow.as_ref().filter(|by| by.id == workflow)?;
    Some(Fired {
        subject: entry.subject.clone(),
        seq: entry.seq,
        at: entry.at,
        due_at: entry.due_at,
        step: by.step.clone(),
        version: by.version,
        clock,
        fact: name(&entry.fact),
        does,
    })
}

/// The name of a fact in the audit.
fn name<F: Serialize>(fact: &F) -> String {
    let written = serde_json::to_value(fact).unwrap_or_default();
    written.get("type").and_then(|name| name.as_str()).unwrap_or_default().to_owned()
}
