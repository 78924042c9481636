//! Whether the owner of a lead left, or is away.

use crate::lead::owner::GoneReason;
use crate::lead::pending::PendingNotification;
use crate::lead::state::Lead;
use chrono::{DateTime, Utc};
use policy::Rulebook;
use policy::directory::Directory;
use policy::ids::{LeadId, PersonId, TeamId};

/// The owner, if a publication makes them leave the teams.
pub(crate) fn leaves(lead: &Lead, before: &Rulebook, after: &Rulebook) -> Option<PersonId> {
    // Held on arrival, it has no owner yet: whom its source named is to have it when it is cleared.
    let named = lead.crm_owner.as_ref().filter(|_| lead.is_held());
    let owner = lead.owner.as_ref().or(named).filter(|_| !lead.is_closed())?;
    let is_rep = |rules: &Rulebook| rules.directory().rep(owner).is_some();
    (is_rep(before) && !is_rep(after)).then(|| owner.clone())
}

/// Whether the owner was a rep when they came to have the lead, and is none now. Of a closed lead, nobody asks.
pub(crate) fn has_left(lead: &Lead, rules: &Rulebook) -> bool {
    let owner = lead.owner.as_ref().filter(|_| lead.owner_team.is_some());
    owner.is_some_and(|owner| rules.directory().rep(owner).is_none())
}

/// Whether an open lead stays with its owner and does not wait for anybody else to take it.
pub fn stays_with(lead: &Lead, owner: &PersonId) -> bool {
    lead.owner.as_ref() == Some(owner) && !lead.is_closed() && !is_away(lead)
}

/// Whether the owner of a lead is away and the lead was to be handed on.
pub(crate) fn is_away(lead: &Lead) -> bool {
    let away = lead.owner_gone.as_ref().filter(|gone| gone.because == GoneReason::Absent);
    away.is_some_and(|gone| lead.owner.as_ref() == Some(&gone.owner))
}

/// Whether an owner left, and nobody has taken the lead since.
pub(crate) fn is_gone(lead: &Lead, rules: &Rulebook, person: &PersonId) -> bool {
    let left = lead.owner_gone.as_ref().filter(|gone| gone.because == GoneReason::Left);
    left.is_some_and(|gone| gone.owner == *person) && rules.directory().rep(person).is_none()
}

/// Whether the owner waits, at an instant, for the end of their quiet hours to be told that the lead
/// is theirs. In the very instant of their end nobody can have read it yet.
pub(crate) fn is_yet_to_be_told(lead: &Lead, owner: &PersonId, at: DateTime<Utc>) -> bool {
    let later = |from: Option<DateTime<Utc>>| from.is_some_and(|from| from >= at);
    let by_digest = lead.untold.as_ref().is_some_and(|u| u.person == *owner && later(u.from));
    let waits = |p: &PendingNotification| p.gives() && p.person() == Some(owner) && later(p.not_before);
    by_digest || lead.undelivered.iter().any(waits)
}

/// Since when a lead waits for a rep of a team, if it does.
pub fn waits_since(lead: &Lead, directory: &Directory, team: &TeamId) -> Option<(DateTime<Utc>, LeadId)> {
    let market = directory.market(lead.profile.market.as_ref()?)?;
    let since = lead.waits_for_rep_since().filter(|_| market.team == *team)?;
    Some((since, lead.id.clone()))
}
