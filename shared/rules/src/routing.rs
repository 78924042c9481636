//! Routing: market → team → rep. Whoever can take a lead and was given one least recently gets
//! it; nobody gets one who is absent, full or not licensed for its jurisdiction.

use crate::absence::{AbsentLead, LeadsOfAbsent, ToldOf};
use crate::entry::Entry;
use crate::lead::{Lead, OperationsReason};
use crate::lead_fact::{AssignmentReason, LeadFact, PassedOver, Unfit};
use chrono::{DateTime, Utc};
use policy::directory::{Directory, Seniority};
use policy::ids::{Country, LeadId, PersonId, TeamId};
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
    /// Since when that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<DateTime<Utc>>,
    /// Rises with every change; a commit that relied on it names it.
    pub version: u64,
    /// The rep's last audit entry.
    #[serde(default)]
    pub seq: u64,
    /// The rep's last commit of their own.
    #[serde(default)]
    pub commit: u64,
    /// What became of their leads while they are away, and their manager was not told yet.
    #[serde(default, skip_serializing_if = "LeadsOfAbsent::is_empty")]
    pub untold: LeadsOfAbsent,
    /// The absence that the manager was told of last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_of: Option<ToldOf>,
}

/// What a rep, or operations for them, said of their availability.
// What a later version of the code has written beside these is passed over: a team that could not be
// read would be given no lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// One lead more, one less, or none: they had it on the way only.
    pub delta: i8,
    /// They were given it now.
    pub assigned_at: Option<DateTime<Utc>>,
    /// They are away, and this became of it.
    pub absent: Option<AbsentLead>,
}

impl LoadChange {
    /// Whether the rep has to be looked at: a place became free, or their manager is to be told.
    pub fn is_looked_at(&self) -> bool {
        self.delta < 0 || self.absent.is_some()
    }
}

/// What becomes of the loads when these entries make one lead of the other. Whoever had it on
/// the way only was given it too: the rotation must not hang on how many facts one commit holds.
/// It counts of whoever is no rep now, too: a later directory may have them again.
pub fn load_changes(before: Option<&Lead>, after: &Lead, entries: &[Entry<LeadFact>]) -> Vec<LoadChange> {
    let mut changes: BTreeMap<PersonId, LoadChange> = BTreeMap::new();
    let mut change_of = |rep: &PersonId, change: &dyn Fn(&mut LoadChange)| {
        let none = || LoadChange { rep: rep.clone(), delta: 0, assigned_at: None, absent: None };
        change(changes.entry(rep.clone()).or_insert_with(none));
    };
    if let Some(rep) = before.and_then(Lead::carried_by) {
        change_of(rep, &|change| change.delta -= 1);
    }
    if let Some(rep) = after.carried_by() {
        change_of(rep, &|change| change.delta += 1);
    }
    let mut carried = before.and_then(Lead::carried_by);
    // A closed lead is carried by nobody, and has an owner when it is opened again.
    let mut owner = before.and_then(|lead| lead.owner.as_ref());
    for entry in entries {
        let to = match &entry.fact {
            LeadFact::OwnerSet { to, .. } => to.as_ref(),
            LeadFact::Assigned { to, .. } | LeadFact::Reassigned { to, .. } => Some(to),
            LeadFact::OperationsQueued { reason: OperationsReason::OwnerAbsent, .. } => {
                if let Some(rep) = owner {
                    change_of(rep, &|change| change.absent = Some(AbsentLead::Queued));
                }
                continue;
            }
            _ => continue,
        };
        if let (LeadFact::Assigned { to, reason: AssignmentReason::OwnerAbsent, .. }, Some(from)) =
            (&entry.fact, owner)
        {
            change_of(from, &|change| change.absent = Some(AbsentLead::HandedOn(to.clone())));
        }
        if let Some(rep) = to.filter(|_| to != carried) {
            change_of(rep, &|change| change.assigned_at = Some(entry.at));
        }
        (carried, owner) = (to, to);
    }
    // A lead that is open again, or cleared, comes back to whoever has it.
    if let Some(LoadChange { delta: 1, assigned_at: assigned_at @ None, .. }) =
        after.carried_by().and_then(|rep| changes.get_mut(rep))
    {
        *assigned_at = Some(after.changed_at);
    }
    let is_one = |c: &LoadChange| c.delta != 0 || c.assigned_at.is_some() || c.absent.is_some();
    changes.into_values().filter(is_one).collect()
}
