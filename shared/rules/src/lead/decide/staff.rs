//! What staff decide: a case in the operations queue, an erasure.

use crate::aggregate::Undecided;
use crate::lead::command::{Erasure, Resolution, ResolutionAction};
use crate::lead::decide::assign::{assign_if_unowned, tell_assigned};
use crate::lead::decide::deciding::Deciding;
use crate::lead::decide::operations::is_left_alone;
use crate::lead::decide::owners;
use crate::lead::event::{AssignmentReason, ErasureBasis, LeadFact};
use crate::lead::queue::{OperationsReason, Queued};
use crate::lead::workflows::{compliance_flag, high_value};
use crate::outcome::Outcome;
use crate::roster::Standing;
use crate::routing;

/// Operations deals with a lead of its queue.
pub(super) fn resolve(d: &mut Deciding<'_>, resolution: &Resolution) -> Result<Outcome, Undecided> {
    let Some(lead) = d.lead().cloned() else {
        return Ok(Outcome::NotFound);
    };
    let seen = resolution.seen;
    let queued = lead.operations.iter().flat_map(|review| &review.reasons);
    let (covered, later): (Vec<&Queued>, Vec<&Queued>) =
        queued.partition(|queued| seen.is_none_or(|seen| queued.seq <= seen));
    if covered.is_empty() && !later.is_empty() {
        let why =
            "the lead entered the operations queue after the version that you saw; reload it and try again";
        return Ok(Outcome::Conflict { why: why.to_owned() });
    }
    if covered.is_empty() && lead.dismissed.is_none() {
        return Ok(Outcome::Conflict { why: "the lead is not in the operations queue".to_owned() });
    }
    let mut reasons: Vec<OperationsReason> = covered.iter().map(|queued| queued.reason).collect();
    reasons.extend(lead.dismissed.iter().flat_map(|dismissal| &dismissal.reasons));
    reasons.sort_unstable();
    reasons.dedup();
    let locked = lead.is_held() || lead.is_disqualified();
    let done = match &resolution.action {
        ResolutionAction::Dismiss => "dismissed".to_owned(),
        ResolutionAction::Assign { rep } => {
            if locked {
                return Ok(refuse(
                    d,
                    &format!("assignment to {rep}"),
                    "compliance holds the lead or has closed it",
                ));
            }
            if d.team().is_none() {
                // Nothing could be measured of it, and it would go quiet.
                let why = "the lead's market is unknown; set it first with `set-market`".to_owned();
                return Ok(Outcome::Invalid { field: "resolution".to_owned(), why });
            }
            let Some(team) = d.rules.directory().team_of(rep).cloned() else {
                return Ok(Outcome::Invalid {
                    field: "rep".to_owned(),
                    why: format!("`{rep}` is not a rep in the directory"),
                });
            };
            let roster = d.roster(&team)?;
            let nothing = Standing::default();
            let standing = roster.standings.get(rep).unwrap_or(&nothing);
            let ineligibility =
                routing::ineligibility(d.rules.directory(), rep, Some(standing), &d.wanted(&lead, false));
            if let Some(because) = ineligibility {
                let why = format!("`{rep}` cannot take the lead: {}", because.in_words());
                return Ok(refuse(d, &format!("assignment to {rep}"), &why));
            }
            let previous_owner = lead.owner.clone();
            d.rely_on(roster, rep);
            d.fact(
                None,
                LeadFact::Assigned {
                    to: rep.clone(),
                    team,
                    reason: AssignmentReason::Operations,
                    told_from: None,
                },
            );
            tell_assigned(d, previous_owner);
            format!("assigned to {rep}")
        }
        ResolutionAction::SetMarket { market } => {
            if d.rules.directory().market(market).is_none() {
                return Ok(Outcome::Invalid {
                    field: "market".to_owned(),
                    why: format!("`{market}` is not a market in the directory"),
                });
            }
            let (from, was_known) = (lead.profile.market.clone(), d.team().is_some());
            d.fact(None, LeadFact::MarketSet { from, to: market.clone() });
            d.follow_market(was_known, false);
            format!("market set to {market}")
        }
    };
    let note = resolution.note.clone();
    let dismissed = if resolution.action == ResolutionAction::Dismiss {
        let still = d
            .lead()
            .into_iter()
            .flat_map(|lead| reasons.iter().filter(|r| is_left_alone(lead, d.rules, **r)));
        still.copied().collect()
    } else {
        Vec::new()
    };
    d.fact(None, LeadFact::OperationsResolved { resolution: done, note, reasons, seen, dismissed });
    if matches!(resolution.action, ResolutionAction::SetMarket { .. }) {
        // A market says which jurisdictions are licensed, so that the lead is screened anew.
        compliance_flag::screen_jurisdiction(d)?;
        assign_if_unowned(d, AssignmentReason::Operations, true)?;
        // Its owner may be away.
        owners::follow_presence(d)?;
        high_value::evaluate(d)?;
    }
    Ok(Outcome::Applied)
}

/// Somebody asked for the erasure of the lead's personal data.
pub(super) fn erase(d: &mut Deciding<'_>, erasure: &Erasure) -> Outcome {
    let Some(lead) = d.lead() else { return Outcome::NotFound };
    if lead.is_erased() {
        return Outcome::Unchanged;
    }
    if lead.review.is_some() {
        // The law asks for the decision, and it cannot be taken on what nobody can read.
        let why = "an open compliance review still needs the personal data; decide the review first";
        return Outcome::Conflict { why: why.to_owned() };
    }
    let Erasure { reference, reason } = erasure.clone();
    erasing(d, ErasureBasis::Request, Some(reference), Some(reason));
    Outcome::Applied
}

/// The time is over for which the policy keeps a closed lead's personal data.
pub(super) fn end_retention(d: &mut Deciding<'_>) {
    erasing(d, ErasureBasis::Retention, None, None);
}

fn erasing(d: &mut Deciding<'_>, basis: ErasureBasis, reference: Option<String>, reason: Option<String>) {
    let kinds = d.lead().map(|lead| lead.personal_kinds.clone()).unwrap_or_default();
    d.fact(None, LeadFact::Erased { basis, reference, reason, kinds });
}

fn refuse(d: &mut Deciding<'_>, what: &str, why: &str) -> Outcome {
    d.fact(None, LeadFact::InputRefused { what: what.to_owned(), why: why.to_owned() });
    Outcome::Refused { why: why.to_owned() }
}
