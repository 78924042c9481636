//! Leads whose owner leaves the directory, or is away: the policy says whether the owner keeps them,
//! whether the next rep gets them, or whether operations decides. Each is recorded, so that no lead
//! goes quiet because of a change that was not about it.

use crate::assign::{give_to_next, tell_assigned};
use crate::deciding::{Deciding, Routed};
use crate::input::{Need, Outcome, World};
use crate::lead::{Lead, OperationsReason};
use crate::lead_fact::{AssignmentReason, LeadFact};
use crate::{absence, timers};
use chrono::{DateTime, Utc};
use policy::Orphan;
use policy::ids::{PersonId, PublicationId, TeamId};
use serde::{Deserialize, Serialize};

/// An owner who cannot work their leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerGone {
    /// Who.
    pub owner: PersonId,
    /// Why.
    pub because: Gone,
    /// Until when they are away, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// Why an owner cannot work their leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gone {
    /// They are no rep of any team any more.
    Left,
    /// They are away.
    Absent,
}

/// What a publication made of a lead whose owner left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Orphaned {
    /// Who left.
    pub from: PersonId,
    /// Their name, as the directory before it said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who has it now; absent: nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PersonId>,
    /// Whether the owner who left still has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}

/// The owner, if a publication makes them leave the teams.
pub(crate) fn leaves(lead: &Lead, before: &World<'_>, after: &World<'_>) -> Option<PersonId> {
    // Held on arrival, it has no owner yet: whom its source named is to have it when it is cleared.
    let named = lead.crm_owner.as_ref().filter(|_| lead.is_held());
    let owner = lead.owner.as_ref().or(named).filter(|_| !lead.is_closed())?;
    let is_rep = |world: &World<'_>| world.directory.rep(owner).is_some();
    (is_rep(before) && !is_rep(after)).then(|| owner.clone())
}

/// Brings a lead whose owner left to what the policy says. The clock begins anew for a new owner.
pub(crate) fn follow_leaver(d: &mut Deciding<'_>, owner: &PersonId) -> Result<(), Need> {
    let then = d.world.policy.policy.owners.left;
    let gone = OwnerGone { owner: owner.clone(), because: Gone::Left, until: None };
    d.fact(None, LeadFact::OwnerGone { gone, then });
    match then {
        Orphan::Keep => {}
        // Held on arrival, it is nobody's yet.
        Orphan::Queue if d.lead.as_ref().is_some_and(|lead| lead.owner.is_none()) => {}
        Orphan::Queue => d.queue_for_operations(None, OperationsReason::OwnerLeft),
        // Compliance holds it: whoever gets it gets it when it is cleared.
        Orphan::HandOn if d.lead.as_ref().is_some_and(Lead::is_held) => {}
        Orphan::HandOn => {
            give_to_next(d, AssignmentReason::OwnerLeft)?;
            // Without a market no team can have it. What operations left alone while somebody owned it is news.
            let is_left_alone = |lead: &Lead| lead.is_dismissed(OperationsReason::MarketUnknown);
            if d.lead.as_ref().is_some_and(is_left_alone) {
                d.queue_for_operations(None, OperationsReason::MarketUnknown);
            }
        }
    }
    Ok(())
}

/// Whether the owner was a rep when they came to have the lead, and is none now. Of a closed lead, nobody asks.
pub(crate) fn has_left(lead: &Lead, world: &World<'_>) -> bool {
    let owner = lead.owner.as_ref().filter(|_| lead.owner_team.is_some());
    owner.is_some_and(|owner| world.directory.rep(owner).is_none())
}

/// A lead that was closed is open again: closed leads are left alone when their owner leaves.
pub(crate) fn follow_reopened(d: &mut Deciding<'_>, tells: bool) -> Result<(), Need> {
    let left = d.lead.as_ref().filter(|lead| has_left(lead, &d.world)).and_then(|lead| lead.owner.clone());
    let Some(left) = left else { return Ok(()) };
    if d.lead.as_ref().is_some_and(|lead| is_gone(lead, &d.world, &left)) {
        // It is known, and they still have it: operations decides, or nobody has to.
        if d.world.policy.policy.owners.left != Orphan::Keep {
            d.queue_for_operations(None, OperationsReason::OwnerLeft);
        }
        return Ok(());
    }
    follow_leaver(d, &left)?;
    // No publication's digest tells of it.
    let owner = d.lead.as_ref().and_then(|lead| lead.owner.clone());
    if tells && owner.is_some_and(|owner| owner != left) {
        tell_assigned(d, Some(left));
    }
    Ok(())
}

/// Follows what is so of the presence of the lead's owner: where they are away for so long that it
/// counts, and the lead's next step is due before they are back, the policy says what is done.
pub(crate) fn follow_presence(d: &mut Deciding<'_>) -> Result<Outcome, Need> {
    let Some(lead) = d.lead.clone() else { return Ok(Outcome::UnknownLead) };
    let Some(owner) = lead.owner.clone().filter(|_| !lead.is_closed()) else {
        return Ok(Outcome::Unchanged);
    };
    let Some(team) = d.world.directory.team_of(&owner).cloned() else { return Ok(Outcome::Unchanged) };
    let standing = d.roster(&team)?.standings.get(&owner).cloned().unwrap_or_default();
    let absence = absence::absence(d.world.directory, &owner, &standing, d.at());
    let was_away = lead.owner_gone.as_ref().filter(|gone| gone.because == Gone::Absent);
    let Some(absence) = absence.filter(|absence| absence.counts(&d.world.policy.policy, d.at())) else {
        if was_away.is_some() && absence.is_none() {
            d.fact(None, LeadFact::OwnerBack { owner });
        }
        return Ok(Outcome::Applied);
    };
    // While compliance holds it nobody can have it; when it is cleared, whoever is there gets it.
    if lead.is_held() {
        return Ok(Outcome::Unchanged);
    }
    let gone = OwnerGone { owner, because: Gone::Absent, until: absence.until };
    let then = d.world.policy.policy.owners.absent;
    let comes_first = |due: DateTime<Utc>| absence.until.is_none_or(|until| due < until);
    let is_pressing = timers::next_step(&lead, &d.world).is_some_and(comes_first);
    if then == Orphan::Keep || !is_pressing {
        return Ok(Outcome::Applied);
    }
    if was_away == Some(&gone) {
        // It waits for operations: nobody could take it then, or the policy said so then.
        if then == Orphan::HandOn
            && d.is_queued_for(OperationsReason::OwnerAbsent)
            && let Routed::To { rep, team } = d.route(false)?
        {
            give_from_absent(d, rep, team);
        } else if !d.is_queued_for(OperationsReason::OwnerAbsent)
            && !lead.is_dismissed(OperationsReason::OwnerAbsent)
        {
            // It was closed meanwhile, and with that out of the queue.
            d.queue_for_operations(None, OperationsReason::OwnerAbsent);
        }
        return Ok(Outcome::Applied);
    }
    d.fact(None, LeadFact::OwnerGone { gone, then });
    match then {
        Orphan::HandOn => hand_on_from_absent(d)?,
        _ => d.queue_for_operations(None, OperationsReason::OwnerAbsent),
    }
    Ok(Outcome::Applied)
}

/// When the next step of the lead's clocks is due.
pub(crate) fn next_step(d: &Deciding<'_>) -> Option<DateTime<Utc>> {
    d.lead.as_ref().and_then(|lead| timers::next_step(lead, &d.world))
}

/// Looks at the owner's presence if the next step is due sooner than it was: it may be due before they are back.
pub(crate) fn follow_presence_if_sooner(
    d: &mut Deciding<'_>,
    before: Option<DateTime<Utc>>,
) -> Result<(), Need> {
    if next_step(d).is_some_and(|now| before.is_none_or(|before| now < before)) {
        follow_presence(d)?;
    }
    Ok(())
}

/// The owner who is away keeps it where nobody else can take it, and operations looks.
fn hand_on_from_absent(d: &mut Deciding<'_>) -> Result<(), Need> {
    match d.route(false)? {
        Routed::To { rep, team } => give_from_absent(d, rep, team),
        Routed::Nobody { considered } => {
            let reason = OperationsReason::OwnerAbsent;
            d.fact(None, LeadFact::ReassignmentImpossible { reason, considered });
            d.queue_for_operations(None, reason);
        }
        Routed::NoTeam => d.queue_for_operations(None, OperationsReason::OwnerAbsent),
    }
    Ok(())
}

fn give_from_absent(d: &mut Deciding<'_>, to: PersonId, team: TeamId) {
    let previous_owner = d.lead.as_ref().and_then(|lead| lead.owner.clone());
    d.fact(None, LeadFact::Assigned { to, team, reason: AssignmentReason::OwnerAbsent, told_from: None });
    tell_assigned(d, previous_owner);
}

/// Whether an open lead stays with its owner and does not wait for anybody else to take it.
pub fn stays_with(lead: &Lead, owner: &PersonId) -> bool {
    lead.owner.as_ref() == Some(owner) && !lead.is_closed() && !is_away(lead)
}

/// Whether the owner of a lead is away and the lead was to be handed on.
pub(crate) fn is_away(lead: &Lead) -> bool {
    let away = lead.owner_gone.as_ref().filter(|gone| gone.because == Gone::Absent);
    away.is_some_and(|gone| lead.owner.as_ref() == Some(&gone.owner))
}

/// Whether an owner left, and nobody has taken the lead since.
pub(crate) fn is_gone(lead: &Lead, world: &World<'_>, person: &PersonId) -> bool {
    let left = lead.owner_gone.as_ref().filter(|gone| gone.because == Gone::Left);
    left.is_some_and(|gone| gone.owner == *person) && world.directory.rep(person).is_none()
}

impl Lead {
    /// Whether its owner left with a publication.
    pub fn is_orphaned_by(&self, publication: PublicationId) -> bool {
        self.applied.iter().any(|applied| applied.publication == publication && applied.orphaned.is_some())
    }
}
