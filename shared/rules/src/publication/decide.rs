//! What should happen to a publication.

use crate::aggregate::{Decision, Undecided};
use crate::draft::Draft;
use crate::entry::{Actor, Entry};
use crate::notification::{NotificationFact, Particulars};
use crate::outcome::Outcome;
use crate::publication::command::{PublicationCommand, PublicationInput};
use crate::publication::digest::{changed_hands, digests};
use crate::publication::event::PublicationFact;
use crate::publication::state::Publication;
use crate::world::World;
use chrono::{DateTime, Utc};
use policy::ids::{PublicationId, Subject};
use policy::{InForce, Message, WorkflowId};
use std::collections::BTreeMap;

/// What is said of a publication when it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publishing<'a> {
    /// Who publishes.
    pub by: &'a Actor,
    /// Their id in the directory, or else the e-mail address that their token vouches for.
    pub publisher: Option<&'a str>,
    /// Why, in words.
    pub why: &'a str,
    /// The identity of the request.
    pub cause: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// The first entry of a publication's history.
pub fn begin(
    id: PublicationId,
    base: u32,
    publishing: &Publishing<'_>,
    in_force: InForce,
    changes: Vec<String>,
    versions: BTreeMap<WorkflowId, u32>,
    document_sha256: String,
) -> Entry<PublicationFact> {
    let Publishing { by, publisher, why, cause, now } = publishing;
    Entry {
        subject: Subject::Publication(id),
        seq: 1,
        commit: 1,
        at: *now,
        due_at: None,
        actor: (*by).clone(),
        cause: (*cause).to_owned(),
        workflow: None,
        policy_revision: in_force.policy,
        directory_revision: in_force.directory,
        fact: PublicationFact::Published {
            base,
            publisher: publisher.map(str::to_owned),
            why: (*why).to_owned(),
            changes,
            versions,
            document_sha256,
        },
    }
}

/// What should happen to a publication, given an input at an instant.
pub(super) fn decide(
    before: Option<&Publication>,
    world: &World,
    command: &PublicationCommand,
    now: DateTime<Utc>,
) -> Result<Decision<Publication>, Undecided> {
    let mut d = Draft::new(before, world, command, now);
    let Some(before) = before else { return d.finish(Outcome::NotFound, None) };
    match &command.input {
        PublicationInput::Applied(totals) if before.applied.is_none() => {
            d.fact(None, PublicationFact::Applied(totals.clone()));
            let directory = d.rules.directory();
            let passed = digests(totals, directory);
            let passed = passed.into_iter().map(|(to, reasons)| (to, Message::PublicationDigest, reasons));
            let orphaned = changed_hands(&totals.orphaned, directory);
            let orphaned = orphaned.into_iter().map(|(to, reasons)| (to, Message::ChangedHands, reasons));
            for (to, message, reasons) in passed.chain(orphaned) {
                // Why a rule changed is for managers to ask; whose lead it is, is said in the digest itself.
                let published_by = before.publisher.clone().filter(|_| message == Message::PublicationDigest);
                let particulars = Particulars { reasons, published_by, ..Particulars::default() };
                d.notify(None, to, message, particulars);
            }
        }
        PublicationInput::Applied(_) => {}
        PublicationInput::Delivery(delivery) => d.fact(None, NotificationFact::of(delivery)),
    }
    let outcome = if d.entries.is_empty() { Outcome::Unchanged } else { Outcome::Applied };
    let wake_at = d.state.get().and_then(Publication::wake_at);
    d.finish(outcome, wake_at)
}
