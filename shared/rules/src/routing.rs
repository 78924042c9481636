//! Routing: market → team → rep. Whoever can take a lead and was given one least recently gets
//! it; nobody gets one who is absent, full or not licensed for its jurisdiction.

use crate::directory::{Directory, Seniority};
use crate::ids::{Country, LeadId, PersonId, TeamId};
use crate::lead::Lead;
use crate::lead_fact::{PassedOver, Unfit};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How a rep stands at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// Open leads that they carry.
    pub load: u32,
    /// When they were last given a lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_assigned_at: Option<DateTime<Utc>>,
    /// What they said of their availability, if they ever did; else the directory says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// Rises with every change; a commit that relied on it names it.
    pub version: u64,
    /// The rep's last audit entry.
    #[serde(default)]
    pub seq: u64,
}

/// What a rep, or operations for them, said of their availability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Availability {
    /// Whether they take leads.
    pub available: bool,
    /// Until when that holds; absent: until they say otherwise. After it they are available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// A team as it stood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    /// How its reps stand; one who is not here carries nothing and was never given a lead.
    pub standings: BTreeMap<PersonId, Standing>,
}

/// What is asked of routing.
pub(crate) struct Wanted<'a> {
    pub lead: &'a LeadId,
    pub country: Option<&'a Country>,
    pub owner: Option<&'a PersonId>,
    pub taken_from: &'a [PersonId],
    pub senior: bool,
    pub now: DateTime<Utc>,
}

impl Standing {
    /// Whether they take leads at an instant.
    pub fn is_available(&self, on_leave_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        match &self.availability {
            Some(said) if said.until.is_none_or(|until| now < until) => said.available,
            Some(_) => true,
            None => on_leave_until.is_none_or(|until| now >= until),
        }
    }
}

/// The rep who gets it, or why nobody does.
pub(crate) fn choose(
    directory: &Directory,
    team: &TeamId,
    roster: &Roster,
    wanted: &Wanted<'_>,
) -> Result<PersonId, Vec<PassedOver>> {
    let mut passed_over = Vec::new();
    let mut fit = Vec::new();
    for id in directory.team(team).iter().flat_map(|t| t.reps.keys()) {
        let standing = roster.standings.get(id);
        match unfit(directory, id, standing, wanted) {
            Some(because) => passed_over.push(PassedOver { rep: id.clone(), because }),
            None => fit.push((standing.and_then(|s| s.last_assigned_at), lot(wanted.lead, id), id)),
        }
    }
    // Reps who were never given one come first. Among equals the lot decides, drawn from the
    // lead, so that no place in the list is the lucky one.
    fit.into_iter().min().map(|(_, _, id)| id.clone()).ok_or(passed_over)
}

/// Whether this one may take it; `None` if so.
pub(crate) fn unfit(
    directory: &Directory,
    id: &PersonId,
    standing: Option<&Standing>,
    wanted: &Wanted<'_>,
) -> Option<Unfit> {
    let Some(rep) = directory.rep(id) else {
        return Some(Unfit::Absent);
    };
    let nothing = Standing::default();
    let standing = standing.unwrap_or(&nothing);
    let licensed = match (&rep.licensed_for, wanted.country) {
        (Some(licences), Some(country)) => licences.contains(country),
        // A rep with licences of their own cannot take a lead whose jurisdiction is not known.
        (Some(_), None) => false,
        (None, _) => true,
    };
    if wanted.owner == Some(id) {
        Some(Unfit::IsOwner)
    } else if wanted.taken_from.contains(id) {
        Some(Unfit::TakenFrom)
    } else if !standing.is_available(rep.on_leave_until, wanted.now) {
        Some(Unfit::Absent)
    } else if !licensed {
        Some(Unfit::Unlicensed)
    } else if wanted.senior && rep.seniority != Seniority::Senior {
        Some(Unfit::NotSenior)
    } else if standing.load >= rep.capacity {
        Some(Unfit::AtCapacity)
    } else {
        None
    }
}

fn lot(lead: &LeadId, rep: &PersonId) -> [u8; 32] {
    Sha256::new().chain_update(lead.as_str()).chain_update([0]).chain_update(rep.as_str()).finalize().into()
}

/// What a commit changes in the standing of a rep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadChange {
    /// Whose.
    pub rep: PersonId,
    /// One lead more or one less.
    pub delta: i8,
    /// They were given it now.
    pub assigned_at: Option<DateTime<Utc>>,
}

/// What becomes of the reps' loads when a lead changes from one into the other.
pub fn load_changes(directory: &Directory, before: Option<&Lead>, after: &Lead) -> Vec<LoadChange> {
    let (had, has) = (before.and_then(Lead::carried_by), after.carried_by());
    let mut changes = Vec::new();
    if had != has {
        let known = |id: &&PersonId| directory.rep(id).is_some();
        if let Some(rep) = had.filter(known) {
            changes.push(LoadChange { rep: rep.clone(), delta: -1, assigned_at: None });
        }
        if let Some(rep) = has.filter(known) {
            changes.push(LoadChange { rep: rep.clone(), delta: 1, assigned_at: Some(after.changed_at) });
        }
    }
    changes
}
