//! The accounts of a replay. While an account equals history, its leads learn of its changes when the record
//! says so. Once it has diverged, the replay updates them at once.

use super::commits::{AccountChange, AccountCommit};
use super::history::History;
use super::overlay::AccountOverlay;
use super::policy_replay::PolicyReplay;
use crate::replay::ReplayError;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, LeadId, Subject};
use rules::account::{Account, AccountCommand, AccountInput};
use rules::aggregate::{Aggregate as _, Decision};
use rules::cause;
use rules::entry::Actor;
use rules::lead::{Command, Input};
use rules::outcome::Outcome;

impl PolicyReplay {
    /// Replays a recorded commit of an account.
    pub fn follow_account(
        &mut self,
        commit: &AccountCommit<'_>,
        history: &History,
    ) -> Result<AccountChange, ReplayError> {
        let AccountCommit { id, record, recorded, .. } = commit;
        let now = record.recorded_at;
        let mut overlay = self.accounts.remove(id).unwrap_or_default();
        let before = overlay.diverged.clone().unwrap_or_else(|| commit.before.cloned());
        let has_diverged = overlay.diverged.is_some();
        let command = commit.command.filter(|command| match command.input {
            AccountInput::Wake => overlay.shares_timer,
            // The replay itself updates the leads of a diverged account.
            AccountInput::LeadsTold { .. } => !has_diverged,
            // Deliveries name requests by their place in the history; no delivery changes an account.
            AccountInput::Delivery(_) => !has_diverged,
            _ => true,
        });
        let decision = command.and_then(|c| self.decide_account(before.as_ref(), c, now));
        let (after, entries, wake_at) = match decision {
            Some(Decision { changed, entries, wake_at, outcome, .. }) => {
                let applied = recorded.outcome == Some(Outcome::Applied);
                if applied && matches!(outcome, Outcome::Conflict { .. } | Outcome::Invalid { .. }) {
                    self.count_not_applied("decisions on accounts");
                }
                (changed.map(|after| *after).or(before), entries, wake_at)
            }
            None if record.recorded.is_none() && !has_diverged => {
                (Some(recorded.after.clone()), recorded.entries.clone(), recorded.wake_at)
            }
            None if overlay.shares_timer => (before, Vec::new(), commit.wake_before),
            None => (before, Vec::new(), overlay.wake_at),
        };
        let same = !has_diverged && after.as_ref() == Some(&recorded.after);
        if !same {
            overlay.diverged = Some(after);
        }
        overlay.shares_timer = same && wake_at == recorded.wake_at;
        let own_timer = if overlay.shares_timer { None } else { wake_at };
        self.set_timer(Subject::Account((*id).clone()), overlay.wake_at, own_timer);
        overlay.wake_at = own_timer;
        self.put_account(id, overlay);
        let mut change = AccountChange { entries, leads: Vec::new() };
        self.update_leads(id, now, history, &mut change)?;
        Ok(change)
    }

    /// Runs the replay's own timer of an account.
    pub fn wake_account(
        &mut self,
        id: &AccountId,
        due: DateTime<Utc>,
        history: &History,
    ) -> Result<AccountChange, ReplayError> {
        let command = AccountCommand {
            account: id.clone(),
            actor: Actor::system("clock"),
            cause: cause::wake(due),
            input: AccountInput::Wake,
        };
        let mut change = AccountChange::default();
        self.replay_only_account(id, &command, due, history, &mut change);
        if let Some(overlay) = self.accounts.get_mut(id)
            && overlay.wake_at == Some(due)
        {
            overlay.wake_at = None;
        }
        self.due.remove(&(due, Subject::Account(id.clone())));
        self.update_leads(id, due, history, &mut change)?;
        Ok(change)
    }

    /// Decides a command on an account that exists only in the replay.
    fn replay_only_account(
        &mut self,
        id: &AccountId,
        command: &AccountCommand,
        now: DateTime<Utc>,
        history: &History,
        change: &mut AccountChange,
    ) {
        let mut overlay = self.accounts.remove(id).unwrap_or_default();
        let before = overlay.diverged.clone().unwrap_or_else(|| history.account(id).cloned());
        if let Some(decision) = self.decide_account(before.as_ref(), command, now) {
            if !decision.entries.is_empty() {
                overlay.diverged = Some(decision.changed.map(|after| *after));
                overlay.shares_timer = false;
            }
            if !overlay.shares_timer {
                self.set_timer(Subject::Account(id.clone()), overlay.wake_at, decision.wake_at);
                overlay.wake_at = decision.wake_at;
            }
            change.entries.extend(decision.entries);
        }
        self.put_account(id, overlay);
    }

    fn put_account(&mut self, id: &AccountId, overlay: AccountOverlay) {
        if !overlay.is_empty() {
            self.accounts.insert(id.clone(), overlay);
        }
    }

    /// Applies the changes of a diverged account to its leads.
    fn update_leads(
        &mut self,
        id: &AccountId,
        now: DateTime<Utc>,
        history: &History,
        change: &mut AccountChange,
    ) -> Result<(), ReplayError> {
        let diverged = self.accounts.get(id).and_then(|overlay| overlay.diverged.as_ref()?.as_ref());
        let Some(view) = diverged.filter(|account| account.has_news_for_leads()).map(Account::view) else {
            return Ok(());
        };
        let leads: Vec<LeadId> = self.leads_of.get(id).into_iter().flatten().cloned().collect();
        let count = u32::try_from(leads.len()).unwrap_or(u32::MAX);
        let (actor, cause) = (Actor::system("account"), format!("account/{id}/{}", view.as_of));
        for lead in leads {
            let (actor, cause) = (actor.clone(), cause.clone());
            let command = Command { lead: lead.clone(), actor, cause, input: Input::ApplyAccount };
            if let Some(lead_change) = self.apply_account_to(&lead, &command, now, history)? {
                change.leads.push((lead, lead_change));
            }
        }
        let input = AccountInput::LeadsTold { view, leads: count };
        let command = AccountCommand { account: id.clone(), actor, cause, input };
        self.replay_only_account(id, &command, now, history, change);
        Ok(())
    }

    fn decide_account(
        &mut self,
        account: Option<&Account>,
        command: &AccountCommand,
        now: DateTime<Utc>,
    ) -> Option<Decision<Account>> {
        // Decisions on accounts need no further knowledge.
        Account::decide(account, &self.world()?, command, now).ok()
    }
}
