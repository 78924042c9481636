//! Plays thirty days of one team's leads.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use insight::simulate::{AnyEntry, Simulation};
use policy::directory::Directory;
use policy::ids::{AccountId, LeadId, NotificationId, PersonId, Subject};
use policy::{Policy, PublishedPolicy, Verdict};
use rules::account::{AccountChanges, AccountCommand, AccountInput, Signal};
use rules::entry::Actor;
use rules::lead::{Command, Input, LeadEvent, LeadFact, Resolution, ResolutionAction, ReviewDecision};
use rules::notification::{Delivery, DeliveryResult, Notification, NotificationFact, Recipient};
use rules::patch::Patch;
use rules::personal::Contact;
use rules::record::CommitRecord;
use rules::roster::Availability;
use rules::screening::{Criterion, CriterionKind, Match, MatchDetails};
use rules::unread::Unread;
use rules::world::Past;
use serde_json::json;

use crate::directory::{REPS_PER_TEAM, rep_of};
use crate::span::{DAYS, begin};

/// Something that happens without a decision of the rules.
#[derive(Debug)]
enum Act {
    Arrive(u32),
    Move(LeadId, usize),
    Rescore(LeadId),
    Echo(LeadId),
    Flag(LeadId),
    Wait(LeadId, bool),
    Deliver(Subject, Box<Notification>),
    Decide(LeadId),
    Resolve(LeadId),
    Come(PersonId, bool),
    Account(u32),
    Signal(u32),
    Retain(u32),
    PublishPolicy,
    PublishDirectory,
    /// The end of the outage: timers run again.
    Resume,
}

/// One team's thirty days.
pub struct Play {
    simulation: Simulation,
    rng: Rng,
    team: u32,
    due: BTreeMap<(DateTime<Utc>, u64), Act>,
    acts: u64,
}

const STATES: [&str; 5] = ["NEW", "CONTACTED", "QUALIFIED", "PROPOSAL", "NEGOTIATION"];

impl Play {
    /// Begins with these documents in force.
    pub fn new(policy: PublishedPolicy, directory: Directory, team: u32, seed: u64) -> Self {
        Self {
            simulation: Simulation::new(policy, directory).recording(),
            rng: Rng::with_seed(seed ^ (u64::from(team) << 32)),
            team,
            due: BTreeMap::new(),
            acts: 0,
        }
    }

    fn at(&mut self, at: DateTime<Utc>, act: Act) {
        self.acts += 1;
        self.due.insert((at, self.acts), act);
    }

    fn within(&mut self, from: DateTime<Utc>, minutes: std::ops::Range<i64>) -> DateTime<Utc> {
        from + TimeDelta::milliseconds(self.rng.i64(minutes.start * 60_000..minutes.end * 60_000))
    }

    /// Plans when leads and accounts arrive, reps leave, and documents are published.
    pub fn plan(&mut self, leads: std::ops::Range<u32>) {
        let day = |n: i64| begin() + TimeDelta::days(n);
        for account in 0..(leads.len() as u32 / 100).max(1) {
            let at = self.within(begin(), 0..600);
            self.at(at, Act::Account(account));
        }
        for lead in leads {
            let at = self.within(begin(), 0..25 * 1440);
            self.at(at, Act::Arrive(lead));
        }
        for rep in 0..REPS_PER_TEAM {
            let at = self.within(begin(), 0..10 * 1440);
            self.at(at, Act::Come(rep_of(self.team, rep), false));
        }
        self.at(day(10), Act::PublishPolicy);
        self.at(day(20), Act::PublishDirectory);
        self.at(outage().1, Act::Resume);
    }

    /// Plays everything. Returns the commits and all revisions.
    ///
    /// # Errors
    /// None in practice: a record can be written as JSON.
    pub fn run(
        mut self,
        policy: &Policy,
        directory: &Directory,
    ) -> anyhow::Result<(Vec<CommitRecord>, Past)> {
        let end = begin() + TimeDelta::days(DAYS);
        let (down, up) = outage();
        while let Some(((at, _), act)) = self.due.pop_first() {
            if at > end {
                break;
            }
            match act {
                Act::Resume => self.simulation.resume_at(at),
                _ if down < at && at < up => self.simulation.run_until(down),
                _ => self.simulation.run_until(at),
            }
            self.follow(at);
            match act {
                Act::PublishPolicy => self.simulation.publish(policy.clone(), "made-up", at),
                Act::PublishDirectory => self.simulation.publish_directory(directory.clone(), at),
                act => self.act(act, at),
            }
            self.follow(at);
        }
        self.simulation.run_until(end);
        let revisions = self.simulation.revisions();
        Ok((self.simulation.take_records()?, revisions))
    }

    /// Plans what people and channels do about new entries.
    fn follow(&mut self, now: DateTime<Utc>) {
        for entry in self.simulation.take_history() {
            match entry {
                AnyEntry::Lead(entry) => {
                    let Subject::Lead(lead) = &entry.subject else { continue };
                    match entry.fact {
                        LeadFact::Notification(NotificationFact::Requested(n)) => {
                            self.deliver(&entry.subject, *n, now)
                        }
                        LeadFact::ComplianceHeld { .. } => {
                            let at = self.within(now, 120..2880);
                            self.at(at, Act::Decide(lead.clone()));
                        }
                        LeadFact::OperationsQueued { .. } => {
                            let at = self.within(now, 600..5000);
                            self.at(at, Act::Resolve(lead.clone()));
                        }
                        _ => {}
                    }
                }
                AnyEntry::Account(entry) => {
                    if let rules::account::AccountFact::Notification(NotificationFact::Requested(n)) =
                        entry.fact
                    {
                        self.deliver(&entry.subject, *n, now);
                    }
                }
                AnyEntry::Rep(_) => {}
            }
        }
    }

    fn deliver(&mut self, subject: &Subject, notification: Notification, now: DateTime<Utc>) {
        // The simulation itself delivers what waits for the end of quiet hours.
        if notification.not_before.is_some() {
            return;
        }
        let at = now + TimeDelta::milliseconds(self.rng.i64(800..9000));
        self.at(at, Act::Deliver(subject.clone(), Box::new(notification)));
    }

    fn act(&mut self, act: Act, at: DateTime<Utc>) {
        match act {
            Act::Arrive(n) => self.arrive(n, at),
            Act::Move(lead, to) => self.go_on(&lead, to, at),
            Act::Rescore(lead) => {
                let score = self.rng.u16(10..100);
                self.say(&lead, at, |event| event.changes.score = Patch::Set(score));
            }
            Act::Echo(lead) => {
                let owner = self.simulation.leads().get(&lead).and_then(|lead| lead.owner.clone());
                self.say(&lead, at, |event| event.owner = owner.map_or(Patch::Keep, Patch::Set));
            }
            Act::Flag(lead) => {
                let found = self.found();
                self.say(&lead, at, |event| event.matches = vec![found]);
            }
            Act::Wait(lead, waits) => {
                self.say(&lead, at, |event| event.waiting_on_customer = Some(waits));
                if waits {
                    let until = self.within(at, 300..4000);
                    self.at(until, Act::Wait(lead, false));
                }
            }
            Act::Deliver(subject, notification) => self.arrived(&subject, *notification, at),
            Act::Decide(lead) => self.decide(&lead, at),
            Act::Resolve(lead) => self.resolve(&lead, at),
            Act::Come(rep, available) => {
                let said = Availability { available, until: None };
                let actor = Actor::staff(rep.as_str());
                let cause = self.cause("availability");
                self.simulation.availability(&rep, &said, &actor, &cause, at);
                let next = self.within(at, if available { 2000..9000 } else { 300..2000 });
                self.at(next, Act::Come(rep, !available));
            }
            Act::Account(n) => {
                let owner = rep_of(self.team, self.rng.u32(0..REPS_PER_TEAM));
                let changes = AccountChanges { owner: Patch::Set(owner), ..AccountChanges::default() };
                self.account(
                    n,
                    AccountInput::Update { occurred_at: at, changes, unread: Unread::default() },
                    at,
                );
                let next = self.within(at, 1000..20_000);
                self.at(next, Act::Signal(n));
            }
            Act::Signal(n) => {
                let signal = self.pick(Signal::UsageDown, [Signal::TicketSpike, Signal::StakeholderLeft]);
                let evidence =
                    Some(json!({"drop": self.rng.u32(10..90), "named": "Kim Example"}).to_string());
                self.account(
                    n,
                    AccountInput::Signal { occurred_at: at, signal, evidence, unread: Unread::default() },
                    at,
                );
                let next = self.within(at, 2000..9000);
                self.at(next, Act::Retain(n));
            }
            Act::Retain(n) => {
                self.account(n, AccountInput::RetentionCompleted { note: "They stay.".to_owned() }, at);
            }
            Act::PublishPolicy | Act::PublishDirectory | Act::Resume => {}
        }
    }

    fn arrive(&mut self, n: u32, at: DateTime<Utc>) {
        let lead = LeadId::new(format!("L-{n:07}"));
        let source = self.pick("paid_social", ["inbound_web", "cold_list", "partner"]);
        let country = if self.rng.u8(..) < 3 { "FR" } else { "US" };
        let owned = (self.rng.u8(..) < 60).then(|| rep_of(self.team, self.rng.u32(0..REPS_PER_TEAM)));
        let account = (self.rng.u8(..) < 13).then(|| AccountId::new(format!("A-{}-{}", self.team, n % 25)));
        let (score, market) = (self.rng.u16(10..90), format!("m-{}", self.team));
        let late = if self.rng.u8(..) < 8 { TimeDelta::hours(30) } else { TimeDelta::seconds(2) };
        self.say(&lead, at, |event| {
            event.creates = true;
            event.occurred_at = at - late;
            event.changes.market = Patch::Set(market.as_str().into());
            event.changes.source = Patch::Set(source.into());
            event.changes.country = Patch::Set(country.into());
            event.changes.company = Patch::Set(format!("Company {n}"));
            event.changes.score = Patch::Set(score);
            let contact = Contact {
                name: Some(format!("Kim {n}")),
                email: Some(format!("kim.{n}@example.test")),
                ..Contact::default()
            };
            event.contact = Patch::Set(contact.identified());
            event.changes.account_id = account.map_or(Patch::Keep, Patch::Set);
            event.owner = owned.map_or(Patch::Keep, Patch::Set);
        });
        for (often, minutes, act) in [
            (80, 20..9000, Act::Rescore(lead.clone())),
            (40, 60..9000, Act::Echo(lead.clone())),
            (3, 30..9000, Act::Flag(lead.clone())),
            (10, 30..5000, Act::Wait(lead.clone(), true)),
        ] {
            if self.rng.u8(..) < often {
                let at = self.within(at, minutes);
                self.at(at, act);
            }
        }
        self.move_later(lead, 1, at);
    }

    fn move_later(&mut self, lead: LeadId, to: usize, from: DateTime<Utc>) {
        let minutes = match self.rng.u8(..10) {
            0..4 => 10..90,
            4..7 => 60..600,
            7..9 => 600..4000,
            _ => 4000..30_000,
        };
        let at = self.within(from, minutes);
        self.at(at, Act::Move(lead, to));
    }

    fn go_on(&mut self, lead: &LeadId, to: usize, at: DateTime<Utc>) {
        let ends = self.rng.u8(..) < 70;
        let state = if ends {
            self.pick("WON", ["LOST", "UNQUALIFIED", "ON_HOLD"])
        } else {
            STATES.get(to).copied().unwrap_or("WON")
        };
        let hold_until = (state == "ON_HOLD").then(|| self.within(at, 600..6000));
        self.say(lead, at, |event| {
            event.state = Some(state.into());
            event.hold_until = hold_until.map_or(Patch::Keep, Patch::Set);
        });
        if !ends {
            self.move_later(lead.clone(), to + 1, at);
        }
    }

    fn found(&mut self) -> Match {
        let match_id = format!("m-{}", self.rng.u32(0..1000));
        let name = format!("Person {}", self.rng.u32(0..1000));
        let (list, list_version) = ("OFAC-SDN".to_owned(), "2026-02-27".to_owned());
        Match {
            criterion: Criterion {
                kind: CriterionKind::Sanctions,
                match_id,
                list,
                list_version,
                strength: Some(92),
            },
            details: Some(MatchDetails { name: Some(name), ..MatchDetails::default() }),
        }
    }

    fn say(&mut self, lead: &LeadId, at: DateTime<Utc>, say: impl FnOnce(&mut LeadEvent)) {
        let mut event = LeadEvent::at(at);
        say(&mut event);
        let cause = self.cause("evt");
        self.lead(lead, Actor::source("crm"), cause, Input::Event(Box::new(event)), at);
    }

    fn arrived(&mut self, subject: &Subject, notification: Notification, at: DateTime<Utc>) {
        let id: NotificationId = notification.id.clone();
        let result = match (self.rng.u8(..), &notification.to) {
            (0..2, _) => DeliveryResult::Failed { reason: "the channel is gone".to_owned() },
            (2..5, Recipient::Person { person, .. }) => DeliveryResult::Unreachable {
                person: person.clone(),
                reason: "no user with that address".to_owned(),
                notification: Box::new(notification),
            },
            _ => DeliveryResult::Delivered { channel: "slack".to_owned(), reference: None },
        };
        let delivery = Delivery { id: id.clone(), attempts: 1, result, with: Vec::new() };
        let (actor, cause) = (Actor::system("notify"), format!("delivery/{id}"));
        match subject {
            Subject::Lead(lead) => self.lead(lead, actor, cause, Input::Delivery(delivery), at),
            Subject::Account(account) => {
                let (account, input) = (account.clone(), AccountInput::Delivery(delivery));
                self.simulation.account(&AccountCommand { account, actor, cause, input }, at);
            }
            Subject::Rep(_) | Subject::Publication(_) => {}
        }
    }

    fn decide(&mut self, lead: &LeadId, at: DateTime<Utc>) {
        let Some(review) = self.simulation.leads().get(lead).and_then(|lead| lead.review.as_ref()) else {
            return;
        };
        let revision = review.revision;
        let rejects = self.rng.u8(..) < 60;
        let (verdict, code) =
            if rejects { (Verdict::Reject, "true-match") } else { (Verdict::Clear, "false-match") };
        let decision = ReviewDecision {
            verdict,
            reason_code: code.to_owned(),
            reason: "Checked.".to_owned(),
            officer: "cleo".to_owned(),
            also_known_as: Vec::new(),
            person: None,
            revision,
        };
        let cause = self.cause("decision");
        self.lead(lead, Actor::staff("cleo"), cause, Input::Decide(decision), at);
    }

    fn resolve(&mut self, lead: &LeadId, at: DateTime<Utc>) {
        if self.simulation.leads().get(lead).is_none_or(|lead| lead.operations.is_none()) {
            return;
        }
        let rep = rep_of(self.team, self.rng.u32(0..REPS_PER_TEAM));
        let action =
            if self.rng.bool() { ResolutionAction::Dismiss } else { ResolutionAction::Assign { rep } };
        let resolution = Resolution { action, note: "Examined.".to_owned(), seen: None };
        let cause = self.cause("resolution");
        self.lead(lead, Actor::staff("otto"), cause, Input::Resolve(resolution), at);
    }

    fn lead(&mut self, lead: &LeadId, actor: Actor, cause: String, input: Input, at: DateTime<Utc>) {
        self.simulation.lead(&Command { lead: lead.clone(), actor, cause, input }, at);
    }

    fn account(&mut self, n: u32, input: AccountInput, at: DateTime<Utc>) {
        let account = AccountId::new(format!("A-{}-{n}", self.team));
        let cause = self.cause("evt");
        self.simulation.account(&AccountCommand { account, actor: Actor::source("crm"), cause, input }, at);
    }

    fn cause(&mut self, kind: &str) -> String {
        self.acts += 1;
        format!("{kind}-{}-{}", self.team, self.acts)
    }

    fn pick<T: Copy, const N: usize>(&mut self, first: T, others: [T; N]) -> T {
        let drawn = self.rng.usize(..=N);
        others.get(drawn).copied().unwrap_or(first)
    }
}

/// The outage on the twelfth day, in which no timer runs.
fn outage() -> (DateTime<Utc>, DateTime<Utc>) {
    let down = begin() + TimeDelta::days(11) + TimeDelta::hours(1);
    (down, down + TimeDelta::hours(4))
}
