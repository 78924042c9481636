//! Delivers deferred notifications.

use super::simulation::Simulation;
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use rules::account::{AccountCommand, AccountInput};
use rules::entry::Actor;
use rules::lead::{Command, Input};
use rules::notification::{Delivery, DeliveryResult, Recipient};
use rules::still_true;
use rules::still_true::DeliveryDecision;

impl Simulation {
    /// Delivers the next notification that waited until a time, if it is still true.
    pub(super) fn deliver_deferred(&mut self, waited_until: DateTime<Utc>, now: DateTime<Utc>) {
        let Some((subject, notification)) = self.deferred.take(waited_until) else { return };
        let mut with = Vec::new();
        let telling = match &subject {
            Subject::Lead(id) => match self.leads.get(id) {
                // It already went out together with another one.
                Some(lead) if !lead.undelivered.iter().any(|p| p.id == notification.id) => return,
                Some(lead) => still_true::of_lead(lead, &self.world.rules, &notification, now),
                None => return,
            },
            Subject::Account(id) => match self.accounts.get(id) {
                Some(account) => still_true::of_account(account, &notification),
                None => return,
            },
            Subject::Rep(_) | Subject::Publication(_) => return,
        };
        let result = match telling {
            DeliveryDecision::IncludedIn(_) => return,
            DeliveryDecision::Withdraw { reason, .. } => DeliveryResult::Withdrawn { reason },
            DeliveryDecision::Send(delivered) => {
                with.extend(delivered.with.into_iter().map(|earlier| earlier.id));
                DeliveryResult::Delivered { channel: self.channel_of(&notification.to), reference: None }
            }
        };
        let (actor, cause) = (Actor::system("notify"), format!("delivery/{}", notification.id));
        let delivery = Delivery { id: notification.id, attempts: 1, result, with };
        match subject {
            Subject::Lead(lead) => {
                let input = Input::Delivery(delivery);
                self.lead(&Command { lead, actor, cause, input }, now);
            }
            Subject::Account(account) => {
                let input = AccountInput::Delivery(delivery);
                self.account(&AccountCommand { account, actor, cause, input }, now);
            }
            Subject::Rep(_) | Subject::Publication(_) => {}
        }
    }

    fn channel_of(&self, to: &Recipient) -> String {
        let Recipient::Person { person, .. } = to else { return "slack-channel".to_owned() };
        let notify = self.world.rules.directory().person(person).and_then(|person| person.notify.as_deref());
        match notify {
            None | Some("slack") => "slack-dm".to_owned(),
            Some(other) => other.split(':').next().unwrap_or(other).to_owned(),
        }
    }
}
