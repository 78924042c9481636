//! Commands to accounts, and what their leads learn.

use super::entry::AnyEntry;
use super::records::CommitInput;
use super::simulation::Simulation;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, LeadId, Subject};
use rules::account::{Account, AccountCommand, AccountFact, AccountInput};
use rules::account_view::AccountView;
use rules::aggregate::Aggregate as _;
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead};
use rules::outcome::Outcome;

impl Simulation {
    /// Applies a command to an account at a time, and at once to its leads.
    pub fn account(&mut self, command: &AccountCommand, now: DateTime<Utc>) -> Outcome {
        self.latest_at = self.latest_at.max(now);
        let before = self.accounts.get(&command.account).cloned();
        let Ok(decision) = Account::decide(before.as_ref(), &self.world, command, now) else {
            return Outcome::NotFound;
        };
        let consulted = &decision.consulted;
        let input = CommitInput { actor: &command.actor, input: &command.input, consulted, now };
        self.record(input, &decision.entries);
        let after = decision.changed.map(|after| *after).or(before);
        let news = after.as_ref().filter(|a| a.has_news_for_leads()).map(Account::view);
        if let Some(after) = after {
            self.set_wake(Subject::Account(after.id.clone()), decision.wake_at);
            self.accounts.insert(after.id.clone(), after);
        }
        for entry in &decision.entries {
            if let AccountFact::Notification(fact) = &entry.fact {
                self.deferred.follow(&entry.subject, fact);
            }
        }
        self.history.extend(decision.entries.into_iter().map(AnyEntry::Account));
        if let Some(view) = news {
            self.update_leads(&command.account, view, now);
        }
        decision.outcome
    }

    fn update_leads(&mut self, account: &AccountId, view: AccountView, now: DateTime<Utc>) {
        let of_account = |lead: &&Lead| lead.profile.account_id.as_ref() == Some(account);
        let leads: Vec<LeadId> = self.leads.values().filter(of_account).map(|l| l.id.clone()).collect();
        let count = u32::try_from(leads.len()).unwrap_or(u32::MAX);
        let (actor, cause) = (Actor::system("account"), format!("account/{account}/{}", view.as_of));
        for lead in leads {
            let (actor, cause) = (actor.clone(), cause.clone());
            self.lead(&Command { lead, actor, cause, input: Input::ApplyAccount }, now);
        }
        let input = AccountInput::LeadsTold { view, leads: count };
        self.account(&AccountCommand { account: account.clone(), actor, cause, input }, now);
    }
}
