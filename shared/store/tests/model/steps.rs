//! Every possible next step: what the functions do, one request to the database or a queue at a time, and the
//! faults.

use super::run::{RunStep, run_steps};
use super::state::{Delivery, Fact, Folded, Lead, Message, Outbox, Run, Stage, State};
use super::transaction::{Safeguard, commit};

/// The kind of a lead's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A source's event with a dedupe key; the source repeats it until it gets an answer.
    Event,
    /// A threshold without a dedupe key; the sweep sends it until nothing is due.
    Wake,
}

/// The model to explore.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Each lead's input.
    pub causes: Vec<Cause>,
    /// Most crashes.
    pub crashes: u8,
    /// Most other faults.
    pub faults: u8,
    /// Whether a batch of reads is a snapshot. In reality it is not. With two leads the model assumes one;
    /// with one lead it does not.
    pub reads_a_snapshot: bool,
    /// Whether a lead may be put on hold.
    pub may_be_held: bool,
    /// The missing safeguard of this variant.
    pub missing: Vec<Safeguard>,
}

/// The actor of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    Delivery(usize),
    Message(usize),
    Sweep,
    Other,
}

/// A step, in words for a trace. Positions refer to the state before it, because sorting may move leads,
/// deliveries and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub lead: usize,
    pub who: Actor,
    pub what: StepKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    // The steps of the functions.
    Runs(RunStep),
    SendsTheNotification,
    SendsTheInput,
    FindsNothingToDo,
    Claims,
    LooksAtTheLead,
    FindsAClaim,
    Sends,
    Acknowledges,
    ComesAgain,
    TakesTheNotification,
    // The steps of time and others.
    TheClaimEnds,
    PutsTheLeadOnHold,
    ALateTransactionArrives,
    // Crashes.
    Crashes,
    CrashesAndTheMessageIsDead,
    CrashesWithItsTransactionUnderWay,
    CrashesAfterSending,
    // Faults.
    GetsNoAnswerToItsClaim,
    GetsNoAnswerFromTheChannel,
    MeetsAFaultBeforeItsClaim,
    GivesUpTemporarily,
    IsDeadAtItsLastReceive,
    IsDeliveredTwice,
}

impl StepKind {
    /// Whether the step happens only after a fault: no property may depend on it.
    pub fn is_a_fault(self) -> bool {
        match self {
            Self::Runs(step) => step.is_a_fault(),
            Self::Crashes
            | Self::CrashesAndTheMessageIsDead
            | Self::CrashesWithItsTransactionUnderWay
            | Self::CrashesAfterSending
            | Self::GetsNoAnswerToItsClaim
            | Self::GetsNoAnswerFromTheChannel
            | Self::MeetsAFaultBeforeItsClaim
            | Self::GivesUpTemporarily
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

/// Collects the next states.
pub struct Next<'a> {
    pub bundle: &'a Bundle,
    pub from: &'a State,
    pub steps: &'a mut Vec<(Step, State)>,
}

impl Next<'_> {
    pub fn lacks(&self, safeguard: Safeguard) -> bool {
        self.bundle.missing.contains(&safeguard)
    }

    /// A step to this state.
    pub fn push(&mut self, lead: usize, who: Actor, what: StepKind, mut to: State) {
        for lead in &mut to.leads {
            lead.deliveries.sort_unstable();
            lead.messages.sort_unstable();
        }
        if matches!(self.bundle.causes[..], [one, other] if one == other) {
            to.leads.sort_unstable();
        }
        self.steps.push((Step { lead, who, what }, to));
    }

    fn lead(&mut self, lead: usize, who: Actor, what: StepKind, change: impl FnOnce(&mut Lead)) {
        let mut to = *self.from;
        change(&mut to.leads[lead]);
        self.push(lead, who, what, to);
    }

    /// The same, using up a crash.
    fn crash(&mut self, lead: usize, who: Actor, what: StepKind, change: impl FnOnce(&mut Lead)) {
        let mut to = *self.from;
        let Some(left) = to.crashes.checked_sub(1) else { return };
        to.crashes = left;
        change(&mut to.leads[lead]);
        self.push(lead, who, what, to);
    }

    /// The same, using up another fault.
    fn trouble(&mut self, lead: usize, who: Actor, what: StepKind, change: impl FnOnce(&mut Lead)) {
        let mut to = *self.from;
        let Some(left) = to.faults.checked_sub(1) else { return };
        to.faults = left;
        change(&mut to.leads[lead]);
        self.push(lead, who, what, to);
    }
}

impl Bundle {
    /// All safeguards and no faults.
    pub fn of(causes: &[Cause]) -> Self {
        Self {
            causes: causes.to_vec(),
            crashes: 0,
            faults: 0,
            reads_a_snapshot: false,
            may_be_held: false,
            missing: Vec::new(),
        }
    }

    /// The initial state: each event comes twice, and a lead with something due exists.
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
            faults: self.faults,
        }
    }

    /// Whether anything is left to do without a fault.
    pub fn goes_on(&self, state: &State) -> bool {
        let mut steps = Vec::new();
        self.steps(state, &mut steps);
        steps.iter().any(|(step, _)| !step.what.is_a_fault())
    }

    /// All possible next states.
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
        let who = Actor::Delivery(d);
        // A source without an answer repeats the event; the queue repeats an unacknowledged message.
        let become_ = |to: Delivery| move |lead: &mut Lead| lead.deliveries[d] = to;
        match delivery {
            Delivery::None | Delivery::Answered => {}
            Delivery::Coming => run_steps(self, n, who, cause, Run::new(None)),
            Delivery::Running(run) => {
                run_steps(self, n, who, cause, run);
                // A function that wrote nothing has no effect.
                let is_under_way = matches!(run.stage, Stage::Commit(_));
                if run.tried != 0 || run.late.is_some() {
                    self.crash(n, who, StepKind::Crashes, |lead| {
                        lead.orphan = lead.orphan.or(run.late);
                        lead.deliveries[d] = Delivery::Coming;
                    });
                }
                if is_under_way {
                    self.crashes_under_way(n, who, run, |lead| lead.deliveries[d] = Delivery::Coming);
                }
                if cause == Cause::Wake && is_under_way {
                    self.crash(n, who, StepKind::CrashesAndTheMessageIsDead, |lead| {
                        lead.orphan = lead.orphan.or(run.late);
                        lead.deliveries[d] = Delivery::None;
                    });
                }
            }
            Delivery::Committed => {
                let writes_the_outbox = self.lacks(Safeguard::OutboxInTheCommit);
                self.lead(n, who, StepKind::SendsTheNotification, |lead| {
                    if writes_the_outbox {
                        lead.outbox = Some(Outbox::default());
                    }
                    lead.deliveries[d] = Delivery::Answered;
                    lead.put_message();
                });
                self.crash(n, who, StepKind::Crashes, become_(Delivery::Coming));
                self.crash(n, who, StepKind::CrashesAfterSending, |lead| {
                    lead.deliveries[d] = Delivery::Coming;
                    lead.put_message();
                });
            }
        }
    }

    /// `notify`.
    fn message(&mut self, n: usize, m: usize, message: Message) {
        let who = Actor::Message(m);
        let lead = &self.from.leads[n];
        let become_ = |to: Message| move |lead: &mut Lead| lead.messages[m] = to;
        match message {
            Message::None => {}
            Message::Queued => match lead.outbox {
                None => self.lead(n, who, StepKind::FindsNothingToDo, become_(Message::None)),
                Some(_) if self.lacks(Safeguard::ClaimFirst) && lead.stored.is_held => {
                    self.lead(n, who, StepKind::LooksAtTheLead, become_(withdrawing()));
                }
                Some(outbox) => self.claim(n, m, outbox),
            },
            Message::Claimed => {
                let to = if lead.stored.is_held { withdrawing() } else { Message::Ready };
                self.lead(n, who, StepKind::LooksAtTheLead, become_(to));
                self.crash(n, who, StepKind::Crashes, become_(Message::Queued));
            }
            Message::Ready => {
                let recording = Message::Recording { run: Run::new(Some(Fact::Delivered)), is_sent: true };
                self.lead(n, who, StepKind::Sends, |lead| {
                    lead.sends += 1;
                    lead.messages[m] = recording;
                });
                self.crash(n, who, StepKind::Crashes, become_(Message::Queued));
                self.crash(n, who, StepKind::CrashesAndTheMessageIsDead, become_(Message::None));
                self.trouble(n, who, StepKind::GetsNoAnswerFromTheChannel, |lead| {
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
                self.crash(n, who, StepKind::Crashes, ends(Message::Queued));
                self.crash(n, who, StepKind::CrashesAndTheMessageIsDead, ends(Message::None));
                if matches!(run.stage, Stage::Commit(_)) {
                    self.crashes_under_way(n, who, run, ends(Message::Queued));
                }
                self.trouble(n, who, StepKind::GivesUpTemporarily, |lead| {
                    ends(Message::Queued)(lead);
                    lead.give_back();
                });
            }
            Message::Recorded => {
                self.lead(n, who, StepKind::Acknowledges, become_(Message::None));
                self.crash(n, who, StepKind::Crashes, become_(Message::Queued));
            }
            Message::KeptBack => {
                // The delay is longer than a claim, and a claim is longer than a function runs.
                let is_over = !lead.outbox.is_some_and(|outbox| outbox.is_claimed) && !lead.has_a_holder();
                if is_over {
                    self.lead(n, who, StepKind::ComesAgain, become_(Message::Queued));
                }
                self.trouble(n, who, StepKind::IsDeadAtItsLastReceive, become_(Message::None));
            }
        }
    }

    /// The claim sees everything that happens between the first look at the outbox and the claim.
    fn claim(&mut self, n: usize, m: usize, outbox: Outbox) {
        let who = Actor::Message(m);
        let looks_first = self.bundle.may_be_held && !self.lacks(Safeguard::ClaimFirst);
        let after = if looks_first { Message::Claimed } else { Message::Ready };
        if outbox.is_claimed && !self.lacks(Safeguard::Claim) {
            self.lead(n, who, StepKind::FindsAClaim, |lead| lead.messages[m] = Message::KeptBack);
        } else {
            let claimed = |to: Message| {
                move |lead: &mut Lead| {
                    lead.outbox = Some(Outbox { is_claimed: true });
                    lead.messages[m] = to;
                }
            };
            self.lead(n, who, StepKind::Claims, claimed(after));
            self.trouble(n, who, StepKind::GetsNoAnswerToItsClaim, claimed(Message::KeptBack));
        }
        let gives_back = self.lacks(Safeguard::OwnClaim);
        self.trouble(n, who, StepKind::MeetsAFaultBeforeItsClaim, |lead| {
            if gives_back {
                lead.give_back();
            }
            lead.messages[m] = Message::KeptBack;
        });
    }

    /// `sweep`, in two steps for a notification: it moves the due key, then sends the message.
    fn sweep(&mut self, n: usize, cause: Cause) {
        let lead = &self.from.leads[n];
        let is_quiet = lead.messages.iter().all(|message| *message == Message::None)
            && !lead.deliveries.contains(&Delivery::Committed);
        let is_claimed = lead.outbox.is_some_and(|outbox| outbox.is_claimed);
        if lead.is_swept {
            self.lead(n, Actor::Sweep, StepKind::SendsTheNotification, |lead| {
                lead.is_swept = false;
                lead.put_message();
            });
            self.crash(n, Actor::Sweep, StepKind::Crashes, |lead| lead.is_swept = false);
        } else if lead.outbox.is_some() && is_quiet && !is_claimed && !self.lacks(Safeguard::DueKey) {
            // The lease is over by then, because it is longer than messages and claims take.
            self.lead(n, Actor::Sweep, StepKind::TakesTheNotification, |lead| lead.is_swept = true);
        }
        let nobody_comes = |delivery: &Delivery| matches!(delivery, Delivery::None | Delivery::Answered);
        if cause == Cause::Wake && lead.stored.applied == 0 && lead.deliveries.iter().all(nobody_comes) {
            self.lead(n, Actor::Sweep, StepKind::SendsTheInput, |lead| {
                lead.deliveries = [Delivery::Coming; super::state::DELIVERIES];
            });
        }
    }

    /// Time, the network, and others who change the lead.
    fn others(&mut self, n: usize) {
        let lead = &self.from.leads[n];
        if lead.outbox.is_some_and(|outbox| outbox.is_claimed) && !lead.has_a_holder() {
            self.lead(n, Actor::Other, StepKind::TheClaimEnds, Lead::give_back);
        }
        if let Some(request) = lead.orphan {
            let mut to = *self.from;
            to.leads[n].orphan = None;
            commit(&mut to, n, &request, &self.bundle.missing);
            self.push(n, Actor::Other, StepKind::ALateTransactionArrives, to);
        }
        if self.bundle.may_be_held && lead.version > 0 && !lead.was_held {
            self.lead(n, Actor::Other, StepKind::PutsTheLeadOnHold, |lead| {
                lead.audit[usize::from(lead.version)] = Some(Fact::Held);
                lead.version += 1;
                lead.stored = lead.stored.with(Fact::Held);
                lead.was_held = true;
            });
        }
        // The queue delivers a message twice, or a lease ends while its message is still under way.
        let has_one = lead.messages.iter().any(|message| !matches!(message, Message::None));
        if has_one && lead.messages.contains(&Message::None) {
            self.trouble(n, Actor::Other, StepKind::IsDeliveredTwice, Lead::put_message);
        }
    }

    /// Its transaction is under way, and arrives without it.
    fn crashes_under_way(&mut self, n: usize, who: Actor, run: Run, end: impl FnOnce(&mut Lead)) {
        let Stage::Commit(request) = run.stage else { return };
        if run.late.is_some() || self.from.leads[n].orphan.is_some() {
            return;
        }
        self.crash(n, who, StepKind::CrashesWithItsTransactionUnderWay, |lead| {
            end(lead);
            lead.orphan = Some(request);
        });
    }
}

impl Lead {
    /// Puts a message for the notification into the queue.
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
