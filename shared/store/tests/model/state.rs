//! The state: the tables, the queue, and the progress of each function.

use super::transaction::Request;

/// A lead's commits: it arrives, is worked, is held, is notified about; and twice as many without a
/// safeguard.
pub const AUDIT_MAX: usize = 8;
/// The capacity of the only rep: less than both leads.
pub const CAPACITY: u8 = 1;
/// Deliveries of an input.
pub const DELIVERIES: usize = 2;
/// Simultaneous messages for one notification.
pub const MESSAGES: usize = 3;

/// The whole state. Equal slots are sorted, so that states that differ only in their order are one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    pub leads: [Lead; 2],
    /// The load of the only rep.
    pub load: u8,
    /// Crashes that may still happen.
    pub crashes: u8,
    /// Other faults that may still happen.
    pub faults: u8,
}

/// One lead, with everything that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Lead {
    /// The lead's item; version 0 if it does not exist.
    pub version: u8,
    pub stored: Folded,
    pub audit: [Option<Fact>; AUDIT_MAX],
    /// The dedupe item of the input.
    pub seen: bool,
    pub outbox: Option<Outbox>,
    /// The deliveries of the input, each with the function that handles it.
    pub deliveries: [Delivery; DELIVERIES],
    /// The messages for its notification, each with the function that handles it.
    pub messages: [Message; MESSAGES],
    /// A sweep leased the notification, but has not sent it yet.
    pub is_swept: bool,
    /// A transaction under way whose sender has crashed.
    pub orphan: Option<Request>,
    /// Whether a message about the hold was sent.
    pub was_held: bool,
    /// How many senders learned that theirs was the first delivery of the input.
    pub firsts: u8,
    /// How often the channel accepted the message.
    pub sends: u8,
    /// How often a sender crashed after sending and before recording it.
    pub cuts: u8,
}

/// An entry of the audit; each is its own commit here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    Arrived,
    /// The input was applied and requested a notification.
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

/// A notification to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Outbox {
    /// The end of a claim; nobody else sends until then.
    pub is_claimed: bool,
}

/// One delivery of an input: by the source to `ingest`, or by the due queue to `escalate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Delivery {
    /// Not requested yet.
    #[default]
    None,
    /// Sent without an answer: it comes (again).
    Coming,
    Running(Run),
    /// Committed, but not sent to the queue yet.
    Committed,
    Answered,
}

/// A message of the notification queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Message {
    #[default]
    None,
    Queued,
    /// It holds the claim, and is about to check whether the notification is still true.
    Claimed,
    /// It is about to send.
    Ready,
    /// It records the result.
    Recording {
        run: Run,
        is_sent: bool,
    },
    /// Everything is done; the message is still in the queue.
    Recorded,
    /// Delayed until the end of another claim.
    KeptBack,
}

impl Message {
    /// Whether the claim's holder is still running.
    pub fn holds_the_claim(self) -> bool {
        matches!(self, Self::Claimed | Self::Ready | Self::Recording { .. })
    }
}

/// The progress of `Store::run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Run {
    /// The result of the delivery; `None` if it applies the input.
    pub delivery: Option<Fact>,
    pub stage: Stage,
    /// The attempted positions in the audit, one bit each.
    pub tried: u8,
    /// One of its transactions was written, whether it knows or not.
    pub wrote: bool,
    /// A transaction that it abandoned and that is still under way.
    pub late: Option<Request>,
}

impl Run {
    pub fn new(delivery: Option<Fact>) -> Self {
        Self { delivery, stage: Stage::Read { state: None, guard: None }, tried: 0, wrote: false, late: None }
    }
}

/// A batch of reads is not a snapshot: its halves may be from before and after another commit.
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

/// The evidence that the input was applied before (a dedupe item, or a missing outbox item), and the rep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GuardRead {
    pub is_repeated: bool,
    pub load: u8,
}
