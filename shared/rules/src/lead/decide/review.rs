//! Officers' decisions: on an open review, and on reopening the review of a rejected lead.

use crate::aggregate::Undecided;
use crate::lead::command::{Officer, Reopening, ReviewDecision};
use crate::lead::decide::deciding::Deciding;
use crate::lead::event::LeadFact;
use crate::lead::state::Lead;
use crate::lead::workflows::compliance_flag;
use crate::outcome::Outcome;
use policy::CodeError;
use policy::ids::PersonId;

/// An officer decides on the review.
pub(super) fn decide(d: &mut Deciding<'_>, decision: &ReviewDecision) -> Result<Outcome, Undecided> {
    let Some(lead) = d.lead() else {
        return Ok(Outcome::NotFound);
    };
    let Some(review) = &lead.review else {
        return Ok(Outcome::Conflict {
            why: format!("the lead has no open review; it is in {}", lead.state),
        });
    };
    let officer = decision.officer();
    let is_second_voice = review
        .vote
        .as_ref()
        .is_some_and(|vote| vote.officer == decision.officer && vote.verdict == decision.verdict);
    let involved = involved(lead, &officer, &review.flagged_by, review.would_be_owner.as_ref());
    if let Some(why) = involved.or(is_second_voice.then_some(SAME_OFFICER)) {
        return Ok(refuse(d, "review decision", why));
    }
    let policy = &d.rules.policy().workflows.compliance_flag;
    if let Err(error) = policy.code_for(&decision.reason_code, decision.verdict) {
        return Ok(invalid_code(&error));
    }
    if review.revision != decision.revision {
        return Ok(moved_on("the review", review.revision, "your decision", decision.revision));
    }
    compliance_flag::conclude(d, decision)?;
    Ok(Outcome::Applied)
}

/// An officer asks to open the review of a rejected lead again.
pub(super) fn reopen(d: &mut Deciding<'_>, reopening: &Reopening) -> Outcome {
    let Some(lead) = d.lead() else {
        return Outcome::NotFound;
    };
    let Some(rejection) = lead.rejection.as_ref().filter(|_| lead.is_disqualified()) else {
        let why = format!("compliance did not reject the lead; it is in {}", lead.state);
        return Outcome::Conflict { why };
    };
    if lead.is_erased() {
        let why = "the personal data behind the rejection was erased, so nobody can review it again";
        return Outcome::Conflict { why: why.to_owned() };
    }
    let is_second_voice = rejection.asked.as_ref().is_some_and(|asked| asked.officer == reopening.officer);
    let officer = reopening.officer();
    let involved = involved(lead, &officer, &rejection.flagged_by, rejection.would_be_owner.as_ref());
    if let Some(why) = involved.or(is_second_voice.then_some(SAME_OFFICER)) {
        return refuse(d, "reopening", why);
    }
    if rejection.revision != reopening.revision {
        return moved_on("the rejection", rejection.revision, "your request", reopening.revision);
    }
    compliance_flag::reopen(d, reopening.officer.clone(), reopening.reason.clone());
    Outcome::Applied
}

const SAME_OFFICER: &str = "the same officer cannot decide twice; a second officer must confirm";

/// Why an officer cannot decide on a lead, if they raised a flag or own it.
fn involved(
    lead: &Lead,
    officer: &Officer<'_>,
    flagged_by: &[String],
    would_be_owner: Option<&PersonId>,
) -> Option<&'static str> {
    let owners = [lead.owner.as_ref(), lead.crm_owner.as_ref(), would_be_owner];
    if flagged_by.iter().any(|by| officer.is(by)) {
        Some("an officer who flagged the lead cannot take part in its review")
    } else if owners.into_iter().flatten().any(|owner| officer.is(owner.as_str())) {
        Some("the owner of the lead cannot take part in its review")
    } else {
        None
    }
}

fn invalid_code(error: &CodeError) -> Outcome {
    Outcome::Invalid { field: "reason_code".to_owned(), why: error.to_string() }
}

fn moved_on(what: &str, is: u64, yours: &str, seen: u64) -> Outcome {
    let why = format!(
        "{what} is now at revision {is}, but {yours} is for revision {seen}; reload it and try again"
    );
    Outcome::Conflict { why }
}

fn refuse(d: &mut Deciding<'_>, what: &str, why: &str) -> Outcome {
    d.fact(None, LeadFact::InputRefused { what: what.to_owned(), why: why.to_owned() });
    Outcome::Refused { why: why.to_owned() }
}
