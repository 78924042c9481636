//! What will happen without further input: the engine itself decides ahead of time, timer after timer.

use super::action::WorkflowAction;
use super::explanation::{PlannedStep, Readiness};
use super::history::History;
use chrono::{DateTime, Utc};
use policy::WorkflowId;
use policy::ids::LeadId;
use rules::account::{Account, AccountCommand, AccountFact, AccountInput};
use rules::aggregate::{Aggregate as _, Undecided};
use rules::cause;
use rules::entry::{Actor, Entry};
use rules::lead::{Command, Input, Lead, LeadFact, Threshold};
use rules::world::World;

/// More than all timers of a lead: the steps of each reassignment's clock, of a stuck lead and of a review,
/// and the end of a hold.
const WAKES_MAX: usize = 64;

/// The entries that the timers will cause.
pub(super) struct Forecast {
    lead: Vec<Entry<LeadFact>>,
    account: Vec<Entry<AccountFact>>,
}

impl Forecast {
    pub fn of(history: &History<'_>, world: &World, at: DateTime<Utc>) -> Result<Self, Undecided> {
        let account = history.account.as_ref().map(|account| of_account(account, world, at)).transpose()?;
        Ok(Self { lead: of_lead(&history.lead, world, at)?, account: account.unwrap_or_default() })
    }

    /// What a clock will do at a step, and when. `None` if it will not reach the step.
    pub fn step(&self, workflow: WorkflowId, step: &str, clock: u32) -> Option<PlannedStep> {
        let is_of_step = |entry: &&Entry<LeadFact>| {
            entry.workflow.as_ref().is_some_and(|w| w.id == workflow && w.step.as_deref() == Some(step))
        };
        let reaches_step = |entry: &Entry<LeadFact>| match &entry.fact {
            LeadFact::ThresholdReached(Threshold { clock: own, .. })
            | LeadFact::ThresholdSuperseded { threshold: Threshold { clock: own, .. }, .. } => *own == clock,
            _ => false,
        };
        let mut of_step = self.lead.iter().filter(is_of_step).skip_while(|entry| !reaches_step(entry));
        let first = of_step.next()?;
        let rest = of_step.take_while(|entry| entry.commit == first.commit);
        let does =
            std::iter::once(first).chain(rest).filter_map(|entry| WorkflowAction::of(&entry.fact)).collect();
        let (step, readiness) = (Some(step.to_owned()), Readiness::Resting);
        Some(PlannedStep { step, percent: None, after_s: None, readiness, at: first.due_at, does })
    }

    /// What the compliance workflow will do with the next input, without a new match.
    pub fn hold(&self) -> Vec<WorkflowAction> {
        let of_compliance = |entry: &&Entry<LeadFact>| {
            entry.workflow.as_ref().is_some_and(|w| w.id == WorkflowId::ComplianceFlag && w.step.is_none())
        };
        let held = |entry: &&Entry<LeadFact>| matches!(entry.fact, LeadFact::ComplianceHeld { .. });
        let commit = self.lead.iter().find(held).map(|entry| entry.commit);
        let of_commit = self.lead.iter().filter(|entry| Some(entry.commit) == commit);
        of_commit.filter(of_compliance).filter_map(|entry| WorkflowAction::of(&entry.fact)).collect()
    }

    /// What the churn workflow will do to the account, in order of time.
    pub fn of_account(&self) -> Vec<PlannedStep> {
        let mut planned: Vec<PlannedStep> = Vec::new();
        for entry in &self.account {
            let (Some(due), Some(does)) = (entry.due_at, WorkflowAction::of_account(&entry.fact)) else {
                continue;
            };
            // The first fact of a timer is the step itself; the notifications follow.
            if let (WorkflowAction::Tell { .. }, Some(last)) = (&does, planned.last_mut()) {
                last.does.push(does);
                continue;
            }
            let step = match entry.fact {
                AccountFact::TouchpointDue {} => "touchpoint",
                _ => "outreach",
            };
            planned.push(PlannedStep {
                step: Some(step.to_owned()),
                percent: None,
                after_s: None,
                readiness: Readiness::Armed,
                at: Some(due),
                does: vec![does],
            });
        }
        planned
    }
}

fn of_lead(lead: &Lead, world: &World, at: DateTime<Utc>) -> Result<Vec<Entry<LeadFact>>, Undecided> {
    let mut lead = lead.clone();
    let mut entries = Vec::new();
    for _ in 0..WAKES_MAX {
        let Some(due) = rules::lead::wake_at(&lead, &world.rules) else { break };
        let decision = Lead::decide(Some(&lead), world, &wake(&lead.id, due), due.max(at))?;
        let Some(after) = decision.changed else { break };
        lead = *after;
        entries.extend(decision.entries);
    }
    Ok(entries)
}

fn wake(lead: &LeadId, due: DateTime<Utc>) -> Command {
    Command { lead: lead.clone(), actor: Actor::system("clock"), cause: cause::wake(due), input: Input::Wake }
}

fn of_account(
    account: &Account,
    world: &World,
    at: DateTime<Utc>,
) -> Result<Vec<Entry<AccountFact>>, Undecided> {
    let mut account = account.clone();
    let mut entries = Vec::new();
    for _ in 0..WAKES_MAX {
        let Some(due) = account.next_timer() else { break };
        let command = AccountCommand {
            account: account.id.clone(),
            actor: Actor::system("clock"),
            cause: cause::wake(due),
            input: AccountInput::Wake,
        };
        let decision = Account::decide(Some(&account), world, &command, due.max(at))?;
        let Some(after) = decision.changed else { break };
        account = *after;
        entries.extend(decision.entries);
    }
    Ok(entries)
}
