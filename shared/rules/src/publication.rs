//! A publication: a revision of the policy or of the directory, from its publishing until every
//! lead that it touches waits for what the new rules say. Its history says who published what and
//! why, what became of the leads in flight, and who was told of it.

use crate::entry::{Actor, Entry};
use crate::input::{Delivery, Outcome, World};
use crate::lead::{Lead, Orphaned, PassedStep};
use crate::notification::{About, Notification, NotificationFact, Particulars, Recipient, Role};
use crate::quiet;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{LeadId, NotificationId, PersonId, PublicationId, Subject, TeamId};
use policy::{InForce, Message, WorkflowId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A publication as its history made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Of what, and which revision.
    pub kind: policy::ids::PublicationKind,
    /// Which revision.
    pub revision: u32,
    /// The last entry that is folded in.
    pub seq: u64,
    /// The last commit that is folded in.
    pub commit: u64,
    /// When the last entry took effect.
    pub changed_at: DateTime<Utc>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// What is in force from then, of both kinds.
    pub in_force: InForce,
    /// By whom.
    pub published_by: Actor,
    /// The publisher's id in the directory, or else the e-mail address that their token vouches for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Why.
    pub why: String,
    /// What is different, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// What became of the leads in flight; `None` while they are gone through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Totals>,
}

impl Publication {
    /// Its identity.
    pub fn id(&self) -> PublicationId {
        PublicationId { kind: self.kind, revision: self.revision }
    }

    /// When it has to be looked at: at once, until all leads in flight were gone through.
    pub fn wake_at(&self) -> Option<DateTime<Utc>> {
        self.applied.is_none().then_some(self.published_at)
    }
}

/// What a publication made of the leads in flight.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Leads that it might have concerned, and that were looked at.
    pub leads: u64,
    /// Leads that wait for another instant now.
    pub moved: u64,
    /// Thresholds that were passed already, and were not acted on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Passed>,
    /// Leads whose owner left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphaned: Vec<OrphanedLeads>,
}

/// Leads of an owner who left, that came to the same end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanedLeads {
    /// The team of their market; none where they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// What became of them.
    #[serde(flatten)]
    pub orphaned: Orphaned,
    /// How many.
    pub leads: u64,
    /// The first of them.
    pub first: Vec<LeadId>,
}

/// How many leads a message names.
const NAMED_MAX: usize = 5;

/// How many leads of a team had passed a threshold already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// The team; none where the lead has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// The threshold.
    #[serde(flatten)]
    pub step: PassedStep,
    /// How many.
    pub leads: u64,
}

impl Totals {
    /// Counts what a lead says that a publication made of it, whoever brought that about: a page that
    /// is gone through twice after a crash counts the same. That its owner left is counted apart.
    pub fn note(&mut self, publication: PublicationId, lead: &Lead, directory: &Directory) {
        // Another publication may have come after it meanwhile.
        let Some(applied) = lead.applied.iter().find(|a| a.publication == publication) else { return };
        self.moved = self.moved.saturating_add(u64::from(applied.orphaned.is_none()));
        for step in &applied.passed {
            self.count(team_of(lead, directory), step, 1);
        }
    }

    /// Counts a lead whose owner left with a publication.
    pub fn note_orphaned(&mut self, publication: PublicationId, lead: &Lead, directory: &Directory) {
        let Some(applied) = lead.applied.iter().find(|a| a.publication == publication) else { return };
        if let Some(orphaned) = &applied.orphaned {
            self.moved = self.moved.saturating_add(1);
            self.count_orphaned(team_of(lead, directory), orphaned, 1, std::slice::from_ref(&lead.id));
        }
    }

    /// Adds what was found of other leads.
    pub fn add(&mut self, other: &Self) {
        self.leads = self.leads.saturating_add(other.leads);
        self.moved = self.moved.saturating_add(other.moved);
        for passed in &other.passed {
            self.count(passed.team.as_ref(), &passed.step, passed.leads);
        }
        for OrphanedLeads { team, orphaned, leads, first } in &other.orphaned {
            self.count_orphaned(team.as_ref(), orphaned, *leads, first);
        }
    }

    /// Counts leads whose owner left.
    fn count_orphaned(&mut self, team: Option<&TeamId>, orphaned: &Orphaned, leads: u64, first: &[LeadId]) {
        let is_same = |known: &&mut OrphanedLeads| known.team.as_ref() == team && known.orphaned == *orphaned;
        match self.orphaned.iter_mut().find(is_same) {
            Some(known) => {
                known.leads = known.leads.saturating_add(leads);
                known.first.extend(first.iter().cloned());
                known.first.sort();
                known.first.truncate(NAMED_MAX);
            }
            None => {
                let (team, orphaned, first) = (team.cloned(), orphaned.clone(), first.to_vec());
                self.orphaned.push(OrphanedLeads { team, orphaned, leads, first });
                self.orphaned.sort_by(|a, b| (&a.team, &a.orphaned).cmp(&(&b.team, &b.orphaned)));
            }
        }
    }

    /// Counts a threshold that leads of a team had passed already.
    fn count(&mut self, team: Option<&TeamId>, step: &PassedStep, leads: u64) {
        match self.passed.iter_mut().find(|p| p.team.as_ref() == team && p.step == *step) {
            Some(known) => known.leads = known.leads.saturating_add(leads),
            None => {
                self.passed.push(Passed { team: team.cloned(), step: step.clone(), leads });
                self.passed.sort_by(|a, b| (&a.team, &a.step).cmp(&(&b.team, &b.step)));
            }
        }
    }
}

/// A fact about a publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum PublicationFact {
    /// It was published: it is in force from here.
    #[serde(rename = "publication.published")]
    Published {
        /// The revision that it replaces; 0: there was none.
        base: u32,
        /// The publisher's id in the directory, or else the e-mail address that their token vouches for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        publisher: Option<String>,
        /// Why, in words.
        why: String,
        /// What is different, in words.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<String>,
        /// The version of each workflow; of a policy.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        versions: BTreeMap<WorkflowId, u32>,
        /// SHA-256 of the document's text as it is stored (canonical JSON, RFC 8785), hexadecimal: whoever
        /// has this entry can tell whether a document is the one that was published.
        document_sha256: String,
    },
    /// Every lead in flight that it touches waits for what the new rules say.
    #[serde(rename = "publication.applied")]
    Applied(Totals),
    /// Somebody is to be told, or was, or was not.
    #[serde(untagged)]
    Notification(NotificationFact),
}

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

/// Folds a whole history; `None` if it is none.
pub fn fold<'a>(entries: impl IntoIterator<Item = &'a Entry<PublicationFact>>) -> Option<Publication> {
    entries.into_iter().try_fold(None, |publication, entry| evolve(publication, entry).map(Some))?
}

/// What one entry makes of a publication; `None` if it does not follow.
pub fn evolve(publication: Option<Publication>, entry: &Entry<PublicationFact>) -> Option<Publication> {
    let Subject::Publication(id) = entry.subject else { return None };
    let mut publication = match (publication, &entry.fact) {
        (None, PublicationFact::Published { why, changes, publisher, .. }) => Publication {
            kind: id.kind,
            revision: id.revision,
            seq: 0,
            commit: 0,
            changed_at: entry.at,
            published_at: entry.at,
            in_force: InForce { policy: entry.policy_revision, directory: entry.directory_revision },
            published_by: entry.actor.clone(),
            publisher: publisher.clone(),
            why: why.clone(),
            changes: changes.clone(),
            applied: None,
        },
        (Some(publication), PublicationFact::Applied(_) | PublicationFact::Notification(_)) => publication,
        _ => return None,
    };
    if entry.seq != publication.seq.saturating_add(1) {
        return None;
    }
    if let PublicationFact::Applied(totals) = &entry.fact {
        publication.applied = Some(totals.clone());
    }
    (publication.seq, publication.commit, publication.changed_at) = (entry.seq, entry.commit, entry.at);
    Some(publication)
}

/// An input to a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationCommand {
    /// Which.
    pub publication: PublicationId,
    /// Its identity: the same input has the same, however often it comes.
    pub cause: String,
    /// What it is.
    pub input: PublicationInput,
}

/// What can be asked of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicationInput {
    /// The leads in flight were gone through.
    Applied(Totals),
    /// A notification reached its recipient, or did not.
    Delivery(Delivery),
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

/// The team of a lead's owner, or of its market.
fn team_of<'a>(lead: &Lead, directory: &'a Directory) -> Option<&'a TeamId> {
    let of_owner = lead.owner.as_ref().and_then(|owner| directory.team_of(owner));
    of_owner.or_else(|| Some(&directory.market(lead.profile.market.as_ref()?)?.team))
}

/// One message a team about the leads whose owner left, and one for each new owner.
pub(crate) fn changed_hands(
    orphaned: &[OrphanedLeads],
    directory: &Directory,
) -> Vec<(Recipient, Vec<String>)> {
    let mut digests: Vec<(Recipient, Vec<String>)> = Vec::new();
    let mut say = |to: Recipient, line: String| match digests.iter_mut().find(|(known, _)| *known == to) {
        Some((_, lines)) => lines.push(line),
        None => digests.push((to, vec![line])),
    };
    let name_of = |person: &PersonId| directory.person(person).map(|person| person.name.clone());
    for OrphanedLeads { team, orphaned, leads, .. } in orphaned {
        let from = orphaned.name.clone().or_else(|| name_of(&orphaned.from));
        let from = from.unwrap_or_else(|| "an owner who left".to_owned());
        let what = if *leads == 1 { format!("1 lead of {from}") } else { format!("{leads} leads of {from}") };
        let (is, go, wait) = if *leads == 1 { ("is", "goes", "waits") } else { ("are", "go", "wait") };
        let line = match &orphaned.to {
            Some(to) => format!("{what} {go} to {}", name_of(to).unwrap_or_else(|| "another rep".to_owned())),
            None if orphaned.kept => format!("{what} {is} still theirs"),
            None => format!("{what} {wait} for a rep"),
        };
        say(Recipient::manager_of(team.as_ref(), directory), line);
    }
    for OrphanedLeads { orphaned, leads, first, .. } in orphaned {
        let Some(person) = orphaned.to.clone().filter(|person| directory.person(person).is_some()) else {
            continue;
        };
        let from = orphaned.name.clone().or_else(|| name_of(&orphaned.from));
        let of = from.map(|name| format!(" of {name}")).unwrap_or_default();
        let named: Vec<&str> = first.iter().map(LeadId::as_str).collect();
        let more = leads.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let (noun, is) = if *leads == 1 { ("lead", "is") } else { ("leads", "are") };
        let line = format!("{leads} {noun}{of} {is} yours now: {}{more}", named.join(", "));
        say(Recipient::Person { role: Role::Owner, person }, line);
    }
    digests
}

/// One message a team, and one for operations and compliance each where they have to know.
pub(crate) fn digests(totals: &Totals, directory: &Directory) -> Vec<(Recipient, Vec<String>)> {
    let mut digests: Vec<(Recipient, Vec<String>)> = Vec::new();
    for passed in &totals.passed {
        let to = if passed.step.workflow == WorkflowId::ComplianceFlag {
            Recipient::ComplianceDesk
        } else {
            Recipient::manager_of(passed.team.as_ref(), directory)
        };
        let leads = if passed.leads == 1 { "lead" } else { "leads" };
        let line = format!("{}/{}: {} {leads}", passed.step.workflow, passed.step.step, passed.leads);
        match digests.iter_mut().find(|(known, _)| *known == to) {
            Some((_, lines)) => lines.push(line),
            None => digests.push((to, vec![line])),
        }
    }
    digests
}
