//! Runs the timers, in order of time.

use super::simulation::Simulation;
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use rules::account::{AccountCommand, AccountInput};
use rules::cause;
use rules::entry::Actor;
use rules::lead::{Command, Input};

impl Simulation {
    /// Runs all timers up to a time, inclusive.
    pub fn run_until(&mut self, until: DateTime<Utc>) {
        loop {
            let due = self.due.first().cloned().filter(|(due, _)| *due <= until);
            // Timers of the same time run first, because they can change what the notification says.
            let deferred_until = self.deferred.first().filter(|at| *at <= until);
            match (due, deferred_until) {
                (Some((due, subject)), deferred_until) if deferred_until.is_none_or(|at| due <= at) => {
                    self.wake(&subject, due, due.max(self.latest_at));
                }
                (_, Some(at)) => self.deliver_deferred(at, at.max(self.latest_at)),
                (Some(_), None) | (None, None) => return,
            }
        }
    }

    /// Runs the timers that were due during an outage: late, once per subject, in order of time.
    pub fn resume_at(&mut self, now: DateTime<Utc>) {
        while let Some((due, subject)) = self.due.first().cloned().filter(|(due, _)| *due <= now) {
            self.wake(&subject, due, now);
        }
        while let Some(at) = self.deferred.first().filter(|at| *at <= now) {
            self.deliver_deferred(at, now);
        }
    }

    fn wake(&mut self, subject: &Subject, due: DateTime<Utc>, now: DateTime<Utc>) {
        let cause = cause::wake(due);
        let before = self.wakes.get(subject).copied();
        match subject {
            Subject::Lead(id) => {
                let (lead, actor) = (id.clone(), Actor::system("clock"));
                self.lead(&Command { lead, actor, cause, input: Input::Wake }, now);
            }
            Subject::Account(id) => {
                let (account, actor) = (id.clone(), Actor::system("clock"));
                self.account(&AccountCommand { account, actor, cause, input: AccountInput::Wake }, now);
            }
            Subject::Rep(id) => self.review_rep(&id.clone(), now),
            Subject::Publication(_) => {}
        }
        // A wake that changes nothing must not repeat forever.
        if self.wakes.get(subject).copied() == before {
            self.set_wake(subject.clone(), None);
        }
    }
}
