//! Gives a lead that compliance cleared to a rep who can work it.

use crate::aggregate::Undecided;
use crate::lead::decide::assign::{assign_next, nobody, tell_manager};
use crate::lead::decide::deciding::Deciding;
use crate::lead::decide::owners;
use crate::lead::event::{AssignmentReason, LeadFact};
use crate::lead::ownership;
use crate::lead::queue::OperationsReason;
use crate::routing;
use crate::routing::Ineligibility;
use policy::WorkflowId;

/// Gives a cleared lead to whoever had it, or was to have it, if they can take it; else to the
/// next rep of the team.
pub(crate) fn assign_cleared(d: &mut Deciding<'_>) -> Result<(), Undecided> {
    let Some(lead) = d.lead().cloned().filter(|lead| !lead.is_closed()) else {
        return Ok(());
    };
    let reason = AssignmentReason::Cleared;
    // Who left gets nothing back, whatever the CRM still says.
    let named = lead.crm_owner.clone().filter(|person| !ownership::is_gone(&lead, d.rules, person));
    if let Some(wish) = lead.owner.clone().or(named) {
        if ownership::has_left(&lead, d.rules) {
            return owners::follow_reopened(d, true);
        }
        let Some(team) = d.rules.directory().team_of(&wish).cloned() else {
            // No rep of ours: whom the CRM named owns it, and operations looks if nobody knows them.
            if lead.owner.is_none() {
                let is_known = d.rules.directory().person(&wish).is_some();
                d.fact(None, LeadFact::OwnerSet { from: None, to: Some(wish), team: None });
                if !is_known {
                    d.queue_for_operations(None, OperationsReason::OwnerUnknown);
                }
            }
            return Ok(());
        };
        let roster = d.roster(&team)?;
        let keeps = lead.owner.as_ref() == Some(&wish);
        let mut wanted = d.wanted(&lead, false);
        wanted.owner = None;
        let fit =
            match routing::ineligibility(d.rules.directory(), &wish, roster.standings.get(&wish), &wanted) {
                None => true,
                // The owner already carries it.
                Some(Ineligibility::AtCapacity) => keeps,
                Some(_) => false,
            };
        if fit && keeps {
            return Ok(());
        }
        if fit {
            d.rely_on(roster, &wish);
            d.fact(None, LeadFact::Assigned { to: wish, team, reason, told_from: None });
            return Ok(());
        }
    }
    if let Some(considered) = assign_next(d, reason)? {
        nobody(d, considered);
        tell_manager(d, Some((WorkflowId::ComplianceFlag, None)));
    }
    Ok(())
}
