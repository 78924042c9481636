//! Routing: market → team → rep. Among the reps who can take a lead, the one who got a lead least recently
//! gets it. A rep who is away, at capacity, or not licensed for its country gets none.

use crate::roster::{Roster, Standing};

use chrono::{DateTime, Utc};
use policy::directory::{Directory, Seniority};
use policy::ids::{Country, LeadId, PersonId, TeamId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The lead to route, and what the rep must satisfy.
pub(crate) struct RoutingRequest<'a> {
    pub lead: &'a LeadId,
    pub country: Option<&'a Country>,
    pub owner: Option<&'a PersonId>,
    pub taken_from: &'a [PersonId],
    pub senior: bool,
    pub now: DateTime<Utc>,
}

/// The rep who gets the lead, or why each rep was passed over.
pub(crate) fn choose(
    directory: &Directory,
    team: &TeamId,
    roster: &Roster,
    wanted: &RoutingRequest<'_>,
) -> Result<PersonId, Vec<PassedOver>> {
    let mut passed_over = Vec::new();
    let mut fit = Vec::new();
    for id in directory.team(team).iter().flat_map(|t| t.reps.keys()) {
        let standing = roster.standings.get(id);
        match ineligibility(directory, id, standing, wanted) {
            Some(because) => passed_over.push(PassedOver { rep: id.clone(), because }),
            None => fit.push((standing.and_then(|s| s.last_assigned_at), lot(wanted.lead, id), id)),
        }
    }
    // Reps who never got one come first. Among equals a lot decides, drawn from the lead, so that no
    // position in the list has an advantage.
    fit.into_iter().min().map(|(_, _, id)| id.clone()).ok_or(passed_over)
}

/// Why a rep cannot take the lead; `None` if they can.
pub(crate) fn ineligibility(
    directory: &Directory,
    id: &PersonId,
    standing: Option<&Standing>,
    wanted: &RoutingRequest<'_>,
) -> Option<Ineligibility> {
    let Some(rep) = directory.rep(id) else {
        return Some(Ineligibility::Absent);
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
        Some(Ineligibility::IsOwner)
    } else if wanted.taken_from.contains(id) {
        Some(Ineligibility::TakenFrom)
    } else if !standing.is_available(rep.on_leave_until, wanted.now) {
        Some(Ineligibility::Absent)
    } else if !licensed {
        Some(Ineligibility::Unlicensed)
    } else if wanted.senior && rep.seniority != Seniority::Senior {
        Some(Ineligibility::NotSenior)
    } else if standing.load >= rep.capacity {
        Some(Ineligibility::AtCapacity)
    } else {
        None
    }
}

fn lot(lead: &LeadId, rep: &PersonId) -> [u8; 32] {
    Sha256::new().chain_update(lead.as_str()).chain_update([0]).chain_update(rep.as_str()).finalize().into()
}

/// A rep who was considered and passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// Who.
    pub rep: PersonId,
    /// Why.
    pub because: Ineligibility,
}

/// Why a rep cannot take a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ineligibility {
    /// They own it already.
    IsOwner,
    /// It was taken from them in this state.
    TakenFrom,
    /// Absent.
    Absent,
    /// They own as many leads as they can.
    AtCapacity,
    /// Not licensed for the lead's jurisdiction.
    Unlicensed,
    /// The lead needs a senior rep.
    NotSenior,
}

impl Ineligibility {
    /// The reason as the end of a sentence.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::IsOwner => "they already own it",
            Self::TakenFrom => "it was reassigned from them in this state",
            Self::Absent => "they are away",
            Self::AtCapacity => "they are at capacity",
            Self::Unlicensed => "they are not licensed for its country",
            Self::NotSenior => "they are not a senior rep",
        }
    }
}
