//! Accounts of a backtest. While an account is the same in both histories, its leads hear of it
//! when they did; once it is not, the replay tells them at once.

use super::Backtest;
use super::tally::Side;
use crate::account::Account;
use crate::entry::Actor;
use crate::ids::{AccountId, LeadId, Subject};
use crate::input::{Command, Input, Outcome, World};
use crate::lead::AccountView;
use crate::record::{CommitRecord, Saw};
use crate::replay::{Replay, ReplayError};
use crate::simulate::wake_cause;
use crate::workflows::churn_risk::{AccountCommand, AccountDecision, AccountInput, decide_account};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// An account between its commits.
#[derive(Debug, Default)]
pub(super) struct KeptAccount {
    recorded: Option<Account>,
    recorded_wake: Option<DateTime<Utc>>,
    /// As the replay has it, once that is another.
    apart: Option<Option<Account>>,
    /// Whether the recorded wakes stand for the replay too.
    follows: bool,
    armed: Option<DateTime<Utc>>,
}

impl KeptAccount {
    fn replayed(&self) -> Option<&Account> {
        self.apart.as_ref().unwrap_or(&self.recorded).as_ref()
    }
}

impl Backtest<'_> {
    /// What leads of the replay are to know of an account.
    pub(super) fn account_view(&self, id: &AccountId, saw: &Saw) -> AccountView {
        let kept = self.accounts.get(id);
        let seen = saw.accounts.get(id).filter(|_| kept.is_none_or(|kept| kept.apart.is_none()));
        seen.cloned().unwrap_or_else(|| {
            kept.and_then(KeptAccount::replayed).map_or_else(AccountView::default, Account::view)
        })
    }

    /// Follows a commit of an account in both histories.
    pub(super) fn follow_account(
        &mut self,
        id: &AccountId,
        record: &CommitRecord,
    ) -> Result<(), ReplayError> {
        let new = || KeptAccount { follows: true, ..KeptAccount::default() };
        let mut kept = self.accounts.remove(id).unwrap_or_else(new);
        let command = Replay::account_command(record)?;
        let recorded = self.replay.account(kept.recorded.as_ref(), record, command.as_ref())?;
        self.note_identity(recorded.outcome.is_some(), recorded.difference);
        self.tally.account(Side::Recorded, &recorded.entries);

        let was = kept.replayed().cloned();
        let is_apart = kept.apart.is_some();
        let command = command.filter(|command| match command.input {
            AccountInput::Wake => kept.follows,
            // The replay tells the leads of what is its own.
            AccountInput::LeadsTold { .. } => !is_apart,
            // Deliveries speak of requests by their place in the history; none changes an account.
            AccountInput::Delivery(_) => !is_apart,
            _ => true,
        });
        let decision =
            command.as_ref().and_then(|c| self.decide_account(was.as_ref(), c, record.recorded_at));
        let (is, entries, wake_at) = match decision {
            Some(AccountDecision { account, entries, wake_at, outcome }) => {
                let made_sense = recorded.outcome == Some(Outcome::Applied);
                if made_sense && matches!(outcome, Outcome::Conflict { .. } | Outcome::Invalid { .. }) {
                    self.could_not_apply("decisions on accounts");
                }
                (account, entries, wake_at)
            }
            None if record.recorded.is_none() && !is_apart => {
                (Some(recorded.after.clone()), recorded.entries.clone(), recorded.wake_at)
            }
            None if kept.follows => (was.clone(), Vec::new(), kept.recorded_wake),
            None => (was.clone(), Vec::new(), kept.armed),
        };
        self.tally.account(Side::Replayed, &entries);
        let same = !is_apart && is.as_ref() == Some(&recorded.after);
        kept.recorded = Some(recorded.after);
        kept.recorded_wake = recorded.wake_at;
        if !same {
            kept.apart = Some(is);
        }
        kept.follows = same && wake_at == recorded.wake_at;
        let armed = if kept.follows { None } else { wake_at };
        self.arm(Subject::Account(id.clone()), kept.armed, armed);
        kept.armed = armed;
        self.accounts.insert(id.clone(), kept);
        self.tell_leads(id, record.recorded_at)
    }

    /// Runs what is due of an account by the replay's own timers.
    pub(super) fn wake_account(&mut self, id: &AccountId, due: DateTime<Utc>) -> Result<(), ReplayError> {
        let command = AccountCommand {
            account: id.clone(),
            actor: Actor::system("clock"),
            cause: wake_cause(due),
            input: AccountInput::Wake,
        };
        self.account_alone(id, &command, due);
        if let Some(kept) = self.accounts.get_mut(id)
            && kept.armed == Some(due)
        {
            kept.armed = None;
        }
        self.due.remove(&(due, Subject::Account(id.clone())));
        self.tell_leads(id, due)
    }

    /// Something that happens to an account in the replay alone.
    fn account_alone(&mut self, id: &AccountId, command: &AccountCommand, now: DateTime<Utc>) {
        let Some(mut kept) = self.accounts.remove(id) else { return };
        let was = kept.replayed().cloned();
        if let Some(decision) = self.decide_account(was.as_ref(), command, now) {
            self.tally.account(Side::Replayed, &decision.entries);
            if !decision.entries.is_empty() {
                kept.apart = Some(decision.account);
                kept.follows = false;
            }
            if !kept.follows {
                self.arm(Subject::Account(id.clone()), kept.armed, decision.wake_at);
                kept.armed = decision.wake_at;
            }
        }
        self.accounts.insert(id.clone(), kept);
    }

    /// Tells the leads of an account that went its own way what concerns them.
    fn tell_leads(&mut self, id: &AccountId, now: DateTime<Utc>) -> Result<(), ReplayError> {
        let apart = self.accounts.get(id).and_then(|kept| kept.apart.as_ref()?.as_ref());
        let Some(view) = apart.filter(|account| account.has_news_for_leads()).map(Account::view) else {
            return Ok(());
        };
        let leads: Vec<LeadId> = self.leads_of.get(id).into_iter().flatten().cloned().collect();
        let told = u32::try_from(leads.len()).unwrap_or(u32::MAX);
        let (actor, cause) = (Actor::system("account"), format!("account/{id}/{}", view.as_of));
        for lead in leads {
            let (actor, cause) = (actor.clone(), cause.clone());
            let command = Command { lead: lead.clone(), actor, cause, input: Input::ApplyAccount };
            self.tell_lead(&lead, &command, now)?;
        }
        let input = AccountInput::LeadsTold { view, leads: told };
        self.account_alone(id, &AccountCommand { account: id.clone(), actor, cause, input }, now);
        Ok(())
    }

    fn decide_account(
        &self,
        account: Option<&Account>,
        command: &AccountCommand,
        now: DateTime<Utc>,
    ) -> Option<AccountDecision> {
        let directory = self.replayed_directory()?;
        let (rosters, accounts) = (BTreeMap::new(), BTreeMap::new());
        let world = World {
            policy: &self.policy,
            directory: &directory,
            rosters: &rosters,
            accounts: &accounts,
            past: self.revisions,
        };
        Some(decide_account(account, &world, command, now))
    }
}
