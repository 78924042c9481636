//! What a commit of a lead changes in the standing of reps.

use crate::entry::Entry;
use crate::lead::event::{AssignmentReason, LeadFact};
use crate::lead::queue::OperationsReason;
use crate::lead::state::Lead;
use crate::roster::AbsentLead;
use chrono::{DateTime, Utc};
use policy::ids::PersonId;
use std::collections::BTreeMap;

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
