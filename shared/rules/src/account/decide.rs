//! Churn risk.
//!
//! **What**: tags an account, tells its owner and customer success, schedules a touchpoint, and
//! pauses new outreach on its leads if the policy says so.
//! **When**: on a signal: usage is down, tickets spiked, a stakeholder left. A further signal on
//! an account that is already tagged adds evidence and fires nothing.
//! **Why**: selling to a customer who is about to leave costs both the sale and the customer.

use crate::account::command::{AccountCommand, AccountInput};
use crate::account::event::{AccountChanges, AccountFact, Evidence};
use crate::account::evolve::evolve;
use crate::account::state::{Account, CHURN_RISK_TAG, Signal};
use crate::clock::MISSED_AFTER;
use crate::entry::{Actor, Entry, WorkflowRef};
use crate::merge::Sorting;
use crate::notification::{
    About, Delivery, DeliveryResult, Notification, NotificationFact, Particulars, Recipient, Role,
};
use crate::outcome::Outcome;
use crate::quiet;
use crate::unread::Unread;
use crate::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use policy::directory::ALWAYS;
use policy::ids::{CalendarId, NotificationId, PersonId, Subject};
use policy::measure::Window;
use policy::{Message, WorkflowId};

/// What should happen to an account.
#[derive(Debug, Clone)]
pub struct AccountDecision {
    /// What becomes of the command.
    pub outcome: Outcome,
    /// The facts, in order. Empty: nothing is to be written.
    pub entries: Vec<Entry<AccountFact>>,
    /// The account with the facts folded in; `None` if there is none.
    pub account: Option<Account>,
    /// When it has to be looked at again.
    pub wake_at: Option<DateTime<Utc>>,
}

/// What should happen to an account, given an input at an instant.
pub fn decide_account(
    account: Option<&Account>,
    world: &World<'_>,
    command: &AccountCommand,
    now: DateTime<Utc>,
) -> AccountDecision {
    let now = account.map_or(now, |a| now.max(a.changed_at));
    let mut d = Deciding {
        world: *world,
        commit: account.map_or(0, |a| a.commit).saturating_add(1),
        account: account.cloned(),
        command,
        now,
        at: now,
        due_at: None,
        entries: Vec::new(),
    };
    d.settle();
    let outcome = d.apply();
    let is_news = |entry: &Entry<AccountFact>| !matches!(entry.fact, AccountFact::InputNotUnderstood(_));
    let outcome = match outcome {
        Outcome::Applied if !d.entries.iter().any(is_news) => Outcome::Unchanged,
        outcome => outcome,
    };
    let wake_at = d.account.as_ref().and_then(Account::wake_at);
    AccountDecision { outcome, entries: d.entries, account: d.account, wake_at }
}

struct Deciding<'a> {
    world: World<'a>,
    commit: u64,
    account: Option<Account>,
    command: &'a AccountCommand,
    now: DateTime<Utc>,
    at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    entries: Vec<Entry<AccountFact>>,
}

impl Deciding<'_> {
    fn fact(&mut self, fact: AccountFact) {
        let is_churn = !matches!(
            fact,
            AccountFact::Updated { .. }
                | AccountFact::Created {}
                | AccountFact::InputStale { .. }
                | AccountFact::InputRefused { .. }
                | AccountFact::InputNotUnderstood(_)
                | AccountFact::LeadsTold { .. }
        );
        let entry = Entry {
            subject: Subject::Account(self.command.account.clone()),
            seq: self.account.as_ref().map_or(0, |a| a.seq).saturating_add(1),
            commit: self.commit,
            at: self.at,
            due_at: self.due_at,
            actor: if self.due_at.is_some() { Actor::system("clock") } else { self.command.actor.clone() },
            cause: self.command.cause.clone(),
            workflow: is_churn.then(|| WorkflowRef {
                id: WorkflowId::ChurnRisk,
                version: self.world.policy.version_of(WorkflowId::ChurnRisk),
                step: None,
            }),
            policy_revision: self.world.policy.revision,
            directory_revision: self.world.directory.revision(),
            fact,
        };
        let before = self.account.take();
        match evolve(before.clone(), &entry) {
            Ok(account) => {
                self.account = Some(account);
                self.entries.push(entry);
            }
            Err(_) => self.account = before,
        }
    }

    /// Does whatever is due, in order of time. Each takes effect at its own instant, unless it was
    /// missed: then nobody could have acted on it before now.
    fn settle(&mut self) {
        let Some(risk) = self.account.as_ref().and_then(|a| a.churn_risk.clone()) else {
            return;
        };
        let mut timers = [(risk.touchpoint_due, true), (risk.outreach_paused_until, false)];
        timers.sort_unstable();
        for (due, is_touchpoint) in timers {
            let Some(due) = due.filter(|due| *due <= self.now) else { continue };
            let missed = self.now - due > MISSED_AFTER;
            let begun = self.account.as_ref().map_or(due, |a| a.changed_at);
            self.at = if missed { self.now } else { due.max(begun) };
            self.due_at = Some(due);
            if is_touchpoint {
                self.fact(AccountFact::TouchpointDue {});
                self.tell(Message::TouchpointDue, Vec::new());
            } else {
                self.fact(AccountFact::OutreachResumed { reason: "the lease ran out".to_owned() });
            }
        }
        (self.at, self.due_at) = (self.now, None);
    }

    fn apply(&mut self) -> Outcome {
        let command = self.command;
        match &command.input {
            AccountInput::Update { occurred_at, changes, unread } => {
                let outcome = self.update(*occurred_at, changes);
                self.note_unread(unread);
                outcome
            }
            AccountInput::Signal { occurred_at, signal, evidence, unread } => {
                let outcome = self.signal(*occurred_at, *signal, evidence.clone());
                self.note_unread(unread);
                outcome
            }
            AccountInput::RefusedAtDoor { field, why } => self.refuse(field, why.clone()),
            AccountInput::Wake => Outcome::Applied,
            _ if self.account.is_none() => Outcome::UnknownLead,
            AccountInput::RetentionCompleted { note } => {
                if self.account.as_ref().is_none_or(|a| a.churn_risk.is_none()) {
                    return Outcome::Conflict {
                        why: "the account is not at risk; nothing is to be completed".to_owned(),
                    };
                }
                self.fact(AccountFact::RetentionCompleted { note: note.clone() });
                self.end("the retention motion was completed");
                Outcome::Applied
            }
            AccountInput::FalsePositive { signal_id, note } => self.false_positive(signal_id, note),
            AccountInput::LeadsTold { view, leads } => {
                if self.account.as_ref().is_some_and(Account::has_news_for_leads) {
                    self.fact(AccountFact::LeadsTold { view: view.clone(), leads: *leads });
                }
                Outcome::Applied
            }
            AccountInput::Delivery(delivery) => self.delivery(delivery),
        }
    }

    /// Records what nobody here understood of an input.
    fn note_unread(&mut self, unread: &Unread) {
        if !unread.is_empty() && self.account.is_some() {
            self.fact(AccountFact::InputNotUnderstood(unread.clone()));
        }
    }

    fn refuse(&mut self, field: &str, why: String) -> Outcome {
        if self.account.is_some() {
            self.fact(AccountFact::InputRefused { what: field.to_owned(), why: why.clone() });
        }
        Outcome::Invalid { field: field.to_owned(), why }
    }

    fn ahead(&mut self, occurred_at: DateTime<Utc>) -> Option<Outcome> {
        (occurred_at > self.now + TimeDelta::minutes(5)).then(|| {
            self.refuse(
                "occurred_at",
                format!("`{}` is more than 5 minutes in the future", occurred_at.to_rfc3339()),
            )
        })
    }

    fn update(&mut self, occurred_at: DateTime<Utc>, said: &AccountChanges) -> Outcome {
        if let Some(refused) = self.ahead(occurred_at) {
            return refused;
        }
        if self.account.is_none() {
            self.fact(AccountFact::Created {});
        }
        let Some(account) = self.account.clone() else {
            return Outcome::Unchanged;
        };
        let mut sorting = Sorting::new(&account.said_at, occurred_at);
        let changes = AccountChanges {
            name: sorting.sort("name", &said.name, account.name.as_ref()),
            tier: sorting.sort("tier", &said.tier, account.tier.as_ref()),
            owner: sorting.sort("owner", &said.owner, account.owner.as_ref()),
            customer_success_owner: sorting.sort(
                "customer_success_owner",
                &said.customer_success_owner,
                account.customer_success_owner.as_ref(),
            ),
        };
        let Sorting { stale, confirmed, .. } = sorting;
        let says_something = changes != AccountChanges::default() || !confirmed.is_empty();
        if says_something {
            self.fact(AccountFact::Updated { changes, confirmed, occurred_at });
        }
        let is_stale = !stale.is_empty();
        if is_stale {
            self.fact(AccountFact::InputStale { fields: stale, occurred_at });
        }
        if is_stale && !says_something { Outcome::Stale } else { Outcome::Applied }
    }

    fn signal(&mut self, occurred_at: DateTime<Utc>, signal: Signal, evidence: Option<String>) -> Outcome {
        if let Some(refused) = self.ahead(occurred_at) {
            return refused;
        }
        if self.account.is_none() {
            self.fact(AccountFact::Created {});
        }
        let fires = self.account.as_ref().is_some_and(|a| a.churn_risk.is_none());
        if fires {
            self.fact(AccountFact::Elevated { tag: CHURN_RISK_TAG.to_owned() });
        }
        let (id, personal) = (self.command.cause.clone(), Evidence { evidence });
        self.fact(AccountFact::SignalRecorded { id, signal, occurred_at, personal });
        if fires {
            self.tell(Message::ChurnRisk, vec![signal.spelled().to_owned()]);
            let policy = &self.world.policy.policy.workflows.churn_risk;
            if let Some(due) = self.after(policy.touchpoint_after) {
                self.fact(AccountFact::TouchpointScheduled { due });
            }
            if let Some(until) = policy.pause_outreach_for.and_then(|window| self.after(window)) {
                self.fact(AccountFact::OutreachPaused { until });
            }
        }
        Outcome::Applied
    }

    fn after(&self, window: Window) -> Option<DateTime<Utc>> {
        let always = CalendarId::from(ALWAYS);
        let id = self.world.policy.policy.workflows.churn_risk.calendar.as_ref().unwrap_or(&always);
        let calendar = self.world.directory.calendar(id)?;
        calendar.add(self.now, window.on(calendar))
    }

    fn false_positive(&mut self, signal_id: &str, note: &str) -> Outcome {
        let record = self.account.as_ref().and_then(|a| {
            a.churn_risk.as_ref()?.signals.iter().find(|record| record.id == signal_id).cloned()
        });
        match record {
            None => Outcome::Invalid {
                field: "signal_id".to_owned(),
                why: format!("`{signal_id}` is not a signal of the risk that stands"),
            },
            Some(record) if record.false_positive => Outcome::Unchanged,
            Some(record) => {
                let (id, note) = (signal_id.to_owned(), note.to_owned());
                self.fact(AccountFact::FalsePositive { id, signal: record.signal, note });
                let all = |a: &Account| {
                    a.churn_risk.as_ref().is_some_and(|r| r.signals.iter().all(|s| s.false_positive))
                };
                if self.account.as_ref().is_some_and(all) {
                    self.end("every signal was a false positive");
                }
                Outcome::Applied
            }
        }
    }

    /// The risk is over: the tag goes, outreach goes on.
    fn end(&mut self, reason: &str) {
        let paused = self.account.as_ref().is_some_and(|a| a.view().outreach_paused);
        if paused {
            self.fact(AccountFact::OutreachResumed { reason: reason.to_owned() });
        }
        self.fact(AccountFact::Cleared { reason: reason.to_owned() });
    }

    /// Tells the account's owner, and customer success if that is somebody else; operations,
    /// where neither is known.
    fn tell(&mut self, message: Message, reasons: Vec<String>) {
        let Some(account) = self.account.clone() else {
            return;
        };
        let known = |p: &PersonId| self.world.directory.person(p).is_some();
        let owner = account.owner.clone().filter(known);
        let success =
            account.customer_success_owner.clone().filter(known).filter(|p| Some(p) != owner.as_ref());
        let mut recipients = Vec::new();
        recipients.extend(owner.map(|person| Recipient::Person { role: Role::AccountOwner, person }));
        recipients.extend(success.map(|person| Recipient::Person { role: Role::CustomerSuccess, person }));
        if recipients.is_empty() {
            recipients.push(Recipient::OperationsDesk);
        }
        let particulars = Particulars {
            company: account.name.clone(),
            owner: account.owner,
            reasons,
            ..Particulars::default()
        };
        for to in recipients {
            self.notify(to, message, particulars.clone());
        }
    }

    fn notify(&mut self, to: Recipient, message: Message, particulars: Particulars) {
        let seq = self.account.as_ref().map_or(0, |a| a.seq).saturating_add(1);
        let id = NotificationId::new(format!("account/{}/{seq}", self.command.account));
        let world = self.world;
        let not_before = quiet::not_before(&world.policy.policy, world.directory, &to, message, self.at);
        let notification = Notification { id, to, message, particulars, about: About::default(), not_before };
        self.fact(AccountFact::Notification(NotificationFact::Requested(Box::new(notification))));
    }

    fn delivery(&mut self, delivery: &Delivery) -> Outcome {
        self.fact(AccountFact::Notification(NotificationFact::of(delivery)));
        if let DeliveryResult::Unreachable { person, notification, .. } = &delivery.result
            && notification.to != Recipient::OperationsDesk
        {
            let particulars =
                Particulars { instead_of: Some(person.clone()), ..notification.particulars.clone() };
            self.notify(Recipient::OperationsDesk, notification.message, particulars);
        }
        Outcome::Applied
    }
}
