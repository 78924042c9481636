//! A publication: a revision of the policy or of the directory, from its publishing until every
//! lead that it touches waits for what the new rules say. Its history says who published what and
//! why, what became of the leads in flight, and who was told of it.

use crate::entry::Actor;
use crate::lead::applied::PassedStep;
use crate::lead::owner::Orphaned;
use crate::lead::state::Lead;
use chrono::{DateTime, Utc};
use policy::InForce;
use policy::directory::Directory;
use policy::ids::{LeadId, PublicationId, TeamId};
use serde::{Deserialize, Serialize};

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
    pub passed: Vec<PassedThreshold>,
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
pub struct PassedThreshold {
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
                self.passed.push(PassedThreshold { team: team.cloned(), step: step.clone(), leads });
                self.passed.sort_by(|a, b| (&a.team, &a.step).cmp(&(&b.team, &b.step)));
            }
        }
    }
}

/// The team of a lead's owner, or of its market.
fn team_of<'a>(lead: &Lead, directory: &'a Directory) -> Option<&'a TeamId> {
    let of_owner = lead.owner.as_ref().and_then(|owner| directory.team_of(owner));
    of_owner.or_else(|| Some(&directory.market(lead.profile.market.as_ref()?)?.team))
}
