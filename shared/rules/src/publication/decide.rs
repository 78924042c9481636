//! What should happen to a publication.

use crate::entry::{Actor, Entry};
use crate::notification::{About, Notification, NotificationFact, Particulars};
use crate::outcome::Outcome;
use crate::publication::command::{PublicationCommand, PublicationInput};
use crate::publication::digest::{changed_hands, digests};
use crate::publication::event::PublicationFact;
use crate::publication::evolve::evolve;
use crate::publication::state::Publication;
use crate::quiet;
use crate::world::World;
use chrono::{DateTime, Utc};
use policy::ids::{NotificationId, PublicationId, Subject};
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

/// What should happen to a publication.
#[derive(Debug, Clone)]
pub struct PublicationDecision {
    /// What becomes of the command.
    pub outcome: Outcome,
    /// The facts, in order. Empty: nothing is to be written.
    pub entries: Vec<Entry<PublicationFact>>,
    /// The publication with the facts folded in; `None` if there is none.
    pub publication: Option<Publication>,
}

/// What should happen to a publication, given an input at an instant.
pub fn decide_publication(
    publication: Option<&Publication>,
    world: &World<'_>,
    command: &PublicationCommand,
    now: DateTime<Utc>,
) -> PublicationDecision {
    let Some(before) = publication else {
        return PublicationDecision { outcome: Outcome::UnknownLead, entries: Vec::new(), publication: None };
    };
    let mut facts = Vec::new();
    match &command.input {
        PublicationInput::Applied(totals) if before.applied.is_none() => {
            facts.push(PublicationFact::Applied(totals.clone()));
            let mut seq = before.seq.saturating_add(1);
            let passed = digests(totals, world.directory);
            let passed = passed.into_iter().map(|(to, reasons)| (to, Message::PublicationDigest, reasons));
            let orphaned = changed_hands(&totals.orphaned, world.directory);
            let orphaned = orphaned.into_iter().map(|(to, reasons)| (to, Message::ChangedHands, reasons));
            for (to, message, reasons) in passed.chain(orphaned) {
                seq = seq.saturating_add(1);
                let id = NotificationId::new(format!("{}/{seq}", command.publication));
                // Why a rule changed is for managers to ask; whose lead it is, is said in the digest itself.
                let published_by = before.publisher.clone().filter(|_| message == Message::PublicationDigest);
                let particulars = Particulars { reasons, published_by, ..Particulars::default() };
                let at = now.max(before.changed_at);
                let not_before = quiet::not_before(&world.policy.policy, world.directory, &to, message, at);
                let notification =
                    Notification { id, to, message, particulars, about: About::default(), not_before };
                let notification = Box::new(notification);
                facts.push(PublicationFact::Notification(NotificationFact::Requested(notification)));
            }
        }
        PublicationInput::Applied(_) => {}
        PublicationInput::Delivery(delivery) => {
            facts.push(PublicationFact::Notification(NotificationFact::of(delivery)));
        }
    }
    let mut state = Some(before.clone());
    let mut entries = Vec::new();
    for (n, fact) in (1u64..).zip(facts) {
        let entry = Entry {
            subject: Subject::Publication(command.publication),
            seq: before.seq.saturating_add(n),
            commit: before.commit.saturating_add(1),
            at: now.max(before.changed_at),
            due_at: None,
            actor: Actor::system("publication"),
            cause: command.cause.clone(),
            workflow: None,
            policy_revision: world.policy.revision,
            directory_revision: world.directory.revision(),
            fact,
        };
        state = evolve(state, &entry);
        entries.push(entry);
    }
    let outcome = if entries.is_empty() { Outcome::Unchanged } else { Outcome::Applied };
    PublicationDecision { outcome, entries, publication: state }
}
