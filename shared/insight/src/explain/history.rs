//! A lead's history up to a time, folded, and what each workflow did in it.

use super::action::WorkflowAction;
use super::error::ExplainError;
use super::explanation::FiredEntry;
use chrono::{DateTime, Utc};
use policy::{StateKind, WorkflowId};
use rules::account::{Account, AccountFact};
use rules::aggregate::{Aggregate as _, fold};
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact, Threshold};
use serde::Serialize;
use std::collections::BTreeMap;

/// The complete histories that an explanation rests on, from their first entry.
#[derive(Debug, Clone, Copy)]
pub struct CompleteHistory<'a> {
    /// The lead's history.
    pub lead: &'a [Entry<LeadFact>],
    /// The history of its account. Empty if the lead has no account.
    pub account: &'a [Entry<AccountFact>],
}

/// A folded history up to a time.
pub(super) struct History<'a> {
    pub lead: Lead,
    pub account: Option<Account>,
    entries: &'a [Entry<LeadFact>],
    account_entries: &'a [Entry<AccountFact>],
    /// Since when outreach to the account is paused, according to the lead.
    pub outreach_paused_since: Option<DateTime<Utc>>,
    /// For each workflow, the entry where the current episode began.
    began: BTreeMap<WorkflowId, u64>,
    /// The clock of each entry that has one.
    clocks: BTreeMap<u64, u32>,
}

impl<'a> History<'a> {
    /// Folds the entries that took effect by `at`.
    pub fn until(histories: CompleteHistory<'a>, at: DateTime<Utc>) -> Result<Self, ExplainError> {
        let begins_at = histories.lead.first().ok_or(ExplainError::NoHistory)?.at;
        let (entries, account_entries) = (until(histories.lead, at), until(histories.account, at));
        let mut pass = Pass::default();
        let mut lead: Option<Lead> = None;
        for entry in entries {
            let after = Lead::evolve(lead.take(), entry)?;
            pass.follow(entry, &after);
            lead = Some(after);
        }
        let lead = lead.ok_or(ExplainError::NotYet { begins_at })?;
        let account = fold::<Account>(account_entries)?;
        // An account that the lead does not belong to at that time does not count.
        let account = account.filter(|account| lead.profile.account_id.as_ref() == Some(&account.id));
        let is_elevation = |entry: &&Entry<AccountFact>| matches!(entry.fact, AccountFact::Elevated { .. });
        if let Some(elevated) = account_entries.iter().rev().find(is_elevation)
            && account.as_ref().is_some_and(|account| account.churn_risk.is_some())
        {
            pass.began.insert(WorkflowId::ChurnRisk, elevated.seq);
        }
        let Pass { began, clocks, outreach_paused_since, .. } = pass;
        Ok(Self { lead, account, entries, account_entries, outreach_paused_since, began, clocks })
    }

    /// What a workflow did in its current episode.
    pub fn fired(&self, workflow: WorkflowId) -> Vec<FiredEntry> {
        let Some(began) = self.began.get(&workflow) else { return Vec::new() };
        if workflow == WorkflowId::ChurnRisk {
            let since = self.account_entries.iter().filter(|entry| entry.seq >= *began);
            return since
                .filter_map(|e| fired(e, workflow, None, WorkflowAction::of_account(&e.fact)))
                .collect();
        }
        let since = self.entries.iter().filter(|entry| entry.seq >= *began);
        let of_this_stay = since.filter(|entry| match &entry.fact {
            LeadFact::BreachExcused { breach, .. } => breach >= began,
            _ => true,
        });
        of_this_stay
            .filter_map(|e| fired(e, workflow, self.clocks.get(&e.seq).copied(), WorkflowAction::of(&e.fact)))
            .collect()
    }
}

/// The entries that took effect by a time. Facts never go back in time, so they are a history, too.
pub(super) fn until<F>(entries: &[Entry<F>], at: DateTime<Utc>) -> &[Entry<F>] {
    let count = entries.partition_point(|entry| entry.at <= at);
    entries.get(..count).unwrap_or_default()
}

/// What a pass over a history collects.
#[derive(Default)]
struct Pass {
    began: BTreeMap<WorkflowId, u64>,
    clocks: BTreeMap<u64, u32>,
    /// The clock that last reached each step. The actions at the step belong to it.
    at_step: BTreeMap<(WorkflowId, String), u32>,
    outreach_paused_since: Option<DateTime<Utc>>,
}

impl Pass {
    fn follow(&mut self, entry: &Entry<LeadFact>, after: &Lead) {
        self.follow_clock(entry);
        match &entry.fact {
            LeadFact::Created { .. } => self.begin_stay(entry.seq),
            // After a hold the lead continues in the state that it had before.
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
    action: Option<WorkflowAction>,
) -> Option<FiredEntry> {
    let by = entry.workflow.as_ref().filter(|by| by.id == workflow)?;
    Some(FiredEntry {
        subject: entry.subject.clone(),
        seq: entry.seq,
        at: entry.at,
        due_at: entry.due_at,
        step: by.step.clone(),
        version: by.version,
        clock,
        fact: name(&entry.fact),
        does: action,
    })
}

/// The type of a fact, as in the audit.
fn name<F: Serialize>(fact: &F) -> String {
    let value = serde_json::to_value(fact).unwrap_or_default();
    value.get("type").and_then(|name| name.as_str()).unwrap_or_default().to_owned()
}
