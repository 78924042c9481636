//! Every step that can come next: what the functions do, one request to the database or a queue at a
//! time, and what goes wrong.

use super::run::{RunStep, run_steps};
use super::state::{Delivery, Fact, Folded, Lead, Message, Outbox, Run, Stage, State};
use super::transaction::{Safeguard, commit};

/// What a lead's input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// An event of a source, with a dedupe key; the source sends it until it is answered.
    Event,
    /// A threshold, without a dedupe key; the sweep hands it on until nothing is due.
    Wake,
}

/// The model: what is explored.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Each lead's input.
    pub causes: Vec<Cause>,
    /// How many functions may die.
    pub crashes: u8,
    /// How many other things may go wrong.
    pub troubles: u8,
    /// Whether a batch of reads is a snapshot. It is not; with two leads it is taken to be one, and
    /// explored with one lead.
    pub reads_a_snapshot: bool,
    /// Whether somebody may put a lead on hold.
    pub may_be_held: bool,
    /// What this variant does without.
    pub missing: Vec<Safeguard>,
}

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Delivery(usize),
    Message(usize),
    Sweep,
    Somebody,
}

/// A step, told so that a trace can be read. Who is which goes by the state before it: sorting may
/// give leads, deliveries and messages other places after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub lead: usize,
    pub who: Who,
    pub what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    // What the functions do.
    Runs(RunStep),
    HandsOn,
    HandsOnTheInput,
    FindsNothingToDo,
    Claims,
    LooksAtTheLead,
    FindsAClaim,
    Sends,
    Acknowledges,
    ComesAgain,
    TakesTheNotification,
    // What time and others do.
    TheClaimEnds,
    PutsTheLeadOnHold,
    ALateTransactionArrives,
    // Crashes.
    Dies,
    DiesAndTheMessageIsDead,
    DiesWithItsTransactionUnderWay,
    DiesAfterHandingOn,
    // Troubles.
    GetsNoAnswerToItsClaim,
    GetsNoAnswerFromTheChannel,
    MeetsAFaultBeforeItsClaim,
    GivesUpForNow,
    IsDeadAtItsLastReceive,
    IsDeliveredTwice,
}

impl What {
    /// Whether it only happens if something goes wrong: what follows must not depend on it.
    pub fn is_a_fault(self) -> bool {
        match self {
            Self::Runs(step) => step.is_a_fault(),
            Self::Dies
            | Self::DiesAndTheMessageIsDead
            | Self::DiesWithItsTransactionUnderWay
            | Self::DiesAfterHandingOn
            | Self::GetsNoAnswerToItsClaim
            | Self::GetsNoAnswerFromTheChannel
            | Self::MeetsAFaultBeforeItsClaim
            | Self::GivesUpForNow
            | Self::IsDeadAtItsLastReceive
            | Self::IsDeliveredTwice
            | Self::PutsTheLeadOnHold => true,
            _ => false,
        }
    }
}

fn withdrawing() -> Message {
    Message::Recording { run: Run::new(Some(Fact::Withdrawn)), is_sent: false }
}

/// The next states, collected.
pub struct Next<'a> {
    pub bundle: &'a Bundle,
    pub from: &'a State,
    pub steps: &'a mut Vec<(Step, State)>,
}

impl Next<'_> {
    pub fn lacks(&self, safeguard: Safeguard) -> bool {
        self.bundle.missing.contains(&safeguard)
    }

    /// A step after which the state is this.
    pub fn push(&mut self, lead: usize, who: Who, what: What, mut to: State) {
        for lead in &mut to.leads {
            lead.deliveries.sort_unstable();
            lead.messages.sort_unstable();
        }
        if matches!(self.bundle.causes[..], [one, other] if one == other) {
            to.leads.sort_unstable();
        }
        self.steps.push((Step { lead, who, what }, to));
    }

    fn lead(&mut self, lead: usize, who: Who, what: What, change: impl FnOnce(&mut Lead)) {
        let mut to = *self.from;
        change(&mut to.leads[lead]);
        self.push(lead, who, what, to);
    }

    /// The same, at the cost of a crash.
    fn crash(&mut self, lead: usize, who: Who, what: What, change: impl FnOnce(&mut Lead)) {
        let mut to = *self.from;
        let Some(left) = to.crashes.checked_sub(1) else { return };
        to.crashes = left;
        change(&mut to.leads[lead]);
        self.push(lead, who, what, to);
    }

    /// The same, at the cost of another trouble.
    fn trouble(&mut self, lead: usize, who: Who, what: What, change: impl FnOnce(&mut Lead)) {
        let mut to = *self.from;
        let Some(left) = to.troubles.checked_sub(1) else { return };
        to.troubles = left;
        change(&mut to.leads[lead]);
        self.push(lead, who, what, to);
    }
}

impl Bundle {
    /// All safeguards, and nothing goes wrong.
    pub fn of(causes: &[Cause]) -> Self {
        Self {
            causes: causes.to_vec(),
            crashes: 0,
            troubles: 0,
            reads_a_snapshot: false,
            may_be_held: false,
            missing: Vec::new(),
        }
    }

    /// The beginning: each event comes twice; a lead that something falls due of is there.
    pub fn beginning(&self) -> State {
        let lead = |cause: Option<&Cause>| match cause {
            Some(Cause::Event) => {
                Lead { deliveries: [Delivery::Coming; super::state::DELIVERIES], ..Lead::default() }
            }
            Some(Cause::Wake) => {
                let mut lead = Lead { version: 1, ..Lead::default() };
                lead.audit[0] = Some(Fact::Arrived);
                lead.stored = Folded::default().with(Fact::Arrived);
                lead
            }
            None => Lead::default(),
        };
        State {
            leads: [lead(self.causes.first()), lead(self.causes.get(1))],
            load: 0,
            crashes: self.crashes,
            troubles: self.troubles,
        }
    }

    /// Whether anything is left to do, without anything going wrong.
    pub fn goes_on(&self, state: &State) -> bool {
        let mut steps = Vec::new();
        self.steps(state, &mut steps);
        steps.iter().any(|(step, _)| !step.what.is_a_fault())
    }

    /// All that can come next.
    pub fn steps(&self, from: &State, steps: &mut Vec<(Step, State)>) {
        let mut next = Next { bundle: self, from, steps };
        for (n, cause) in self.causes.iter().enumerate() {
            let lead = &from.leads[n];
            for (d, delivery) in lead.deliveries.iter().enumerate() {
                if d == 0 || lead.deliveries[d - 1] != *delivery {
                    next.delivery(n, *cause, d, *delivery);
                }
            }
            for (m, message) in lead.messages.iter().enumerate() {
                if m == 0 || lead.messages[m - 1] != *message {
                    next.message(n, m, *message);
                }
            }
            next.sweep(n, *cause);
            next.others(n);
        }
    }
}

impl Next<'_> {
    /// `ingest` or `escalate`.
    fn delivery(&mut self, n: usize, cause: Cause, d: usize, delivery: Delivery) {
        let who = Who::Delivery(d);
        // A source that gets no answer sends it again; the queue delivers again what was not acknowledged.
        let become_ = |to: Delivery| move |lead: &mut Lead| lead.deliveries[d] = to;
        match delivery {
            Delivery::None | Delivery::Answered => {}
            Delivery::Coming => run_steps(self, n, who, cause, Run::new(None)),
            Delivery::Running(run) => {
                run_steps(self, n, who, cause, run);
                // One that wrote nothing might as well not have begun.
                let is_under_way = matches!(run.stage, Stage::Commit(_));
                if run.tried != 0 || run.late.is_some() {
                    self.crash(n, who, What::Dies, |lead| {
                        lead.orphan = lead.orphan.or(run.late);
                        lead.deliveries[d] = Delivery::Coming;
                    });
                }
                if is_under_way {
                    self.dies_under_way(n, who, run, |lead| lead.deliveries[d] = Delivery::Coming);
                }
                if cause == Cause::Wake && is_under_way {
                    self.crash(n, who, What::DiesAndTheMessageIsDead, |lead| {
                        lead.orphan = lead.orphan.or(run.late);
                        lead.deliveries[d] = Delivery::None;
                    });
                }
            }
            Delivery::Committed => {
                let writes_the_outbox = self.lacks(Safeguard::OutboxInTheCommit);
                self.lead(n, who, What::HandsOn, |lead| {
                    if writes_the_outbox {
                        lead.outbox = Some(Outbox::default());
                    }
                    lead.deliveries[d] = Delivery::Answered;
                    lead.put_message();
                });
                self.crash(n, who, What::Dies, become_(Delivery::Coming));
                self.crash(n, who, What::DiesAfterHandingOn, |lead| {
                    lead.deliveries[d] = Delivery::Coming;
                    lead.put_message();
                });
            }
        }
    }

    /// `notify`.
    fn message(&mut self, n: usize, m: usize, message: Message) {
        let who = Who::Message(m);
        let lead = &self.from.leads[n];
        let become_ = |to: Message| move |lead: &mut Lead| lead.messages[m] = to;
        match message {
            Message::None => {}
            Message::Queued => match lead.outbox {
                None => self.lead(n, who, What::FindsNothingToDo, become_(Message::None)),
                Some(_) if self.lacks(Safeguard::ClaimFirst) && lead.stored.is_held => {
                    self.lead(n, who, What::LooksAtTheLead, become_(withdrawing()));
                }
                Some(outbox) => self.claim(n, m, outbox),
            },
            Message::Claimed => {
                let to = if lead.stored.is_held { withdrawing() } else { Message::Ready };
                self.lead(n, who, What::LooksAtTheLead, become_(to));
                self.crash(n, who, What::Dies, become_(Message::Queued));
            }
            Message::Ready => {
                let recording = Message::Recording { run: Run::new(Some(Fact::Delivered)), is_sent: true };
                self.lead(n, who, What::Sends, |lead| {
                    lead.sends += 1;
                    lead.messages[m] = recording;
                });
                self.crash(n, who, What::Dies, become_(Message::Queued));
                self.crash(n, who, What::DiesAndTheMessageIsDead, become_(Message::None));
                self.trouble(n, who, What::GetsNoAnswerFromTheChannel, |lead| {
                    lead.sends += 1;
                    lead.cuts += 1;
                    lead.give_back();
                    lead.messages[m] = Message::Queued;
                });
            }
            Message::Recording { run, is_sent } => {
                run_steps(self, n, who, Cause::Wake, run);
                let ends = |to: Message| {
                    move |lead: &mut Lead| {
                        lead.orphan = lead.orphan.or(run.late);
                        lead.cuts += u8::from(is_sent);
                        lead.messages[m] = to;
                    }
                };
                self.crash(n, who, What::Dies, ends(Message::Queued));
                self.crash(n, who, What::DiesAndTheMessageIsDead, ends(Message::None));
                if matches!(run.stage, Stage::Commit(_)) {
                    self.dies_under_way(n, who, run, ends(Message::Queued));
                }
                self.trouble(n, who, What::GivesUpForNow, |lead| {
                    ends(Message::Queued)(lead);
                    lead.give_back();
                });
            }
            Message::Recorded => {
                self.lead(n, who, What::Acknowledges, become_(Message::None));
                self.crash(n, who, What::Dies, become_(Message::Queued));
            }
            Message::KeptBack => {
                // It is kept back for longer than a claim lasts, and a claim lasts longer than a function lives.
                let is_over = !lead.outbox.is_some_and(|outbox| outbox.is_claimed) && !lead.has_a_holder();
                if is_over {
                    self.lead(n, who, What::ComesAgain, become_(Message::Queued));
                }
                self.trouble(n, who, What::IsDeadAtItsLastReceive, become_(Message::None));
            }
        }
    }

    /// Between the first look at the outbox and the claim nothing happens that the claim would not see.
    fn claim(&mut self, n: usize, m: usize, outbox: Outbox) {
        let who = Who::Message(m);
        let looks_first = self.bundle.may_be_held && !self.lacks(Safeguard::ClaimFirst);
        let after = if looks_first { Message::Claimed } else { Message::Ready };
        if outbox.is_claimed && !self.lacks(Safeguard::Claim) {
            self.lead(n, who, What::FindsAClaim, |lead| lead.messages[m] = Message::KeptBack);
        } else {
            let claimed = |to: Message| {
                move |lead: &mut Lead| {
                    lead.outbox = Some(Outbox { is_claimed: true });
                    lead.messages[m] = to;
                }
            };
            self.lead(n, who, What::Claims, claimed(after));
            self.trouble(n, who, What::GetsNoAnswerToItsClaim, claimed(Message::KeptBack));
        }
        let gives_back = self.lacks(Safeguard::OwnClaim);
        self.trouble(n, who, What::MeetsAFaultBeforeItsClaim, |lead| {
            if gives_back {
                lead.give_back();
            }
            lead.messages[m] = Message::KeptBack;
        });
    }

    /// `sweep`, in two steps for a notification: it moves the due key, then tells the queue.
    fn sweep(&mut self, n: usize, cause: Cause) {
        let lead = &self.from.leads[n];
        let is_quiet = lead.messages.iter().all(|message| *message == Message::None)
            && !lead.deliveries.contains(&Delivery::Committed);
        let is_claimed = lead.outbox.is_some_and(|outbox| outbox.is_claimed);
        if lead.is_swept {
            self.lead(n, Who::Sweep, What::HandsOn, |lead| {
                lead.is_swept = false;
                lead.put_message();
            });
            self.crash(n, Who::Sweep, What::Dies, |lead| lead.is_swept = false);
        } else if lead.outbox.is_some() && is_quiet && !is_claimed && !self.lacks(Safeguard::DueKey) {
            // Its lease is over by then: it is longer than messages and claims take.
            self.lead(n, Who::Sweep, What::TakesTheNotification, |lead| lead.is_swept = true);
        }
        let nobody_comes = |delivery: &Delivery| matches!(delivery, Delivery::None | Delivery::Answered);
        if cause == Cause::Wake && lead.stored.applied == 0 && lead.deliveries.iter().all(nobody_comes) {
            self.lead(n, Who::Sweep, What::HandsOnTheInput, |lead| {
                lead.deliveries = [Delivery::Coming; super::state::DELIVERIES];
            });
        }
    }

    /// Time, the network, and whoever else is at the lead.
    fn others(&mut self, n: usize) {
        let lead = &self.from.leads[n];
        if lead.outbox.is_some_and(|outbox| outbox.is_claimed) && !lead.has_a_holder() {
            self.lead(n, Who::Somebody, What::TheClaimEnds, Lead::give_back);
        }
        if let Some(request) = lead.orphan {
            let mut to = *self.from;
            to.leads[n].orphan = None;
            commit(&mut to, n, &request, &self.bundle.missing);
            self.push(n, Who::Somebody, What::ALateTransactionArrives, to);
        }
        if self.bundle.may_be_held && lead.version > 0 && !lead.was_held {
            self.lead(n, Who::Somebody, What::PutsTheLeadOnHold, |lead| {
                lead.audit[usize::from(lead.version)] = Some(Fact::Held);
                lead.version += 1;
                lead.stored = lead.stored.with(Fact::Held);
                lead.was_held = true;
            });
        }
        // The queue delivers a message twice, or a lease ends while its message is still under way.
        let has_one = lead.messages.iter().any(|message| !matches!(message, Message::None));
        if has_one && lead.messages.contains(&Message::None) {
            self.trouble(n, Who::Somebody, What::IsDeliveredTwice, Lead::put_message);
        }
    }

    /// Its transaction is on its way, and arrives without it.
    fn dies_under_way(&mut self, n: usize, who: Who, run: Run, end: impl FnOnce(&mut Lead)) {
        let Stage::Commit(request) = run.stage else { return };
        if run.late.is_some() || self.from.leads[n].orphan.is_some() {
            return;
        }
        self.crash(n, who, What::DiesWithItsTransactionUnderWay, |lead| {
            end(lead);
            lead.orphan = Some(request);
        });
    }
}

impl Lead {
    /// A message for its notification is put into the queue.
    fn put_message(&mut self) {
        if let Some(free) = self.messages.iter_mut().find(|message| **message == Message::None) {
            *free = Message::Queued;
        }
    }

    fn give_back(&mut self) {
        if let Some(outbox) = &mut self.outbox {
            outbox.is_claimed = false;
        }
    }

    fn has_a_holder(&self) -> bool {
        self.messages.iter().any(|message| message.holds_the_claim())
    }
}
