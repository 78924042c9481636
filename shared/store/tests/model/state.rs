//! What is where: the tables, the queue, and how far each function has come.

use super::transaction::Request;

/// A lead's commits: it arrives, is worked on, is held, is told of; and as many again where a
/// safeguard is missing.
pub const AUDIT_MAX: usize = 8;
/// What the one rep can carry: not both leads.
pub const CAPACITY: u8 = 1;
/// Deliveries of an input.
pub const DELIVERIES: usize = 2;
/// Messages for one notification at a time.
pub const MESSAGES: usize = 3;

/// Everything at one instant. Slots that are alike are kept sorted, so that what differs in their
/// order alone is one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    pub leads: [Lead; 2],
    /// What the one rep carries.
    pub load: u8,
    /// Crashes that may still happen.
    pub crashes: u8,
    /// Other troubles that may still happen.
    pub troubles: u8,
}

/// One lead, with all that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Lead {
    /// The lead's item; version 0: there is none.
    pub version: u8,
    pub stored: Folded,
    pub audit: [Option<Fact>; AUDIT_MAX],
    /// The dedupe item of the input.
    pub seen: bool,
    pub outbox: Option<Outbox>,
    /// The deliveries of the input, each with the function that deals with it.
    pub deliveries: [Delivery; DELIVERIES],
    /// The messages for its notification, each with the function that deals with it.
    pub messages: [Message; MESSAGES],
    /// A sweep took the notification, and has not handed it on.
    pub is_swept: bool,
    /// A transaction on its way whose sender is dead.
    pub orphan: Option<Request>,
    /// Whether somebody was told that the lead is held now.
    pub was_held: bool,
    /// How many were told that theirs was the first delivery of the input.
    pub firsts: u8,
    /// How often the channel took the message.
    pub sends: u8,
    /// How often somebody had sent and did not live to know it recorded.
    pub cuts: u8,
}

/// An entry of the audit; each is a commit of its own here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    Arrived,
    /// The input was applied, and a notification asked for.
    Applied {
        is_assigned: bool,
    },
    Held,
    Delivered,
    Withdrawn,
}

impl Fact {
    pub fn assigns(self) -> bool {
        matches!(self, Self::Applied { is_assigned: true })
    }
}

/// A lead: the fold of its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Folded {
    pub applied: u8,
    pub assigned: u8,
    pub is_held: bool,
    pub delivered: u8,
    pub withdrawn: u8,
}

impl Folded {
    #[must_use]
    pub fn with(mut self, fact: Fact) -> Self {
        match fact {
            Fact::Arrived => {}
            Fact::Applied { is_assigned } => {
                self.applied += 1;
                self.assigned += u8::from(is_assigned);
            }
            Fact::Held => self.is_held = true,
            Fact::Delivered => self.delivered += 1,
            Fact::Withdrawn => self.withdrawn += 1,
        }
        self
    }
}

/// A notification that is to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Outbox {
    /// Somebody may be sending it; nobody else does meanwhile.
    pub is_claimed: bool,
}

/// One delivery of an input: by the source to `ingest`, or by the due queue to `escalate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Delivery {
    /// Nobody has asked yet.
    #[default]
    None,
    /// Sent, and not answered: it comes (again).
    Coming,
    Running(Run),
    /// Committed; the queue is not told yet.
    Committed,
    Answered,
}

/// A message of the notification queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Message {
    #[default]
    None,
    Queued,
    /// It holds the claim, and is about to look whether the lead has outlived the notification.
    Claimed,
    /// It is about to send.
    Ready,
    /// It writes down what became of it.
    Recording {
        run: Run,
        is_sent: bool,
    },
    /// All is done; the message is still in the queue.
    Recorded,
    /// Kept back until a claim that it met has ended.
    KeptBack,
}

impl Message {
    /// Whether somebody is alive who claimed the notification.
    pub fn holds_the_claim(self) -> bool {
        matches!(self, Self::Claimed | Self::Ready | Self::Recording { .. })
    }
}

/// `Store::run`, as far as it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Run {
    /// What is said of the delivery; `None`: it applies the input.
    pub delivery: Option<Fact>,
    pub stage: Stage,
    /// The places in the audit that were tried, a bit each.
    pub tried: u8,
    /// One of its transactions was written, whether it knows or not.
    pub wrote: bool,
    /// A transaction that it gave up on, and that is still on its way.
    pub late: Option<Request>,
}

impl Run {
    pub fn new(delivery: Option<Fact>) -> Self {
        Self { delivery, stage: Stage::Read { state: None, guard: None }, tried: 0, wrote: false, late: None }
    }
}

/// A batch of reads is no snapshot: its two halves may be from before and after somebody's commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    Read { state: Option<StateRead>, guard: Option<GuardRead> },
    Commit(Request),
}

/// The lead and the audit items of its own attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateRead {
    pub version: u8,
    pub stored: Folded,
    /// An attempt of its own is in the audit.
    pub is_ours: bool,
}

/// What tells that the input was applied before (dedupe item there, outbox item gone), and the rep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GuardRead {
    pub is_repeated: bool,
    pub load: u8,
}
