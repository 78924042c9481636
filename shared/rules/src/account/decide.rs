//! Churn risk.
//!
//! **What**: tags an account, tells its owner and customer success, schedules a touchpoint, and
//! pauses new outreach on its leads if the policy says so.
//! **When**: on a signal: usage is down, tickets spiked, a stakeholder left. A further signal on
//! an account that is already tagged adds evidence and fires nothing.
//! **Why**: selling to a customer who is about to leave costs both the sale and the customer.

use crate::account::command::{AccountCommand, AccountInput};
use crate::account::event::{AccountChanges, AccountFact, Evidence};
use crate::account::state::{Account, CHURN_RISK_TAG, Signal};
use crate::aggregate::{Decision, Undecided};
use crate::clock::MISSED_AFTER;
use crate::draft::{Draft, Tag};
use crate::entry::Entry;
use crate::merge::FieldMerge;
use crate::notification::{Delivery, DeliveryResult, NotificationFact, Particulars, Recipient, Role};
use crate::outcome::Outcome;
use crate::unread::Unread;
use crate::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use policy::directory::ALWAYS;
use policy::ids::{CalendarId, PersonId};
use policy::measure::Window;
use policy::{Message, WorkflowId};

/// What most facts about an account belong to.
const CHURN: Tag<'static> = Some((WorkflowId::ChurnRisk, None));

/// A decision on an account in the making.
type Deciding<'a> = Draft<'a, Account>;

/// What should happen to an account, given an input at an instant.
pub(super) fn decide(
    before: Option<&Account>,
    world: &World,
    command: &AccountCommand,
    now: DateTime<Utc>,
) -> Result<Decision<Account>, Undecided> {
    let mut d = Deciding::new(before, world, command, now);
    d.settle();
    let outcome = d.apply();
    let is_news = |entry: &Entry<AccountFact>| !matches!(entry.fact, AccountFact::InputNotUnderstood(_));
    let outcome = match outcome {
        Outcome::Applied if !d.entries.iter().any(is_news) => Outcome::Unchanged,
        outcome => outcome,
    };
    let wake_at = d.account().and_then(Account::wake_at);
    d.finish(outcome, wake_at)
}

impl Deciding<'_> {
    /// The account as far as it is decided.
    fn account(&self) -> Option<&Account> {
        self.state.get()
    }

    /// Adds a fact, with the workflow where it is of that.
    fn record(&mut self, fact: AccountFact) {
        let is_churn = !matches!(
            fact,
            AccountFact::Updated { .. }
                | AccountFact::Created {}
                | AccountFact::InputStale { .. }
                | AccountFact::InputRefused { .. }
                | AccountFact::InputNotUnderstood(_)
                | AccountFact::LeadsTold { .. }
        );
        self.fact(if is_churn { CHURN } else { None }, fact);
    }

    /// Does whatever is due, in order of time. Each takes effect at its own instant, unless it was
    /// missed: then nobody could have acted on it before now.
    fn settle(&mut self) {
        let Some(risk) = self.account().and_then(|a| a.churn_risk.clone()) else {
            return;
        };
        let mut timers = [(risk.touchpoint_due, true), (risk.outreach_paused_until, false)];
        timers.sort_unstable();
        for (due, is_touchpoint) in timers {
            let Some(due) = due.filter(|due| *due <= self.now) else { continue };
            let missed = self.now - due > MISSED_AFTER;
            self.begin_timer(due, if missed { self.now } else { due });
            if is_touchpoint {
                self.record(AccountFact::TouchpointDue {});
                self.tell(Message::TouchpointDue, Vec::new());
            } else {
                self.record(AccountFact::OutreachResumed { reason: "the pause ended".to_owned() });
            }
        }
        self.begin_input(self.now);
    }

    fn apply(&mut self) -> Outcome {
        let command = self.command();
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
            _ if self.account().is_none() => Outcome::NotFound,
            AccountInput::RetentionCompleted { note } => {
                if self.account().is_none_or(|a| a.churn_risk.is_none()) {
                    return Outcome::Conflict {
                        why: "the account is not at risk, so there is no retention work to complete"
                            .to_owned(),
                    };
                }
                self.record(AccountFact::RetentionCompleted { note: note.clone() });
                self.end("the retention work was completed");
                Outcome::Applied
            }
            AccountInput::FalsePositive { signal_id, note } => self.false_positive(signal_id, note),
            AccountInput::LeadsTold { view, leads } => {
                if self.account().is_some_and(Account::has_news_for_leads) {
                    self.record(AccountFact::LeadsTold { view: view.clone(), leads: *leads });
                }
                Outcome::Applied
            }
            AccountInput::Delivery(delivery) => self.delivery(delivery),
        }
    }

    /// Records what nobody here understood of an input.
    fn note_unread(&mut self, unread: &Unread) {
        if !unread.is_empty() && self.account().is_some() {
            self.record(AccountFact::InputNotUnderstood(unread.clone()));
        }
    }

    fn refuse(&mut self, field: &str, why: String) -> Outcome {
        if self.account().is_some() {
            self.record(AccountFact::InputRefused { what: field.to_owned(), why: why.clone() });
        }
        Outcome::Invalid { field: field.to_owned(), why }
    }

    fn ahead(&mut self, occurred_at: DateTime<Utc>) -> Option<Outcome> {
        (occurred_at > self.now + TimeDelta::minutes(5)).then(|| {
            self.refuse(
                "occurred_at",
                format!(
                    "`{}` is more than 5 minutes in the future; check the source's clock",
                    occurred_at.to_rfc3339()
                ),
            )
        })
    }

    fn update(&mut self, occurred_at: DateTime<Utc>, said: &AccountChanges) -> Outcome {
        if let Some(refused) = self.ahead(occurred_at) {
            return refused;
        }
        if self.account().is_none() {
            self.record(AccountFact::Created {});
        }
        let Some(account) = self.account().cloned() else {
            return Outcome::Unchanged;
        };
        let mut merge = FieldMerge::new(&account.said_at, occurred_at);
        let changes = AccountChanges {
            name: merge.merge("name", &said.name, account.name.as_ref()),
            tier: merge.merge("tier", &said.tier, account.tier.as_ref()),
            owner: merge.merge("owner", &said.owner, account.owner.as_ref()),
            customer_success_owner: merge.merge(
                "customer_success_owner",
                &said.customer_success_owner,
                account.customer_success_owner.as_ref(),
            ),
        };
        let FieldMerge { stale, confirmed, .. } = merge;
        let says_something = changes != AccountChanges::default() || !confirmed.is_empty();
        if says_something {
            self.record(AccountFact::Updated { changes, confirmed, occurred_at });
        }
        let is_stale = !stale.is_empty();
        if is_stale {
            self.record(AccountFact::InputStale { fields: stale, occurred_at });
        }
        if is_stale && !says_something { Outcome::Stale } else { Outcome::Applied }
    }

    fn signal(&mut self, occurred_at: DateTime<Utc>, signal: Signal, evidence: Option<String>) -> Outcome {
        if let Some(refused) = self.ahead(occurred_at) {
            return refused;
        }
        if self.account().is_none() {
            self.record(AccountFact::Created {});
        }
        let fires = self.account().is_some_and(|a| a.churn_risk.is_none());
        if fires {
            self.record(AccountFact::Elevated { tag: CHURN_RISK_TAG.to_owned() });
        }
        let (id, personal) = (self.command().cause.clone(), Evidence { evidence });
        self.record(AccountFact::SignalRecorded { id, signal, occurred_at, personal });
        if fires {
            self.tell(Message::ChurnRisk, vec![signal.spelled().to_owned()]);
            let policy = &self.rules.policy().workflows.churn_risk;
            if let Some(due) = self.after(policy.touchpoint_after) {
                self.record(AccountFact::TouchpointScheduled { due });
            }
            if let Some(until) = policy.pause_outreach_for.and_then(|window| self.after(window)) {
                self.record(AccountFact::OutreachPaused { until });
            }
        }
        Outcome::Applied
    }

    fn after(&self, window: Window) -> Option<DateTime<Utc>> {
        let always = CalendarId::from(ALWAYS);
        let id = self.rules.policy().workflows.churn_risk.calendar.as_ref().unwrap_or(&always);
        let calendar = self.rules.directory().calendar(id)?;
        calendar.add(self.now, window.on(calendar))
    }

    fn false_positive(&mut self, signal_id: &str, note: &str) -> Outcome {
        let record = self.account().and_then(|a| {
            a.churn_risk.as_ref()?.signals.iter().find(|record| record.id == signal_id).cloned()
        });
        match record {
            None => Outcome::Invalid {
                field: "signal_id".to_owned(),
                why: format!("`{signal_id}` is not a signal of the account's current risk"),
            },
            Some(record) if record.false_positive => Outcome::Unchanged,
            Some(record) => {
                let (id, note) = (signal_id.to_owned(), note.to_owned());
                self.record(AccountFact::FalsePositive { id, signal: record.signal, note });
                let all = |a: &Account| {
                    a.churn_risk.as_ref().is_some_and(|r| r.signals.iter().all(|s| s.false_positive))
                };
                if self.account().is_some_and(all) {
                    self.end("every signal was a false positive");
                }
                Outcome::Applied
            }
        }
    }

    /// The risk is over: the tag goes, outreach goes on.
    fn end(&mut self, reason: &str) {
        let paused = self.account().is_some_and(|a| a.view().outreach_paused);
        if paused {
            self.record(AccountFact::OutreachResumed { reason: reason.to_owned() });
        }
        self.record(AccountFact::Cleared { reason: reason.to_owned() });
    }

    /// Tells the account's owner, and customer success if that is somebody else; operations,
    /// where neither is known.
    fn tell(&mut self, message: Message, reasons: Vec<String>) {
        let Some(account) = self.account().cloned() else {
            return;
        };
        let known = |p: &PersonId| self.rules.directory().person(p).is_some();
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
            self.notify(CHURN, to, message, particulars.clone());
        }
    }

    fn delivery(&mut self, delivery: &Delivery) -> Outcome {
        self.record(AccountFact::Notification(NotificationFact::of(delivery)));
        if let DeliveryResult::Unreachable { person, notification, .. } = &delivery.result
            && notification.to != Recipient::OperationsDesk
        {
            let particulars =
                Particulars { instead_of: Some(person.clone()), ..notification.particulars.clone() };
            self.notify(CHURN, Recipient::OperationsDesk, notification.message, particulars);
        }
        Outcome::Applied
    }
}
