//! Accounts of a replay. While an account is as in history, its leads hear of it when they did; once
//! it is not, the replay tells them at once.

use super::kept::History;
use super::play::{Made, Play};
use crate::replay::{ReplayError, Replayed};
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, LeadId, Subject};
use rules::account::{Account, AccountCommand, AccountFact, AccountInput};
use rules::account_view::AccountView;
use rules::aggregate::{Aggregate as _, Decision};
use rules::cause;
use rules::entry::{Actor, Entry};
use rules::lead::{Command, Input};
use rules::outcome::Outcome;
use rules::record::{CommitRecord, Saw};

/// An account in a replay, as far as it is not as in history.
#[derive(Debug)]
pub(super) struct AccountInPlay {
    /// As the replay has it, once that is another.
    apart: Option<Option<Account>>,
    /// Whether the recorded wakes stand for the replay too.
    follows: bool,
    armed: Option<DateTime<Utc>>,
}

impl Default for AccountInPlay {
    /// As in history.
    fn default() -> Self {
        Self { apart: None, follows: true, armed: None }
    }
}

/// A recorded commit of an account, with what history made of it.
pub(super) struct AccountCommit<'c> {
    pub id: &'c AccountId,
    pub record: &'c CommitRecord,
    pub command: Option<&'c AccountCommand>,
    pub was: Option<&'c Account>,
    pub was_wake: Option<DateTime<Utc>>,
    pub is: &'c Replayed<Account, AccountFact>,
}

/// What became of an account and of its leads.
#[derive(Default)]
pub(super) struct AccountMade {
    pub entries: Vec<Entry<AccountFact>>,
    pub leads: Vec<(LeadId, Made)>,
}

impl Play {
    /// What leads of the replay are to know of an account.
    pub(super) fn account_view(&self, history: &History, id: &AccountId, saw: &Saw) -> AccountView {
        let apart = self.accounts.get(id).and_then(|kept| kept.apart.as_ref());
        if let Some(apart) = apart {
            return apart.as_ref().map_or_else(AccountView::default, Account::view);
        }
        let seen = saw.accounts.get(id).cloned();
        seen.unwrap_or_else(|| history.account(id).map_or_else(AccountView::default, Account::view))
    }

    /// Follows a recorded commit of an account.
    pub fn follow_account(
        &mut self,
        commit: &AccountCommit<'_>,
        history: &History,
    ) -> Result<AccountMade, ReplayError> {
        let AccountCommit { id, record, is: recorded, .. } = commit;
        let now = record.recorded_at;
        let mut kept = self.accounts.remove(id).unwrap_or_default();
        let was = kept.apart.clone().unwrap_or_else(|| commit.was.cloned());
        let is_apart = kept.apart.is_some();
        let command = commit.command.filter(|command| match command.input {
            AccountInput::Wake => kept.follows,
            // The replay tells the leads of what is its own.
            AccountInput::LeadsTold { .. } => !is_apart,
            // Deliveries speak of requests by their place in the history; none changes an account.
            AccountInput::Delivery(_) => !is_apart,
            _ => true,
        });
        let decision = command.and_then(|c| self.decide_account(was.as_ref(), c, now));
        let (is, entries, wake_at) = match decision {
            Some(Decision { changed, entries, wake_at, outcome, .. }) => {
                let made_sense = recorded.outcome == Some(Outcome::Applied);
                if made_sense && matches!(outcome, Outcome::Conflict { .. } | Outcome::Invalid { .. }) {
                    self.could_not_apply("decisions on accounts");
                }
                (changed.map(|after| *after).or(was), entries, wake_at)
            }
            None if record.recorded.is_none() && !is_apart => {
                (Some(recorded.after.clone()), recorded.entries.clone(), recorded.wake_at)
            }
            None if kept.follows => (was, Vec::new(), commit.was_wake),
            None => (was, Vec::new(), kept.armed),
        };
        let same = !is_apart && is.as_ref() == Some(&recorded.after);
        if !same {
            kept.apart = Some(is);
        }
        kept.follows = same && wake_at == recorded.wake_at;
        let armed = if kept.follows { None } else { wake_at };
        self.arm(Subject::Account((*id).clone()), kept.armed, armed);
        kept.armed = armed;
        self.keep_account(id, kept);
        let mut made = AccountMade { entries, leads: Vec::new() };
        self.tell_leads(id, now, history, &mut made)?;
        Ok(made)
    }

    /// Runs what is due of an account by the replay's own timers.
    pub fn wake_account(
        &mut self,
        id: &AccountId,
        due: DateTime<Utc>,
        history: &History,
    ) -> Result<AccountMade, ReplayError> {
        let command = AccountCommand {
            account: id.clone(),
            actor: Actor::system("clock"),
            cause: cause::wake(due),
            input: AccountInput::Wake,
        };
        let mut made = AccountMade::default();
        self.account_alone(id, &command, due, history, &mut made);
        if let Some(kept) = self.accounts.get_mut(id)
            && kept.armed == Some(due)
        {
            kept.armed = None;
        }
        self.due.remove(&(due, Subject::Account(id.clone())));
        self.tell_leads(id, due, history, &mut made)?;
        Ok(made)
    }

    /// Something that happens to an account in the replay alone.
    fn account_alone(
        &mut self,
        id: &AccountId,
        command: &AccountCommand,
        now: DateTime<Utc>,
        history: &History,
        made: &mut AccountMade,
    ) {
        let mut kept = self.accounts.remove(id).unwrap_or_default();
        let was = kept.apart.clone().unwrap_or_else(|| history.account(id).cloned());
        if let Some(decision) = self.decide_account(was.as_ref(), command, now) {
            if !decision.entries.is_empty() {
                kept.apart = Some(decision.changed.map(|after| *after));
                kept.follows = false;
            }
            if !kept.follows {
                self.arm(Subject::Account(id.clone()), kept.armed, decision.wake_at);
                kept.armed = decision.wake_at;
            }
            made.entries.extend(decision.entries);
        }
        self.keep_account(id, kept);
    }

    fn keep_account(&mut self, id: &AccountId, kept: AccountInPlay) {
        if kept.apart.is_some() || !kept.follows || kept.armed.is_some() {
            self.accounts.insert(id.clone(), kept);
        }
    }

    /// Tells the leads of an account that went its own way what concerns them.
    fn tell_leads(
        &mut self,
        id: &AccountId,
        now: DateTime<Utc>,
        history: &History,
        made: &mut AccountMade,
    ) -> Result<(), ReplayError> {
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
            if let Some(of_lead) = self.tell_lead(&lead, &command, now, history)? {
                made.leads.push((lead, of_lead));
            }
        }
        let input = AccountInput::LeadsTold { view, leads: told };
        let command = AccountCommand { account: id.clone(), actor, cause, input };
        self.account_alone(id, &command, now, history, made);
        Ok(())
    }

    fn decide_account(
        &mut self,
        account: Option<&Account>,
        command: &AccountCommand,
        now: DateTime<Utc>,
    ) -> Option<Decision<Account>> {
        // An account asks for nothing.
        Account::decide(account, &self.world()?, command, now).ok()
    }
}
