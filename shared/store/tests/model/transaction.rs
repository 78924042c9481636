//! The transactions of the commit as data. The model executes these writes, and `code.rs` compares them with
//! the store's requests.

use super::state::{AUDIT_MAX, Fact, Folded, Lead, Outbox, State};

/// An item of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Lead,
    Audit,
    Seen,
    Outbox,
    Rep,
}

/// The operation on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Put,
    Update,
    Delete,
}

/// Its condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Always,
    Absent,
    Present,
    /// The item is as the decision saw it.
    AsSeen,
}

/// A write of a transaction.
pub type Write = (Target, Operation, Condition);

/// The result of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    /// A source's event is applied and requests a notification; the rep gets the lead if there is capacity.
    Event { is_assigned: bool },
    /// A due threshold is reached and requests a notification.
    Wake,
    /// The notification is delivered or withdrawn.
    Delivery(Fact),
}

impl Decision {
    /// The writes of the transaction, in the store's order.
    pub fn writes(self) -> &'static [Write] {
        use {Condition::*, Operation::*, Target::*};
        const STATE: Write = (Lead, Put, AsSeen);
        const ENTRY: Write = (Audit, Put, Absent);
        const REQUEST: Write = (Outbox, Put, Always);
        const INPUT: Write = (Seen, Put, Absent);
        match self {
            Self::Event { is_assigned: false } => &[STATE, ENTRY, INPUT, REQUEST],
            Self::Event { is_assigned: true } => &[STATE, ENTRY, INPUT, REQUEST, (Rep, Update, AsSeen)],
            Self::Wake => &[STATE, ENTRY, REQUEST],
            Self::Delivery(_) => &[STATE, ENTRY, (Outbox, Delete, Present)],
        }
    }

    pub fn fact(self) -> Fact {
        match self {
            Self::Event { is_assigned } => Fact::Applied { is_assigned },
            Self::Wake => Fact::Applied { is_assigned: false },
            Self::Delivery(fact) => fact,
        }
    }
}

/// A transaction under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    pub decision: Decision,
    /// The lead of the decision.
    pub before: Folded,
    pub version: u8,
    /// The load of the rep.
    pub load: u8,
}

/// A safeguard that a variant omits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safeguard {
    /// The dedupe item.
    Dedupe,
    /// Its condition in the transaction; it is still written and read.
    DedupeCondition,
    /// The condition on the lead's version.
    VersionCondition,
    /// The condition that the commit's position in the audit is free.
    AuditCondition,
    /// The condition that a delivery is not recorded yet.
    DeliveryCondition,
    /// The condition that the rep is unchanged since there was capacity.
    RepCondition,
    /// The attempt's own id in the audit item: without it, any item counts as one's own.
    AttemptId,
    /// The notification in the commit's transaction: without it, it is written afterwards.
    OutboxInTheCommit,
    /// The outbox item's key in the due index.
    DueKey,
    /// The claim before a send.
    Claim,
    /// The claim before any other step: without it, a function with nothing to send withdraws without a
    /// claim.
    ClaimFirst,
    /// That only the holder of a claim releases it.
    OwnClaim,
}

/// Executes a transaction. Returns whether all conditions were met and everything was written.
pub fn commit(state: &mut State, lead: usize, request: &Request, missing: &[Safeguard]) -> bool {
    let writes = || request.decision.writes().iter().filter(|write| is_sent(**write, missing));
    let (of, load) = (&mut state.leads[lead], &mut state.load);
    if !writes().all(|write| is_bare(*write, missing) || holds(*write, of, *load, request)) {
        return false;
    }
    for (place, operation, _) in writes() {
        match place {
            Target::Lead => {
                of.version = request.version + 1;
                of.stored = request.before.with(request.decision.fact());
            }
            Target::Audit => of.audit[usize::from(request.version)] = Some(request.decision.fact()),
            Target::Seen => of.seen = true,
            Target::Outbox => of.outbox = (*operation == Operation::Put).then(Outbox::default),
            Target::Rep => *load += 1,
        }
    }
    true
}

fn holds((place, _, when): Write, lead: &Lead, load: u8, request: &Request) -> bool {
    let exists = match place {
        Target::Lead => lead.version > 0,
        Target::Audit => {
            assert!(usize::from(request.version) < AUDIT_MAX, "the model's audit is long enough");
            lead.audit[usize::from(request.version)].is_some()
        }
        Target::Seen => lead.seen,
        Target::Outbox => lead.outbox.is_some(),
        Target::Rep => true,
    };
    match when {
        Condition::Always => true,
        Condition::Absent => !exists,
        Condition::Present => exists,
        // A rep's load only grows here, so it serves as the version.
        Condition::AsSeen if place == Target::Rep => load == request.load,
        Condition::AsSeen => lead.version == request.version,
    }
}

/// Whether a write is part of the transaction.
fn is_sent((place, operation, _): Write, missing: &[Safeguard]) -> bool {
    match (place, operation) {
        (Target::Seen, _) => !missing.contains(&Safeguard::Dedupe),
        (Target::Outbox, Operation::Put) => !missing.contains(&Safeguard::OutboxInTheCommit),
        _ => true,
    }
}

/// Whether a write lacks its condition.
fn is_bare((place, operation, _): Write, missing: &[Safeguard]) -> bool {
    missing.contains(&match (place, operation) {
        (Target::Lead, _) => Safeguard::VersionCondition,
        (Target::Audit, _) => Safeguard::AuditCondition,
        (Target::Seen, _) => Safeguard::DedupeCondition,
        (Target::Outbox, Operation::Delete) => Safeguard::DeliveryCondition,
        (Target::Rep, _) => Safeguard::RepCondition,
        (Target::Outbox, _) => return false,
    })
}
