//! The transactions of the commit, as data: the model carries out these writes, and `code.rs` holds
//! them against what the store really sends.

use super::state::{AUDIT_MAX, Fact, Folded, Lead, Outbox, State};

/// An item of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Lead,
    Audit,
    Seen,
    Outbox,
    Rep,
}

/// What is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Put,
    Update,
    Delete,
}

/// What has to be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    Absent,
    Present,
    /// It stands as the decision saw it.
    AsSeen,
}

/// A write of a transaction.
pub type Write = (Place, Deed, When);

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    /// An event of a source is applied, and asks for a notification; a rep gets the lead, if one has room.
    Event { is_assigned: bool },
    /// What fell due is acted on, and asks for a notification.
    Wake,
    /// The notification is delivered, or withdrawn.
    Delivery(Fact),
}

impl Decision {
    /// The writes of its transaction, in the order in which the store names them.
    pub fn writes(self) -> &'static [Write] {
        use {Deed::*, Place::*, When::*};
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

/// A transaction on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    pub decision: Decision,
    /// The lead that was decided on.
    pub before: Folded,
    pub version: u8,
    /// What the rep carried.
    pub load: u8,
}

/// A safeguard that a variant of the model does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safeguard {
    /// The dedupe item.
    Dedupe,
    /// Its condition in the transaction; it is still written and read.
    DedupeCondition,
    /// The condition on the lead's version.
    VersionCondition,
    /// The condition that the commit's place in the audit is free.
    AuditCondition,
    /// The condition that a delivery is still to be recorded.
    DeliveryCondition,
    /// The condition that the rep stands as was seen, when there was room.
    RepCondition,
    /// The attempt's own id in the audit item: whatever is found there counts as one's own.
    AttemptId,
    /// The notification in the commit's transaction: it is written afterwards.
    OutboxInTheCommit,
    /// The outbox item's key in the due index.
    DueKey,
    /// The claim before a send.
    Claim,
    /// That the claim comes before everything else: whoever finds that there is nothing to send
    /// withdraws without one.
    ClaimFirst,
    /// That only the holder of a claim gives it back.
    OwnClaim,
}

/// Sends a transaction; whether all of its conditions held, so that all of it is written.
pub fn commit(state: &mut State, lead: usize, request: &Request, missing: &[Safeguard]) -> bool {
    let writes = || request.decision.writes().iter().filter(|write| is_sent(**write, missing));
    let (of, load) = (&mut state.leads[lead], &mut state.load);
    if !writes().all(|write| is_bare(*write, missing) || holds(*write, of, *load, request)) {
        return false;
    }
    for (place, deed, _) in writes() {
        match place {
            Place::Lead => {
                of.version = request.version + 1;
                of.stored = request.before.with(request.decision.fact());
            }
            Place::Audit => of.audit[usize::from(request.version)] = Some(request.decision.fact()),
            Place::Seen => of.seen = true,
            Place::Outbox => of.outbox = (*deed == Deed::Put).then(Outbox::default),
            Place::Rep => *load += 1,
        }
    }
    true
}

fn holds((place, _, when): Write, lead: &Lead, load: u8, request: &Request) -> bool {
    let exists = match place {
        Place::Lead => lead.version > 0,
        Place::Audit => {
            assert!(usize::from(request.version) < AUDIT_MAX, "the model's audit is long enough");
            lead.audit[usize::from(request.version)].is_some()
        }
        Place::Seen => lead.seen,
        Place::Outbox => lead.outbox.is_some(),
        Place::Rep => true,
    };
    match when {
        When::Always => true,
        When::Absent => !exists,
        When::Present => exists,
        // Here a rep's load only grows, so that it tells versions apart.
        When::AsSeen if place == Place::Rep => load == request.load,
        When::AsSeen => lead.version == request.version,
    }
}

/// Whether a write is part of the transaction at all.
fn is_sent((place, deed, _): Write, missing: &[Safeguard]) -> bool {
    match (place, deed) {
        (Place::Seen, _) => !missing.contains(&Safeguard::Dedupe),
        (Place::Outbox, Deed::Put) => !missing.contains(&Safeguard::OutboxInTheCommit),
        _ => true,
    }
}

/// Whether a write lacks its condition.
fn is_bare((place, deed, _): Write, missing: &[Safeguard]) -> bool {
    missing.contains(&match (place, deed) {
        (Place::Lead, _) => Safeguard::VersionCondition,
        (Place::Audit, _) => Safeguard::AuditCondition,
        (Place::Seen, _) => Safeguard::DedupeCondition,
        (Place::Outbox, Deed::Delete) => Safeguard::DeliveryCondition,
        (Place::Rep, _) => Safeguard::RepCondition,
        (Place::Outbox, _) => return false,
    })
}
