//! What a publication would do to open leads, without publishing it. Each lead is decided as the publication's
//! job would decide, and nothing is written.

use policy::InForce;
use policy::directory::Directory;
use policy::ids::PublicationId;
use rules::aggregate::Decision;
use rules::lead::{Lead, LeadFact};
use rules::notification::{NotificationFact, Recipient};
use rules::publication::{Totals, changed_hands, digests};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a publication would do to the leads checked so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Effect {
    /// The totals that the publication itself would record.
    #[serde(flatten)]
    pub totals: Totals,
    /// Messages about single leads.
    #[serde(default)]
    pub messages: u64,
    /// Leads that would go to another rep.
    #[serde(default)]
    pub given: u64,
    /// Leads that would enter the operations queue.
    #[serde(default)]
    pub queued: u64,
    /// Leads that compliance would hold.
    #[serde(default)]
    pub held: u64,
    /// The channels that would get a digest.
    #[serde(default)]
    pub digests: BTreeSet<String>,
}

impl Effect {
    /// Counts what a publication would do to a lead, from the decision under the new rules. Entries that were
    /// due before do not count.
    pub fn count(
        &mut self,
        publication: PublicationId,
        in_force: InForce,
        (lead, decision): (&Lead, &Decision<Lead>),
        directory: &Directory,
    ) {
        self.totals.leads = self.totals.leads.saturating_add(1);
        let lead = decision.changed.as_deref().unwrap_or(lead);
        self.totals.note(publication, lead, directory);
        self.totals.note_orphaned(publication, lead, directory);
        let of_publication = decision.entries.iter().filter(|entry| {
            InForce { policy: entry.policy_revision, directory: entry.directory_revision } == in_force
        });
        for entry in of_publication {
            let count = match &entry.fact {
                LeadFact::Notification(NotificationFact::Requested(_)) => &mut self.messages,
                LeadFact::Assigned { .. } | LeadFact::Reassigned { .. } => &mut self.given,
                LeadFact::OperationsQueued { .. } => &mut self.queued,
                LeadFact::ComplianceHeld { .. } => &mut self.held,
                _ => continue,
            };
            *count = count.saturating_add(1);
        }
        self.digests = digests(&self.totals, directory)
            .into_iter()
            .chain(changed_hands(&self.totals.orphaned, directory))
            .map(|(to, _)| match to {
                Recipient::TeamChannel { team, .. } => {
                    directory.team(&team).map_or_else(|| team.to_string(), |team| team.channel.clone())
                }
                Recipient::ComplianceDesk => directory.document().compliance.channel.clone(),
                Recipient::OperationsDesk => directory.document().operations.channel.clone(),
                Recipient::Person { person, .. } => person.to_string(),
            })
            .collect();
    }

    /// Adds the effect on other leads.
    pub fn add(&mut self, other: Self) {
        self.totals.add(&other.totals);
        for (count, more) in [
            (&mut self.messages, other.messages),
            (&mut self.given, other.given),
            (&mut self.queued, other.queued),
            (&mut self.held, other.held),
        ] {
            *count = count.saturating_add(more);
        }
        self.digests.extend(other.digests);
    }
}
